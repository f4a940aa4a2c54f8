package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Content that carries no version mark does not show that another content has taken
// its place half-way. So a few of its chunks are asked for again and compared, which
// finds other content as far as these chunks differ; only a manifest could prove more.

const (
	samples    = 8
	sampleWait = 2 * time.Second
)

// recheck compares samples of an unmarked content that has just been fetched. What
// nobody answers any more is let pass: the content stays unverified.
func (t *target) recheck(ctx context.Context, r *getRun, name tlv.Name, res pipeline.Result) error {
	if len(res.Version) > 0 || res.Chunks < 2 || !t.resumable() || r.o.chunks.set {
		return nil
	}
	err := t.compareSamples(ctx, r, name, t.from+res.Chunks, min(r.o.timeout.d, sampleWait))
	var changed *pipeline.ChangedError
	if err == nil || errors.As(err, &changed) || ctx.Err() != nil {
		return err
	}
	return nil
}

// compareSamples fetches some of that many chunks again, the first and the last of
// them for certain, and compares them with the file. It fails with a
// *pipeline.ChangedError where one differs, else as a session's Fetch does with that
// timeout.
func (t *target) compareSamples(ctx context.Context, r *getRun, name tlv.Name, chunks uint64, timeout time.Duration) error {
	p := r.options()
	p.Timeout = timeout
	if err := t.file.Flush(); err != nil {
		return err
	}
	n := min(samples, chunks)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		k := uint64(0)
		if i > 0 {
			k = i * (chunks - 1) / (n - 1)
		}
		wg.Go(func() { errs[i] = t.compareChunk(ctx, r, name, k, p) })
	}
	wg.Wait()
	for _, err := range errs {
		var changed *pipeline.ChangedError
		if errors.As(err, &changed) {
			return err
		}
	}
	return cmp.Or(errs...)
}

// compareChunk fetches chunk k again.
func (t *target) compareChunk(ctx context.Context, r *getRun, name tlv.Name, k uint64, p pipeline.Options) error {
	p.First, p.Last = k, tlv.Some(k)
	off := int64(k) * int64(t.state.BlockSize)
	res, err := r.fetch(ctx, name, &fileComparer{t: t, off: off}, p)
	if errors.Is(err, errOtherContent) || err == nil && !t.sameContent(res, off) {
		return &pipeline.ChangedError{What: "a chunk fetched again is another one"}
	}
	return err
}

// sameContent reports whether the sample at off, whose bytes were right, tells what
// is known of the content.
func (t *target) sameContent(res pipeline.Result, off int64) bool {
	size := min(int64(t.state.BlockSize), t.file.Size()-off)
	end := t.state.EndChunk
	return int64(res.Bytes) == size && hex.EncodeToString(res.Version) == t.state.Tag &&
		(end == nil || !res.End.OK || *end == res.End.V)
}

// fileComparer is a writer that fails where what is written is not what the target's
// file has there.
type fileComparer struct {
	t   *target
	off int64
}

func (c *fileComparer) Write(p []byte) (int, error) {
	have := make([]byte, len(p))
	if c.off+int64(len(p)) > c.t.file.Size() {
		return 0, errOtherContent
	}
	if _, err := c.t.file.ReadAt(have, c.off); err != nil {
		return 0, err
	}
	if !bytes.Equal(have, p) {
		return 0, errOtherContent
	}
	c.off += int64(len(p))
	return len(p), nil
}
