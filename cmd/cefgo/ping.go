package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/ping"
	"github.com/cefgo/cefgo/internal/tlv"
)

type pingOptions struct {
	count    uint64
	interval durationValue
	lifetime durationValue
	timeout  durationValue
	chunk    int64
	hopLimit int
}

func newPingCommand(a *app) *cobra.Command {
	o := pingOptions{
		interval: durationValue{time.Second, time.Second},
		lifetime: durationValue{2 * time.Second, time.Millisecond},
		timeout:  durationValue{10 * time.Second, time.Second},
	}
	cmd := &cobra.Command{
		Use:         "ping [flags] NAME",
		Annotations: withJSON,
		Short:       "Measure round trips to a publisher",
		Long: `ping asks the publisher of NAME for names that no cache holds and prints how
long each answer took. cefgo serve answers such names; for other publishers
measure content that exists, with --chunk.

It ends with 0 where any answer came, with 3 where none did, with 4 where only
Interest Returns did. Without --count it goes on until Ctrl-C, or until
--timeout has passed without any answer.`,
		Example: `  cefgo ping ccnx:/demo -c 5
  cefgo ping ccnx:/demo/README.md --chunk 0 -i 0.2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed("ping", args[0], a.runPing(cmd.Context(), o, args[0]))
		},
	}
	f := cmd.Flags()
	f.Uint64VarP(&o.count, "count", "c", 0, "stop after this many Interests (0: none)")
	f.VarP(&o.interval, "interval", "i", "time between two Interests")
	f.Var(&o.lifetime, "lifetime", "lifetime of an Interest, in ms: how long each answer is waited for")
	f.Var(&o.timeout, "timeout", "give up where nothing at all has come so long")
	f.Int64Var(&o.chunk, "chunk", -1, "ask for this chunk of NAME instead; a cache may answer")
	f.IntVar(&o.hopLimit, "hop-limit", tlv.DefaultHopLimit, "network links an Interest may cross, 1 to 255")
	return cmd
}

func (o *pingOptions) check() error {
	switch {
	case o.chunk < -1 || o.chunk > 1<<32-1:
		return usage("", "--chunk is 0 to 4294967295")
	case o.lifetime.d < time.Millisecond || o.lifetime.d > maxLifetime:
		return usage("", "--lifetime is 1ms to %v", maxLifetime)
	case o.interval.d < minInterval:
		return usage("", "--interval is at least %v", minInterval)
	case o.timeout.d == 0:
		return usage("", "--timeout must be more than 0")
	}
	return checkHopLimit(o.hopLimit)
}

// minInterval keeps a ping from being a flood.
const minInterval = time.Millisecond

// pingName returns what the Interests ask for.
func (o *pingOptions) pingName(name tlv.Name) (func(uint64) tlv.Name, error) {
	if k, ok := name.Chunk(); ok && o.chunk < 0 {
		o.chunk = int64(k)
	}
	name = name.WithoutChunk()
	if o.chunk >= 0 {
		if !name.CanChunk() {
			return nil, usage("", "the name is too long for a chunk number")
		}
		return func(uint64) tlv.Name { return name.WithChunk(uint64(o.chunk)) }, nil
	}
	var nonce [8]byte
	rand.Read(nonce[:])
	n, err := object.PingName(name, nonce)
	if err != nil || !n.CanChunk() {
		return nil, usage("measure an existing chunk with --chunk 0", "the name is too long for a name below it")
	}
	return func(seq uint64) tlv.Name { return n.WithChunk(seq) }, nil
}

func (a *app) runPing(ctx context.Context, o pingOptions, uri string) error {
	if err := o.check(); err != nil {
		return err
	}
	name, err := a.parseName(uri)
	if err != nil {
		return err
	}
	nameOf, err := o.pingName(name)
	if err != nil {
		return err
	}
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	c, err := fw.connect(ctx, false)
	if err != nil {
		return err
	}
	defer c.Close()
	st := a.style(a.stdout)
	uri = printable(uri)
	if a.json == jsonOff && !a.global.quiet {
		fmt.Fprintf(a.stdout, "PING %s\n", st.name.Render(uri))
	}
	figures := ping.Run(ctx, ping.Options{
		Count: o.count, Interval: o.interval.d, Name: nameOf, GiveUp: o.timeout.d,
		Ask: func(ctx context.Context, n tlv.Name) (int, time.Duration, error) {
			i := tlv.Interest{HopLimit: uint8(o.hopLimit), Name: n}
			i.Lifetime = tlv.Lifetime(o.lifetime.d)
			ans, err := c.Express(ctx, &i)
			if err != nil {
				return 0, 0, err
			}
			return len(ans.Payload), ans.RTT, nil
		},
	}, func(r ping.Reply) { a.tellPing(uri, r, st) })
	return fw.blame(c, a.endPing(ctx, uri, o, figures))
}

func (a *app) tellPing(uri string, r ping.Reply, st styles) {
	if r.Err == nil {
		a.event("reply", fields{"seq": r.Seq, "name": r.Name.String(), "rtt_ms": ms(r.RTT), "size_bytes": r.Size})
	} else {
		f := fields{"seq": r.Seq, "name": r.Name.String(), "message": r.Err.Error()}
		var ret *client.ReturnError
		if errors.As(r.Err, &ret) {
			f["return_code"] = int(ret.Code)
		}
		a.event("lost", f)
	}
	if a.json != jsonOff || a.global.quiet {
		return
	}
	if r.Err != nil {
		fmt.Fprintf(a.stdout, "%s seq=%d %s\n", uri, r.Seq, st.bad.Render(r.Err.Error()))
		return
	}
	fmt.Fprintf(a.stdout, "%s seq=%d time=%s ms\n", uri, r.Seq, st.good.Render(fmt.Sprintf("%.3f", ms(r.RTT))))
}

// endPing prints the figures and finds the exit code.
func (a *app) endPing(ctx context.Context, uri string, o pingOptions, f ping.Figures) error {
	r, ok := f.RTTs()
	if a.json == jsonOff {
		fmt.Fprintf(a.stdout, "--- %s ping statistics ---\n", uri)
		fmt.Fprintf(a.stdout, "%d Interests sent, %d answered, %.3g%% loss, time %.0f ms\n", f.Sent, f.Received, f.Loss()*100, ms(f.Duration))
		if ok {
			fmt.Fprintf(a.stdout, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", ms(r.Min), ms(r.Avg), ms(r.Max), ms(r.Mdev))
			fmt.Fprintf(a.stdout, "rtt p50/p90/p99 = %.3f/%.3f/%.3f ms\n", ms(r.P50), ms(r.P90), ms(r.P99))
		}
	}
	if f.Received == 0 {
		return a.deadPing(ctx, o, f)
	}
	out := fields{"name": uri, "sent": f.Sent, "received": f.Received, "loss": f.Loss(), "duration_ms": ms(f.Duration)}
	if ok {
		out["rtt_min_ms"], out["rtt_avg_ms"], out["rtt_max_ms"], out["rtt_mdev_ms"] = ms(r.Min), ms(r.Avg), ms(r.Max), ms(r.Mdev)
		out["rtt_p50_ms"], out["rtt_p90_ms"], out["rtt_p99_ms"] = ms(r.P50), ms(r.P90), ms(r.P99)
	}
	return a.result(out)
}

// deadPing is the error of a ping that got no answer.
func (a *app) deadPing(ctx context.Context, o pingOptions, f ping.Figures) error {
	var sig *signalError
	if f.LastErr == nil && errors.As(context.Cause(ctx), &sig) {
		return &failure{code: exitTimeout, err: errors.New("no answer before it was interrupted")}
	}
	if f.LastErr == nil {
		f.LastErr = client.ErrTimeout
	}
	dead := newFailure(f.LastErr)
	if o.chunk < 0 && dead.code == exitTimeout {
		dead.hint = "a publisher other than cefgo answers only for content that exists: try --chunk 0"
	}
	return dead
}
