package main

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// writes notes the sizes of what is written, and fails from the bad-th write on.
type writes struct {
	bytes.Buffer
	sizes []int
	bad   int
	short bool
}

var errWrites = errors.New("bad write")

func (w *writes) Write(p []byte) (int, error) {
	w.sizes = append(w.sizes, len(p))
	switch {
	case w.bad > 0 && len(w.sizes) >= w.bad:
		return 0, errWrites
	case w.short:
		return len(p) - 1, nil
	}
	return w.Buffer.Write(p)
}

func TestGatherer(t *testing.T) {
	var w writes
	g := gatherer{w: &w}
	content := pattern(gatherBytes + 5000)
	for at := 0; at < len(content); at += 1000 {
		if _, err := g.Write(content[at:min(at+1000, len(content))]); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.sizes) != 1 || w.sizes[0] > gatherBytes || w.sizes[0] < gatherBytes-1000 {
		t.Errorf("writes of %v before the flush", w.sizes)
	}
	for range 2 {
		if err := g.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.sizes) != 2 || !bytes.Equal(w.Bytes(), content) {
		t.Errorf("writes of %v, %d bytes of %d", w.sizes, w.Len(), len(content))
	}
	g = gatherer{w: &writes{bad: 1}}
	if _, err := g.Write(make([]byte, gatherBytes)); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Write([]byte("x")); !errors.Is(err, errWrites) {
		t.Errorf("a write that fails: %v", err)
	}
	g = gatherer{w: &writes{short: true}, buf: []byte("xy")}
	if err := g.Flush(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a write that is short: %v", err)
	}
}
