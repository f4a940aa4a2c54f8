package transport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// of is a batch of packets of n bytes each, size bytes in all at least, in the memory
// that a Read would bring them in.
func of(n, size, seq int) *tlv.Batch {
	b := new(tlv.Batch)
	Borrow(b)
	for ; b.Size() < size; seq++ {
		b.Append(packet(n, seq))
	}
	return b
}

// at is where the bytes of b are.
func at(b *tlv.Batch) *byte {
	switch {
	case b.Len() > 0:
		return &b.Packet(0)[0]
	case b.Cap() > 0:
		return &b.Room(1)[0]
	}
	return nil
}

// sound reports what is wrong with the queue's own accounts.
func (q *Queue) sound() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	size, held, packets, largest := 0, 0, 0, 0
	for i := range q.chain {
		b := &q.chain[i]
		if b.Len() == 0 {
			return fmt.Errorf("batch %d of %d is empty", i, len(q.chain))
		}
		size, held, packets, largest = size+b.Size(), held+b.Cap(), packets+b.Len(), max(largest, b.Cap())
	}
	switch {
	case size != q.size || held != q.held:
		return fmt.Errorf("%d bytes in memory for %d; the queue says %d in %d", size, held, q.size, q.held)
	case size > q.max && packets > 1:
		return fmt.Errorf("%d packets of %d bytes, the bound is %d", packets, size, q.max)
	// Where single packets are copied, some room is left behind the last that fits.
	case held > 2*q.max+q.max/8+largest+2*batchBytes:
		return fmt.Errorf("memory for %d bytes, the bound is %d", held, q.max)
	case packets > 0 && len(q.ready) == 0:
		return errors.New("packets and no token")
	case q.spare.Len() > 0 || q.spare.Cap() > batchBytes:
		return fmt.Errorf("%d packets in the spare memory for %d bytes", q.spare.Len(), q.spare.Cap())
	}
	return nil
}

// TestQueueTakesOver: a large batch's packets are not copied, whoever waits before
// it; those of a small one only where nobody does.
func TestQueueTakesOver(t *testing.T) {
	for how, put := range map[string]func(*Queue, *tlv.Batch) error{
		"TryTake": func(q *Queue, b *tlv.Batch) error {
			if !q.TryTake(b) {
				return errors.New("no room")
			}
			if b.Len() > 0 {
				return fmt.Errorf("%d packets are left", b.Len())
			}
			return nil
		},
		"Put": func(q *Queue, b *tlv.Batch) error { return q.Put(context.Background(), b) },
	} {
		q := NewQueue(1 << 20)
		for _, tt := range []struct {
			size   int
			behind bool // another packet
			whole  bool
		}{
			{wholeBytes, false, true}, {wholeBytes, true, true}, {100_000, true, true}, {streamBuffer, false, true},
			{100, false, true}, {100, true, false}, {wholeBytes - 200, true, false},
		} {
			what := fmt.Sprintf("%s of %d bytes, behind another %v", how, tt.size, tt.behind)
			var want [][]byte
			if tt.behind {
				want = append(want, packet(200, 1))
				q.TryPut(want[0])
			}
			b := of(100, tt.size, 2)
			pkts, was := clone(packets(b)), at(b)
			if err := put(q, b); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if tt.whole && at(b) == was {
				t.Errorf("%s: the memory is the caller's still", what)
			}
			if how == "TryTake" { // what is written there now is nobody else's
				for range 100 {
					b.Append(bytes.Repeat([]byte{0xee}, 2000))
				}
			}
			must(t, q.sound())
			want = append(want, pkts...)
			var got [][]byte
			is := false
			for out := new(tlv.Batch); len(got) < len(want); {
				if must(t, q.Take(out)); out.Len() == 0 {
					break
				}
				is = is || at(out) == was
				got = append(got, clone(packets(out))...)
			}
			samePackets(t, what, got, want)
			if is != tt.whole {
				t.Errorf("%s: taken over %v, want %v", what, is, tt.whole)
			}
		}
	}
}

// TestQueueGivesMemory: whoever hands over a large batch gets memory for the next.
func TestQueueGivesMemory(t *testing.T) {
	q := NewQueue(1 << 20)
	b := of(1000, wholeBytes, 0)
	if !q.TryTake(b) || b.Cap() < batchBytes {
		t.Errorf("memory for %d bytes, want %d", b.Cap(), batchBytes)
	}
}

// TestQueueMemoryBound: batches that leave most of their memory unused are copied
// before the queue holds much more memory than twice its bound.
func TestQueueMemoryBound(t *testing.T) {
	for _, bound := range []int{pipeBuffer, 4 << 20} {
		for _, size := range []int{wholeBytes, 50_000, 120_000, 190_000} {
			q := NewQueue(bound)
			n := 0
			for b := of(1000, size, 0); q.TryTake(b); b = of(1000, size, 0) {
				must(t, q.sound())
				if n += size; n > 2*bound {
					t.Fatalf("%d bytes have room in %d", n, bound)
				}
			}
			held := 0
			for i := range q.chain {
				held += q.chain[i].Cap()
			}
			if limit := 2*bound + batchBytes; held > limit || q.size < bound-size-1000 {
				t.Errorf("batches of %d: %d bytes are held in memory for %d, at most %d; the bound is %d", size, q.size, held, limit, bound)
			}
			var b tlv.Batch
			for q.size > 0 {
				must(t, q.Take(&b))
			}
			if must(t, q.sound()); q.held != 0 {
				t.Errorf("the queue says that it holds %d bytes", q.held)
			}
		}
	}
}

// TestQueueSteady: large batches, several of them waiting at a time, and as many single
// packets, cost no allocation, but for what the garbage collector takes from the pool.
func TestQueueSteady(t *testing.T) {
	if raced {
		t.Skip("the race detector makes the pool forget")
	}
	for how, put := range map[string]func(*Queue, *tlv.Batch){
		"TryTake": func(q *Queue, b *tlv.Batch) { q.TryTake(b) },
		"Put": func(q *Queue, b *tlv.Batch) {
			_ = q.Put(context.Background(), b)
			b.Reset(2 * batchBytes)
		},
		"TryPut": func(q *Queue, b *tlv.Batch) {
			for i := range b.Len() {
				q.TryPut(b.Packet(i))
			}
			b.Reset(2 * batchBytes)
		},
	} {
		q, p := NewQueue(2<<20), packet(1000, 0)
		var in, out tlv.Batch
		round := func() {
			for range 3 {
				for in.Size() < 200_000 {
					in.Append(p)
				}
				put(q, &in)
			}
			for n := 0; n < 600; n += out.Len() {
				if err := q.Take(&out); err != nil || out.Len() == 0 {
					t.Fatalf("%s: %d packets of 600, %v", how, n, err)
				}
			}
		}
		var before, after runtime.MemStats
		const rounds = 1000
		for range 10 { // grows what is kept
			round()
		}
		runtime.ReadMemStats(&before)
		for range rounds {
			round()
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > rounds*600_000/50 {
			t.Errorf("%s: %d bytes allocated for %d", how, n, rounds*600_000)
		}
	}
}

// sizes are of packets: mostly small ones, so that large batches have many.
var anySize = rapid.OneOf(rapid.IntRange(8, 200), rapid.IntRange(8, 3000), rapid.IntRange(8, 60_000))

// TestQueueModel holds the queue against a list of packets, whatever is done to it by
// one goroutine.
func TestQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.OneOf(rapid.IntRange(0, 2000), rapid.IntRange(0, 400_000)).Draw(t, "bound")
		q := NewQueue(bound)
		var list [][]byte
		size, seq, lost := 0, 0, uint64(0)
		fits := func(n int) bool { return size == 0 || size+n <= bound }
		put := func(p []byte) {
			list, size = append(list, p), size+len(p)
		}
		tryPut := func(p []byte) {
			if fits(len(p)) {
				put(p)
			} else {
				lost++
			}
		}
		next := func(n int) []byte {
			seq++
			return numbered(7, seq, n)
		}
		var closed error
		draw := func(t *rapid.T) (b *tlv.Batch, pkts [][]byte) {
			b = new(tlv.Batch)
			if rapid.Bool().Draw(t, "large memory") {
				Borrow(b)
			}
			n := anySize.Draw(t, "size")
			for range rapid.IntRange(0, min(200, 1+300_000/n)).Draw(t, "packets") {
				p := next(n)
				b.Append(p)
				pkts = append(pkts, p)
			}
			return b, pkts
		}
		cancelled, cancel := context.WithCancelCause(context.Background())
		cause := errors.New("no time")
		cancel(cause)
		var out tlv.Batch
		t.Repeat(map[string]func(*rapid.T){
			"TryPut": func(t *rapid.T) {
				p := next(anySize.Draw(t, "size"))
				want := closed == nil && fits(len(p))
				if q.TryPut(p) != want {
					t.Fatalf("TryPut of %d bytes behind %d: %v", len(p), size, !want)
				}
				if closed == nil {
					tryPut(bytes.Clone(p))
				}
				clear(p)
			},
			"TryPutRange": func(t *rapid.T) {
				b, pkts := draw(t)
				i := rapid.IntRange(0, len(pkts)).Draw(t, "from")
				j := rapid.IntRange(i, len(pkts)).Draw(t, "to")
				q.TryPutRange(b, i, j)
				if closed == nil {
					for _, p := range pkts[i:j] {
						tryPut(p)
					}
				}
				if got := packets(b); !bytes.Equal(bytes.Join(got, nil), bytes.Join(pkts, nil)) {
					t.Fatal("TryPutRange changes the batch")
				}
			},
			"TryTake": func(t *rapid.T) {
				b, pkts := draw(t)
				was := lost
				if closed == nil {
					for _, p := range pkts {
						tryPut(p)
					}
				}
				if ok := q.TryTake(b); ok != (closed == nil && lost == was) || b.Len() > 0 {
					t.Fatalf("TryTake: %v, %d packets left, %d lost", ok, b.Len(), lost-was)
				}
			},
			"Put": func(t *rapid.T) {
				b, pkts := draw(t)
				err := q.Put(cancelled, b) // what does not fit at once does not fit
				i := 0
				for closed == nil && i < len(pkts) && fits(len(pkts[i])) {
					put(pkts[i])
					i++
				}
				want := closed
				if closed == nil && i < len(pkts) {
					want = cause
				}
				if len(pkts) > 0 && err != want {
					t.Fatalf("Put: %v, want %v", err, want)
				}
			},
			"Take": func(t *rapid.T) {
				ready(q) // as whoever waited for it
				err := q.Take(&out)
				if len(list) == 0 {
					if err != closed || out.Len() > 0 {
						t.Fatalf("Take of nothing: %d packets, %v", out.Len(), err)
					}
					return
				}
				if err != nil || out.Len() == 0 || out.Len() > len(list) {
					t.Fatalf("Take: %d packets of %d, %v", out.Len(), len(list), err)
				}
				for i, p := range packets(&out) {
					if !bytes.Equal(p, list[i]) {
						t.Fatalf("packet %d is %.20x of %d bytes, want %.20x of %d", i, p, len(p), list[i], len(list[i]))
					}
					size -= len(p)
				}
				list = list[out.Len():]
			},
			"Drop": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "often") == 0 {
					q.Drop()
					list, size = nil, 0
				}
			},
			"Close": func(t *rapid.T) {
				if rapid.IntRange(0, 29).Draw(t, "often") == 0 {
					q.Close(io.EOF)
					closed = io.EOF
				}
			},
			"": func(t *rapid.T) {
				if err := q.sound(); err != nil {
					t.Fatal(err)
				}
				if q.size != size || q.Empty() != (len(list) == 0) || q.Lost() != lost {
					t.Fatalf("%d bytes, empty %v, %d lost; want %d bytes of %d packets, %d lost", q.size, q.Empty(), q.Lost(), size, len(list), lost)
				}
			},
		})
	})
}

// TestQueueMixed: producers of all kinds at a time. Each one's packets come in order, as
// they were; what is put is not lost, and what is lost is counted.
func TestQueueMixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := NewQueue(rapid.OneOf(rapid.IntRange(0, 3000), rapid.IntRange(100_000, 400_000)).Draw(t, "bound"))
		type step struct {
			how    int // TryPut, TryPutRange, TryTake, Put
			n, len int // packets, and the bytes of each
		}
		var wg sync.WaitGroup
		var sent []int
		waits := make([]bool, rapid.IntRange(1, 5).Draw(t, "producers")) // only puts
		total := 0
		for producer := range waits {
			waits[producer] = rapid.Bool().Draw(t, "waits")
			steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
				s := step{rapid.IntRange(0, 3).Draw(t, "how"), 0, anySize.Draw(t, "size")}
				s.n = rapid.IntRange(0, min(50, 1+60_000/s.len)).Draw(t, "packets")
				if waits[producer] {
					s.how = 3
				}
				return s
			}), 0, 15).Draw(t, "steps")
			n := 0
			for _, s := range steps {
				n += s.n
			}
			sent, total = append(sent, n), total+n
			wg.Go(func() {
				var b tlv.Batch
				seq := 0
				for _, s := range steps {
					for range s.n {
						b.Append(filled(producer, seq, s.len))
						seq++
					}
					switch s.how {
					case 0:
						for i := range b.Len() {
							q.TryPut(b.Packet(i))
						}
					case 1:
						q.TryPutRange(&b, 0, b.Len()/2)
						q.TryPutRange(&b, b.Len()/2, b.Len())
					case 2:
						q.TryTake(&b)
					case 3:
						_ = q.Put(context.Background(), &b)
					}
					b.Reset(2 * batchBytes)
				}
			})
		}
		go func() {
			wg.Wait()
			q.Close(io.EOF)
		}()
		next, got := make([]int, len(sent)), make([]int, len(sent))
		var b tlv.Batch
		for taken := 0; ; taken += b.Len() {
			err := q.Wait(context.Background(), &b)
			if err == io.EOF {
				if taken+int(q.Lost()) != total {
					t.Errorf("%d packets taken and %d lost of %d", taken, q.Lost(), total)
				}
				break
			}
			if err == nil {
				err = q.sound()
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Len() {
				p := b.Packet(i)
				from, seq := int(binary.BigEndian.Uint32(p)), int(binary.BigEndian.Uint32(p[4:]))
				if seq < next[from] || !bytes.Equal(p, filled(from, seq, len(p))) {
					t.Fatalf("packet %d of producer %d, want %d: %.20x", seq, from, next[from], p)
				}
				next[from] = seq + 1
				got[from]++
			}
		}
		for i, n := range sent {
			if waits[i] && got[i] != n {
				t.Errorf("%d packets of producer %d, want %d", got[i], i, n)
			}
		}
	})
}

// filled is numbered, with bytes behind it that are no other packet's.
func filled(producer, seq, n int) []byte {
	p := numbered(producer, seq, n)
	for i := 8; i < n; i++ {
		p[i] = byte(producer*31 + seq*7 + i)
	}
	return p
}

// TestQueuePutWaitsBehindLarge: who waits for room is woken by each Take, also where
// that takes only a part.
func TestQueuePutWaitsBehindLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(100_000)
		want := clone(packets(of(1000, 40_000, 0)))
		for range 2 {
			q.TryTake(of(1000, 40_000, 0))
		}
		more := of(1000, 50_000, 100)
		all := append(append(want, want...), clone(packets(more))...)
		done := make(chan error, 1)
		go func() { done <- q.Put(t.Context(), more) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatal("130000 bytes have room in 100000")
		}
		var got [][]byte
		var b tlv.Batch
		must(t, q.Take(&b))
		got = append(got, clone(packets(&b))...)
		synctest.Wait()
		if len(done) == 0 {
			t.Error("Put waits though there is room")
		}
		must(t, <-done)
		for !q.Empty() {
			must(t, q.Take(&b))
			got = append(got, clone(packets(&b))...)
		}
		samePackets(t, "all", got, all)
	})
}

// TestRelease: memory that is given back serves the next reader; what is too small or
// far too large does not.
func TestRelease(t *testing.T) {
	var b tlv.Batch
	Release(&b)
	if b.Cap() != 0 {
		t.Errorf("memory for %d bytes of none", b.Cap())
	}
	for _, n := range []int{100, batchBytes, 10 * batchBytes} {
		b.Room(n)
		b.Append(packet(100, 0))
		Release(&b)
		if b.Len() != 0 || b.Cap() != 0 {
			t.Errorf("%d packets, memory for %d bytes after Release", b.Len(), b.Cap())
		}
		for range 10 {
			var got tlv.Batch
			Borrow(&got)
			if got.Len() > 0 || got.Cap() < batchBytes || got.Cap() > 2*batchBytes {
				t.Errorf("%d packets, memory for %d bytes", got.Len(), got.Cap())
			}
		}
	}
}

// TestAddrQueueParts: where Take gives a part only, the packets keep their
// destinations, those that come later too.
func TestAddrQueueParts(t *testing.T) {
	q := NewAddrQueue(2 << 20)
	r := rand.New(rand.NewPCG(7, 8))
	var b tlv.Batch
	var to []netip.AddrPort
	put, next, parts := 0, 0, 0
	for put < 3000 || next < put {
		for k := r.IntN(900); k > 0 && put < 3000; k-- {
			if !q.TryPut(numbered(put, put, 8+r.IntN(1400)), peer(put)) {
				t.Fatal("no room")
			}
			put++
		}
		ready(q.q)
		must(t, q.Take(&b, &to))
		if b.Len() != len(to) {
			t.Fatalf("%d packets, %d destinations", b.Len(), len(to))
		}
		for i, a := range to {
			if seq := int(binary.BigEndian.Uint32(b.Packet(i))); seq != next || a != peer(seq) {
				t.Fatalf("packet %d goes to %v; want %d, to %v", seq, a, next, peer(next))
			}
			next++
		}
		if next < put {
			parts++
			if len(q.Ready()) == 0 {
				t.Fatal("no token for what is left")
			}
		}
	}
	if parts == 0 || len(q.to) != 0 {
		t.Errorf("%d times a part was taken; %d destinations are left", parts, len(q.to))
	}
}

// TestAddrQueueModel: the queue against a list, with sizes that make many parts of it.
func TestAddrQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.OneOf(rapid.IntRange(0, 3000), rapid.IntRange(0, 600_000)).Draw(t, "bound")
		q := NewAddrQueue(bound)
		type sent struct{ seq, n int }
		var list []sent
		size, seq, lost := 0, 0, uint64(0)
		var b tlv.Batch
		var to []netip.AddrPort
		t.Repeat(map[string]func(*rapid.T){
			"TryPut": func(t *rapid.T) {
				n := anySize.Draw(t, "size")
				for range rapid.IntRange(1, min(200, 1+100_000/n)).Draw(t, "packets") {
					seq++
					want := len(list) == 0 || size+n+(len(list)+1)*addrSize <= bound
					if q.TryPut(numbered(seq, seq, n), peer(seq)) != want {
						t.Fatalf("TryPut of %d bytes behind %d of %d packets: %v", n, size, len(list), !want)
					}
					if want {
						list, size = append(list, sent{seq, n}), size+n
					} else {
						lost++
					}
				}
			},
			"Take": func(t *rapid.T) {
				ready(q.q)
				must := len(list) > 0
				if err := q.Take(&b, &to); err != nil || b.Len() != len(to) || b.Len() > len(list) || must && b.Len() == 0 {
					t.Fatalf("%d packets, %d destinations of %d, %v", b.Len(), len(to), len(list), err)
				}
				for i, a := range to {
					x := list[i]
					if p := b.Packet(i); !bytes.Equal(p, numbered(x.seq, x.seq, x.n)) || a != peer(x.seq) {
						t.Fatalf("%.8x of %d bytes to %v; want %d of %d", p, len(p), a, x.seq, x.n)
					}
					size -= x.n
				}
				list = list[len(to):]
			},
			"": func(t *rapid.T) {
				if err := q.q.sound(); err != nil {
					t.Fatal(err)
				}
				if q.Lost() != lost || len(q.to) != len(list) {
					t.Fatalf("%d lost, %d destinations; want %d, %d", q.Lost(), len(q.to), lost, len(list))
				}
			},
		})
	})
}
