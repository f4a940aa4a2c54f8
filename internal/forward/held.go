package forward

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Bounds of the Interests that are kept for an application to come: how many, and how
// large each may be, in bytes.
const (
	maxHeld      = 1024
	maxHeldBytes = 2048
)

// heldInterest is an Interest that nobody was there to take.
type heldInterest struct {
	seq  uint64 // in the order in which they came
	pkt  []byte
	only *restriction
}

// hold keeps an Interest of an application that nobody is there to take, as long as it
// is pending. A registration that is on its way over another connection may be
// overtaken by it: cefpyco's programs register and ask in one breath, and with cefnetd,
// which reads its connections in turn, that works.
func (f *Forwarder) hold(a *arrival, e *entry) {
	if a.from.local() && len(f.pit.held) < maxHeld && len(a.pkt) <= maxHeldBytes {
		f.pit.heldSeq++
		f.pit.held[e] = heldInterest{f.pit.heldSeq, bytes.Clone(a.pkt), a.only}
	}
}

// handOver gives an application that has just registered the Interests that waited for
// one, in the order in which they came.
func (f *Forwarder) handOver(prefix tlv.Name, to *face, at instant) {
	var waiting []*entry
	for e := range f.pit.held {
		if prefix.IsDefault() || bytes.HasPrefix(e.segs, prefix.Bytes()) || hasReflexive(e.segs) {
			waiting = append(waiting, e)
		}
	}
	slices.SortFunc(waiting, func(a, b *entry) int { return cmp.Compare(f.pit.held[a].seq, f.pit.held[b].seq) })
	for _, e := range waiting {
		takes := func(d downstream) bool { return d.until > at && d.face != to && f.isAsked(to, e.name(), d.face) }
		if len(e.ups) == 0 && slices.ContainsFunc(e.downs, takes) && to.send(f.pit.held[e].pkt) {
			f.count.TxInterests++
			h := f.pit.held[e]
			e.ask(to, nil, question{only: h.only, hopLimit: h.pkt[hopLimitAt], until: e.until()}, at)
		}
	}
}

// isAsked reports whether an application is among those to whom an Interest for name
// goes that comes from another.
func (f *Forwarder) isAsked(fc *face, name tlv.Name, from *face) bool {
	f.apps = f.matchApps(f.apps[:0], name, from)
	if len(f.apps) > 0 {
		return slices.Contains(f.apps, fc)
	}
	r := f.routeFor(name, from)
	return r != nil && r.hop(fc) != nil
}
