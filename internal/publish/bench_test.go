package publish

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// looper asks for the chunks of one file again and again, a batch at a time, until
// it has been asked for total of them.
type looper struct {
	ready  chan struct{}
	window tlv.Batch // Interests
	left   int
}

func (l *looper) Ready() <-chan struct{} { return l.ready }

func (l *looper) Receive(b *tlv.Batch) error {
	b.Reset(1 << 20)
	n := min(l.left, l.window.Len())
	for i := range n {
		b.Append(l.window.Packet(i))
	}
	if l.left -= n; n == 0 {
		return errDone
	}
	return nil
}

// sink counts what it is sent.
type sink struct{ packets, bytes int }

func (s *sink) Send(_ context.Context, b *tlv.Batch) error {
	s.packets += b.Len()
	s.bytes += b.Size()
	return nil
}

// BenchmarkServe answers Interests for chunks of 4095 bytes.
func BenchmarkServe(b *testing.B) {
	const chunks, block = 256, 4095
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "some/dir"), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "some/dir/file.bin"), make([]byte, chunks*block), 0o600); err != nil {
		b.Fatal(err)
	}
	tree, err := OpenTree(mustName(b, "ccnx:/demo"), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer tree.Close()
	l := &looper{ready: make(chan struct{}), left: b.N}
	close(l.ready) // always something to receive
	name := mustName(b, "ccnx:/demo/some/dir/file.bin")
	settled(b, tree, name)
	for k := range uint64(chunks) {
		l.window.Append(interest(b, name.WithChunk(k)))
	}
	p := New(tree, Options{Blocks: []int{block}, CacheTime: time.Minute, Expiry: time.Hour})
	var out sink
	b.ReportAllocs()
	b.SetBytes(block)
	b.ResetTimer()
	if err := p.Serve(b.Context(), l, &out); err != errDone {
		b.Fatal(err)
	}
	if out.packets != b.N {
		b.Fatalf("%d answers to %d Interests", out.packets, b.N)
	}
}
