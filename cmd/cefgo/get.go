package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cefgo/cefgo/internal/congestion"
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
	verify       proofValue
	recursive    bool
	include      []string
	exclude      []string
	trust        string
	trustDir     string
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
	// treeParallel is for the many small files of a tree, of which each one waits for an
	// answer or two.
	treeParallel = 16
)

// newGetOptions are the defaults.
func newGetOptions() getOptions {
	return getOptions{
		cc: string(congestion.Kinds[0]), pitShare: pitShare, parallel: parallel, hopLimit: tlv.DefaultHopLimit,
		lifetime: durationValue{unit: time.Millisecond},
		timeout:  durationValue{10 * time.Second, time.Second},
		stall:    durationValue{30 * time.Second, time.Second},
		deadline: durationValue{unit: time.Second},
	}
}

// addTrustFlags adds the flags that say whose signature counts.
func (o *getOptions) addTrustFlags(f *pflag.FlagSet) {
	f.StringVar(&o.trust, "trust", "", "insist on a signature of this key: a file, or the name of a key of cefgo keys")
	f.StringVar(&o.trustDir, "trust-dir", "", "directory that says which keys are trusted for which names (default: that of cefgo keys trust)")
}

// addAskFlags adds the flags of all Interests.
func (o *getOptions) addAskFlags(f *pflag.FlagSet) {
	f.IntVar(&o.hopLimit, "hop-limit", o.hopLimit, "network links an Interest may cross, 1 to 255")
	f.Var(&o.lifetime, "lifetime", "lifetime of an Interest, in ms (default: 2s, or what cefnetd.conf allows)")
	f.Var(&o.timeout, "timeout", "longest wait for the first answer")
	f.Var(&o.stall, "stall-timeout", "longest silence after it")
	f.Var(&o.deadline, "deadline", "longest time for the whole (default: none)")
}

func newGetCommand(a *app) *cobra.Command {
	o := newGetOptions()
	cmd := &cobra.Command{
		Use:         "get [flags] NAME...",
		Annotations: withJSON,
		Short:       "Fetch content",
		Long: `get fetches the content of each NAME and writes it to a file named by the
name's last segment, or where -o says. A file appears under its name when it is
complete: until then it grows beside it as FILE.cefgo-part, and an old file of
that name stays as it was. With -o - the contents go to standard output, one
after the other.

Where the publisher tells a manifest, as "cefgo serve" does, all bytes are
compared with its SHA-256 digests, and nothing that differs gets the file's
name (exit code 6); what came without is called unverified. --verify insists on
a proof. Where a key is trusted for the name ("cefgo keys trust", or --trust),
the manifest has to be signed by it. A chunk whose checksum is wrong is asked
for again; chunks of two versions of the content never mix (12). A NAME may end
in /Chunk=N for one chunk.

What an interrupted run left is gone on from by itself where the manifest
proves that it is of the same content, and with --resume where there is no
manifest.

With -R it fetches a directory: each file as above, several at a time under one
window, and gives it the time that its publisher tells. Run again, it compares
the files that are there with the digests, and fetches what is missing or
differs; files that the publisher does not have stay.

How many Interests are in flight is found by a congestion control (--cc), and
shared by all names of one run: it never exceeds --pit-share of the forwarder's
PIT.`,
		Example: `  cefgo get ccnx:/demo/README.md
  cefgo get ccnx:/demo/README.md -o - | head
  cefgo get ccnx:/demo/a ccnx:/demo/b -o /tmp/
  cefgo get -R ccnx:/demo -o ./copy --exclude '*.tmp'
  cefgo get ccnx:/demo/big.iso --range 1000000-1999999 -o part
  cefgo get ccnx:/demo/big.iso -o /tmp/ --trace t.jsonl && cefgo plot t.jsonl
  cefgo get --forwarder udp://192.0.2.7 ccnx:/demo/README.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			a.payloadGoesTo(o.output)
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.outputSet = cmd.Flags().Changed("output")
			o.yield(cmd.Flags(), a.global.origin)
			if o.recursive && !cmd.Flags().Changed("parallel") {
				o.parallel = treeParallel
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return failed("get", name, a.runGet(cmd.Context(), o, args))
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		a.payloadGoesTo(outputIn(a.args))
		return cmd.Parent().FlagErrorFunc()(cmd, err)
	})
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file, existing directory, or - for stdout")
	f.StringVar(&o.cc, "cc", o.cc, "how the window is found: "+congestion.KindList())
	f.IntVarP(&o.window, "window", "w", 0, "a fixed window of that many Interests (as --cc fixed)")
	f.IntVar(&o.windowMax, "window-max", 0, "most Interests in flight (default: no bound but the forwarder's PIT)")
	f.Float64Var(&o.pitShare, "pit-share", o.pitShare, "most of the forwarder's PIT to fill, as a share of its size")
	f.IntVar(&o.parallel, "parallel", o.parallel, "most names to fetch at a time (with -R 16)")
	f.StringVar(&o.trace, "trace", "", "write window and round trip per event to this file, as JSON Lines; see cefgo plot")
	f.Var(&o.chunks, "chunks", "only these chunks: A-B, A- or A")
	f.Var(&o.bytes, "range", "only these bytes: A-B, A- or -N for the last N")
	f.BoolVar(&o.untilTimeout, "until-timeout", false, "take --stall-timeout of silence for the end, where the content does not tell its end")
	f.BoolVar(&o.noClobber, "no-clobber", false, "refuse to replace an existing file")
	f.BoolVar(&o.resume, "resume", false, "go on where an earlier get ended; refuses (12) where the content has changed")
	f.BoolVar(&o.noResume, "no-resume", false, "start over, whatever an earlier get left")
	f.Var(&o.verify, "verify", "proof to insist on: auto (the strongest there is, a signature where a key is trusted for the name), none, checksum, manifest or signature")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "fetch all that a publisher serves below NAME into the directory -o (default: one named by the last segment)")
	f.StringArrayVar(&o.include, "include", nil, "with -R: only files that fit this `pattern` (* ? [] {a,b} **), the whole path where it has a slash, else the name")
	f.StringArrayVar(&o.exclude, "exclude", nil, "with -R: no files and directories that fit this `pattern`")
	o.addTrustFlags(f)
	o.addAskFlags(f)
	return cmd
}
