package forward

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// cached returns the Data for i from the store, if it satisfies i.
func (f *Forwarder) cached(i *tlv.Interest, now time.Time) []byte {
	pkt := f.store.Lookup(i.Name, now)
	only := restrictionOf(i)
	if pkt == nil || only == nil {
		return pkt
	}
	var o tlv.Object
	if o.Decode(pkt) != nil || !only.met(&o, pkt) {
		return nil
	}
	return pkt
}

// met checks the restrictions of an Interest against Data (RFC 8569 2.1).
func (r *restriction) met(o *tlv.Object, pkt []byte) bool {
	if r == nil {
		return true
	}
	if r.keyID != "" {
		if id, ok := o.Validation.KeyID(); !ok || string(id.Sum) != r.keyID {
			return false
		}
	}
	if r.hash != "" {
		h, err := tlv.ParseHeader(pkt)
		sum := sha256.Sum256(pkt[h.HeaderLen:])
		if err != nil || string(sum[:]) != r.hash {
			return false
		}
	}
	return true
}

// deliver sends Data to who asked for it, unless it is too large for the way there.
func (f *Forwarder) deliver(to *face, pkt []byte) bool {
	if f.tooLarge(to, pkt) {
		return false
	}
	if to.send(pkt) {
		f.count.TxData++
	}
	return true
}

func (f *Forwarder) onData(from *face, pkt []byte, o *tlv.Object, now time.Time) {
	f.count.RxData++
	at := f.at(now)
	o.Name = narrow(o.Name)
	kind := kindFor(o.Name)
	e := f.pit.find(o.Name, kind)
	if o.Check() != nil {
		f.onCorrupt(from, pkt, e)
		return
	}
	var s *entry // symbolic
	if kind == kindChunk {
		s = f.pit.find(o.Name, kindSymbolic)
	}
	e, s, welcome := f.expected(from, e, s)
	if !welcome {
		return
	}
	if e != nil {
		f.answered(e, from, pkt, o, at)
		f.satisfy(e, from, pkt, o, at)
	}
	if s != nil {
		f.answered(s, from, pkt, o, at)
		f.feed(s, from, pkt, o, at)
	}
	if until, ok := f.keeps(from, o, now); ok {
		f.supersede(o)
		f.store.Insert(o.Name, pkt, until, now)
	}
}

// onCorrupt drops Data whose checksum is wrong, as cefnetd does; but whoever checks for
// itself may learn why nothing good comes. It satisfies no Interest and stays in no
// cache.
func (f *Forwarder) onCorrupt(from *face, pkt []byte, e *entry) {
	f.drops.Corrupt++
	if e == nil || !from.local() && !e.expects(from) {
		return
	}
	for _, d := range e.downs {
		if d.marked && d.face != from && d.face.fits(len(pkt)) {
			d.face.send(pkt)
		}
	}
}

// expected leaves of two entries those that from may satisfy. An application may push
// what nobody has asked it for; the network may only answer, and only who was asked
// (RFC 8569 2.4.4): welcome is false where it brings anything else.
func (f *Forwarder) expected(from *face, e, s *entry) (_, _ *entry, welcome bool) {
	if from.local() {
		return e, s, true
	}
	asked := e != nil || s != nil
	if e != nil && !e.expects(from) {
		e = nil
	}
	if s != nil && !s.expects(from) {
		s = nil
	}
	switch {
	case e != nil || s != nil:
		return e, s, true
	case asked:
		f.drops.Unexpected++
	default:
		f.drops.Unsolicited++
	}
	return nil, nil, false
}

// may reports whether from may answer: it was asked by itself, or as one of a group.
func (u *upstream) may(from *face) bool {
	return u.face == from || u.face.o.Kind == Group && from.o.Group == u.face.id
}

// expects reports whether from was asked, by itself or as one of a group.
func (e *entry) expects(from *face) bool {
	for i := range e.ups {
		if e.ups[i].may(from) {
			return true
		}
	}
	return false
}

// answered notes on the way that led to from that it answers, and how soon.
func (f *Forwarder) answered(e *entry, from *face, pkt []byte, o *tlv.Object, at instant) {
	var heard *nextHop
	for i := range e.ups {
		u := &e.ups[i]
		if u.hop == nil || u.hop == heard || !u.may(from) || !u.only.met(o, pkt) {
			continue
		}
		rtt := time.Duration(0)
		if !u.again {
			rtt = at.sub(u.sent)
		}
		u.hop.hears(rtt)
		heard = u.hop  // once, where it was asked under several restrictions
		u.again = true // of a symbolic entry, the next Data tells nothing
	}
}

// satisfy gives Data to those who wait for it in e.
func (f *Forwarder) satisfy(e *entry, from *face, pkt []byte, o *tlv.Object, at instant) {
	missed := false
	f.pit.retain(e, func(d *downstream) bool {
		if d.face == from || d.until <= at {
			return true
		}
		if !d.only.met(o, pkt) {
			missed = true
			return true
		}
		f.deliverTo(d, pkt, o)
		return d.longLife
	})
	if missed {
		f.drops.RestrictFail++
	}
}

// deliverTo gives Data to one who waits, or the Interest back, as far as it is
// remembered; once, where one face waits by several Interests.
func (f *Forwarder) deliverTo(d *downstream, pkt []byte, o *tlv.Object) {
	if d.face.given == f.count.RxData {
		return
	}
	d.face.given = f.count.RxData
	if f.deliver(d.face, pkt) || !d.returns {
		return
	}
	i := tlv.Interest{HopLimit: 1, Name: o.Name}
	if b, err := i.AppendTo(nil); err == nil {
		f.sendReturn(d.face, tlv.AppendReturn(nil, b, tlv.ReturnMTU))
	}
}

// symbolicWindow is how far behind the newest chunk one may be to reach symbolic
// consumers (SYMBOLIC_BACKBUFFER, sheet f).
const symbolicWindow = 100

// feed gives Data to the symbolic consumers of its name, who go on waiting.
func (f *Forwarder) feed(e *entry, from *face, pkt []byte, o *tlv.Object, at instant) {
	k, _ := o.Name.Chunk()
	if k+symbolicWindow < e.newest {
		return
	}
	e.newest = max(e.newest, k)
	for i := range e.downs {
		if d := &e.downs[i]; d.face != from && d.until > at {
			f.deliverTo(d, pkt, o)
		}
	}
}

// keeps reports whether Data goes into the store, and until when.
//
// What an application pushes is kept, unless it is registered for the name: then it
// can answer again, and its Data could only get older. (An answer to an Interest that
// was sent twice is no exception, though nobody waits for it.) What comes from the
// network is kept where its producer says for how long: else nobody here would know
// when it has changed.
func (f *Forwarder) keeps(from *face, o *tlv.Object, now time.Time) (until time.Time, ok bool) {
	until, ok = cacheable(o, now)
	switch {
	case !ok || !from.local() && until.IsZero():
		return until, false
	case from.local() && f.owns(from, o.Name):
		return until, false
	}
	return until, true
}

// owns reports whether a face is asked for name: as one of the applications that are
// registered for it, or, where there are none, by a route.
func (f *Forwarder) owns(fc *face, name tlv.Name) bool {
	f.apps = f.matchApps(f.apps[:0], name, nil)
	if len(f.apps) > 0 || !f.fib.uses(fc) {
		return slices.Contains(f.apps, fc)
	}
	r := f.routeFor(name, nil)
	return r != nil && r.hop(fc) != nil
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
