package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/verify"
)

// takeUp goes on with what an earlier run left, where that is a part of this very version
// and its digests hold; else it starts over, or fails with --resume.
func (p *provenFetch) takeUp(ctx context.Context) error {
	f := p.t.file
	if f == nil || f.Direct() {
		return nil
	}
	state, chunks, ok := f.ResumeState()
	if !ok {
		return nil
	}
	if state.Name != p.t.name.String() || state.Tag != hex.EncodeToString(object.Mark(p.m.Version, state.BlockSize)) || !p.m.Offers(state.BlockSize) {
		return p.startOver()
	}
	have := min(int64(chunks)*int64(state.BlockSize), p.m.Size)
	if have < p.m.Size { // of the last run only a part is there, which no digest is of
		have -= have % object.RunSize
		chunks = uint64(have) / uint64(state.BlockSize)
	}
	switch err := p.compare(ctx, have); {
	case errors.Is(err, errStale):
		return p.startOver()
	case err != nil:
		return err
	}
	if chunks == 0 {
		return p.t.restart()
	}
	have = min(int64(chunks)*int64(state.BlockSize), p.m.Size)
	if err := f.Cut(chunks); err != nil {
		return &pipeline.WriteError{Err: err}
	}
	p.have, p.block = have, state.BlockSize
	p.t.state, p.t.resumed = state, uint64(have)
	return nil
}

// startOver drops what an earlier run left, unless it was to be gone on from.
func (p *provenFetch) startOver() error {
	if p.r.o.resume {
		p.t.resumed = uint64(p.t.file.Size()) // it was not this run that wrote it
		return &pipeline.ChangedError{What: "what is there is a part of another version"}
	}
	return p.t.restart()
}

// errStale: what an earlier run left is not what the digests say.
var errStale = errors.New("the part file holds other bytes")

// compare compares the file's first bytes, which are whole runs, with the digests. Where a
// publisher tells none, nothing there can be trusted.
func (p *provenFetch) compare(ctx context.Context, have int64) error {
	d := p.digests(ctx)
	switch {
	case d.err != nil && ctx.Err() == nil && newFailure(d.err).code == exitFailed:
		return errStale
	case d.err != nil:
		return d.err // they may come another time
	}
	ctx, cancel := p.r.inTime(ctx)
	defer cancel()
	w := verify.NewWriter(io.Discard, verify.Options{Run: object.RunSize})
	w.Expect(d.runs)
	_, err := io.Copy(w, contextReader{ctx, io.NewSectionReader(p.t.file, 0, have)})
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	var m *verify.MismatchError
	if errors.As(err, &m) {
		return errStale
	}
	return err
}
