package main

import (
	"context"
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
	p.First, p.Last = first, tlv.Some(last)
	p.Begin = func(b pipeline.Beginning) error { return sameVersion(version, b.Version) }
	w := &rangeWriter{to: t, shape: s, chunk: first, last: last, skip: skip, length: length}
	res, err := r.session.Fetch(ctx, name, w, p)
	if err != nil {
		return res, err
	}
	res.Bytes = uint64(t.written)
	if res.Bytes == 0 {
		return res, usage("", "the range begins behind the content's end")
	}
	return res, nil
}

// learnShape fetches what tells how the content is cut.
func (r *getRun) learnShape(ctx context.Context, name tlv.Name, p pipeline.Options) (s shape, version []byte, err error) {
	p.Counters = nil
	p.First, p.Last = 0, tlv.Some[uint64](0)
	res, err := r.session.Fetch(ctx, name, io.Discard, p)
	if err != nil {
		return s, nil, err
	}
	s = shape{block: res.Bytes, end: res.End.V, told: res.End.OK}
	switch {
	case s.block == 0:
		return s, nil, usage("", "the content is empty")
	case s.told && s.end == 0:
		s.size = res.Bytes
	case r.o.bytes.suffix && !s.told:
		return s, nil, fmt.Errorf("the content does not tell its end, so its last bytes are not known")
	case r.o.bytes.suffix:
		p.First, p.Last = s.end, tlv.Some(s.end)
		last, err := r.session.Fetch(ctx, name, io.Discard, p)
		if err == nil {
			err = sameVersion(res.Version, last.Version)
		}
		if err != nil {
			return s, nil, err
		}
		s.size = s.end*s.block + last.Bytes
	}
	return s, res.Version, nil
}
