package digest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// TestSums: whatever the size, and with one processor or two, the Sums are those of
// crypto/sha256, from a hasher that has been used before.
func TestSums(t *testing.T) {
	content := random(1, 5*RunSize)
	h := newHasher()
	rapid.Check(t, func(t *rapid.T) {
		runs := rapid.IntRange(0, 4).Draw(t, "runs")
		more := rapid.OneOf(rapid.IntRange(-2, 2), rapid.IntRange(0, RunSize)).Draw(t, "more")
		size := max(0, runs*RunSize+more)
		from := rapid.IntRange(0, len(content)-size).Draw(t, "from")
		two := rapid.Bool().Draw(t, "two processors")
		part := content[from : from+size]
		var done atomic.Int64
		got, err := h.sum(context.Background(), newFake(part), int64(size), &done, func() bool { return two })
		if err != nil || !equal(got, sumsOf(part)) {
			t.Fatalf("%d bytes: %v, error %v", size, got, err)
		}
		if done.Load() != int64(size) {
			t.Fatalf("%d bytes done of %d", done.Load(), size)
		}
	})
}

// TestEmpty pins what the law above says of nothing: no runs.
func TestEmpty(t *testing.T) {
	p := open(t, Options{})
	o := one(t, p, newFake(nil).job("empty"))
	if o.Err != nil || len(o.Sums.Runs) != 0 || o.Sums.Whole != keyOf("") {
		t.Errorf("outcome %v", o)
	}
}

// TestReadsArePieces: what is read at once bounds how long Close takes.
func TestReadsArePieces(t *testing.T) {
	f := newFake(make([]byte, 2*RunSize+1))
	most := 0
	f.onRead = func(n int) { most = max(most, n) }
	wantSums(t, open(t, Options{}), f.job("a"), sumsOf(make([]byte, 2*RunSize+1)))
	if most != readSize {
		t.Errorf("%d bytes read at once", most)
	}
	if f.closed.Load() != 1 {
		t.Errorf("closed %d times", f.closed.Load())
	}
}

// brokenReader fails at a place of its own choice.
type brokenReader struct {
	fake
	at  int64
	err error
}

func (b *brokenReader) ReadAt(p []byte, off int64) (int, error) {
	return int(min(int64(len(p)), max(0, b.at-off))), b.err
}

func TestFailures(t *testing.T) {
	errDisk := errors.New("bad disk")
	changed := newFake(make([]byte, 2*RunSize))
	reads := 0
	changed.onRead = func(int) { reads++ }
	changed.unchanged = func() error {
		if reads == 8 { // all
			return errChanged
		}
		return nil
	}
	cut := newFake(make([]byte, 10))
	cut.unchanged = func() error { return errChanged }
	gone := newFake(nil)
	gone.unchanged = cut.unchanged
	broken := &brokenReader{at: RunSize + 1, err: errDisk}

	for name, c := range map[string]struct {
		src  Source
		size int64
		want error
	}{
		"short":             {newFake(make([]byte, RunSize-1)), RunSize, io.ErrUnexpectedEOF},
		"short in run 2":    {newFake(make([]byte, RunSize+9)), 3 * RunSize, io.ErrUnexpectedEOF},
		"no progress":       {&brokenReader{at: 3}, 10, io.ErrUnexpectedEOF},
		"read error":        {broken, 2 * RunSize, errDisk},
		"changed at end":    {changed, 2 * RunSize, errChanged},
		"cut, so short":     {cut, 11, errChanged},
		"changed and empty": {gone, 0, errChanged},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, Options{})
			j := Job{keyOf(name), c.size, func() (Source, error) { return c.src, nil }}
			if o := one(t, p, j); !errors.Is(o.Err, c.want) || o.Sums != nil {
				t.Errorf("outcome %v, want error %v", o, c.want)
			}
			if s, ok := p.Lookup(j.Key); ok {
				t.Errorf("Sums %v are remembered", s)
			}
		})
	}
}

// TestChangedEarly: a huge file that changes is not read to its end.
func TestChangedEarly(t *testing.T) {
	f := newFake(make([]byte, 16*RunSize))
	reads := 0
	f.onRead = func(int) { reads++ }
	f.unchanged = func() error { return errChanged }
	if o := one(t, open(t, Options{}), f.job("a")); o.Err != errChanged || reads != RunSize/readSize {
		t.Errorf("error %v after %d reads", o.Err, reads)
	}
}

// TestEOFWithTheLastByte: an io.ReaderAt may say so.
func TestEOFWithTheLastByte(t *testing.T) {
	b := &brokenReader{at: 10, err: io.EOF}
	j := Job{keyOf("a"), 10, func() (Source, error) { return b, nil }}
	wantSums(t, open(t, Options{}), j, sumsOf(make([]byte, 10)))
}

// TestEnded: what was not read to its end has no Sums, which would go to the disk.
func TestEnded(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	f := newFake(make([]byte, 3*RunSize))
	reads := 0
	f.onRead = func(int) {
		if reads++; reads == 5 {
			end()
		}
	}
	var done atomic.Int64
	s, err := newHasher().sum(ctx, f, f.Size(), &done, nil)
	if s != nil || err != context.Canceled || reads != 5 {
		t.Errorf("%v, error %v after %d reads", s, err, reads)
	}
}
