package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// target is where get writes: a part file, or standard output. Its Write takes one
// chunk's payload at a time, in order.
type target struct {
	name tlv.Name
	out  *boundWriter   // standard output; nil: file
	file *partfile.File // nil: out

	state   partfile.State // of what the file is a first part; Name "": not known yet
	short   bool           // a chunk of another size than the first was written
	compare uint64         // bytes still to be compared with what the file has
	resumed uint64         // bytes that an earlier run left
	from    uint64         // the chunk that the fetch begins with
	whole   bool           // chunks are written from the content's first on, whole
	written int64          // bytes
}

// openTarget opens what a job writes to, and takes up what an earlier run left there.
func (r *getRun) openTarget(ctx context.Context, j *getJob) (*target, error) {
	t := &target{name: j.full, whole: true}
	if r.o.output == "-" {
		t.out = newBoundWriter(ctx, r.a.stdout, r.deadline)
		return t, nil
	}
	var err error
	t.file, err = openFile(ctx, j.path, partfile.Options{NoClobber: r.o.noClobber, Resume: r.o.resume, Untrusted: j.path != r.o.output}, r.patience())
	if err != nil {
		return nil, asLocal(err)
	}
	if r.o.resume {
		if err := t.takeUp(r.a); err != nil {
			t.close()
			return nil, err
		}
	}
	return t, nil
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

// openFile is partfile.Open, but waits for the reader of a FIFO no longer than wait.
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

// takeUp goes on with what an earlier run left: from the last chunk it has, which
// is fetched again and compared.
func (t *target) takeUp(a *app) error {
	state, chunks, ok := t.file.ResumeState()
	if !ok {
		if err := t.file.Torn(); err != nil {
			a.say("%v: it is not to be trusted, so the fetch starts over", err)
		}
		return nil
	}
	if state.Name != t.name.String() {
		return &partfile.StateError{Path: t.file.Path(), Err: fmt.Errorf("it is a part of %s", state.Name)}
	}
	t.state, t.from = state, chunks-1
	t.compare = uint64(state.BlockSize)
	t.resumed = chunks * uint64(state.BlockSize)
	return nil
}

func (t *target) fetch(ctx context.Context, r *getRun, name tlv.Name, p pipeline.Options) (pipeline.Result, error) {
	if t.resumed > 0 {
		if err := t.compareSamples(ctx, r, name, t.from+1, p.Timeout); err != nil {
			return pipeline.Result{}, err
		}
		p.First = t.from
	}
	p.Begin = t.begin
	return r.fetch(ctx, name, t, p)
}

// size is how many bytes the target has got, those of an earlier run included.
func (t *target) size(res pipeline.Result) uint64 {
	if t.resumed == 0 {
		return res.Bytes
	}
	return t.resumed - uint64(t.state.BlockSize) + res.Bytes
}

// begin learns what the content is, before its first byte is written.
func (t *target) begin(b pipeline.Beginning) error {
	if t.file == nil || t.file.Direct() {
		return nil
	}
	tag := hex.EncodeToString(b.Version)
	if t.resumed > 0 {
		if tag != t.state.Tag || t.state.EndChunk != nil && b.End.OK && *t.state.EndChunk != b.End.V {
			return &pipeline.ChangedError{What: "another version or another end is told"}
		}
		return nil
	}
	if !t.whole || b.First != 0 || b.PayloadSize == 0 {
		return nil // not the content from its beginning: nothing to resume
	}
	s := partfile.State{Name: t.name.String(), BlockSize: b.PayloadSize, Tag: tag}
	if b.End.OK {
		s.EndChunk = &b.End.V
	}
	if err := t.file.SaveState(s); err != nil {
		return &pipeline.WriteError{Err: err}
	}
	t.state = s
	return nil
}

func (t *target) Write(p []byte) (int, error) {
	t.written += int64(len(p))
	if t.out != nil {
		return t.out.Write(p)
	}
	if t.compare > 0 {
		return t.check(p)
	}
	if t.state.Name != "" && (t.short || len(p) > t.state.BlockSize) {
		// Chunks of different sizes: the part file's length no longer tells how
		// many there are, so that nobody may go on from it.
		if err := t.file.DropState(); err != nil {
			return 0, err
		}
		t.state = partfile.State{}
	}
	t.short = t.short || len(p) != t.state.BlockSize
	return t.file.Write(p)
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

// commit gives the content its name.
func (t *target) commit() error {
	if t.file == nil {
		t.out.close()
		return nil
	}
	return t.file.Commit()
}

// keep ends a failed fetch: what came is kept where a later run can go on from it,
// and removed where it can not.
func (t *target) keep(err error, resume string) error {
	f := newFailure(err)
	if errors.Is(err, errOtherContent) {
		f.code = exitChanged
	}
	if t.resumed > 0 && f.code == exitChanged {
		f.err = fmt.Errorf("the content is not the one that the part file is a part of: %w", err)
		f.hint = "start over without --resume"
	}
	if t.file == nil {
		return f
	}
	switch f.code {
	case exitChanged, exitIntegrity:
		if t.resumed > 0 {
			_ = t.file.Keep() // it was not this run that wrote it
		} else {
			_ = t.file.Discard()
		}
		return f
	}
	if !t.resumable() {
		_ = t.file.Discard()
		return f
	}
	if kerr := t.file.Keep(); kerr == nil && t.file.Size() > 0 {
		f.resume = resume
	}
	return f
}

// resumable reports whether what has been written can be gone on from.
func (t *target) resumable() bool { return t.file != nil && t.state.Name != "" && t.file.Size() > 0 }

func (t *target) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}

// path is the file's, "" for standard output.
func (t *target) path() string {
	if t.file == nil {
		return ""
	}
	return t.file.Path()
}

func (t *target) whereTo() string {
	if t.file == nil {
		return ""
	}
	return ": " + t.file.Path()
}
