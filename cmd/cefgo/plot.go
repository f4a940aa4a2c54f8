package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/plot"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// plotOptions are the flags of plot.
type plotOptions struct {
	output    string
	outputSet bool
	title     string
	size      dimensionsValue
	noClobber bool
}

func newPlotCommand(a *app) *cobra.Command {
	o := plotOptions{size: dimensionsValue{800, 900}}
	cmd := &cobra.Command{
		Use:         "plot [flags] TRACE",
		Annotations: withJSON,
		Short:       "Draw the trace of a fetch",
		Long: `plot draws what get --trace wrote, as SVG with one time axis: the congestion
window and the Interests in flight, round trips, goodput, and what was lost,
timed out or came back as an Interest Return.

TRACE may be - for standard input. The drawing goes to TRACE with its ending
replaced by .svg, or where -o says; of standard input, to standard output. Of a
trace that a killed fetch left, all that is there is drawn.`,
		Example: `  cefgo get ccnx:/demo/big.iso --trace run.jsonl && cefgo plot run.jsonl
  cefgo plot run.jsonl -o fig.svg --title "100 Mbit/s, 1% loss" --size 800x600
  zcat run.jsonl.gz | cefgo plot - | rsvg-convert -o run.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.outputSet = cmd.Flags().Changed("output")
			return failed("plot", args[0], a.runPlot(cmd.Context(), o, args[0]))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file, or - for stdout (default: TRACE with its ending replaced by .svg)")
	f.StringVar(&o.title, "title", "", "title (default: names and congestion control)")
	f.Var(&o.size, "size", "width and height in pixels")
	f.BoolVar(&o.noClobber, "no-clobber", false, "refuse to replace an existing file")
	return cmd
}

// dimensionsValue is a flag that takes a width and a height in pixels.
type dimensionsValue struct{ width, height int }

func (v *dimensionsValue) String() string { return fmt.Sprintf("%dx%d", v.width, v.height) }
func (v *dimensionsValue) Type() string   { return "WxH" }

func (v *dimensionsValue) Set(s string) error {
	w, h, _ := strings.Cut(s, "x")
	width, werr := strconv.Atoi(w)
	height, herr := strconv.Atoi(h)
	if werr != nil || herr != nil || min(width, height) < plot.MinSize || max(width, height) > plot.MaxSize {
		return fmt.Errorf("want width and height such as 800x900, each from %d to %d", plot.MinSize, plot.MaxSize)
	}
	*v = dimensionsValue{width, height}
	return nil
}

// target is the file to be written, or -.
func (o *plotOptions) target(path string) (string, error) {
	switch {
	case o.outputSet && o.output == "":
		return "", usage("", "-o needs a file or -")
	case o.output == "-", !o.outputSet && path == "-":
		return "-", nil
	case !o.outputSet:
		o.output = strings.TrimSuffix(path, filepath.Ext(path)) + ".svg"
	}
	if path != "-" && sameRegular(path, o.output) {
		return "", usage("say where with -o FILE", "the drawing would replace the trace")
	}
	return o.output, nil
}

func (a *app) runPlot(ctx context.Context, o plotOptions, path string) error {
	to, err := o.target(path)
	if err != nil {
		return err
	}
	if to == "-" {
		a.jsonTo = a.stderr
	}
	// Whoever writes into a pipe may take for ever to begin, or to go on.
	type outcome struct {
		d   *drawing
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		d, err := a.drawTrace(o, path)
		done <- outcome{d, err}
	}()
	var r outcome
	select {
	case r = <-done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	switch line := (*trace.LineError)(nil); {
	case errors.As(r.err, &line):
		return &failure{code: exitFailed, err: r.err, hint: "plot draws what cefgo get --trace FILE wrote"}
	case r.err != nil:
		return r.err
	}
	if r.d.cut != nil {
		a.say("%s: %v; what is before it is drawn", path, r.d.cut)
	}
	if err := a.saveDrawing(ctx, o, to, r.d); err != nil {
		return err
	}
	f := fields{"events": r.d.events, "duration_ms": ms(r.d.length)}
	if to != "-" {
		f["file"] = to
		a.say("drew %s of %v: %s", plural(r.d.events, "event"), r.d.length.Round(time.Millisecond), to)
	}
	if r.d.cut != nil {
		f["cut"] = true
	}
	return a.result(f)
}

// drawing is a trace as SVG.
type drawing struct {
	svg    bytes.Buffer
	events uint64
	length time.Duration
	cut    error // where the trace ends in the middle of a line
}

func (a *app) drawTrace(o plotOptions, path string) (*drawing, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	d := &drawing{}
	err := plot.SVG(&d.svg, d.watch(trace.Read(in)), plot.Options{
		Title: o.title, Width: o.size.width, Height: o.size.height,
		CodeText: func(code uint8) string { return tlv.ReturnCode(code).String() },
	})
	return d, err
}

// watch passes events on, but ends them where the trace is cut short.
func (d *drawing) watch(events iter.Seq2[trace.Event, error]) iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		for e, err := range events {
			if errors.Is(err, trace.ErrCut) && d.events > 0 {
				d.cut = err
				return
			}
			if err == nil {
				d.events++
				d.length = max(d.length, e.At)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// saveDrawing gives the drawing its name once it is complete.
func (a *app) saveDrawing(ctx context.Context, o plotOptions, to string, d *drawing) error {
	if to == "-" {
		_, err := io.Copy(a.stdout, &d.svg)
		return err
	}
	if err := write(ctx, to, partfile.Options{NoClobber: o.noClobber}, &d.svg); err != nil {
		return asLocal(err)
	}
	return nil
}

// write writes a whole file.
func write(ctx context.Context, path string, o partfile.Options, content io.Reader) error {
	f, err := openFile(ctx, path, o, 10*time.Second)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, content); err == nil {
		err = f.Commit()
	}
	if err != nil {
		_ = f.Discard()
	}
	return err
}
