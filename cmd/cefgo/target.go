package main

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// target is where get writes: a part file, a device, a FIFO, or standard output. Its Write takes one
// chunk's payload at a time, in order.
type target struct {
	name tlv.Name
	file *partfile.File // nil: out
	out  *streamWriter  // standard output, or a FIFO; what blocks there ends with the deadline
	end  func() error   // of out
	fifo string         // its path; "": none

	state   partfile.State // of what the file is a first part; Name "": not known yet
	short   bool           // a chunk of another size than the first was written
	compare uint64         // bytes still to be compared with what the file has
	earlier bool           // an earlier run left something, of which nothing has been dropped
	resumed uint64         // bytes of that which are gone on from
	from    uint64         // the chunk that the fetch begins with
	whole   bool           // chunks are written from the content's first on, whole
	written int64          // bytes
	proven  bool           // a manifest says what is right
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

// Flush writes what was gathered for a stream; a file has a buffer of its own.
func (t *target) Flush() error {
	if t.out == nil {
		return nil
	}
	return t.out.Flush()
}

// commit gives the content its name.
func (t *target) commit() error {
	if t.file == nil {
		return t.end()
	}
	return t.file.Commit()
}

// drop ends what is not to be written after all.
func (t *target) drop() error {
	if t.file == nil {
		return t.end()
	}
	return t.file.Discard()
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
		if t.earlier {
			_ = t.file.Keep() // it was not this run that wrote it
		} else {
			_ = t.file.Discard()
		}
		return f
	}
	if !t.resumable() && !t.earlier {
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
	if t.file == nil {
		_ = t.end()
		return
	}
	_ = t.file.Close()
}

// path is the file's, "" for standard output.
func (t *target) path() string {
	if t.file == nil {
		return t.fifo
	}
	return t.file.Path()
}

func (t *target) whereTo() string {
	if t.path() == "" {
		return ""
	}
	return ": " + t.path()
}
