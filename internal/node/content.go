package node

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// cached returns the Data for i from the store, if it satisfies i.
func (f *forwarder) cached(i *tlv.Interest, now time.Time) []byte {
	pkt := f.store.Lookup(i.Name, now)
	if pkt == nil || i.KeyID.Sum == nil && i.ObjectHash.Sum == nil {
		return pkt
	}
	var o tlv.Object
	if o.Decode(pkt) != nil || !satisfies(&o, pkt, string(i.KeyID.Sum), string(i.ObjectHash.Sum)) {
		return nil
	}
	return pkt
}

// satisfies checks the restrictions of an Interest against Data (RFC 8569 2.1).
func satisfies(o *tlv.Object, pkt []byte, keyID, hash string) bool {
	if keyID != "" {
		if id, ok := o.Validation.KeyID(); !ok || string(id.Sum) != keyID {
			return false
		}
	}
	if hash != "" {
		h, err := tlv.ParseHeader(pkt)
		sum := sha256.Sum256(pkt[h.HeaderLen:])
		if err != nil || string(sum[:]) != hash {
			return false
		}
	}
	return true
}

func (f *forwarder) onData(from faceID, pkt []byte, o *tlv.Object, now time.Time) {
	f.count.rxData++
	o.Name = narrow(o.Name)
	_, hasChunk := o.Name.Chunk()
	kind := kindBare
	if hasChunk {
		kind = kindChunk
	}
	e := f.pit.find(o.Name, kind)
	if o.Check() != nil {
		// As cefnetd, drop it; but whoever checks for itself may learn why
		// nothing good comes. It satisfies no Interest and stays in no cache.
		f.count.corrupt++
		if e != nil {
			for _, d := range e.downs {
				if d.marked && d.face != from {
					f.emit(d.face, pkt)
				}
			}
		}
		return
	}
	if e != nil {
		f.satisfy(e, from, pkt, o, now)
	}
	if hasChunk {
		if s := f.pit.find(o.Name, kindSymbolic); s != nil {
			f.feed(s, from, pkt, o, now)
		}
	}
	if until, ok := cacheable(o, now); ok && !f.owns(from, o.Name) {
		f.supersede(o)
		f.store.Insert(o.Name, pkt, until, now)
	}
}

// owns reports whether face is registered for name: it can answer again, so that its
// Data needs no place in the store, where it could only get older. An answer to an
// Interest that was sent twice is no exception, though nobody waits for it.
func (f *forwarder) owns(face faceID, name tlv.Name) bool {
	f.hops = f.regs.match(f.hops[:0], name, nobody)
	return slices.Contains(f.hops, face)
}

// satisfy gives Data to those who wait for it in e.
func (f *forwarder) satisfy(e *pitEntry, from faceID, pkt []byte, o *tlv.Object, now time.Time) {
	rest := e.downs[:0]
	for _, d := range e.downs {
		if d.face == from || !d.until.After(now) || !satisfies(o, pkt, d.keyID, d.hash) {
			rest = append(rest, d)
			continue
		}
		if f.emit(d.face, pkt) {
			f.count.txData++
		}
		if d.longLife {
			rest = append(rest, d)
		}
	}
	f.pit.retain(e, rest)
}

// symbolicWindow is how far behind the newest chunk one may be to reach symbolic
// consumers (SYMBOLIC_BACKBUFFER, sheet f).
const symbolicWindow = 100

// feed gives Data to the symbolic consumers of its name, who go on waiting.
func (f *forwarder) feed(e *pitEntry, from faceID, pkt []byte, o *tlv.Object, now time.Time) {
	k, _ := o.Name.Chunk()
	if k+symbolicWindow < e.name.newest {
		return
	}
	e.name.newest = max(e.name.newest, k)
	for _, d := range e.downs {
		if d.face != from && d.until.After(now) && f.emit(d.face, pkt) {
			f.count.txData++
		}
	}
}

// cacheable reports whether Data may be kept, and until when: the earlier of its
// expiry and its recommended cache time. Without either it may be kept at will
// (RFC 8569 4); an expiry of 0 is Cefore's way to state none.
func cacheable(o *tlv.Object, now time.Time) (until time.Time, ok bool) {
	if o.Expiry.OK && o.Expiry.V != 0 {
		until = o.Expiry.V.Time()
	}
	if o.CacheTime.OK {
		if rct := o.CacheTime.V.Time(); until.IsZero() || rct.Before(until) {
			until = rct
		}
	}
	return until, until.IsZero() || until.After(now)
}
