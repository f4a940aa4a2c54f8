package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// outputHabits are values of -o that mean something else in Cefore's tools.
var outputHabits = map[string]string{
	"stdout": "write -o - for standard output, or -o ./stdout for a file of that name",
	"none":   "write -o /dev/null to drop the content, or -o ./none for a file of that name",
	"file":   "give the file's name: -o FILE, or -o ./file for a file of that name",
}

// payloadGoesTo makes way for the payload: where it goes to standard output, JSON does not.
func (a *app) payloadGoesTo(output string) {
	if output == "-" {
		a.jsonTo = a.stderr
	}
}

// outputIn finds -o on a command line that another flag of it is wrong in.
func outputIn(args []string) string {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.Usage = func() {}
	output := f.StringP("output", "o", "", "")
	_ = f.Parse(args)
	return *output
}

// yield drops what the environment or a file says where a flag of the command line says
// otherwise.
func (o *getOptions) yield(f *pflag.FlagSet, from origins) {
	elsewhere := func(flag string) bool { return from[flag] != "" }
	given := func(flags ...string) bool {
		return slices.ContainsFunc(flags, func(flag string) bool { return f.Changed(flag) && !elsewhere(flag) })
	}
	if elsewhere("resume") && (given("no-resume", "chunks", "range") || given("output") && o.output == "-") {
		o.resume = false
	}
	if elsewhere("no-resume") && given("resume") {
		o.noResume = false
	}
	if elsewhere("chunks") && given("range", "resume") {
		o.chunks = rangeValue{}
	}
	if elsewhere("range") && given("chunks", "resume") {
		o.bytes = byteRange{}
	}
	if elsewhere("window") && given("cc") && o.cc != string(congestion.Fixed) {
		o.window = 0
	}
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
