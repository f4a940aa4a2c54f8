package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// getOptions are the flags of get.
type getOptions struct {
	output       string
	outputSet    bool
	cc           string
	window       int
	windowMax    int
	pitShare     float64
	parallel     int
	trace        string
	chunks       rangeValue
	bytes        byteRange
	untilTimeout bool
	noClobber    bool
	resume       bool
	noResume     bool
	hopLimit     int
	lifetime     durationValue
	timeout      durationValue
	stall        durationValue
	deadline     durationValue
}

// Defaults of get.
const (
	pitShare = 0.5
	parallel = 4
)

func newGetCommand(a *app) *cobra.Command {
	o := getOptions{
		lifetime: durationValue{unit: time.Millisecond},
		timeout:  durationValue{10 * time.Second, time.Second},
		stall:    durationValue{30 * time.Second, time.Second},
		deadline: durationValue{unit: time.Second},
	}
	cmd := &cobra.Command{
		Use:         "get [flags] NAME...",
		Annotations: withJSON,
		Short:       "Fetch content",
		Long: `get fetches the content of each NAME and writes it to a file named by the name's
last segment, or where -o says. A file appears under its name when it is complete:
until then it grows beside it as FILE.cefgo-part, and an old file of that name
stays as it was. With -o - the contents go to standard output, one after the other.

A chunk whose checksum is wrong is asked for again; chunks of two versions of
the content never mix. A NAME may end in /Chunk=N for one chunk.

How many Interests are in flight is found by a congestion control (--cc), and shared
by all names of one run: it never exceeds --pit-share of the forwarder's PIT.`,
		Example: `  cefgo get ccnx:/demo/README.md
  cefgo get ccnx:/demo/README.md -o - | head
  cefgo get ccnx:/demo/a ccnx:/demo/b -o /tmp/
  cefgo get ccnx:/demo/big.iso --range 1000000-1999999 -o part
  cefgo get ccnx:/demo/big.iso -o /tmp/ --trace t.jsonl && cefgo plot t.jsonl
  cefgo get --forwarder udp://192.0.2.7 ccnx:/demo/README.md`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.outputSet = cmd.Flags().Changed("output")
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return failed("get", name, a.runGet(cmd.Context(), o, args))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file, existing directory, or - for stdout")
	f.StringVar(&o.cc, "cc", string(congestion.Kinds[0]), "how the window is found: "+congestion.KindList())
	f.IntVarP(&o.window, "window", "w", 0, "a fixed window of that many Interests (as --cc fixed)")
	f.IntVar(&o.windowMax, "window-max", 0, "most Interests in flight (default: no bound but the forwarder's PIT)")
	f.Float64Var(&o.pitShare, "pit-share", pitShare, "most of the forwarder's PIT to fill, as a share of its size")
	f.IntVar(&o.parallel, "parallel", parallel, "most names to fetch at a time")
	f.StringVar(&o.trace, "trace", "", "write window and round trip per event to this file, as JSON Lines; see cefgo plot")
	f.Var(&o.chunks, "chunks", "only these chunks: A-B, A- or A")
	f.Var(&o.bytes, "range", "only these bytes: A-B, A- or -N for the last N")
	f.BoolVar(&o.untilTimeout, "until-timeout", false, "take --stall-timeout of silence for the end, where the content does not tell its end")
	f.BoolVar(&o.noClobber, "no-clobber", false, "refuse to replace an existing file")
	f.BoolVar(&o.resume, "resume", false, "go on where an earlier get ended; refuses (12) where the content has changed")
	f.BoolVar(&o.noResume, "no-resume", false, "start over (the default)")
	f.IntVar(&o.hopLimit, "hop-limit", tlv.DefaultHopLimit, "network links an Interest may cross, 1 to 255")
	f.Var(&o.lifetime, "lifetime", "lifetime of an Interest, in ms (default: 2s, or what cefnetd.conf allows)")
	f.Var(&o.timeout, "timeout", "longest wait for the first answer")
	f.Var(&o.stall, "stall-timeout", "longest silence after it")
	f.Var(&o.deadline, "deadline", "longest time for the whole (default: none)")
	return cmd
}

// outputHabits are values of -o that mean something else in Cefore's tools.
var outputHabits = map[string]string{
	"stdout": "write -o - for standard output, or -o ./stdout for a file of that name",
	"none":   "write -o /dev/null to drop the content, or -o ./none for a file of that name",
	"file":   "give the file's name: -o FILE, or -o ./file for a file of that name",
}

func (o *getOptions) check() error {
	switch hint, habit := outputHabits[o.output]; {
	case o.outputSet && o.output == "":
		return usage("leave -o out for a file named by the name's last segment", "-o needs a file, a directory or -")
	case habit:
		return usage(hint, "-o takes a file, a directory or -")
	case strings.HasPrefix(o.output, "ccnx:"):
		return usage("names come first, then -o FILE; cefgetfile's -o is not known here", "-o takes a file, a directory or -")
	case o.resume && o.noResume:
		return usage("", "--resume and --no-resume exclude each other")
	case o.chunks.set && o.bytes.set:
		return usage("", "--chunks and --range exclude each other")
	case o.resume && (o.chunks.set || o.bytes.set):
		return usage("", "--resume is for whole contents, without --chunks and --range")
	case o.resume && o.output == "-":
		return usage("", "--resume needs a file")
	case o.timeout.d == 0 || o.stall.d == 0:
		return usage("", "--timeout and --stall-timeout must be more than 0")
	case o.lifetime.d > maxLifetime:
		return usage("", "--lifetime is at most %v", maxLifetime)
	case o.parallel < 1:
		return usage("", "--parallel is at least 1")
	}
	if err := o.checkWindow(); err != nil {
		return err
	}
	return checkHopLimit(o.hopLimit)
}

func (o *getOptions) checkWindow() error {
	if _, err := congestion.ParseKind(o.cc); err != nil {
		return usage("", "--cc: %w", err)
	}
	switch {
	case o.window < 0 || o.windowMax < 0:
		return usage("", "--window and --window-max must not be negative")
	case !(o.pitShare > 0 && o.pitShare <= 1):
		return usage("", "--pit-share is more than 0 and at most 1")
	}
	return nil
}

// path is how many Interests may be in flight.
func (o *getOptions) path(fw *forwarder) pipeline.Path {
	p := pipeline.Path{CC: congestion.Kind(o.cc), Window: o.window, Max: o.windowMax}
	if o.window > 0 {
		p.CC = congestion.Fixed
	}
	p.Room, p.Expect = fw.room(o.pitShare), fw.backlog()
	return p
}

// maxLifetime is the longest Interest lifetime that cefnetd reads (sheet c).
const maxLifetime = 65535 * time.Millisecond

// chunksOf are the chunks to fetch of name, from the flag or from the name.
func (o *getOptions) chunksOf(name tlv.Name) (rangeValue, error) {
	k, ok := name.Chunk()
	switch {
	case !ok:
		return o.chunks, nil
	case o.chunks.set || o.bytes.set:
		return rangeValue{}, usage("leave one of them out", "the name has a chunk number and --chunks or --range is given")
	}
	return rangeValue{first: k, last: k, set: true}, nil
}
