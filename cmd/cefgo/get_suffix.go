package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// learnSize learns how long a content is, of which the first chunk has come: by its last
// one, which it looks for where nothing has told yet which that is.
func (r *getRun) learnSize(ctx context.Context, name tlv.Name, p pipeline.Options, s *shape, version []byte) error {
	if !s.told {
		if err := r.seekEnd(ctx, name, p, s, version); err != nil {
			return err
		}
	}
	p.First, p.Last = s.end, tlv.Some(s.end)
	res, err := r.fetch(ctx, name, io.Discard, p)
	if err == nil {
		err = sameVersion(version, res.Version)
	}
	s.size = s.end*s.block + res.Bytes
	return err
}

// seekEnd fetches the content until its end is told, by its meta or its last chunk, or is
// taken from silence. Nothing is kept of it.
func (r *getRun) seekEnd(ctx context.Context, name tlv.Name, p pipeline.Options, s *shape, version []byte) error {
	r.a.say("the first chunk does not tell the content's end: fetching on until something does")
	var c pipeline.Counters
	p.First, p.Last, p.Counters = 0, tlv.Opt[uint64]{}, &c
	p.Begin = func(b pipeline.Beginning) error { return sameVersion(version, b.Version) }
	res, err := r.fetch(ctx, name, &endSeeker{c: &c}, p)
	stopped := errors.Is(err, errEndTold)
	switch {
	case err != nil && !stopped:
		return err
	case res.End.OK:
		s.end = res.End.V
	case stopped:
		return errFalseMeta // chunks behind that end have come since
	default:
		s.end = res.Chunks - 1 // silence
	}
	s.told, s.by = true, res.EndSource
	if s.by == pipeline.EndMeta && r.goesOn(ctx, name, p, s.end) {
		return errFalseMeta
	}
	return nil
}

var errFalseMeta = &failure{code: exitFailed, err: errors.New("its meta tells a false end: which bytes are the last is not known"), hint: "fetch it whole"}

// metaWait is how long a chunk behind the end that a meta tells may take to prove it
// wrong.
const metaWait = time.Second

// goesOn reports whether there is a chunk behind end: a meta may be another content's.
func (r *getRun) goesOn(ctx context.Context, name tlv.Name, p pipeline.Options, end uint64) bool {
	p.First, p.Last, p.Timeout = end+1, tlv.Some(end+1), metaWait
	p.Counters, p.Begin = nil, nil
	_, err := r.fetch(ctx, name, io.Discard, p)
	return err == nil
}

// errEndTold ends a fetch that only sought the content's end.
var errEndTold = errors.New("the end is told")

// endSeeker is a writer that fails with errEndTold as soon as the fetch, whose counters c
// are, knows its end.
type endSeeker struct{ c *pipeline.Counters }

func (w *endSeeker) Write(p []byte) (int, error) {
	if w.c.Total.Load() > 0 {
		return 0, errEndTold
	}
	return len(p), nil
}
