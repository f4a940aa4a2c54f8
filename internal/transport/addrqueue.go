package transport

import (
	"net/netip"
	"slices"
	"unsafe"

	"github.com/cefgo/cefgo/internal/tlv"
)

// AddrQueue is a [Queue] whose packets each have a destination, which counts among
// the bytes that it holds. Nobody waits to put.
type AddrQueue struct {
	q *Queue
	// to is protected by q.mu: where each of the queued packets goes, in their order.
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
	if !a.q.add(pkt, (len(a.to)+1)*addrSize) {
		return false
	}
	a.to = append(a.to, to)
	return true
}

// Ready yields a token when there may be something to take: packets, or the
// queue's end.
func (a *AddrQueue) Ready() <-chan struct{} { return a.q.Ready() }

// Take exchanges the first of the queue's packets for the memory of b, which it empties:
// packet i goes to (*to)[i]. It returns the closing error once the queue is
// closed and empty. Only one goroutine takes.
func (a *AddrQueue) Take(b *tlv.Batch, to *[]netip.AddrPort) error {
	*to = (*to)[:0]
	b.Reset(2 * a.q.max)
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	err := a.q.take(b)
	*to = append(*to, a.to[:b.Len()]...)
	a.to = slices.Delete(a.to, 0, b.Len())
	return err
}

// Close ends the queue with err: nothing more is put, what is queued can still be
// taken. Only the first Close counts.
func (a *AddrQueue) Close(err error) { a.q.Close(err) }

// Lost is the number of packets that were turned away for want of room.
func (a *AddrQueue) Lost() uint64 { return a.q.Lost() }
