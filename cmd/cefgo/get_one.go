package main

import (
	"context"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// outcome is what a complete fetch brought.
type outcome struct {
	result pipeline.Result
	target *target
}

// fetchOne fetches one name to its target.
func (r *getRun) fetchOne(ctx context.Context, j *getJob) (outcome, error) {
	out := outcome{}
	if err := r.late(ctx); err != nil {
		return out, err
	}
	t, err := r.openTarget(ctx, j)
	if err != nil {
		return out, err
	}
	defer t.close()
	out.target = t
	r.a.event("start", fields{"name": j.full.String()})
	out.result, err = r.fetchTo(ctx, j, t)
	if err == nil {
		err = t.recheck(ctx, r, j.name, out.result)
	}
	if err == nil {
		err = t.commit()
	}
	if err != nil {
		err = t.keep(r.fw.blame(r.client, err), r.a.resumeCommand(j.name, r.o, t))
	}
	return out, err
}

// fetchTo fetches what the flags say of one name.
func (r *getRun) fetchTo(ctx context.Context, j *getJob, t *target) (pipeline.Result, error) {
	p := r.options()
	p.Counters = &j.counters
	p.First = j.chunks.first
	if j.chunks.set && !j.chunks.open {
		p.Last = tlv.Some(j.chunks.last)
	}
	if r.o.bytes.set {
		return r.fetchRange(ctx, j.name, t, p)
	}
	return t.fetch(ctx, r, j.name, p)
}
