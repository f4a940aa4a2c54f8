package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// pagesAtOnce is how many pages of a list are fetched before their entries are told: they
// are in memory meanwhile.
const pagesAtOnce = 64

// browse tells each entry of the directory j names, in order, as its list arrives: little
// of it is kept. It returns the directory's manifest; where there is an object of that
// name, its manifest, and no entry is told.
func (r *getRun) browse(ctx context.Context, j *getJob, each func(*manifest.Entry) error) (*manifest.Manifest, error) {
	m, err := r.listed(ctx, j)
	if err != nil || m.Status != manifest.Directory {
		return m, err
	}
	name, err := object.ListName(j.name, m.Version)
	if err != nil {
		return nil, err
	}
	if m.Pages > maxEntries {
		return nil, forged(fmt.Errorf("its list has %d pages", m.Pages))
	}
	w := &pageReader{r: r, j: j, m: m}
	for w.next < m.Pages {
		if err := r.fetchPages(ctx, name, w); err != nil {
			return nil, r.asChanged(ctx, j, m, err)
		}
		for i := range w.entries {
			if err := each(&w.entries[i]); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// fetchPages fetches the next pages. The session must not wait for what is done with
// their entries, which may need the session.
func (r *getRun) fetchPages(ctx context.Context, name tlv.Name, w *pageReader) error {
	w.entries = w.entries[:0]
	p := r.options()
	p.First, p.Last = uint64(w.next), tlv.Some(uint64(min(w.next+pagesAtOnce, w.m.Pages))-1)
	_, err := r.fetch(ctx, name, w, p)
	var write *pipeline.WriteError
	if errors.As(err, &write) {
		return write.Err // of a page that is no good
	}
	return after("manifest", err)
}

// asChanged is the error of a list that did not come, where that is because it has gone.
func (r *getRun) asChanged(ctx context.Context, j *getJob, m *manifest.Manifest, err error) error {
	if ctx.Err() != nil || newFailure(err).code == exitIntegrity {
		return err
	}
	if now, aerr := r.listed(ctx, j); aerr == nil && !bytes.Equal(now.Version, m.Version) {
		return &pipeline.ChangedError{What: "files came or went while the directory was listed"}
	}
	return err
}

// listed asks for the manifest of what j names until it is there, and where that is a
// directory until its list is: for as long as its publisher goes on with reading it.
func (r *getRun) listed(ctx context.Context, j *getJob) (*manifest.Manifest, error) {
	in, cancel := r.inTime(ctx)
	defer cancel()
	moved, wait, done := time.Now(), r.o.timeout.d, int64(-1)
	for {
		q := r.inquire(in, j)
		a := <-q.answer
		q.cancel()
		switch {
		case a.wrong():
			return nil, a.err
		case a.m != nil && a.m.Status == manifest.Absent:
			return nil, (&found{reply: a}).noObject()
		case a.m != nil && (a.m.Status == manifest.Object || a.m.Version != nil):
			return a.m, nil
		case a.m != nil && a.m.Done > done:
			moved, wait, done = time.Now(), r.o.stall.d, a.m.Done
		case in.Err() == nil && time.Since(moved) < wait:
		case done >= 0 && r.late(ctx) == nil:
			return nil, &failure{code: exitPartial, err: errors.New("its publisher does not come to an end with reading the directory")}
		case done >= 0:
			return nil, after("manifest", r.late(ctx))
		default:
			return nil, cmp.Or(r.late(ctx), fmt.Errorf("nobody tells what is there: %w", pipeline.ErrTimeout))
		}
		select {
		case <-time.After(digestsAgain):
		case <-in.Done():
		}
	}
}

// pageReader is a writer of the pages of a list, one at a time. It gathers their entries.
type pageReader struct {
	r       *getRun
	j       *getJob
	m       *manifest.Manifest
	entries []manifest.Entry
	next    int64
	last    []byte // the name of the latest entry
}

func (w *pageReader) Write(b []byte) (int, error) {
	p, signed, sig, err := manifest.DecodePage(b)
	switch {
	case err != nil:
		return 0, forged(fmt.Errorf("what came as a page of its list is none: %w", err))
	case !p.Name.Equal(w.j.name), !bytes.Equal(p.Version, w.m.Version), p.Number != w.next, p.Pages != w.m.Pages, !p.Follows(w.last):
		return 0, forged(errors.New("what came as a page of its list is another one"))
	}
	if _, _, err := w.j.judge(w.r.trust, dated{p.Issued, p.Expires, true}, signed, sig, time.Now()); err != nil {
		return 0, err
	}
	w.next++
	if n := len(p.Entries); n > 0 {
		w.last = p.Entries[n-1].Name
	}
	w.entries = append(w.entries, p.Entries...)
	return len(b), nil
}
