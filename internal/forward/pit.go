package forward

import (
	"bytes"
	"hash/maphash"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// downstream is a face that waits for Data, and under which conditions.
type downstream struct {
	face     *face
	until    instant
	marked   bool // checks what it gets
	returns  bool // wants an Interest Return
	longLife bool // Data leaves it waiting
	only     *restriction
}

// restriction is what an Interest demands of Data beyond its name; nil is nothing.
type restriction struct{ keyID, hash string }

func restrictionOf(i *tlv.Interest) *restriction {
	if i.KeyID.Sum == nil && i.ObjectHash.Sum == nil {
		return nil
	}
	return &restriction{string(i.KeyID.Sum), string(i.ObjectHash.Sum)}
}

func (r *restriction) equal(o *restriction) bool {
	return r == o || r != nil && o != nil && *r == *o
}

// maxDemands is how many restrictions of one name a face may wait with: a neighbour
// asks for all who are behind it.
const maxDemands = 16

// question is what a face is asked: for what, how far it may go, and for how long.
type question struct {
	only     *restriction
	hopLimit uint8 // as it is sent
	until    instant
}

// upstream is a face that was asked.
type upstream struct {
	face *face
	hop  *nextHop // of a route; nil: an application
	question
	sent    instant
	breaks  uint32 // of the face, when it was asked
	again   bool   // asked more than once: an answer tells no round trip
	farther bool   // the latest question goes farther than one before it
	refused bool
}

// stands reports whether an answer may still come: a question dies with its lifetime, and
// with the connection that it went over.
func (u *upstream) stands(at instant) bool {
	return !u.refused && !u.face.gone && !u.face.down && u.breaks == u.face.breaks && u.until > at
}

// entry is the pending Interests for one chunk, one chunkless name, or, in a symbolic
// entry, for every chunk of a name.
type entry struct {
	segs  []byte
	chunk uint64
	kind  entryKind
	// hopLimit is the highest with which it went to the network.
	hopLimit uint8
	passed   instant // when the last one went there
	newest   uint64  // the highest chunk given to a symbolic entry
	downs    []downstream
	ups      []upstream
	// table
	hash uint64
	same *entry // the next one of equal hash
	// wheel
	slot       int32
	prev, next *entry
}

type entryKind uint8

const (
	kindChunk entryKind = iota
	kindBare
	kindSymbolic
)

// The wheel: an entry waits in the slot of the first tick after its end.
const (
	wheelSlots = 512
	// Tick is the time between two calls of [Forwarder.Expire] while anything is
	// pending.
	Tick = 50 * time.Millisecond
)

// pit is the table of pending Interests. It has a bound and no clock. Entries are
// found by a hash of name, chunk and kind, and used again, so that a fetch costs it
// nothing but a copy of the name.
type pit struct {
	max      int
	count    int
	symbolic int // entries of that kind
	network  int // those who wait that are neighbours
	expired  uint64
	seed     maphash.Seed
	table    map[uint64]*entry
	held     map[*entry]heldInterest
	heldSeq  uint64
	wheel    [wheelSlots]entry // list roots
	at       int64             // the tick last swept
	free     *entry            // entries for reuse, linked by next
}

func newPIT(max int) *pit {
	p := &pit{max: max, seed: maphash.MakeSeed(), table: make(map[uint64]*entry), held: make(map[*entry]heldInterest)}
	for i := range p.wheel {
		p.wheel[i].prev, p.wheel[i].next = &p.wheel[i], &p.wheel[i]
	}
	return p
}

func (p *pit) len() int { return p.count }

func kindOf(i *tlv.Interest) entryKind {
	_, hasChunk := i.Name.Chunk()
	switch {
	case hasChunk:
		return kindChunk
	case i.Symbolic():
		return kindSymbolic
	}
	return kindBare
}

// hashOf never has two chunks of one name collide.
func (p *pit) hashOf(name tlv.Name, kind entryKind) uint64 {
	h := maphash.Bytes(p.seed, name.Bytes()) + uint64(kind)
	if kind == kindChunk {
		k, _ := name.Chunk()
		h += k * 0x9e3779b97f4a7c15
	}
	return h
}

// find returns the entry of that kind for name; nil where there is none.
func (p *pit) find(name tlv.Name, kind entryKind) *entry {
	if kind == kindSymbolic && p.symbolic == 0 {
		return nil
	}
	return p.look(p.hashOf(name, kind), name, kind)
}

func (p *pit) look(hash uint64, name tlv.Name, kind entryKind) *entry {
	for e := p.table[hash]; e != nil; e = e.same {
		if e.is(name, kind) {
			return e
		}
	}
	return nil
}

func (e *entry) is(name tlv.Name, kind entryKind) bool {
	k, _ := name.Chunk()
	return e.kind == kind && (kind != kindChunk || e.chunk == k) && bytes.Equal(e.segs, name.Bytes())
}

// obtain returns the entry of that kind for name and makes it where there is none, or
// one that has lapsed, which fresh tells; nil where the table is full.
func (p *pit) obtain(name tlv.Name, kind entryKind, now instant) (e *entry, fresh bool) {
	hash := p.hashOf(name, kind)
	if e := p.look(hash, name, kind); e != nil {
		if p.renews(e, now) {
			return e, false
		}
	}
	if p.count >= p.max {
		return nil, false
	}
	if e = p.free; e != nil {
		p.free = e.next
		*e = entry{segs: e.segs[:0], downs: e.downs[:0], ups: e.ups[:0]}
	} else {
		e = new(entry)
	}
	e.segs = append(e.segs, name.Bytes()...)
	e.kind, e.hash, e.slot = kind, hash, -1
	switch kind {
	case kindChunk:
		e.chunk, _ = name.Chunk()
	case kindSymbolic:
		p.symbolic++
	}
	e.same = p.table[hash]
	p.table[hash] = e
	p.count++
	return e, true
}

// renews reports whether somebody still waits in e; else it ends e, which has lapsed.
func (p *pit) renews(e *entry, now instant) bool {
	for i := range e.downs {
		if e.downs[i].until > now {
			return true
		}
	}
	p.expired++
	return p.retain(e, func(*downstream) bool { return false })
}

// waits reports whether fc waits in e.
func (e *entry) waits(fc *face) bool { return e.demands(fc) > 0 }

// demands is how many restrictions fc waits with in e.
func (e *entry) demands(fc *face) (n int) {
	for i := range e.downs {
		if e.downs[i].face == fc {
			n++
		}
	}
	return n
}

// down returns where fc waits in e under that restriction; nil where it does not.
func (e *entry) down(fc *face, only *restriction) *downstream {
	for i := range e.downs {
		if d := &e.downs[i]; d.face == fc && d.only.equal(only) {
			return d
		}
	}
	return nil
}

// similar reports whether anybody waits in e under that restriction (RFC 8569 2.4.2).
func (e *entry) similar(only *restriction, now instant) bool {
	for i := range e.downs {
		if d := &e.downs[i]; d.until > now && d.only.equal(only) {
			return true
		}
	}
	return false
}

// up returns where fc was asked under that restriction; nil where it was not.
func (e *entry) up(fc *face, only *restriction) *upstream {
	for i := range e.ups {
		if u := &e.ups[i]; u.face == fc && u.only.equal(only) {
			return u
		}
	}
	return nil
}

// ask notes that a face was asked.
func (e *entry) ask(fc *face, hop *nextHop, q question, now instant) {
	if u := e.up(fc, q.only); u != nil {
		stands := u.stands(now)
		u.farther = stands && (u.farther || q.hopLimit > u.hopLimit)
		if stands {
			q.hopLimit, q.until = max(q.hopLimit, u.hopLimit), max(q.until, u.until)
		}
		u.question, u.sent, u.again, u.refused, u.hop, u.breaks = q, now, true, false, hop, fc.breaks
		return
	}
	e.ups = append(e.ups, upstream{face: fc, hop: hop, question: q, sent: now, breaks: fc.breaks})
}

// tally adds n to the waits of fc, and of the network where fc is a neighbour's.
func (p *pit) tally(fc *face, n int) {
	fc.pending += n
	if !fc.local() {
		p.network += n
	}
}

// wait enters d into e, or renews it there, until d.until.
func (p *pit) wait(e *entry, d downstream) {
	if o := e.down(d.face, d.only); o != nil {
		d.until = max(d.until, o.until)
		*o = d
	} else {
		e.downs = append(e.downs, d)
		p.tally(d.face, 1)
	}
	p.schedule(e)
}

// retain leaves only those waiting in e that keep wants; nobody there ends e. It
// reports whether e goes on.
func (p *pit) retain(e *entry, keep func(d *downstream) bool) bool {
	rest := e.downs[:0]
	for i := range e.downs {
		if d := &e.downs[i]; keep(d) {
			rest = append(rest, *d)
		} else {
			p.tally(d.face, -1)
		}
	}
	clear(e.downs[len(rest):])
	e.downs = rest
	if len(rest) == 0 {
		p.remove(e)
		return false
	}
	p.schedule(e)
	return true
}

// remove ends e, in which nobody waits. Its memory is used again: no pointer to it may
// be kept.
func (p *pit) remove(e *entry) {
	if first := p.table[e.hash]; first != e {
		for first.same != e {
			first = first.same
		}
		first.same = e.same
	} else if e.same != nil {
		p.table[e.hash] = e.same
	} else {
		delete(p.table, e.hash)
	}
	e.unlink()
	if e.kind == kindSymbolic {
		p.symbolic--
	}
	delete(p.held, e)
	p.count--
	clear(e.ups) // so that it holds no face that has gone
	e.same, e.next = nil, p.free
	p.free = e
}

// name is what e waits for.
func (e *entry) name() tlv.Name {
	n, err := tlv.NameFromBytes(e.segs)
	if err != nil {
		panic("forward: bug: an entry whose name is none: " + err.Error())
	}
	if e.kind == kindChunk {
		n = n.WithChunk(e.chunk)
	}
	return n
}

func tickOf(t instant) int64 { return int64(t) / int64(Tick) }

// until is when the last of those who wait in e no longer does.
func (e *entry) until() instant {
	end := never
	for i := range e.downs {
		end = max(end, e.downs[i].until)
	}
	return end
}

// schedule puts e into the slot of its end, or into the next one where that slot has
// been swept. An end beyond the wheel's turn is looked at again when its slot comes by.
func (p *pit) schedule(e *entry) {
	slot := int32((max(tickOf(e.until()), p.at) + 1) % wheelSlots)
	if slot == e.slot {
		return
	}
	e.unlink()
	e.slot = slot
	root := &p.wheel[slot]
	e.prev, e.next = root.prev, root
	e.prev.next, root.prev = e, e
}

func (e *entry) unlink() {
	if e.slot >= 0 && e.prev != nil {
		e.prev.next, e.next.prev = e.next, e.prev
		e.prev, e.next = nil, nil
	}
	e.slot = -1
}

// expire ends what has lapsed by now.
func (p *pit) expire(now instant) {
	to := tickOf(now)
	if gap := to - p.at; gap > wheelSlots { // a long pause
		p.at = to - wheelSlots
	}
	for ; p.at < to; p.at++ {
		root := &p.wheel[(p.at+1)%wheelSlots]
		for e := root.next; e != root; {
			next := e.next
			if !p.retain(e, func(d *downstream) bool { return d.until > now }) {
				p.expired++
			}
			e = next
		}
	}
}
