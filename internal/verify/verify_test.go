package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// digestsOf are the digests of the runs of b.
func digestsOf(b []byte, run int) []Digest {
	var sums []Digest
	for len(b) > 0 {
		n := min(run, len(b))
		sums = append(sums, sha256.Sum256(b[:n]))
		b = b[n:]
	}
	return sums
}

// drawContent is some content, and a run size.
func drawContent(t *rapid.T) (content []byte, run int) {
	run = rapid.IntRange(1, 50).Draw(t, "run")
	content = rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "content")
	return content, run
}

// writeAll writes b in pieces of drawn sizes.
func writeAll(t *rapid.T, w io.Writer, b []byte) error {
	for len(b) > 0 {
		n := min(rapid.IntRange(1, 120).Draw(t, "piece"), len(b))
		m, err := w.Write(b[:n])
		if err != nil {
			return err
		}
		if m != n {
			t.Fatalf("%d of %d bytes taken, and no error", m, n)
		}
		b = b[n:]
	}
	return nil
}

// What is right passes, whole and in order, held back or not, whenever the digests become
// known.
func TestRight(t *testing.T) {
	defer goleak.VerifyNone(t)
	rapid.Check(t, func(t *rapid.T) {
		content, run := drawContent(t)
		sums := digestsOf(content, run)
		var got bytes.Buffer
		w := NewWriter(&got, Options{Run: run, Hold: rapid.Bool().Draw(t, "hold"), Workers: rapid.IntRange(0, 3).Draw(t, "workers")})
		early := w.o.Hold || rapid.Bool().Draw(t, "early")
		if early {
			w.Expect(sums)
		}
		err := writeAll(t, w, content)
		if !early {
			w.Expect(sums)
		}
		if err = errors.Join(err, w.Close()); err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Fatalf("%d of %d bytes, %v", got.Len(), len(content), err)
		}
		if len(w.Runs()) != len(sums) {
			t.Fatalf("%d runs, want %d", len(w.Runs()), len(sums))
		}
		w.Abort()
	})
}

// What is wrong is found, wherever it is; where it is held back, nothing from its run on
// is written.
func TestWrong(t *testing.T) {
	defer goleak.VerifyNone(t)
	rapid.Check(t, func(t *rapid.T) {
		content, run := drawContent(t)
		content = append(content, 1)
		sums := digestsOf(content, run)
		at := rapid.IntRange(0, len(content)-1).Draw(t, "at")
		bad := bytes.Clone(content)
		bad[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		var got bytes.Buffer
		w := NewWriter(&got, Options{Run: run, Hold: rapid.Bool().Draw(t, "hold")})
		w.Expect(sums)
		err := errors.Join(writeAll(t, w, bad), w.Close())
		var m *MismatchError
		if !errors.As(err, &m) || m.Run != at/run || m.Offset != int64(at/run*run) {
			t.Fatalf("a wrong byte at %d, runs of %d: %v", at, run, err)
		}
		if w.o.Hold && got.Len() > at/run*run {
			t.Fatalf("%d bytes written, but the run at %d is wrong", got.Len(), at/run*run)
		}
	})
}

// Content that is longer than its digests is wrong too; a part of it from a later run on
// is compared with the digests of that.
func TestFewDigests(t *testing.T) {
	defer goleak.VerifyNone(t)
	content := bytes.Repeat([]byte("0123456789"), 5)
	sums := digestsOf(content, 10)
	for first := range 5 {
		w := NewWriter(io.Discard, Options{Run: 10, First: first})
		w.Expect(sums[:4])
		_, err := w.Write(content[10*first:])
		err = errors.Join(err, w.Close())
		var m *MismatchError
		if !errors.As(err, &m) || m.Run != 4 {
			t.Errorf("from run %d on: %v, want run 4 wrong", first, err)
		}
	}
	w := NewWriter(io.Discard, Options{Run: 10, First: 2})
	w.Expect(sums)
	_, err := w.Write(content[20:40])
	if err := errors.Join(err, w.Close()); err != nil {
		t.Errorf("runs 2 and 3 alone: %v", err)
	}
}

// Without digests, what was written is hashed, for whoever compares.
func TestUnknown(t *testing.T) {
	defer goleak.VerifyNone(t)
	content := []byte("0123456789abc")
	w := NewWriter(io.Discard, Options{Run: 10})
	_, err := w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if want := digestsOf(content, 10); len(w.Runs()) != 2 || w.Runs()[0] != want[0] || w.Runs()[1] != want[1] {
		t.Errorf("runs %x, want %x", w.Runs(), want)
	}
}

// failing fails with its error after some bytes.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// short takes one byte too few, and says nothing.
type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) - 1, nil }

func TestWriteFails(t *testing.T) {
	defer goleak.VerifyNone(t)
	full := errors.New("disk full")
	for _, hold := range []bool{false, true} {
		w := NewWriter(&failing{25, full}, Options{Run: 10, Hold: hold})
		content := make([]byte, 1000)
		w.Expect(digestsOf(content, 10))
		var err error
		for i := 0; i < 100 && err == nil; i++ {
			_, err = w.Write(content[:10])
		}
		if cerr := w.Close(); cerr != full || err != nil && err != full {
			t.Errorf("hold %v: %v, then %v; want %v", hold, err, cerr, full)
		}
		w = NewWriter(short{}, Options{Run: 10, Hold: hold})
		w.Expect(digestsOf(content[:5], 10))
		_, _ = w.Write(content[:5])
		if err := w.Close(); err != io.ErrShortWrite {
			t.Errorf("hold %v: %v, want %v", hold, err, io.ErrShortWrite)
		}
	}
}

// Abort writes what was handed over, and of what is held nothing.
func TestAbort(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, hold := range []bool{false, true} {
		var got bytes.Buffer
		w := NewWriter(&got, Options{Run: 10, Hold: hold})
		if _, err := w.Write(make([]byte, 35)); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		w.Abort()
		if want := map[bool]int{false: 35, true: 0}[hold]; got.Len() != want {
			t.Errorf("hold %v: %d bytes written, want %d", hold, got.Len(), want)
		}
		if err := w.Close(); hold != errors.Is(err, ErrAborted) {
			t.Errorf("hold %v: closed with %v", hold, err)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	chunk := make([]byte, 16000)
	for name, write := range map[string]func(*testing.B, *Writer){
		"chunks of 16000 bytes": func(b *testing.B, w *Writer) {
			for b.Loop() {
				_, _ = w.Write(chunk)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(chunk)))
			w := NewWriter(io.Discard, Options{Run: 1 << 20})
			write(b, w)
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
