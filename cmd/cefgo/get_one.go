package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// outcome is what a complete fetch brought.
type outcome struct {
	result   pipeline.Result
	proof    proof
	manifest *manifest.Manifest // nil: it had none
	signer   keys.ID            // of the manifest, where that is trusted
	target   *target
	same     bool // the file was there already
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
	f, err := r.find(ctx, j)
	switch {
	case err != nil:
	case f.m != nil:
		t.proven, out.manifest, out.signer = true, f.m, f.signer
		p := &provenFetch{r: r, j: j, t: t, found: f, m: f.m, block: r.block(f), to: f.m.Size}
		if out.same = j.tree && p.same(ctx); out.same {
			return out, cmp.Or(t.drop(), j.dated(f.m))
		}
		out.result, out.proof, err = p.fetchProven(ctx)
	default:
		out.result, out.proof, err = r.fetchPlain(ctx, j, t)
	}
	if err == nil {
		err = t.commit()
	}
	if err == nil && j.tree {
		err = j.dated(out.manifest)
	}
	if err != nil {
		err = t.keep(r.fw.blame(r.client, err), r.a.resumeCommand(j.name, r.o, t))
	}
	return out, err
}

// dated gives a file of a tree the time that its publisher tells.
func (j *getJob) dated(m *manifest.Manifest) error {
	if m == nil || m.Modified.IsZero() {
		return nil
	}
	if fi, err := os.Stat(j.path); err == nil && fi.ModTime().Equal(m.Modified) {
		return nil
	}
	return os.Chtimes(j.path, time.Time{}, m.Modified)
}

// fetchPlain fetches what no manifest tells of, under the name itself.
func (r *getRun) fetchPlain(ctx context.Context, j *getJob, t *target) (res pipeline.Result, got proof, err error) {
	if err = t.takeUpPlain(r); err == nil {
		res, err = r.fetchTo(ctx, j, t)
	}
	if err == nil {
		err = t.recheck(ctx, r, j.name, res)
	}
	if err == nil && proven(t, res) {
		got = proofChecksum
	}
	if err == nil {
		err = j.verify.lacks(got)
	}
	return res, got, err
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
