package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/verify"
)

// same reports whether the file that a job would write is there already, with the bytes
// that the manifest tells of. A part of it does not count: that is gone on from.
func (p *provenFetch) same(ctx context.Context) bool {
	f, err := os.Open(p.j.path)
	if err != nil {
		return false
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() || fi.Size() != p.m.Size {
		return false
	}
	d := p.digests(ctx)
	if d.err != nil || d.proof < p.found.proof {
		return false
	}
	ctx, cancel := p.r.inTime(ctx)
	defer cancel()
	w := verify.NewWriter(io.Discard, verify.Options{Run: object.RunSize, Workers: runtime.GOMAXPROCS(0)})
	w.Expect(d.runs)
	n, err := io.Copy(w, contextReader{ctx, f})
	return errors.Join(err, w.Close()) == nil && n == p.m.Size
}
