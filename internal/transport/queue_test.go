package transport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// taken is what the queue holds now.
func taken(t testing.TB, q *Queue) (pkts [][]byte) {
	t.Helper()
	var b tlv.Batch
	must(t, q.Take(&b))
	for i := range b.Len() {
		pkts = append(pkts, bytes.Clone(b.Packet(i)))
	}
	return pkts
}

// ready reports whether the queue has a token, and takes that.
func ready(q *Queue) bool {
	select {
	case <-q.Ready():
		return true
	default:
		return false
	}
}

func TestQueueBound(t *testing.T) {
	q := NewQueue(300)
	put := func(n, seq int, want bool) {
		t.Helper()
		if got := q.TryPut(packet(n, seq)); got != want {
			t.Errorf("TryPut of %d bytes: %v, want %v", n, got, want)
		}
	}
	if !q.Empty() || ready(q) {
		t.Error("a new queue is not empty")
	}
	put(200, 0, true)
	put(101, 1, false)
	put(100, 2, true)
	put(minPacket, 3, false)
	if q.Empty() || !ready(q) || q.Lost() != 2 {
		t.Errorf("Empty %v, Lost %d", q.Empty(), q.Lost())
	}
	samePackets(t, "full", taken(t, q), [][]byte{packet(200, 0), packet(100, 2)})
	put(5000, 4, true) // however large, if it is alone
	put(minPacket, 5, false)
	samePackets(t, "oversized", taken(t, q), [][]byte{packet(5000, 4)})
	samePackets(t, "empty", taken(t, q), nil)
	put(300, 6, true)
	samePackets(t, "again", taken(t, q), [][]byte{packet(300, 6)})
	if q.Lost() != 3 {
		t.Errorf("Lost %d, want 3", q.Lost())
	}
}

// TestQueueCopies: neither the producer's nor the reader's packets are shared.
func TestQueueCopies(t *testing.T) {
	q := NewQueue(1000)
	p := packet(100, 0)
	q.TryPut(p)
	clear(p)
	var b tlv.Batch
	must(t, q.Take(&b))
	q.TryPut(packet(100, 1))
	samePackets(t, "taken", [][]byte{b.Packet(0)}, [][]byte{packet(100, 0)})
	samePackets(t, "put meanwhile", taken(t, q), [][]byte{packet(100, 1)})
}

func TestQueuePutWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(250)
		want := [][]byte{packet(100, 0), packet(100, 1), packet(100, 2), packet(1000, 3), packet(100, 4)}
		done := make(chan error, 1)
		go func() { done <- q.Put(context.Background(), batch(want...)) }()
		var got [][]byte
		for _, n := range []int{2, 1, 1, 1} { // what fits each time; the large one goes alone
			synctest.Wait()
			pkts := taken(t, q)
			if len(pkts) != n || len(done) > 0 && len(got)+n < len(want) {
				t.Errorf("%d packets after %d, want %d; Put has returned: %v", len(pkts), len(got), n, len(done) > 0)
			}
			got = append(got, pkts...)
		}
		samePackets(t, "put", got, want)
		must(t, <-done)
	})
}

func TestQueuePutCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(250)
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("cause")
		done := make(chan error, 1)
		go func() { done <- q.Put(ctx, batch(packet(200, 0), packet(200, 1))) }()
		synctest.Wait()
		cancel(cause)
		if err := <-done; err != cause {
			t.Errorf("Put: %v, want %v", err, cause)
		}
		samePackets(t, "first part", taken(t, q), [][]byte{packet(200, 0)})
		if !q.TryPut(packet(200, 2)) {
			t.Error("TryPut after a cancelled Put fails")
		}
	})
}

func TestQueueClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(250)
		ended := errors.New("ended")
		done := make(chan error, 1)
		go func() { done <- q.Put(context.Background(), batch(packet(200, 0), packet(200, 1))) }()
		synctest.Wait()
		q.Close(ended)
		q.Close(io.EOF) // only the first one counts
		if err := <-done; err != ended {
			t.Errorf("Put that waited: %v, want %v", err, ended)
		}
		if q.TryPut(packet(20, 2)) || q.Lost() != 0 {
			t.Errorf("TryPut after Close succeeds, or counts as lost: %d", q.Lost())
		}
		if err := q.Put(t.Context(), batch(packet(20, 3))); err != ended {
			t.Errorf("Put after Close: %v, want %v", err, ended)
		}
		ready(q)
		samePackets(t, "before Close", taken(t, q), [][]byte{packet(200, 0)})
		var b tlv.Batch
		b.Append(packet(20, 4)) // must not look like taken
		for range 3 {
			if !ready(q) {
				t.Error("a closed queue is not ready")
			}
			if err := q.Take(&b); err != ended || b.Len() > 0 {
				t.Errorf("Take: %d packets, %v, want %v", b.Len(), err, ended)
			}
		}
		if err := q.Wait(t.Context(), &b); err != ended {
			t.Errorf("Wait: %v, want %v", err, ended)
		}
	})
}

// TestQueueReady: whoever waits for the token learns of packets and of the end.
func TestQueueReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for what, act := range map[string]func(*Queue){
			"TryPut": func(q *Queue) { q.TryPut(packet(20, 0)) },
			"Put":    func(q *Queue) { _ = q.Put(context.Background(), batch(packet(20, 0))) },
			"Poke":   (*Queue).Poke,
			"Close":  func(q *Queue) { q.Close(io.EOF) },
		} {
			q := NewQueue(250)
			woken := make(chan struct{}, 1)
			go func() { <-q.Ready(); woken <- struct{}{} }()
			synctest.Wait()
			act(q)
			synctest.Wait()
			if len(woken) == 0 {
				t.Errorf("%s wakes nobody", what)
				q.Poke()
			}
			act(q) // twice without a reader
			act(q)
		}
	})
}

func TestQueueWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(250)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		var b tlv.Batch
		wait := func() { done <- q.Wait(ctx, &b) }
		go wait()
		synctest.Wait()
		q.Poke()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("Wait after Poke: %v, %d packets", <-done, b.Len())
		}
		q.TryPut(packet(20, 0))
		if err := <-done; err != nil || b.Len() != 1 {
			t.Errorf("Wait: %v, %d packets, want 1", err, b.Len())
		}
		go wait()
		synctest.Wait()
		cause := errors.New("cause")
		cancel(cause)
		if err := <-done; err != cause {
			t.Errorf("Wait: %v, want %v", err, cause)
		}
	})
}

func TestQueueDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(250)
		q.TryPut(packet(200, 0))
		done := make(chan error, 1)
		go func() { done <- q.Put(context.Background(), batch(packet(200, 1))) }()
		synctest.Wait()
		q.Drop() // makes room
		must(t, <-done)
		samePackets(t, "after Drop", taken(t, q), [][]byte{packet(200, 1)})
		q.Drop()
		if !q.Empty() || q.Lost() != 0 {
			t.Errorf("Empty %v, Lost %d: what is dropped was not turned away", q.Empty(), q.Lost())
		}
	})
}

func TestQueueAllocates(t *testing.T) {
	q, p := NewQueue(1<<20), packet(1000, 0)
	var b, puts tlv.Batch
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		for range 10 {
			q.TryPut(p)
		}
		puts.Reset(1 << 20)
		for range 3 {
			puts.Append(p)
		}
		_ = q.Put(ctx, &puts)
		if err := q.Wait(ctx, &b); err != nil || b.Len() != 13 {
			t.Fatalf("%d packets, %v", b.Len(), err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 13 packets", n)
	}
}

// TestQueueMemory: what a burst of large packets took is given back.
func TestQueueMemory(t *testing.T) {
	q, large := NewQueue(100), packet(60000, 0)
	var b tlv.Batch
	if n := testing.AllocsPerRun(10, func() {
		q.TryPut(large)
		must(t, q.Take(&b))
	}); n == 0 {
		t.Error("a queue of 100 bytes keeps the memory for 60000")
	}
}

// TestQueueProperty: whatever the sizes, the packets of each producer arrive in
// order, and Put loses none.
func TestQueueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := NewQueue(rapid.IntRange(0, 2000).Draw(t, "bound"))
		sizes := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(8, 600), 0, 40), 1, 6).Draw(t, "sizes")
		atOnce := rapid.IntRange(1, 10).Draw(t, "batch")
		var wg sync.WaitGroup
		for producer, sizes := range sizes {
			wg.Go(func() { produce(q, producer, sizes, atOnce) })
		}
		go func() {
			wg.Wait()
			q.Close(io.EOF)
		}()
		next := make([]int, len(sizes))
		var b tlv.Batch
		for {
			err := q.Wait(context.Background(), &b)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if b.Len() > 1 && b.Size() > q.max {
				t.Errorf("%d packets of %d bytes were queued, the bound is %d", b.Len(), b.Size(), q.max)
			}
			for i := range b.Len() {
				p := b.Packet(i)
				from, seq := int(binary.BigEndian.Uint32(p)), int(binary.BigEndian.Uint32(p[4:]))
				if seq != next[from] || len(p) != sizes[from][seq] {
					t.Fatalf("packet %d of producer %d, want %d, of %d bytes", seq, from, next[from], len(p))
				}
				next[from]++
			}
		}
		for i := range sizes {
			if next[i] != len(sizes[i]) {
				t.Errorf("%d packets of producer %d, want %d", next[i], i, len(sizes[i]))
			}
		}
	})
}

// numbered is n bytes, at least 8, that tell whose they are and which.
func numbered(producer, seq, n int) []byte {
	p := binary.BigEndian.AppendUint32(make([]byte, 0, n), uint32(producer))
	return binary.BigEndian.AppendUint32(p, uint32(seq))[:n]
}

func produce(q *Queue, producer int, sizes []int, atOnce int) {
	var b tlv.Batch
	for seq, n := range sizes {
		b.Append(numbered(producer, seq, n))
		if b.Len() == atOnce || seq == len(sizes)-1 {
			_ = q.Put(context.Background(), &b)
			b.Reset(1 << 20)
		}
	}
}
