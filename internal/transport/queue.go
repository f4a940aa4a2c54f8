package transport

import (
	"context"
	"sync"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Queue hands packets from any number of goroutines to one. It is bounded in
// bytes and takes at least one packet however large. Packets are copied in; the
// reader takes all of them at once by exchanging buffers, so that a queue of
// steady traffic allocates nothing.
type Queue struct {
	max   int
	ready chan struct{} // holds a token while there is something to take

	// mu protects the following.
	mu     sync.Mutex
	b      *tlv.Batch
	room   chan struct{} // closed when packets are taken; nil while nobody waits for that
	closed error
	lost   uint64
}

// NewQueue returns a queue that holds at most maxBytes.
func NewQueue(maxBytes int) *Queue {
	return &Queue{max: maxBytes, ready: make(chan struct{}, 1), b: new(tlv.Batch)}
}

// TryPut copies pkt into the queue and reports whether it had room; a packet
// without room is counted as lost. A closed queue takes nothing.
func (q *Queue) TryPut(pkt []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(pkt, 0)
}

// add is TryPut with mu held, and extra bytes queued that are not in q.b.
func (q *Queue) add(pkt []byte, extra int) bool {
	if q.closed != nil {
		return false
	}
	if !q.fits(len(pkt) + extra) {
		q.lost++
		return false
	}
	q.b.Append(pkt)
	q.signal()
	return true
}

// TryPutAll copies packets into the queue, in order, as far as it has room; those
// without are counted as lost. A closed queue takes nothing.
func (q *Queue) TryPutAll(pkts [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil || len(pkts) == 0 {
		return
	}
	for _, pkt := range pkts {
		if q.fits(len(pkt)) {
			q.b.Append(pkt)
		} else {
			q.lost++
		}
	}
	q.signal()
}

// TryTake is TryPutAll for a batch, which it empties: where the queue is empty, the two
// exchange their buffers and nothing is copied. It reports whether all had room.
func (q *Queue) TryTake(b *tlv.Batch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost := q.lost
	switch {
	case q.closed != nil || b.Len() == 0:
	case q.b.Len() == 0 && b.Size() <= q.max:
		*q.b, *b = *b, *q.b
		q.signal()
	default:
		for i := range b.Len() {
			q.add(b.Packet(i), 0)
		}
	}
	b.Reset(2 * q.max)
	return q.lost == lost && q.closed == nil
}

// Put copies all packets of b into the queue, in order, and waits for room as
// long as ctx lasts. It returns the queue's closing error or the context's cause;
// a first part of b may have been queued then.
func (q *Queue) Put(ctx context.Context, b *tlv.Batch) error {
	for i := 0; i < b.Len(); {
		q.mu.Lock()
		if q.closed != nil {
			defer q.mu.Unlock()
			return q.closed
		}
		for i < b.Len() && q.fits(len(b.Packet(i))) {
			q.b.Append(b.Packet(i))
			i++
		}
		q.signal()
		if q.room == nil && i < b.Len() {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		if i == b.Len() {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (q *Queue) fits(n int) bool { return q.b.Len() == 0 || q.b.Size()+n <= q.max }

// signal tells the reader that there is something. mu is held.
func (q *Queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// madeRoom wakes whoever waits in Put. mu is held.
func (q *Queue) madeRoom() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// Ready yields a token when there may be something to take: packets, or the
// queue's end.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Poke yields a token though nothing was put.
func (q *Queue) Poke() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.signal()
}

// Take exchanges the queue's packets for the memory of b, which it empties. It
// returns the closing error once the queue is closed and empty. Only one
// goroutine takes.
func (q *Queue) Take(b *tlv.Batch) error {
	b.Reset(2 * q.max)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(b)
}

// take is Take with mu held and b empty.
func (q *Queue) take(b *tlv.Batch) error {
	if q.b.Len() == 0 {
		if q.closed != nil {
			q.signal() // whoever waits next learns it too
		}
		return q.closed
	}
	*q.b, *b = *b, *q.b
	q.madeRoom()
	if q.closed != nil {
		q.signal()
	}
	return nil
}

// Wait waits for packets and takes them.
func (q *Queue) Wait(ctx context.Context, b *tlv.Batch) error {
	for {
		if err := q.Take(b); err != nil || b.Len() > 0 {
			return err
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Drop throws away what is queued.
func (q *Queue) Drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.b.Reset(2 * q.max)
	q.madeRoom()
}

// Close ends the queue with err: nothing more is put, what is queued can still be
// taken. Only the first Close counts.
func (q *Queue) Close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return
	}
	q.closed = err
	q.madeRoom()
	q.signal()
}

// Empty reports whether nothing is queued.
func (q *Queue) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.b.Len() == 0
}

// Lost is the number of packets that TryPut turned away for want of room.
func (q *Queue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
