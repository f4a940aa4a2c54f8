package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// takeUpPlain goes on with what an earlier run left where --resume says so, else starts
// over: nothing proves that it is a part of the same content.
func (t *target) takeUpPlain(r *getRun) error {
	switch {
	case t.file == nil || t.file.Direct():
		return nil
	case r.o.resume:
		t.takeUp(r.a)
	case t.file.Size() > 0:
		return t.restart()
	}
	return nil
}

// restart drops what an earlier run left.
func (t *target) restart() error {
	t.earlier = false
	return t.file.Restart()
}

// checkState fails where what an earlier run left, and --resume insists on, is a part of
// another name.
func (t *target) checkState() error {
	state, _, ok := t.file.ResumeState()
	if ok && state.Name != t.name.String() {
		return &partfile.StateError{Path: t.file.Path(), Err: fmt.Errorf("it is a part of %s", state.Name)}
	}
	return nil
}

// takeUp goes on with what an earlier run left: from the last chunk it has, which
// is fetched again and compared.
func (t *target) takeUp(a *app) {
	state, chunks, ok := t.file.ResumeState()
	if !ok {
		if err := t.file.Torn(); err != nil {
			a.say("%v: it is not to be trusted, so the fetch starts over", err)
		}
		return
	}
	t.state, t.from = state, chunks-1
	t.compare = uint64(state.BlockSize)
	t.resumed = chunks * uint64(state.BlockSize)
}

// fetch fetches what the target lacks. Of what an earlier run left, samples are compared
// before, and the last chunk as the first that is fetched.
func (t *target) fetch(ctx context.Context, r *getRun, name tlv.Name, p pipeline.Options) (pipeline.Result, error) {
	if t.resumed > 0 {
		if err := t.compareSamples(ctx, r, name, t.from, p.Timeout); err != nil {
			return pipeline.Result{}, err
		}
		p.First = t.from
	}
	p.Begin = t.begin
	return r.fetch(ctx, name, t, p)
}

// size is how many bytes the target has got, those of an earlier run included.
func (t *target) size(res pipeline.Result) uint64 {
	if t.proven || t.resumed == 0 {
		return t.resumed + res.Bytes
	}
	return t.resumed - uint64(t.state.BlockSize) + res.Bytes
}

// check compares the first chunk fetched with the last one that the file has.
func (t *target) check(p []byte) (int, error) {
	if uint64(len(p)) != t.compare {
		return 0, errOtherContent
	}
	have := &fileComparer{t: t, off: int64(t.resumed - t.compare)}
	t.compare = 0
	return have.Write(p)
}

var errOtherContent = errors.New("the file holds other bytes there")
