package pipeline

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
)

// instant is a link to a producer that answers everything at once.
type instant struct {
	t      testing.TB
	data   tlv.Object
	encode func([]byte) ([]byte, error)
	in     tlv.Batch
	ready  chan struct{}
}

func newInstant(t testing.TB, chunks uint64, payload int, crc bool) *instant {
	l := &instant{t: t, ready: make(chan struct{}, 1)}
	l.data = tlv.Object{Payload: make([]byte, payload), EndChunk: tlv.Some(chunks - 1)}
	if crc {
		l.data.Validation.Alg = tlv.AlgCRC32C
	}
	l.encode = l.data.AppendTo
	return l
}

func (l *instant) TrySend(b *tlv.Batch) {
	for i := range b.Len() {
		_, name, err := tlv.PeekName(b.Packet(i))
		if err != nil {
			l.t.Fatal(err)
		}
		if k, _ := name.Chunk(); k > l.data.EndChunk.V {
			continue
		}
		l.data.Name = name
		if err := l.in.Encode(l.encode); err != nil {
			l.t.Fatal(err)
		}
	}
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

func (l *instant) Want(...tlv.Name)   {}
func (l *instant) Forget(...tlv.Name) {}

// fetchFixed fetches with a window that stays.
func fetchFixed(ctx context.Context, l Link, name tlv.Name, window int) (Result, error) {
	s := NewSession(l, Path{CC: congestion.Fixed, Window: window})
	defer s.Close()
	return s.Fetch(ctx, name, io.Discard, Options{})
}

func (l *instant) Ready() <-chan struct{} { return l.ready }

func (l *instant) Receive(b *tlv.Batch) (bool, error) {
	b.Reset(64 << 20)
	*b, l.in = l.in, *b
	return false, nil
}

// BenchmarkFetch fetches one content of as many chunks as it has iterations.
func BenchmarkFetch(b *testing.B) {
	for _, crc := range []bool{false, true} {
		for _, payload := range []int{1024, 32000} {
			b.Run(fmt.Sprintf("%d/crc=%v", payload, crc), func(b *testing.B) {
				b.SetBytes(int64(payload))
				b.ReportAllocs()
				l := newInstant(b, uint64(b.N), payload, crc)
				r, err := fetchFixed(b.Context(), l, mustName(b, "ccnx:/example/video/part1"), 64)
				if err != nil || r.Chunks != uint64(b.N) {
					b.Fatalf("%d chunks, error %v", r.Chunks, err)
				}
			})
		}
	}
}

// A chunk costs no allocation: what a fetch allocates does not grow with it.
func TestFetchAllocates(t *testing.T) {
	name := mustName(t, "ccnx:/example/video/part1")
	allocs := func(chunks uint64) float64 {
		return testing.AllocsPerRun(5, func() {
			if _, err := fetchFixed(t.Context(), newInstant(t, chunks, 1024, true), name, 64); err != nil {
				t.Fatal(err)
			}
		})
	}
	small, large := allocs(1000), allocs(11000)
	if perChunk := (large - small) / 10000; perChunk > 0.01 {
		t.Errorf("%v allocations for 1000 chunks, %v for 11000: %v a chunk", small, large, perChunk)
	}
}
