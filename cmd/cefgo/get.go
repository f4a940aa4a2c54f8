package main

import (
	"context"
	"fmt"
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
	window       int
	windowMax    int
	cc           string
	pitShare     float64
	chunks       rangeValue
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

func newGetCommand(a *app) *cobra.Command {
	o := getOptions{
		lifetime: durationValue{unit: time.Millisecond},
		timeout:  durationValue{10 * time.Second, time.Second},
		stall:    durationValue{30 * time.Second, time.Second},
		deadline: durationValue{unit: time.Second},
	}
	cmd := &cobra.Command{
		Use:         "get [flags] NAME",
		Annotations: withJSON,
		Short:       "Fetch content",
		Long: `get fetches the content of NAME and writes it to a file named by the name's last
segment, or where -o says. The file appears under its name when it is complete:
until then it grows beside it as FILE.cefgo-part, and an old file of that name
stays as it was.

A chunk whose checksum is wrong is asked for again; chunks of two versions of
the content never mix. NAME may end in /Chunk=N for one chunk.`,
		Example: `  cefgo get ccnx:/demo/README.md
  cefgo get ccnx:/demo/README.md -o - | head
  cefgo get ccnx:/demo/big.iso -o /tmp/ --json
  cefgo get --forwarder udp://192.0.2.7 ccnx:/demo/README.md`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.outputSet = cmd.Flags().Changed("output")
			return failed("get", args[0], a.runGet(cmd.Context(), o, args[0]))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file, existing directory, or - for stdout")
	f.StringVar(&o.cc, "cc", string(congestion.Kinds[0]), "how the window is found: cubic, delay, aimd or fixed")
	f.IntVarP(&o.window, "window", "w", 0, "a fixed window of that many Interests (as --cc fixed)")
	f.IntVar(&o.windowMax, "window-max", 0, "most Interests in flight (default: no bound but those of the forwarder)")
	f.Float64Var(&o.pitShare, "pit-share", pitShare, "most of the forwarder's PIT to fill, as a share of its size")
	f.Var(&o.chunks, "chunks", "only these chunks: A-B, A- or A")
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
		return usage("the name comes first, then -o FILE; cefgetfile's -o is not known here", "-o takes a file, a directory or -")
	case o.resume && o.noResume:
		return usage("", "--resume and --no-resume exclude each other")
	case o.window < 0 || o.windowMax < 0:
		return usage("", "--window and --window-max must not be negative")
	case o.pitShare <= 0 || o.pitShare > 1:
		return usage("", "--pit-share is more than 0 and at most 1")
	case o.timeout.d == 0 || o.stall.d == 0:
		return usage("", "--timeout and --stall-timeout must be more than 0")
	case o.lifetime.d > maxLifetime:
		return usage("", "--lifetime is at most %v", maxLifetime)
	}
	if _, err := congestion.ParseKind(o.cc); err != nil {
		return usage("", "--cc: %w", err)
	}
	return checkHopLimit(o.hopLimit)
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

// patience bounds the wait for whatever is needed before the first answer.
func (o *getOptions) patience() time.Duration {
	if o.deadline.d > 0 {
		return min(o.timeout.d, o.deadline.d)
	}
	return o.timeout.d
}

// pitShare is the default of --pit-share.
const pitShare = 0.5

// maxLifetime is the longest Interest lifetime that cefnetd reads (sheet c).
const maxLifetime = 65535 * time.Millisecond

// applyRange takes the chunks to fetch from the flag or from the name.
func (o *getOptions) applyRange(name tlv.Name, p *pipeline.Options) error {
	r := o.chunks
	if k, ok := name.Chunk(); ok {
		if r.set {
			return usage("leave one of them out", "the name has a chunk number and --chunks is given")
		}
		r = rangeValue{first: k, last: k, set: true}
	}
	if !r.set {
		return nil
	}
	p.First = r.first
	if !r.open {
		p.Last = tlv.Some(r.last)
	}
	return nil
}

func (a *app) runGet(ctx context.Context, o getOptions, uri string) error {
	if o.output == "-" {
		a.jsonTo = a.stderr
	}
	if err := o.check(); err != nil {
		return err
	}
	full, err := a.parseName(uri)
	if err != nil {
		return err
	}
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	name := full.WithoutChunk()
	if name.IsDefault() {
		return usage("name what is below it", "there is nothing under the empty name")
	}
	p := pipeline.Options{
		HopLimit: uint8(o.hopLimit), Lifetime: fw.lifetime(o.lifetime.d),
		Timeout: o.timeout.d, Stall: o.stall.d, Deadline: o.deadline.d, UntilSilence: o.untilTimeout,
		Counters: new(pipeline.Counters),
	}
	if err := o.applyRange(full, &p); err != nil {
		return err
	}
	c, err := fw.connectBy(ctx, o.deadline.d)
	if err != nil {
		return err
	}
	defer c.Close()
	// Only now: to open the target drops what an earlier run left there.
	t, err := a.openTarget(ctx, full, o)
	if err != nil {
		return err
	}
	defer t.close()
	feed := c.Open()
	defer feed.Close()
	session := pipeline.NewSession(feed, o.path(fw))
	defer session.Close()

	label := "get " + uri
	a.event("start", fields{"name": full.String()})
	stop := a.showProgress(label, func() snapshot { return getSnapshot(p.Counters) })
	res, err := t.fetch(ctx, session, name, p)
	if err == nil {
		err = t.recheck(ctx, session, name, p, res)
	}
	stop()
	if err != nil {
		return t.keep(fw.blame(c, err), a.resumeCommand(name.String(), o, t))
	}
	if err := t.commit(); err != nil {
		return t.keep(err, a.resumeCommand(name.String(), o, t))
	}
	a.sayGot(full, t, res)
	return a.result(getResult(full, t, res))
}

func getSnapshot(c *pipeline.Counters) snapshot {
	s := snapshot{done: c.Bytes.Load(), total: c.Total.Load() * c.LargestPayload.Load()}
	again := c.Retransmits.Load()
	rtt := time.Duration(c.SmoothedRTT.Load())
	s.line = bytesText(s.done)
	if s.total > 0 {
		s.line += fmt.Sprintf(" of about %s", bytesText(s.total))
	}
	s.line += fmt.Sprintf(", %d in flight, round trip %v, %d sent again", c.InFlight.Load(), rtt.Round(10*time.Microsecond), again)
	if again > 0 {
		s.note = fmt.Sprintf(" (%d sent again)", again)
	}
	return s
}

func (a *app) sayGot(name tlv.Name, t *target, res pipeline.Result) {
	secs := res.Duration.Seconds()
	how := "unverified"
	if proven(t, res) {
		how = "checksums right"
	}
	a.say("got %s in %.2f s (%s), %s%s", bytesText(res.Bytes), secs, rateText(float64(res.Bytes)*8/secs), how, t.whereTo())
}

// proven reports whether checksums held for every chunk in the file, of which
// nobody knows where an earlier run wrote some; and whether the chunks themselves told
// the end: a meta may be another content's.
func proven(t *target, res pipeline.Result) bool {
	return t.resumed == 0 && res.Checksummed && res.EndSource != pipeline.EndMeta && res.EndSource != pipeline.EndSilence
}

// getResult is the JSON of a complete fetch.
func getResult(name tlv.Name, t *target, res pipeline.Result) fields {
	secs := res.Duration.Seconds()
	f := fields{
		"name": name.String(), "size_bytes": res.Bytes, "chunks": res.Chunks,
		"duration_ms": ms(res.Duration), "goodput_bps": float64(res.Bytes) * 8 / secs,
		"interests": res.Stats.Interests, "retransmits": res.Stats.Retransmits,
		"lost": res.Stats.Lost, "timeouts": res.Stats.Timeouts, "spurious": res.Stats.Spurious,
		"silences": res.Stats.Silences, "window_decreases": res.Stats.Decreases,
		"duplicates": res.Stats.Duplicates, "corrupt": res.Stats.Corrupt,
		"verified": "none", "reconnects": res.Stats.Relinks,
	}
	if proven(t, res) {
		f["verified"] = "checksum"
	}
	if res.EndSource != "" {
		f["end_source"] = string(res.EndSource)
	}
	if t.path() != "" {
		f["file"] = t.path()
	}
	if res.End.OK {
		f["end_chunk"] = res.End.V
	}
	if len(res.Version) > 0 {
		f["content_version"] = fmt.Sprintf("%x", res.Version)
	}
	if rtt := &res.Stats.RTT; rtt.Count > 0 {
		f["rtt_min_ms"], f["rtt_avg_ms"], f["rtt_max_ms"] = ms(rtt.Min), ms(rtt.Mean()), ms(rtt.Max)
		f["rtt_p50_ms"], f["rtt_p90_ms"], f["rtt_p99_ms"] = ms(rtt.Percentile(50)), ms(rtt.Percentile(90)), ms(rtt.Percentile(99))
		f["window_max"], f["window_avg"] = res.Stats.WindowMax, res.Stats.WindowMean
	}
	if len(res.Stats.Returns) > 0 {
		returns := make(map[string]uint64)
		for code, n := range res.Stats.Returns {
			returns[fmt.Sprint(code)] = n
		}
		f["returns"] = returns
	}
	if t.resumed > 0 {
		f["resumed_bytes"] = t.resumed
	}
	return f
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
