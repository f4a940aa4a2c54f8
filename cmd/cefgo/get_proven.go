package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/verify"
)

// provenFetch is the fetch of a content, or of some bytes of it, that a manifest tells of.
type provenFetch struct {
	r     *getRun
	j     *getJob
	t     *target
	found *found
	m     *manifest.Manifest
	block int // in which it is read, in bytes

	from, to int64 // the bytes that are wanted
	have     int64 // of the content's beginning, in the target's file already
}

// fetchProven fetches what the manifest tells of. It says how well it is proven.
func (p *provenFetch) fetchProven(ctx context.Context) (pipeline.Result, proof, error) {
	if p.r.o.bytes.set {
		p.t.whole = false
		if err := p.setRange(); err != nil {
			return pipeline.Result{}, proofNone, err
		}
	}
	if err := p.takeUp(ctx); err != nil {
		return pipeline.Result{}, proofNone, err
	}
	return p.run(ctx)
}

// setRange finds the bytes of --range.
func (p *provenFetch) setRange() error {
	o, size := &p.r.o.bytes, p.m.Size
	switch {
	case o.suffix:
		p.from = size - min(int64(o.first), size)
	default:
		p.from = int64(o.first)
	}
	if !o.suffix && !o.open {
		p.to = min(int64(o.last), size-1) + 1
	}
	if size == 0 {
		return usage("", "the content is empty")
	}
	if p.from >= size {
		return usage("", "the range begins behind the content's end")
	}
	return nil
}

// digests are those of the content's runs, or why they are not to be had.
type digests struct {
	runs  []manifest.Digest
	proof proof // of the manifest that they are from
	err   error
	told  bool // people know err
}

// run fetches, hashes and compares.
func (p *provenFetch) run(ctx context.Context) (pipeline.Result, proof, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	expected := make(chan digests, 1)
	hold := p.holds()
	if hold {
		// The session, which brings the digests too, would wait for itself.
		d := p.digests(ctx)
		if hold = d.err == nil; !hold {
			if err := p.unproven(ctx, d.err); err != nil {
				return pipeline.Result{}, proofNone, err
			}
			d.told = true
		}
		expected <- d
	} else {
		p.r.asking.Go(func() { expected <- p.digests(ctx) })
	}
	const run = object.RunSize
	start := p.startOf()
	w := verify.NewWriter(p.sink(start), verify.Options{Run: run, First: int(start / run), Workers: runtime.GOMAXPROCS(0), Hold: hold})
	defer w.Abort()
	if hold {
		d := <-expected
		w.Expect(d.runs)
		expected <- d
	}
	res, err := p.fetch(ctx, cancel, w, start)
	if err != nil {
		return res, proofNone, p.mismatch(err)
	}
	got, err := p.conclude(ctx, res, w, <-expected, hold)
	res.Bytes = uint64(p.t.written)
	return res, got, err
}

// startOf is where the fetch begins: with the first byte wanted of which nothing is there,
// or with that byte's run.
func (p *provenFetch) startOf() int64 {
	at := max(p.from, p.have)
	return at - at%object.RunSize
}

// holds reports whether nothing may be written before it has proved right: what a stream
// has got cannot be taken back.
func (p *provenFetch) holds() bool {
	return p.t.out != nil && (p.m.Digests != nil || p.j.verify.demands(proofManifest))
}

// conclude compares what was fetched with the digests, and says what that proves.
func (p *provenFetch) conclude(ctx context.Context, res pipeline.Result, w *verify.Writer, d digests, held bool) (proof, error) {
	got := min(p.found.proof, d.proof)
	switch {
	case d.err == nil && !held:
		w.Expect(d.runs)
	case d.err != nil:
		if !d.told {
			if err := p.unproven(ctx, d.err); err != nil {
				return proofNone, err
			}
		}
		if got = proofNone; res.Checksummed {
			got = proofChecksum
		}
	}
	if err := w.Close(); err != nil {
		return proofNone, p.mismatch(&pipeline.WriteError{Err: err})
	}
	return got, p.j.verify.lacks(got)
}

// unproven is why the fetch fails, where it does for want of digests that err keeps from
// it; else it tells people.
func (p *provenFetch) unproven(ctx context.Context, err error) error {
	v := &p.j.verify
	code := newFailure(err).code
	if ctx.Err() != nil || code == exitIntegrity || code == exitPartial && v.demands(proofManifest) {
		return err
	}
	if errors.Is(err, errOldDigests) && v.demands(proofManifest) {
		return errNewer
	}
	p.r.a.say("%v: its manifest proves nothing", err)
	return v.lacks(proofNone)
}

// mismatch is err, or the failure of bytes that are not what the manifest says.
func (p *provenFetch) mismatch(err error) error {
	var m *verify.MismatchError
	if !errors.As(err, &m) {
		return err
	}
	err = m
	return &failure{code: exitIntegrity, err: err, hint: "something on the path changes the data, or the publisher does"}
}

// fetch brings the content from start on into w: what the file has of it already, what
// came with the manifest, or else the chunks.
func (p *provenFetch) fetch(ctx context.Context, cancel context.CancelCauseFunc, w io.Writer, start int64) (pipeline.Result, error) {
	if p.have > start {
		if _, err := io.Copy(w, io.NewSectionReader(p.t.file, start, p.have-start)); err != nil {
			return pipeline.Result{}, &pipeline.WriteError{Err: err}
		}
		start = p.have
	}
	const run = object.RunSize
	end := p.m.Size
	if up := (run - p.to%run) % run; up < end-p.to { // never beyond what an int64 holds
		end = p.to + up
	}
	switch {
	case start == 0 && p.found.holds():
		return p.takeFirst(w)
	case start == end && p.have > 0:
		return pipeline.Result{EndSource: endManifest, Checksummed: true}, nil
	}
	l := object.Layout{Size: p.m.Size, BlockSize: p.block, Version: object.Mark(p.m.Version, p.block)}
	o := p.r.options()
	o.Counters = &p.j.counters
	o.First = uint64(start / int64(p.block))
	o.Last = tlv.Some(uint64(max(end-1, 0) / int64(p.block)))
	o.Begin = func(b pipeline.Beginning) error {
		if err := otherVersion(l.Version, b.Version); err != nil {
			return err
		}
		return p.begin(l)
	}
	trim := &trimmer{to: w, skip: start - int64(o.First)*int64(p.block), left: end - start}
	res, err := p.fetchVersion(ctx, cancel, l, trim, o)
	if err != nil {
		return res, p.afterManifest(ctx, err)
	}
	return res, p.checkEnd(&res, l, trim)
}

// afterManifest is the error of a fetch of which the manifest has come, and perhaps nothing
// more.
func (p *provenFetch) afterManifest(ctx context.Context, err error) error {
	var ret *pipeline.ReturnError
	if !errors.As(err, &ret) {
		return after("manifest", err)
	}
	q := p.r.inquire(ctx, p.j)
	defer q.cancel()
	if a := <-q.answer; p.isOther(a.m) {
		return errNewer
	}
	return &failure{code: exitPartial, err: fmt.Errorf("its manifest came, and then an %w", err), ret: &ret.Code}
}

// errNewer: the version that is fetched is not the publisher's any more.
var errNewer = &pipeline.ChangedError{What: "its publisher has another version now"}

// takeFirst takes the chunk that came with the manifest, which is all.
func (p *provenFetch) takeFirst(w io.Writer) (pipeline.Result, error) {
	if _, err := w.Write(p.found.payload); err != nil {
		return pipeline.Result{}, &pipeline.WriteError{Err: err}
	}
	p.j.counters.Bytes.Store(uint64(len(p.found.payload)))
	res := p.found.res
	res.EndSource, res.End = endManifest, tlv.Some[uint64](0)
	return res, nil
}

// endManifest is the EndSource of what a manifest tells of.
const endManifest pipeline.EndSource = "manifest"

// checkEnd fails where the chunks were not those that the manifest tells of.
func (p *provenFetch) checkEnd(res *pipeline.Result, l object.Layout, trim *trimmer) error {
	if trim.left > 0 || res.End.OK && res.End.V != l.Chunks()-1 {
		return &pipeline.ChangedError{What: fmt.Sprintf("its manifest tells of %d bytes, and the chunks hold others", l.Size)}
	}
	res.EndSource, res.End = endManifest, tlv.Some(l.Chunks()-1)
	return nil
}

// begin says in the target's state what it will hold.
func (p *provenFetch) begin(l object.Layout) error {
	end := tlv.Some(l.Chunks() - 1)
	return p.t.begin(pipeline.Beginning{First: 0, PayloadSize: l.BlockSize, Version: l.Version, End: end})
}

// fetchVersion fetches chunks of the version, and gives up when that is gone.
func (p *provenFetch) fetchVersion(ctx context.Context, cancel context.CancelCauseFunc, l object.Layout, w io.Writer, o pipeline.Options) (pipeline.Result, error) {
	name, err := object.VersionName(p.j.name, p.m.Version, p.block)
	if p.m.PlainOnly {
		name, err = p.j.name, nil
	}
	if err == nil && !name.CanChunk() {
		err = tlv.ErrTooLarge
	}
	if err != nil {
		return pipeline.Result{}, fmt.Errorf("the name leaves no room for its version: %w", err)
	}
	over := make(chan struct{})
	defer close(over)
	pulse := &pulse{to: w, c: o.Counters}
	p.r.asking.Go(func() { p.watch(ctx, cancel, pulse, over) })
	return p.r.fetch(ctx, name, pulse, o)
}

// pulse tells whether a fetch gets on: as a writer of its chunks it knows when they only
// wait for being written.
type pulse struct {
	to      io.Writer
	c       *pipeline.Counters
	writing atomic.Bool

	// The following are the watcher's.
	last    uint64        // chunks when it was looked at
	since   time.Time     // when they became so many
	longest time.Duration // between two chunks so far, as far as it was looked at
}

func (u *pulse) Write(b []byte) (int, error) {
	u.writing.Store(true)
	defer u.writing.Store(false)
	return u.to.Write(b)
}

// quiet is for how long nothing has come.
func (u *pulse) quiet(now time.Time) time.Duration {
	switch n := u.c.Chunks.Load(); {
	case u.writing.Load():
		u.since = now
	case n != u.last:
		u.longest = max(u.longest, now.Sub(u.since))
		u.last, u.since = n, now
	}
	return now.Sub(u.since)
}

// watchEvery is how often a fetch is looked at that may have come to a stop.
const watchEvery = 500 * time.Millisecond

// watch asks for the manifest again when no chunks come, and ends the fetch where that is
// another one by now. That alone is no reason: the old version may be there still.
func (p *provenFetch) watch(ctx context.Context, cancel context.CancelCauseFunc, u *pulse, over <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	u.last, u.since = u.c.Chunks.Load(), time.Now()
	for {
		select {
		case <-tick.C:
		case <-over:
			return
		case <-ctx.Done():
			return
		}
		if u.quiet(time.Now()) < max(2*watchEvery, 3*u.longest) {
			continue
		}
		q := p.r.inquire(ctx, p.j)
		select {
		case a := <-q.answer:
			if p.isOther(a.m) && u.quiet(time.Now()) > 0 {
				cancel(errNewer)
			}
		case <-over:
		}
		q.cancel()
	}
}

// isOther reports whether m tells that the version has gone.
func (p *provenFetch) isOther(m *manifest.Manifest) bool {
	return m != nil && string(m.Version) != string(p.m.Version)
}

// trimmer passes on so many bytes behind those that it skips.
type trimmer struct {
	to         io.Writer
	skip, left int64
}

func (w *trimmer) Write(p []byte) (int, error) {
	n := len(p)
	skip := min(w.skip, int64(n))
	p, w.skip = p[skip:], w.skip-skip
	p = p[:min(w.left, int64(len(p)))]
	w.left -= int64(len(p))
	if len(p) == 0 {
		return n, nil
	}
	if _, err := w.to.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}

// sink is where what is fetched from start on goes: the target gets what it wants of it.
func (p *provenFetch) sink(start int64) io.Writer {
	at := max(p.from, p.have)
	return &trimmer{to: rawTarget{p.t}, skip: at - start, left: p.to - at}
}

// rawTarget is a target that is written to whatever the pieces are.
type rawTarget struct{ t *target }

func (w rawTarget) Write(b []byte) (int, error) {
	t := w.t
	t.written += int64(len(b))
	if t.out == nil {
		return t.file.Write(b)
	}
	n, err := t.out.Write(b)
	if err == nil {
		err = t.out.Flush()
	}
	return n, err
}
