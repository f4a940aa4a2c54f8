package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/publish"
)

type putOptions struct {
	contentOptions
	timeout durationValue
	stall   durationValue
}

func newPutCommand(a *app) *cobra.Command {
	o := putOptions{
		timeout: durationValue{10 * time.Second, time.Second},
		stall:   durationValue{30 * time.Second, time.Second},
	}
	cmd := &cobra.Command{
		Use:         "put [flags] NAME [FILE|-]",
		Annotations: withJSON,
		Short:       "Push content into the network's content store",
		Long: `put pushes a file, or standard input, into the content store of the forwarder,
so that it can be fetched when its publisher has left. It ends with 0 only when
a second connection has read every chunk back and found it equal.

A manifest goes along, by which "cefgo get" verifies the content, signed where
there is a key.

cefnetd keeps nothing with CS_MODE=0, and with CS_MODE=1 it keeps an old
content of the same name until that expires: give new content a new name.`,
		Example: `  cefgo put ccnx:/notes/today notes.txt
  tar c dir | cefgo put ccnx:/backup/2026-11-20 -
  cefgo put ccnx:/notes/today notes.txt -t 600 -e 3600 -r 50`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := "-"
			if len(args) > 1 {
				file = args[1]
			}
			return failed("put", args[0], a.runPut(cmd.Context(), o, args[0], file))
		},
	}
	addContentFlags(cmd, &o.contentOptions, 300*time.Second, time.Hour)
	f := cmd.Flags()
	f.Var(&o.timeout, "timeout", "longest wait for the first chunk to be read back")
	f.Var(&o.stall, "stall-timeout", "longest silence after it")
	return cmd
}

func (a *app) runPut(ctx context.Context, o putOptions, uri, path string) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.cacheTime.d == 0 || o.expiry.d == 0 {
		return usage("", "--cache-time and --expiry must be more than 0: caches keep nothing else")
	}
	name, err := a.parsePrefix(uri)
	if err != nil {
		return err
	}
	src, err := a.openSource(ctx, path)
	if err != nil {
		return err
	}
	defer src.Close()
	l := publish.Content{Layout: object.Layout{
		Name: name, Size: src.size, BlockSize: int(o.block), Version: object.Mark(src.version[:], int(o.block)),
		CacheTime: o.cacheTime.d, Expiry: o.expiry.d, Sum: o.sum.sum,
	}}
	if err := l.Check(); err != nil {
		return &failure{code: exitUsage, err: err}
	}
	sign, _, err := a.signer(o.key)
	if err != nil {
		return err
	}
	if l.Manifest, l.Runs, err = src.manifest(&l.Layout, path, sign); err != nil {
		return err
	}
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	if err := fw.cacheHolds(ctx, &l.Layout); err != nil {
		return err
	}
	return a.pushAndRead(ctx, o, fw, &l, src)
}

// pushAndRead pushes over one connection and reads back over another.
func (a *app) pushAndRead(ctx context.Context, o putOptions, fw *forwarder, l *publish.Content, src *source) error {
	push, err := fw.connect(ctx, false)
	if err != nil {
		return err
	}
	defer push.Close()
	back, err := client.New(ctx, client.Config{Dial: fw.dialSecond, Log: a.log})
	if err != nil {
		return fw.unreachable(err)
	}
	defer back.Close()

	p := pipeline.Options{Lifetime: fw.readBackLifetime(), Timeout: o.timeout.d, Stall: o.stall.d, Counters: new(pipeline.Counters)}
	var sent atomic.Int64
	total := uint64(l.Size)
	stop := a.showProgress("put "+l.Name.String(), func() snapshot {
		s := snapshot{done: uint64(sent.Load()), total: total, line: fmt.Sprintf("%s of %s pushed", bytesText(uint64(sent.Load())), bytesText(total))}
		if read := p.Counters.Bytes.Load(); read > 0 {
			s.line += ", " + bytesText(read) + " read back"
			s.note = ", reading back"
			s.done = read
		}
		return s
	})
	defer stop()
	start := time.Now()
	if err := pushAll(ctx, o, push, l, src, sent.Store); err != nil {
		if err = fw.blame(push, err); errors.Is(err, errSilent) {
			err = fw.unreachable(err)
		}
		return src.blame(err)
	}
	pushed := time.Since(start)
	session := pipeline.NewSession(back.Open(), pipeline.Path{Room: fw.room(pitShare), Expect: fw.backlog()})
	defer session.Close()
	res, err := publish.ReadBack(ctx, session, l.Layout, src, p)
	along := false
	if err == nil {
		along, err = publish.ReadBackAlong(ctx, session, l, p)
	}
	if err == nil && res.Stats.Retransmits > 0 {
		fw.letLapse(ctx, p.Lifetime)
	}
	stop()
	if err = src.blame(fw.blame(back, err)); err != nil {
		return err
	}
	a.say("put %s (%s) as %s, all read back; caches may keep it for %v", bytesText(total), plural(l.Chunks(), "chunk"), l.Name.Display(), o.cacheTime.d)
	if !along {
		a.say("its manifest is not there: readers get it, and cannot verify it")
	}
	return a.result(fields{
		"name": l.Name.String(), "size_bytes": l.Size, "chunks": l.Chunks(), "end_chunk": l.Chunks() - 1,
		"push_ms": ms(pushed), "duration_ms": ms(time.Since(start)), "verified": "read-back", "manifest": along,
		"content_version": fmt.Sprintf("%x", l.Version), "retransmits": res.Stats.Retransmits,
	})
}

// pushAll pushes until the forwarder has taken everything. It fails with errSilent
// where that takes nothing for as long as --stall-timeout.
func pushAll(ctx context.Context, o putOptions, push *client.Client, l *publish.Content, src *source, sent func(int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(o.stall.d, func() { cancel(errSilent) })
	defer idle.Stop()
	err := publish.Push(ctx, push, *l, src, float64(o.rate), func(n int64) {
		idle.Reset(o.stall.d)
		sent(n)
	}, func() error { return src.blame(nil) })
	if err != nil {
		return err
	}
	return push.Alive(ctx)
}
