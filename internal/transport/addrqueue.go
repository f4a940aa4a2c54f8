package transport

import (
	"context"
	"net/netip"
	"unsafe"

	"github.com/cefgo/cefgo/internal/tlv"
)

// AddrQueue is a [Queue] whose packets each have a destination, which counts among
// the bytes that it holds. Nobody waits to put.
type AddrQueue struct {
	q *Queue
	// to is protected by q.mu: packet i of q.b goes to to[i].
	to []netip.AddrPort
}

// addrSize is what a destination counts, in bytes.
const addrSize = int(unsafe.Sizeof(netip.AddrPort{}))

// NewAddrQueue returns a queue that holds at most maxBytes, or one packet.
func NewAddrQueue(maxBytes int) *AddrQueue { return &AddrQueue{q: NewQueue(maxBytes)} }

// TryPut copies pkt into the queue and reports whether it had room; a packet
// without room is counted as lost. A closed queue takes nothing.
func (a *AddrQueue) TryPut(pkt []byte, to netip.AddrPort) bool {
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	return a.add(pkt, to)
}

// TryPutAll copies the packets of b into the queue, packet i for to[i], as far as it
// has room; those without are counted as lost. A closed queue takes nothing.
func (a *AddrQueue) TryPutAll(b *tlv.Batch, to []netip.AddrPort) {
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	for i := range b.Len() {
		a.add(b.Packet(i), to[i])
	}
}

// add is TryPut with mu held.
func (a *AddrQueue) add(pkt []byte, to netip.AddrPort) bool {
	if !a.q.add(pkt, (len(a.to)+1)*addrSize) {
		return false
	}
	a.to = append(a.to, to)
	return true
}

// Ready yields a token when there may be something to take: packets, or the
// queue's end.
func (a *AddrQueue) Ready() <-chan struct{} { return a.q.Ready() }

// Take exchanges the queue's packets for the memory of b and of *to, which it
// empties: packet i goes to (*to)[i]. It returns the closing error once the queue is
// closed and empty. Only one goroutine takes.
func (a *AddrQueue) Take(b *tlv.Batch, to *[]netip.AddrPort) error {
	*to = (*to)[:0]
	b.Reset(2 * a.q.max)
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	err := a.q.take(b)
	if b.Len() > 0 {
		a.to, *to = *to, a.to
	}
	return err
}

// Wait waits for packets and takes them.
func (a *AddrQueue) Wait(ctx context.Context, b *tlv.Batch, to *[]netip.AddrPort) error {
	for {
		if err := a.Take(b, to); err != nil || b.Len() > 0 {
			return err
		}
		select {
		case <-a.q.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close ends the queue with err: nothing more is put, what is queued can still be
// taken. Only the first Close counts.
func (a *AddrQueue) Close(err error) { a.q.Close(err) }

// Empty reports whether nothing is queued.
func (a *AddrQueue) Empty() bool { return a.q.Empty() }

// Lost is the number of packets that were turned away for want of room.
func (a *AddrQueue) Lost() uint64 { return a.q.Lost() }
