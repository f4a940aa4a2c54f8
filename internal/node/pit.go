package node

import (
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// downstream is a face that waits for Data, and under which conditions.
type downstream struct {
	face     faceID
	until    time.Time
	marked   bool // understands an Interest Return, checks what it gets
	longLife bool // Data leaves it waiting
	keyID    string
	hash     string
}

// pitEntry is the pending Interests for one chunk, one chunkless name, or, in a
// symbolic entry, for every chunk of a name.
type pitEntry struct {
	name  *pitName
	kind  entryKind
	chunk uint64
	downs []downstream
	asked []faceID // the applications that have not refused it
	// wheel
	slot       int
	prev, next *pitEntry
}

type entryKind uint8

const (
	kindChunk entryKind = iota
	kindBare
	kindSymbolic
)

// pitName is what is pending under one name without its chunk, so that a fetch of
// many chunks makes its name's key once.
type pitName struct {
	segs     string
	chunks   map[uint64]*pitEntry
	bare     *pitEntry
	symbolic *pitEntry
	newest   uint64 // the highest chunk given to the symbolic entry
}

// The wheel: an entry waits in the slot of the first tick after its end.
const (
	wheelSlots = 512
	wheelTick  = 50 * time.Millisecond
)

// pit is the table of pending Interests. It has a bound and no clock.
type pit struct {
	max   int
	count int
	names map[string]*pitName
	wheel [wheelSlots]pitEntry // list roots
	at    int64                // the tick last swept
	free  *pitEntry            // entries for reuse, linked by next
}

func newPIT(max int) *pit {
	p := &pit{max: max, names: make(map[string]*pitName)}
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

// find returns the entry of that kind for name; nil where there is none.
func (p *pit) find(name tlv.Name, kind entryKind) *pitEntry {
	n := p.names[string(name.Bytes())]
	if n == nil {
		return nil
	}
	return n.entry(kind, name)
}

func (n *pitName) entry(kind entryKind, name tlv.Name) *pitEntry {
	switch kind {
	case kindBare:
		return n.bare
	case kindSymbolic:
		return n.symbolic
	}
	k, _ := name.Chunk()
	return n.chunks[k]
}

// obtain returns the entry of that kind for name and makes it where there is
// none; nil where the table is full.
func (p *pit) obtain(name tlv.Name, kind entryKind) *pitEntry {
	if e := p.find(name, kind); e != nil {
		return e
	}
	if p.count >= p.max {
		return nil
	}
	n := p.names[string(name.Bytes())]
	if n == nil {
		n = &pitName{segs: string(name.Bytes()), chunks: make(map[uint64]*pitEntry)}
		p.names[n.segs] = n
	}
	e := p.free
	if e != nil {
		p.free = e.next
		*e = pitEntry{downs: e.downs[:0], asked: e.asked[:0]}
	} else {
		e = new(pitEntry)
	}
	e.name, e.kind, e.slot = n, kind, -1
	switch kind {
	case kindBare:
		n.bare = e
	case kindSymbolic:
		n.symbolic, n.newest = e, 0
	default:
		e.chunk, _ = name.Chunk()
		n.chunks[e.chunk] = e
	}
	p.count++
	return e
}

// wait enters d into e, or renews it there, until d.until.
func (p *pit) wait(e *pitEntry, d downstream) {
	i := slices.IndexFunc(e.downs, func(o downstream) bool { return o.face == d.face })
	if i < 0 {
		e.downs = append(e.downs, d)
	} else {
		d.until = later(d.until, e.downs[i].until)
		e.downs[i] = d
	}
	p.schedule(e)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cancel ends face's waiting in e, which may end e.
func (p *pit) cancel(e *pitEntry, face faceID) {
	p.retain(e, slices.DeleteFunc(e.downs, func(d downstream) bool { return d.face == face }))
}

// retain leaves only rest waiting in e; nobody there ends e.
func (p *pit) retain(e *pitEntry, rest []downstream) {
	if e.downs = rest; len(rest) == 0 {
		p.remove(e)
	} else {
		p.schedule(e)
	}
}

// remove ends e, whose memory is used again: no pointer to it may be kept.
func (p *pit) remove(e *pitEntry) {
	n := e.name
	switch e.kind {
	case kindBare:
		n.bare = nil
	case kindSymbolic:
		n.symbolic = nil
	default:
		delete(n.chunks, e.chunk)
	}
	if n.bare == nil && n.symbolic == nil && len(n.chunks) == 0 {
		delete(p.names, n.segs)
	}
	e.unlink()
	p.count--
	e.name, e.next = nil, p.free
	p.free = e
}

func tickOf(t time.Time) int64 { return t.UnixNano() / int64(wheelTick) }

// schedule puts e into the slot of its last downstream's end, or into the next one
// where that slot has been swept. An end beyond the wheel's turn is looked at again
// when its slot comes by.
func (p *pit) schedule(e *pitEntry) {
	var end time.Time
	for _, d := range e.downs {
		end = later(end, d.until)
	}
	slot := int((max(tickOf(end), p.at) + 1) % wheelSlots)
	if slot == e.slot {
		return
	}
	e.unlink()
	e.slot = slot
	root := &p.wheel[slot]
	e.prev, e.next = root.prev, root
	e.prev.next, root.prev = e, e
}

func (e *pitEntry) unlink() {
	if e.slot >= 0 && e.prev != nil {
		e.prev.next, e.next.prev = e.next, e.prev
		e.prev, e.next = nil, nil
	}
	e.slot = -1
}

// expire ends what has lapsed by now.
func (p *pit) expire(now time.Time) {
	to := tickOf(now)
	if gap := to - p.at; gap < 0 || gap > wheelSlots { // a long pause, or the clock was set
		p.at = to - wheelSlots
	}
	for ; p.at < to; p.at++ {
		root := &p.wheel[(p.at+1)%wheelSlots]
		for e := root.next; e != root; {
			next := e.next
			p.retain(e, slices.DeleteFunc(e.downs, func(d downstream) bool { return !d.until.After(now) }))
			e = next
		}
	}
}
