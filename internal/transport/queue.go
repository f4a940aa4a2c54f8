package transport

import (
	"context"
	"slices"
	"sync"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Queue hands packets from any number of goroutines to one. It is bounded in
// bytes and takes at least one packet however large. Single packets are copied in, a
// batch is taken over with its memory where it is a large one; the reader takes what
// came together by exchanging memory, so that a queue of steady traffic allocates
// nothing.
type Queue struct {
	max   int
	ready chan struct{} // holds a token while there is something to take

	// mu protects the following.
	mu     sync.Mutex
	chain  []tlv.Batch   // what is queued, none of them empty
	size   int           // bytes of all
	held   int           // bytes of their memory
	open   bool          // the last of the chain is the queue's own, to be appended to
	spare  tlv.Batch     // memory for small ones
	room   chan struct{} // closed when packets are taken; nil while nobody waits for that
	closed error
	lost   uint64
}

// wholeBytes is how large a batch must be to be taken over as it is where others wait
// before it, in bytes; what is less is copied. So are large ones where the memory that
// they leave unused would come to more than the queue's bound, so that what it holds,
// full, is about twice that at most.
const wholeBytes = 16 << 10

// NewQueue returns a queue that holds at most maxBytes.
func NewQueue(maxBytes int) *Queue {
	return &Queue{max: maxBytes, ready: make(chan struct{}, 1)}
}

// TryPut copies pkt into the queue and reports whether it had room; a packet
// without room is counted as lost. A closed queue takes nothing.
func (q *Queue) TryPut(pkt []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(pkt, 0)
}

// add is TryPut with mu held, and extra bytes that count besides.
func (q *Queue) add(pkt []byte, extra int) bool {
	if q.closed != nil {
		return false
	}
	if !q.fits(len(pkt) + extra) {
		q.lost++
		return false
	}
	q.copyIn(pkt)
	q.signal()
	return true
}

// copyIn copies a packet to the end. mu is held.
func (q *Queue) copyIn(pkt []byte) {
	last := q.last(len(pkt))
	q.held -= last.Cap()
	last.Append(pkt)
	q.held += last.Cap()
	q.size += len(pkt)
}

// last is the batch that n more bytes go to: none that was taken over, and none that
// would have to grow when it is large already. mu is held.
func (q *Queue) last(n int) *tlv.Batch {
	large := false
	if q.open {
		b := &q.chain[len(q.chain)-1]
		if large = b.Size() >= wholeBytes; !large || b.Size()+n <= b.Cap() {
			return b
		}
	}
	if large {
		Borrow(&q.spare)
	}
	q.push(&q.spare)
	q.open = true
	return &q.chain[len(q.chain)-1]
}

// push takes over b, which is empty then and has no memory. mu is held.
func (q *Queue) push(b *tlv.Batch) {
	q.chain = append(q.chain, *b)
	q.size += b.Size()
	q.held += b.Cap()
	*b = tlv.Batch{}
	q.open = false
}

// putSpare takes the memory of b, which is empty: what is large may serve anybody. mu is
// held.
func (q *Queue) putSpare(b *tlv.Batch) {
	switch {
	case b.Cap() >= batchBytes:
		Release(b)
	case b.Cap() > q.spare.Cap():
		q.spare = *b
	}
}

// whole reports whether b has room and is to be taken over as it is. mu is held.
func (q *Queue) whole(b *tlv.Batch) bool {
	if q.size+b.Size() > q.max {
		return false
	}
	unused := q.held - q.size + b.Cap() - b.Size()
	return len(q.chain) == 0 || b.Size() >= wholeBytes && unused <= q.max
}

// TryPutRange is TryPut for packets i to j-1 of b.
func (q *Queue) TryPutRange(b *tlv.Batch, i, j int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for ; i < j; i++ {
		q.add(b.Packet(i), 0)
	}
}

// TryTake is TryPut for all packets of b, which it empties: where it takes the memory
// of b with them, it gives it other memory. It reports whether all had room.
func (q *Queue) TryTake(b *tlv.Batch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost := q.lost
	switch {
	case q.closed != nil || b.Len() == 0:
	case q.whole(b):
		q.takeOver(b)
	default:
		for i := range b.Len() {
			q.add(b.Packet(i), 0)
		}
	}
	b.Reset(2 * q.max)
	return q.lost == lost && q.closed == nil
}

// takeOver takes b with its memory and gives it other memory, if there is any or b was
// large. mu is held.
func (q *Queue) takeOver(b *tlv.Batch) {
	large := b.Size() >= wholeBytes
	q.push(b)
	if large {
		Borrow(b)
	} else {
		*b, q.spare = q.spare, *b
	}
	q.signal()
}

// Put queues all packets of b, in order, and waits for room as long as ctx lasts. It
// returns the queue's closing error or the context's cause; a first part of b may have
// been queued then. What b holds afterwards is not to be used: its memory may have been
// exchanged.
func (q *Queue) Put(ctx context.Context, b *tlv.Batch) error {
	for i := 0; i < b.Len(); {
		q.mu.Lock()
		if q.closed != nil {
			defer q.mu.Unlock()
			return q.closed
		}
		if i == 0 && q.whole(b) {
			defer q.mu.Unlock()
			q.takeOver(b)
			return nil
		}
		for i < b.Len() && q.fits(len(b.Packet(i))) {
			q.copyIn(b.Packet(i))
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

func (q *Queue) fits(n int) bool { return q.size == 0 || q.size+n <= q.max }

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

// Take exchanges the first of the queue's packets for the memory of b, which it empties:
// all that are queued, unless batches were taken over. It returns the closing error once
// the queue is closed and empty. Only one goroutine takes.
func (q *Queue) Take(b *tlv.Batch) error {
	b.Reset(2 * q.max)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(b)
}

// take is Take with mu held and b empty.
func (q *Queue) take(b *tlv.Batch) error {
	if len(q.chain) == 0 {
		if q.closed != nil {
			q.signal() // whoever waits next learns it too
		}
		return q.closed
	}
	q.putSpare(b)
	*b = q.chain[0]
	q.chain = slices.Delete(q.chain, 0, 1)
	q.open = q.open && len(q.chain) > 0
	q.size -= b.Size()
	q.held -= b.Cap()
	q.madeRoom()
	if len(q.chain) > 0 || q.closed != nil {
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
	clear(q.chain)
	q.chain, q.size, q.held, q.open = q.chain[:0], 0, 0, false
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
	return len(q.chain) == 0
}

// Lost is the number of packets that TryPut turned away for want of room.
func (q *Queue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
