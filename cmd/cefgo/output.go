package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"syscall"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"golang.org/x/term"
)

// app is what all commands of one run share.
type app struct {
	args           []string // of the command line
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string

	global globalOptions
	cmd    string // the running command, once known

	mu   sync.Mutex // holds lines of stderr together
	json jsonMode
	// jsonTo is stdout, but stderr where the payload goes to stdout.
	jsonTo io.Writer
	log    *slog.Logger
}

// jsonMode is the value of --json.
type jsonMode string

const (
	jsonOff    jsonMode = ""
	jsonObject jsonMode = "object"
	jsonStream jsonMode = "stream"
)

// say writes a line for people, unless -q.
func (a *app) say(format string, args ...any) {
	if !a.global.quiet {
		a.line(fmt.Sprintf(format, args...))
	}
}

// line writes a line for people to stderr.
func (a *app) line(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(a.stderr, "cefgo: %s\n", printable(l))
	}
}

// printable is s without control characters, which a name from the command line or
// the network may hold and a terminal would obey: each is written as \x1b is.
func printable(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			fmt.Fprintf(&b, `\x%02x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fields is the body of a JSON object; a value that is not known is left out.
type fields map[string]any

// emit writes one JSON object.
func (a *app) emit(typ string, f fields) error {
	f["v"], f["type"] = 1, typ
	if a.cmd != "" {
		f["cmd"] = a.cmd
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	to := a.jsonTo
	if to == nil {
		to = a.stdout
	}
	_, err = to.Write(append(b, '\n'))
	return err
}

// event writes one line of --json=stream.
func (a *app) event(typ string, f fields) {
	if a.json == jsonStream {
		_ = a.emit(typ, f)
	}
}

// result writes the one object of --json, or the last line of --json=stream.
func (a *app) result(f fields) error {
	if a.json == jsonOff {
		return nil
	}
	if err := a.emit("result", f); err != nil {
		return &failure{code: exitLocal, err: fmt.Errorf("writing the result: %w", err)}
	}
	return nil
}

// report tells how the run ended and returns its exit code.
func (a *app) report(err error) exitCode {
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		f = newFailure(err)
	}
	if out, ok := a.stdout.(*outWriter); ok && errors.Is(out.err(), syscall.EPIPE) {
		return exitPipe // whoever read has gone; there is nobody to tell
	}
	a.line(f.Error())
	if f.hint != "" {
		a.line("hint: " + f.hint)
	}
	if f.resume != "" {
		a.line("to go on: " + f.resume)
	}
	if a.log == nil {
		a.json = askedForJSON(a.args) // the command line was refused before it was settled
	}
	if a.json != jsonOff {
		out := fields{}
		maps.Copy(out, f.more)
		maps.Copy(out, fields{"code": int(f.code), "kind": f.code.kind(), "message": f.err.Error()})
		put := func(key, v string) {
			if v != "" {
				out[key] = v
			}
		}
		put("name", f.name)
		put("hint", f.hint)
		put("resume", f.resume)
		if f.ret != nil {
			out["return_code"], out["return_reason"] = int(*f.ret), f.ret.String()
		}
		_ = a.emit("error", out)
	}
	return f.code
}

// askedForJSON finds --json on a command line that was not parsed to its end.
func askedForJSON(args []string) jsonMode {
	for _, arg := range args {
		switch arg {
		case "--":
			return jsonOff
		case "--json", "--json=" + string(jsonObject):
			return jsonObject
		case "--json=" + string(jsonStream):
			return jsonStream
		}
	}
	return jsonOff
}

// styles are the few looks of cefgo; all are plain where there is no colour.
type styles struct{ name, good, bad lipgloss.Style }

// style returns the styles for w, which is judged by itself.
func (a *app) style(w io.Writer) styles {
	if a.global.noColor || a.getenv("NO_COLOR") != "" || a.getenv("TERM") == "dumb" || !isTerminal(w) {
		plain := lipgloss.NewStyle()
		return styles{plain, plain, plain}
	}
	r := lipgloss.NewRenderer(terminal(w))
	return styles{
		name: r.NewStyle().Bold(true),
		good: r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "2", Dark: "10"}),
		bad:  r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "1", Dark: "9"}),
	}
}

func isTerminal(w io.Writer) bool {
	f := terminal(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// newLogger returns what -v and -vv log with.
func (a *app) newLogger() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.global.quiet:
		level = slog.LevelError
	case a.global.verbose > 1:
		level = slog.LevelDebug
	case a.global.verbose > 0:
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if a.global.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(lockedWriter{a}, o))
	}
	return slog.New(&lineHandler{a: a, level: level})
}

// lockedWriter writes whole lines to stderr.
type lockedWriter struct{ a *app }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	return w.a.stderr.Write(p)
}
