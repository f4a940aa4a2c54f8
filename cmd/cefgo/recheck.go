package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Content that carries no version mark does not show that another content has taken
// its place. So where there was time for that, a few chunks that were there before
// are asked for again and compared. That finds other content as far as these chunks
// differ; only a manifest could prove more.

const (
	samples = 8
	// suspicious is the gap between two chunks after which a publisher may be
	// another one, where round trips are short; else it is some of those. What was
	// in flight when a publisher went is asked for again after 100 ms at the least.
	suspicious    = 80 * time.Millisecond
	suspiciousRTT = 3
	sampleWait    = 2 * time.Second
)

// recheck compares samples of an unmarked content whose fetch was held up. What
// nobody answers any more is let pass: the content stays unverified.
func (t *target) recheck(ctx context.Context, link pipeline.Link, name tlv.Name, p pipeline.Options, res pipeline.Result) error {
	heldUp := res.Stats.LongestGap >= max(suspicious, suspiciousRTT*res.Stats.RTTMean) || res.Stats.Relinks > 0
	if len(res.Version) > 0 || !heldUp || !t.resumable() || p.First != 0 {
		return nil
	}
	err := t.compareSamples(ctx, link, name, p, res.Chunks)
	var changed *pipeline.ChangedError
	if err == nil || errors.As(err, &changed) || ctx.Err() != nil {
		return err
	}
	return nil
}

// compareSamples fetches some of the first chunks again, the first and the last of
// them for certain, and compares them with the file. It fails with a
// *pipeline.ChangedError where one differs, else as pipeline.Fetch does.
func (t *target) compareSamples(ctx context.Context, link pipeline.Link, name tlv.Name, p pipeline.Options, chunks uint64) error {
	p.Counters, p.Begin = nil, nil
	p.Timeout = min(p.Timeout, sampleWait)
	for i := range min(samples, chunks) {
		k := uint64(0)
		if i > 0 {
			k = i * (chunks - 1) / (min(samples, chunks) - 1)
		}
		p.First, p.Last = k, tlv.Some(k)
		c := &fileComparer{t: t, off: int64(k) * int64(t.state.BlockSize)}
		res, err := pipeline.Fetch(ctx, link, name, c, p)
		if errors.Is(err, errOtherContent) || err == nil && hex.EncodeToString(res.Version) != t.state.Tag {
			return &pipeline.ChangedError{What: "a chunk fetched again is another one"}
		}
		if err != nil {
			return err
		}
	}
	return nil
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
