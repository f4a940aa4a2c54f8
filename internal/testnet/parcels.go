package testnet

import "time"

// sparesBytes bounds the memory that parcels keeps for packets to come.
const sparesBytes = 16 << 20

// parcels are packets under way, the soonest first, and those of one instant in the
// order in which they were put. In steady state it allocates nothing.
type parcels struct {
	heap   []due
	slots  []parcel
	free   []int32 // slots without a packet
	count  uint64  // of packets put so far
	bytes  int     // of the packets under way
	spares int     // bytes of memory in the free slots
}

// due orders a parcel; it is apart from it as a heap moves it about.
type due struct {
	at   time.Duration
	nth  uint64
	slot int32
}

func (d due) before(e due) bool { return d.at < e.at || d.at == e.at && d.nth < e.nth }

// parcel is one packet.
type parcel struct {
	pkt []byte // memory of the parcels
	who *Consumer
	// answer tells Data that waits at the producer from an Interest that reaches it.
	answer bool
}

func (q *parcels) len() int { return len(q.heap) }

// next is when the first parcel is due; ok is false where there is none.
func (q *parcels) next() (at time.Duration, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

// put copies p's packet.
func (q *parcels) put(at time.Duration, p parcel) {
	slot := q.slot()
	s := &q.slots[slot]
	s.pkt, s.who, s.answer = append(s.pkt[:0], p.pkt...), p.who, p.answer
	q.bytes += len(s.pkt)
	q.count++
	q.push(due{at, q.count, slot})
}

// slot returns a free slot.
func (q *parcels) slot() int32 {
	n := len(q.free)
	if n == 0 {
		q.slots = append(q.slots, parcel{})
		return int32(len(q.slots) - 1)
	}
	i := q.free[n-1]
	q.free = q.free[:n-1]
	q.spares -= cap(q.slots[i].pkt)
	return i
}

// take removes the first parcel. Its packet is valid until release is given its slot.
func (q *parcels) take() (p parcel, at time.Duration, slot int32) {
	d := q.pop()
	p = q.slots[d.slot]
	q.bytes -= len(p.pkt)
	return p, d.at, d.slot
}

// release makes a slot free for packets to come.
func (q *parcels) release(slot int32) {
	s := &q.slots[slot]
	s.who = nil
	if q.spares+cap(s.pkt) > sparesBytes {
		s.pkt = nil
	}
	q.spares += cap(s.pkt)
	q.free = append(q.free, slot)
}

// clear removes all and returns how many there were.
func (q *parcels) clear() int {
	n := len(q.heap)
	*q = parcels{count: q.count}
	return n
}

// push and pop are those of a binary heap.
func (q *parcels) push(d due) {
	q.heap = append(q.heap, d)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !d.before(q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = d
}

func (q *parcels) pop() due {
	top, n := q.heap[0], len(q.heap)-1
	last := q.heap[n]
	q.heap = q.heap[:n]
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && q.heap[child+1].before(q.heap[child]) {
			child++
		}
		if !q.heap[child].before(last) {
			break
		}
		q.heap[i] = q.heap[child]
		i = child
	}
	if n > 0 {
		q.heap[i] = last
	}
	return top
}
