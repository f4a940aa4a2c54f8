package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/partfile"
)

// openTarget opens what a job writes to, and takes up what an earlier run left there.
func (r *getRun) openTarget(ctx context.Context, j *getJob) (*target, error) {
	t := &target{name: j.full, whole: true}
	if r.o.output == "-" {
		t.out = newStreamWriter(ctx, r.a.stdout, r.deadline)
		t.end = sync.OnceValue(t.out.close)
		return t, nil
	}
	o := partfile.Options{NoClobber: r.o.noClobber, Resume: r.mayResume(j), Untrusted: j.path != r.o.output}
	if isFIFO(j.path) && !o.NoClobber && !o.Untrusted {
		f, err := openFIFO(ctx, j.path, r.deadline, r.patience())
		if err != nil {
			return nil, asLocal(err)
		}
		// Its writes end with the context and the deadline by themselves.
		t.out, t.fifo = newStreamWriter(context.Background(), f, time.Time{}), j.path
		t.end = sync.OnceValue(func() error { return cmp.Or(t.out.close(), f.close()) })
		return t, nil
	}
	var err error
	if t.file, err = openFile(ctx, j.path, o, r.patience()); err != nil {
		return nil, asLocal(err)
	}
	_, _, t.earlier = t.file.ResumeState()
	if r.o.resume {
		if err := t.checkState(); err != nil {
			t.close()
			return nil, err
		}
	}
	return t, nil
}

// mayResume reports whether what an earlier run left of j might be gone on from.
func (r *getRun) mayResume(j *getJob) bool {
	whole := !j.chunks.set && !r.o.bytes.set
	return r.o.resume || whole && !r.o.noResume && j.verify.wantsManifest()
}

// patience bounds the wait for the reader of a FIFO.
func (r *getRun) patience() time.Duration {
	if r.deadline.IsZero() {
		return r.o.timeout.d
	}
	return min(r.o.timeout.d, time.Until(r.deadline))
}

// asLocal is an error of this machine, where nothing else is known of it.
func asLocal(err error) error {
	f := newFailure(err)
	if f.code == exitFailed {
		f.code = exitLocal
	}
	return f
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// openFile is partfile.Open, but waits no longer than that where a device, or the reader
// of a FIFO, does not come.
func openFile(ctx context.Context, path string, o partfile.Options, wait time.Duration) (*partfile.File, error) {
	type outcome struct {
		f   *partfile.File
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		f, err := partfile.Open(path, o)
		done <- outcome{f, err}
	}()
	select {
	case r := <-done:
		return r.f, r.err
	case <-time.After(wait):
	case <-ctx.Done():
	}
	go func() { // whoever reads a FIFO may still come
		if r := <-done; r.err == nil {
			_ = r.f.Discard()
		}
	}()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("%s: nobody reads it", path)
}
