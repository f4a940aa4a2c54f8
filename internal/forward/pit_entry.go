package forward

import (
	"bytes"

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
// entry, for every chunk of a name. What most entries have, one who waits, one who was
// asked and a name that is not long, stands in it, so that it is found in one place.
type entry struct {
	number uint32 // of the pit
	tag    uint32
	chunk  uint64
	segs   []byte
	kind   entryKind
	// hopLimit is the highest with which it went to the network.
	hopLimit uint8
	due      int64 // the tick at which the wheel brings it; 0: not
	downs    []downstream
	ups      []upstream
	passed   instant // when the last Interest went to the network
	newest   uint64  // the highest chunk given to a symbolic entry

	name1 [inlineName]byte
	down1 [1]downstream
	up1   [1]upstream
}

// inlineName is how long a name is that an entry holds itself, in bytes.
const inlineName = 64

// renew makes e a new entry, with the memory that it has.
func (e *entry) renew(number, tag uint32, kind entryKind) {
	segs, downs, ups := e.segs[:0], e.downs[:0], e.ups[:0]
	if segs == nil {
		segs, downs, ups = e.name1[:0], e.down1[:0], e.up1[:0]
	}
	*e = entry{number: number, tag: tag, kind: kind, segs: segs, downs: downs, ups: ups}
}

type entryKind uint8

const (
	kindChunk entryKind = iota
	kindBare
	kindSymbolic
)

// kindOf is the kind of the entry in which i waits.
func kindOf(i *tlv.Interest) entryKind {
	kind := kindFor(i.Name)
	if kind == kindBare && i.Symbolic() {
		return kindSymbolic
	}
	return kind
}

// kindFor is the kind of the entry that Data of that name answers, and ends.
func kindFor(name tlv.Name) entryKind {
	if _, hasChunk := name.Chunk(); hasChunk {
		return kindChunk
	}
	return kindBare
}

func (e *entry) is(name tlv.Name, kind entryKind) bool {
	k, _ := name.Chunk()
	return e.kind == kind && (kind != kindChunk || e.chunk == k) && bytes.Equal(e.segs, name.Bytes())
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

// until is when the last of those who wait in e no longer does.
func (e *entry) until() instant {
	end := never
	for i := range e.downs {
		end = max(end, e.downs[i].until)
	}
	return end
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
