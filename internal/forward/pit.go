package forward

import (
	"hash/maphash"

	"github.com/cefgo/cefgo/internal/tlv"
)

// pit is the table of pending Interests. It has a bound and no clock. Entries are
// found by a hash of name, chunk and kind, and used again, so that a fetch costs it
// nothing but a copy of the name. Each has a number, which does not change.
type pit struct {
	max      int
	count    int
	symbolic int // entries of that kind
	network  int // those who wait that are neighbours
	expired  uint64
	seed     maphash.Seed
	index    pitIndex
	blocks   []*[pitBlock]entry
	free     []uint32 // numbers of entries that are not in use, to be used from the end
	wheel    wheel
	held     map[*entry]heldInterest
	heldSeq  uint64
	tags     []uint32 // scratch of warm
	seen     uint32   // what warm saw, of no use but that it had to look
}

// pitBlock is how many entries are made at once.
const pitBlock = 256

func newPIT(max int) *pit {
	return &pit{max: max, seed: maphash.MakeSeed(), index: newPITIndex(), held: make(map[*entry]heldInterest)}
}

func (p *pit) len() int { return p.count }

// entry is the one of that number.
func (p *pit) entry(number uint32) *entry { return &p.blocks[number/pitBlock][number%pitBlock] }

// all calls use with each entry, in any order, until it returns false.
func (p *pit) all(use func(e *entry) bool) {
	for _, s := range p.index.slots {
		if s.used() && !use(p.entry(s.number())) {
			return
		}
	}
}

// tagOf is the hash of an entry.
func (p *pit) tagOf(name tlv.Name, kind entryKind) uint32 {
	h := maphash.Bytes(p.seed, name.Bytes()) + uint64(kind)
	if kind == kindChunk {
		k, _ := name.Chunk()
		h += k * 0x9e3779b97f4a7c15
	}
	// Mixed, so that nobody can choose chunks that fall on one place (splitmix64).
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return uint32(h >> 32)
}

// find returns the entry of that kind for name; nil where there is none.
func (p *pit) find(name tlv.Name, kind entryKind) *entry {
	if kind == kindSymbolic && p.symbolic == 0 {
		return nil
	}
	return p.look(p.tagOf(name, kind), name, kind)
}

func (p *pit) look(tag uint32, name tlv.Name, kind entryKind) *entry {
	x := &p.index
	for i := x.home(tag); x.slots[i].used(); i = x.after(i) {
		if x.slots[i].tag != tag {
			continue
		}
		if e := p.entry(x.slots[i].number()); e.is(name, kind) {
			return e
		}
	}
	return nil
}

// obtain returns the entry of that kind for name and makes it where there is none, or
// one that has lapsed, which fresh tells; nil where the table is full.
func (p *pit) obtain(name tlv.Name, kind entryKind, now instant) (e *entry, fresh bool) {
	tag := p.tagOf(name, kind)
	if e := p.look(tag, name, kind); e != nil {
		if p.renews(e, now) {
			return e, false
		}
	}
	if p.count >= p.max {
		return nil, false
	}
	e = p.unused(tag, kind)
	e.segs = append(e.segs, name.Bytes()...)
	switch kind {
	case kindChunk:
		e.chunk, _ = name.Chunk()
	case kindSymbolic:
		p.symbolic++
	}
	p.index.add(tag, e.number)
	p.count++
	return e, true
}

// unused takes an entry that is not in use.
func (p *pit) unused(tag uint32, kind entryKind) *entry {
	if len(p.free) == 0 {
		first := uint32(len(p.blocks) * pitBlock)
		p.blocks = append(p.blocks, new([pitBlock]entry))
		for n := first + pitBlock; n > first; n-- {
			p.free = append(p.free, n-1)
		}
		p.wheel.room(int(first) + pitBlock)
	}
	number := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	e := p.entry(number)
	e.renew(number, tag, kind)
	return e
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
	p.index.remove(e.tag, e.number)
	p.wheel.forget(e.number)
	if e.kind == kindSymbolic {
		p.symbolic--
	}
	delete(p.held, e)
	p.count--
	clear(e.ups) // so that it holds no face that has gone
	p.free = append(p.free, e.number)
}

// schedule has the wheel bring e when the last of those who wait in it no longer does,
// or earlier: then it is looked at again.
func (p *pit) schedule(e *entry) {
	if due := p.wheel.tickFor(e.until()); e.due == 0 || due < e.due {
		e.due = due
		p.wheel.add(e.number, due)
		p.wheel.tidy(p.count)
	}
}

// expire ends what has lapsed by now.
func (p *pit) expire(now instant) {
	p.wheel.turn(now, func(number uint32) {
		e := p.entry(number)
		e.due = 0
		if !p.retain(e, func(d *downstream) bool { return d.until > now }) {
			p.expired++
		}
	})
}
