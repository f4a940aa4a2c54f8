package forward

import "github.com/cefgo/cefgo/internal/tlv"

// mayReturn says whether who sent i wants to hear that nothing will come of it: a
// neighbour (RFC 8569 10), and an application with cefgo's mark. The others get
// Cefore's silence, and Data should some come in time.
func (f *Forwarder) mayReturn(from *face, i *tlv.Interest) bool {
	return (i.Mark || f.o.ReturnToAll || !from.local()) && !i.Symbolic()
}

// giveBack returns an Interest to its sender, where that wants to know.
func (f *Forwarder) giveBack(a *arrival, code tlv.ReturnCode) {
	if f.mayReturn(a.from, &a.i) && a.group == nil {
		f.scratch = tlv.AppendReturn(f.scratch[:0], a.pkt, code)
		f.sendReturn(a.from, f.scratch)
	}
}

func (f *Forwarder) sendReturn(to *face, pkt []byte) {
	if to.send(pkt) {
		f.count.TxReturns++
	}
}

// returnMalformed tells a neighbour of an Interest that does not decode, as far as it
// can be known for one: by its name.
func (f *Forwarder) returnMalformed(a *arrival) {
	h, err := tlv.ParseHeader(a.pkt)
	if err != nil || h.Length != len(a.pkt) || a.from.local() || a.group != nil {
		return
	}
	if _, _, err := tlv.PeekName(a.pkt); err == nil {
		f.scratch = tlv.AppendReturn(f.scratch[:0], a.pkt, tlv.ReturnMalformed)
		f.sendReturn(a.from, f.scratch)
	}
}

// onReturn takes a refusal by one that was asked. The next one that the strategy has
// is asked instead; where there is none and all have refused, it ends the waiting of
// those who want to know.
func (f *Forwarder) onReturn(from *face, pkt []byte, r *tlv.Return, at instant) {
	f.count.RxReturns++
	r.Name = narrow(r.Name)
	e := f.pit.find(r.Name, kindOf(&r.Interest))
	if e == nil || e.until() <= at {
		f.drops.Unexpected++
		return
	}
	only := restrictionOf(&r.Interest)
	u := e.up(from, only)
	if u == nil || u.refused {
		f.drops.Unexpected++
		return
	}
	if u.farther && r.Code == tlv.ReturnHopLimit {
		u.farther = false // it is the earlier one that has come to its end
		return
	}
	u.refused = true
	if u.hop != nil {
		u.hop.hears(0)
		f.askNext(e, u.question, from, pkt, r, at)
	}
	for i := range e.ups {
		if o := &e.ups[i]; o.only.equal(only) && o.stands(at) {
			return
		}
	}
	f.pit.retain(e, func(d *downstream) bool {
		if d.face == from || d.until <= at || !d.returns || !d.only.equal(only) {
			return true
		}
		f.sendReturn(d.face, pkt)
		return false
	})
}

// askNext sends the Interest that a next hop has returned to another one of its route.
func (f *Forwarder) askNext(e *entry, q question, from *face, pkt []byte, r *tlv.Return, at instant) {
	rt := f.routeBy(r.Name, from)
	if rt == nil {
		return
	}
	asked := func(h *nextHop) bool { return e.up(h.face, q.only) != nil || e.waits(h.face) }
	f.hops = rt.choose(f.hops[:0], nil, asked, at)
	f.scratch = append(f.scratch[:0], pkt...)
	f.scratch[typeAt], f.scratch[codeAt] = byte(tlv.PacketInterest), 0
	f.sendTo(f.hops, func(to *face) []byte {
		if r.HopLimit == 0 && !to.local() {
			return nil
		}
		return f.scratch
	}, e, q, at)
}

// Where a packet has its type and its return code (RFC 8609 3.2.1, 3.2.3).
const (
	typeAt = 1
	codeAt = 5
)
