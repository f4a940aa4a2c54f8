package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"github.com/cefgo/cefgo/internal/object"
)

const (
	// readSize is how much is read at once: between two reads a job can be ended.
	readSize = 64 << 10
	// hashSize is how much is hashed at once. The runtime cannot take a processor from
	// the hash function, so this bounds how long others wait for it: a fraction of
	// a millisecond even without the processor's SHA instructions.
	hashSize = 64 << 10
)

// A hasher computes Sums. It belongs to one worker, and keeps at most object.RunSize bytes of
// memory from one file to the next.
type hasher struct {
	whole, run hash.Hash
	buf        []byte // one run
}

func newHasher() *hasher { return &hasher{whole: sha256.New(), run: sha256.New()} }

// sum reads src to size and adds to done what it has read. Before each run it asks
// whether it may use a second processor; nil: never. It ends with ctx's error soon after
// ctx does.
func (h *hasher) sum(ctx context.Context, src Source, size int64, done *atomic.Int64, spare func() bool) (*Sums, error) {
	h.whole.Reset()
	s := &Sums{Size: size, Runs: make([][sha256.Size]byte, 0, min(object.Runs(size), 1<<20))}
	for off := int64(0); off < size; off += object.RunSize {
		p, err := h.read(ctx, src, off, min(object.RunSize, size-off), done)
		if err := cmp.Or(ctx.Err(), src.Unchanged(), err); err != nil {
			return nil, err
		}
		s.Runs = append(s.Runs, h.add(p, off == 0, spare))
	}
	h.whole.Sum(s.Whole[:0])
	if err := src.Unchanged(); err != nil { // an empty file's first time
		return nil, err
	}
	return s, nil
}

// read returns n bytes from off, which stay until the next read.
func (h *hasher) read(ctx context.Context, src Source, off, n int64, done *atomic.Int64) ([]byte, error) {
	if int64(cap(h.buf)) < n {
		h.buf = make([]byte, n)
	}
	p := h.buf[:n]
	for at := 0; at < len(p) && ctx.Err() == nil; {
		piece := p[at:min(at+readSize, len(p))]
		m, err := src.ReadAt(piece, off+int64(at))
		if m < len(piece) {
			return nil, readError(off+int64(at+m), err)
		}
		done.Add(int64(m))
		at += m
	}
	return p, nil
}

func readError(off int64, err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read at %d: %w", off, err)
}

// add returns the digest of the run p and goes on with the whole's. That of the first run
// is what the whole's is so far.
func (h *hasher) add(p []byte, first bool, spare func() bool) (sum [sha256.Size]byte) {
	if first {
		feed(h.whole, p)
		h.whole.Sum(sum[:0])
		return sum
	}
	var other sync.WaitGroup
	h.run.Reset()
	if spare != nil && spare() {
		other.Go(func() { feed(h.run, p) })
	} else {
		feed(h.run, p)
	}
	feed(h.whole, p)
	other.Wait()
	h.run.Sum(sum[:0])
	return sum
}

func feed(h hash.Hash, p []byte) {
	for len(p) > 0 {
		n := min(hashSize, len(p))
		h.Write(p[:n])
		p = p[n:]
	}
}
