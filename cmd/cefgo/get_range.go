package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// fetchRange fetches the bytes of --range. How they lie in the content's chunks is
// learned from its first chunk, and for the last N bytes from its last one.
func (r *getRun) fetchRange(ctx context.Context, name tlv.Name, t *target, p pipeline.Options) (pipeline.Result, error) {
	t.whole = false
	s, version, err := r.learnShape(ctx, name, p)
	if err != nil {
		return pipeline.Result{}, err
	}
	first, last, skip, length, err := r.o.bytes.chunks(s)
	if err != nil {
		return pipeline.Result{}, &failure{code: exitUsage, err: err}
	}
	p.First = first
	if s.told || !r.o.bytes.open {
		p.Last = tlv.Some(last)
	}
	p.Begin = func(b pipeline.Beginning) error { return sameVersion(version, b.Version) }
	w := &rangeWriter{to: t, block: s.block, chunk: first, skip: skip, length: length}
	res, err := r.fetch(ctx, name, w, p)
	if err == nil {
		err = w.check(res)
	}
	if err == nil && s.told && res.End.OK && res.End.V != s.end {
		err = &pipeline.ChangedError{What: fmt.Sprintf("its end was chunk %d and is chunk %d now", s.end, res.End.V)}
	}
	if err != nil {
		return res, afterFirst(err)
	}
	res.Bytes = uint64(t.written)
	if s.by == pipeline.EndMeta || s.by == pipeline.EndSilence {
		res.EndSource = s.by // neither proves where the last bytes are
	}
	if res.Bytes == 0 {
		return res, usage("", "the range begins behind the content's end")
	}
	return res, nil
}

// afterFirst is the error of a fetch whose first chunk had come before.
func afterFirst(err error) error { return after("first chunk", err) }

// after is the error of a fetch before which that had come.
func after(what string, err error) error {
	if errors.Is(err, pipeline.ErrTimeout) {
		return &failure{code: exitPartial, err: fmt.Errorf("its %s came, and then %w", what, err)}
	}
	return err
}

// learnShape fetches what tells how the content is cut.
func (r *getRun) learnShape(ctx context.Context, name tlv.Name, p pipeline.Options) (s shape, version []byte, err error) {
	p.Counters = nil
	p.First, p.Last = 0, tlv.Some[uint64](0)
	res, err := r.fetch(ctx, name, io.Discard, p)
	if err != nil {
		return s, nil, err
	}
	s = shape{block: res.Bytes, end: res.End.V, told: res.End.OK}
	switch {
	case s.block == 0:
		return s, nil, usage("", "the content is empty")
	case s.told && s.end == 0:
		s.size = res.Bytes
	case r.o.bytes.suffix:
		err = afterFirst(r.learnSize(ctx, name, p, &s, res.Version))
	}
	return s, res.Version, err
}
