package transport

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// peer is the address of number i.
func peer(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 9695)
}

// takenTo is what the queue holds now: each packet, and the peer it is for.
func takenTo(t testing.TB, q *AddrQueue) (pkts [][]byte, to []netip.AddrPort) {
	t.Helper()
	b := batch(packet(minPacket, 99)) // must not look like taken
	to = []netip.AddrPort{peer(99)}
	must(t, q.Take(b, &to))
	for i := range b.Len() {
		pkts = append(pkts, b.Packet(i))
	}
	return pkts, to
}

// putAll puts the packets of b, packet i for to[i].
func putAll(q *AddrQueue, b *tlv.Batch, to ...netip.AddrPort) {
	for i := range b.Len() {
		q.TryPut(b.Packet(i), to[i])
	}
}

// waitTo takes what the queue holds, once it holds something.
func waitTo(q *AddrQueue, b *tlv.Batch, to *[]netip.AddrPort) error {
	for {
		if err := q.Take(b, to); err != nil || b.Len() > 0 {
			return err
		}
		<-q.Ready()
	}
}

func sameTo(t testing.TB, what string, q *AddrQueue, pkts [][]byte, to ...netip.AddrPort) {
	t.Helper()
	got, gotTo := takenTo(t, q)
	samePackets(t, what, got, pkts)
	if len(gotTo) != len(to) {
		t.Fatalf("%s: %d destinations, want %d", what, len(gotTo), len(to))
	}
	for i := range to {
		if gotTo[i] != to[i] {
			t.Errorf("%s: packet %d goes to %v, want %v", what, i, gotTo[i], to[i])
		}
	}
}

// TestAddrQueueBound: a destination counts like bytes of the packet.
func TestAddrQueueBound(t *testing.T) {
	q := NewAddrQueue(300 + 2*addrSize)
	put := func(n, seq int, want bool) {
		t.Helper()
		if got := q.TryPut(packet(n, seq), peer(seq)); got != want {
			t.Errorf("TryPut of %d bytes: %v, want %v", n, got, want)
		}
	}
	sameTo(t, "new", q, nil)
	put(200, 0, true)
	put(101, 1, false)
	put(100, 2, true)
	put(minPacket, 3, false)
	if q.Lost() != 2 {
		t.Errorf("Lost %d", q.Lost())
	}
	sameTo(t, "full", q, [][]byte{packet(200, 0), packet(100, 2)}, peer(0), peer(2))
	sameTo(t, "empty", q, nil)
	put(5000, 4, true) // however large, if it is alone
	put(minPacket, 5, false)
	sameTo(t, "oversized", q, [][]byte{packet(5000, 4)}, peer(4))
	putAll(q, batch(packet(200, 6), packet(101, 7), packet(100, 8), packet(100, 9)), peer(6), peer(7), peer(8), peer(9))
	sameTo(t, "again", q, [][]byte{packet(200, 6), packet(100, 8)}, peer(6), peer(8))
	if sameTo(t, "empty again", q, nil); q.Lost() != 5 {
		t.Errorf("Lost %d, want 5", q.Lost())
	}
}

func TestAddrQueueClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewAddrQueue(1000)
		ended := errors.New("ended")
		var b tlv.Batch
		var to []netip.AddrPort
		done := make(chan error, 1)
		go func() { done <- waitTo(q, &b, &to) }()
		synctest.Wait()
		q.TryPut(packet(20, 0), peer(0))
		if err := <-done; err != nil || b.Len() != 1 || len(to) != 1 || to[0] != peer(0) {
			t.Errorf("Take: %v, %d packets, to %v", err, b.Len(), to)
		}
		q.TryPut(packet(20, 1), peer(1))
		q.Close(ended)
		q.Close(errors.New("again"))
		if q.TryPut(packet(20, 2), peer(2)) || q.Lost() != 0 {
			t.Errorf("TryPut after Close succeeds, or counts as lost: %d", q.Lost())
		}
		sameTo(t, "before Close", q, [][]byte{packet(20, 1)}, peer(1))
		for range 3 {
			<-q.Ready()
			if err := q.Take(&b, &to); err != ended || b.Len() > 0 || len(to) > 0 {
				t.Errorf("Take: %d packets, %d destinations, %v, want %v", b.Len(), len(to), err, ended)
			}
		}
	})
}

func TestAddrQueueAllocates(t *testing.T) {
	q, p := NewAddrQueue(1<<20), packet(1000, 0)
	var b tlv.Batch
	var to []netip.AddrPort
	if n := testing.AllocsPerRun(1000, func() {
		for i := range 13 {
			q.TryPut(p, peer(i))
		}
		if err := q.Take(&b, &to); err != nil || b.Len() != 13 || len(to) != 13 {
			t.Fatalf("%d packets, %d destinations, %v", b.Len(), len(to), err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 13 packets", n)
	}
}

// TestAddrQueueProperty: whatever the sizes, a packet keeps its destination, and
// those of each producer their order.
func TestAddrQueueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := NewAddrQueue(rapid.IntRange(0, 2000).Draw(t, "bound"))
		sizes := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(8, 600), 0, 40), 1, 6).Draw(t, "sizes")
		var wg sync.WaitGroup
		ended := errors.New("ended")
		put := 0
		for producer, sizes := range sizes {
			put += len(sizes)
			wg.Go(func() {
				for seq, n := range sizes {
					q.TryPut(numbered(producer, seq, n), peer(producer))
				}
			})
		}
		go func() {
			wg.Wait()
			q.Close(ended)
		}()
		next := make([]uint32, len(sizes))
		taken := 0
		var b tlv.Batch
		var to []netip.AddrPort
		for {
			err := waitTo(q, &b, &to)
			if err == ended {
				break
			}
			if err != nil || b.Len() != len(to) {
				t.Fatalf("%d packets, %d destinations, %v", b.Len(), len(to), err)
			}
			if b.Len() > 1 && b.Size()+len(to)*addrSize > q.q.max {
				t.Errorf("%d packets of %d bytes were queued, the bound is %d", b.Len(), b.Size(), q.q.max)
			}
			taken += b.Len()
			for i := range to {
				from, seq := binary.BigEndian.Uint32(b.Packet(i)), binary.BigEndian.Uint32(b.Packet(i)[4:])
				if to[i] != peer(int(from)) || seq < next[from] || len(b.Packet(i)) != sizes[from][seq] {
					t.Fatalf("packet %d of producer %d goes to %v; %d is next", seq, from, to[i], next[from])
				}
				next[from] = seq + 1
			}
		}
		if taken+int(q.Lost()) != put {
			t.Errorf("%d packets taken and %d lost of %d", taken, q.Lost(), put)
		}
	})
}
