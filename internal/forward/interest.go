package forward

import (
	"math"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// arrival is an Interest and how it came.
type arrival struct {
	from  *face
	pkt   []byte // is only read
	i     tlv.Interest
	now   time.Time
	at    instant
	group *face // the multicast group that it was sent to; nil: none
	only  *restriction
	life  time.Duration // how long it is pending here
}

// asks is what an Interest asks of others.
func (a *arrival) asks() question {
	return question{only: a.only, hopLimit: a.i.HopLimit, until: a.at.add(a.life)}
}

// maxLifetime is the longest that an Interest stays pending, the most that Cefore's
// lifetime field holds.
const maxLifetime = math.MaxUint16 * time.Millisecond

func (f *Forwarder) onInterest(a *arrival) {
	if a.i.Validation.Check() != nil {
		f.drops.Corrupt++
		return
	}
	if a.i.Mark {
		f.mark(a.from)
	}
	if a.i.Command != tlv.CommandNone {
		f.onCommand(a.from, &a.i, a.at)
		return
	}
	f.count.RxInterests++
	a.i.Name = narrow(a.i.Name)
	kind := kindOf(&a.i)
	if kind == kindSymbolic {
		f.count.RxSymbolic++
	}
	switch {
	case a.i.HopLimit == 0:
		f.drops.HopLimit++
		f.giveBack(a, tlv.ReturnHopLimit)
		return
	case a.i.LifetimeOf() == 0:
		f.onCancel(a, kind)
		return
	case unknownHash(a.i.KeyID) || unknownHash(a.i.ObjectHash):
		f.giveBack(a, tlv.ReturnUnsupportedHash)
		return
	}
	if kind != kindSymbolic {
		if data := f.cached(&a.i, a.now); data != nil {
			if !f.deliver(a.from, data) {
				f.giveBack(a, tlv.ReturnMTU)
			}
			return
		}
	}
	f.pend(a, kind)
}

// lifetime is how long an Interest is pending. A neighbour may fill the table from afar,
// so that for its Interests cefnetd's bounds hold (sheet f).
func (f *Forwarder) lifetime(a *arrival) time.Duration {
	most := maxLifetime
	switch {
	case a.from.local():
	case a.i.Symbolic() && f.o.LinkSymbolicLifetime > 0:
		most = f.o.LinkSymbolicLifetime
	case !a.i.Symbolic() && f.o.LinkLifetime > 0:
		most = f.o.LinkLifetime
	}
	return min(a.i.LifetimeOf(), most)
}

func unknownHash(h tlv.Hash) bool { return h.Sum != nil && h.Type != tlv.HashSHA256 }

// pend enters an Interest into the PIT and passes it on.
func (f *Forwarder) pend(a *arrival, kind entryKind) {
	e, fresh := f.pit.obtain(a.i.Name, kind, a.at)
	if e == nil {
		f.drops.PITFull++
		f.giveBack(a, tlv.ReturnNoResources)
		return
	}
	a.only, a.life = restrictionOf(&a.i), f.lifetime(a)
	only := a.only
	again := e.down(a.from, only) != nil
	if !again && (a.from.pending >= f.o.FaceQuota || !a.from.local() && f.pit.network >= f.o.networkQuota() || only != nil && e.demands(a.from) >= maxDemands) {
		if fresh {
			f.pit.remove(e)
		}
		f.drops.FaceQuota++
		f.giveBack(a, tlv.ReturnNoResources)
		return
	}
	d := downstream{
		face: a.from, until: a.at.add(a.life),
		marked: a.i.Mark, returns: f.mayReturn(a.from, &a.i) && a.group == nil, longLife: a.i.LongLife(), only: only,
	}
	another := !again && e.similar(only, a.at)
	f.pit.wait(e, d)
	asked, spent := f.passToApps(a, e)
	if asked {
		return
	}
	code, ok := tlv.ReturnHopLimit, false
	if spent {
		f.drops.HopLimit++
	} else {
		code, ok = f.passToNetwork(a, e, another)
	}
	if ok || !f.mayReturn(a.from, &a.i) {
		if !ok {
			f.hold(a, e) // Data may come all the same, pushed by an application
		}
		return
	}
	f.pit.retain(e, func(d *downstream) bool { return d.face != a.from || !d.only.equal(only) })
	f.giveBack(a, code)
}

// passToApps hands an Interest to the applications registered for it, as it is: a
// local application gets every Interest for its names. It reports whether any was asked,
// and else whether there are some, but beyond the hop limit.
func (f *Forwarder) passToApps(a *arrival, e *entry) (asked, spent bool) {
	f.apps = f.matchApps(f.apps[:0], a.i.Name, a.from)
	for _, to := range f.apps {
		pkt := f.towards(to, a)
		if pkt == nil {
			continue
		}
		asked = true
		if to.send(pkt) {
			f.count.TxInterests++
		}
		if e != nil {
			e.ask(to, nil, a.asks(), a.at)
		}
	}
	return asked, !asked && len(f.apps) > 0
}

// passToNetwork sends an Interest to the next hops that the route's strategy picks,
// where RFC 8569 2.4.2 has it sent: the first one, one with a higher hop limit, and
// one that its own face asks again. another says that it is none of these but for the
// hop limit. ok is false where it got nowhere, and code says why.
func (f *Forwarder) passToNetwork(a *arrival, e *entry, another bool) (code tlv.ReturnCode, ok bool) {
	another = another && e.kind != kindSymbolic
	if another && e.asksNetwork(a, a.reach(), a.life/2) || e.circles(a) && e.asksNetwork(a, 0, 0) {
		f.count.Aggregated++
		return 0, true
	}
	r := f.routeFor(a.i.Name, a.from)
	if r == nil {
		f.drops.NoRoute++
		return tlv.ReturnNoRoute, false
	}
	lastHop := !a.from.local() && a.i.HopLimit == 1
	if lastHop && !slices.ContainsFunc(r.hops, func(h *nextHop) bool { return h.face.local() }) {
		f.drops.HopLimit++
		return tlv.ReturnHopLimit, false
	}
	f.hops = r.choose(f.hops[:0], a.from, a.passOver(), a.at)
	if len(f.hops) == 0 {
		if slices.ContainsFunc(r.hops, func(h *nextHop) bool { return !h.face.fits(len(a.pkt)) }) {
			f.drops.TooLarge++
			return tlv.ReturnMTU, false
		}
		f.drops.NoRoute++
		return tlv.ReturnPathError, false
	}
	e.hopLimit, e.passed = max(e.hopLimit, a.i.HopLimit), a.at
	if f.sendTo(f.hops, func(to *face) []byte { return f.towards(to, a) }, e, a.asks(), a.at) {
		return 0, true
	}
	return tlv.ReturnCongestion, false
}

// passOver is the next hops not to take: what came by a multicast group, everybody in it
// has heard; and through some faces a large one does not fit.
func (a *arrival) passOver() func(*nextHop) bool {
	if a.group == nil && len(a.pkt) <= fitsAnywhere {
		return nil
	}
	return func(h *nextHop) bool { return h.face == a.group || !h.face.fits(len(a.pkt)) }
}

// fitsAnywhere is how large a packet is that fits through any face, in bytes.
const fitsAnywhere = 128

// tooLarge counts a packet that does not fit through a face.
func (f *Forwarder) tooLarge(to *face, pkt []byte) bool {
	if to.fits(len(pkt)) {
		return false
	}
	f.drops.TooLarge++
	return true
}

// sendTo sends an Interest to next hops, as the packet that each gets, if any, and
// reports whether any had room for it.
func (f *Forwarder) sendTo(hops []*nextHop, pkt func(to *face) []byte, e *entry, q question, at instant) (sent bool) {
	for _, h := range hops {
		p := pkt(h.face)
		if p == nil || f.tooLarge(h.face, p) || !h.face.send(p) {
			continue
		}
		f.count.TxInterests++
		h.asks(at)
		q.hopLimit = p[hopLimitAt]
		e.ask(h.face, h, q, at)
		sent = true
	}
	return sent
}

// loopTime is how long after an Interest went to the network one from there with a lower
// hop limit is taken for the same one.
const loopTime = 50 * time.Millisecond

// circles reports whether a looks like an Interest that comes around a second time.
// Without this, one that is sent again, or is symbolic, would multiply at each hop of a
// mesh whose forwarders ask several others. Who asks again meanwhile from farther away
// than others do loses nothing: the network was asked just before.
func (e *entry) circles(a *arrival) bool {
	return !a.from.local() && a.i.HopLimit < e.hopLimit && a.at.sub(e.passed) < loopTime
}

// reach is the hop limit with which an Interest goes to a neighbour.
func (a *arrival) reach() uint8 {
	if a.from.local() || a.i.HopLimit == 0 {
		return a.i.HopLimit
	}
	return a.i.HopLimit - 1
}

// asksNetwork reports whether somebody beyond this machine was asked what a asks, at
// least so far, and may still answer for so long.
func (e *entry) asksNetwork(a *arrival, reach uint8, rest time.Duration) bool {
	for i := range e.ups {
		if u := &e.ups[i]; !u.face.local() && u.only.equal(a.only) && u.hopLimit >= reach && u.stands(a.at) && u.until.sub(a.at) >= rest {
			return true
		}
	}
	return false
}

// towards is an Interest as it goes to a face: from one neighbour to another with a hop
// limit lower by one, in scratch memory; nil where none is left.
func (f *Forwarder) towards(to *face, a *arrival) []byte {
	switch {
	case a.from.local() || to.local():
		return a.pkt
	case a.i.HopLimit <= 1:
		return nil
	}
	f.scratch = append(f.scratch[:0], a.pkt...)
	f.scratch[hopLimitAt]--
	return f.scratch
}

// hopLimitAt is where a packet has its hop limit (RFC 8609 3.2.1).
const hopLimitAt = 4

// onCancel takes an Interest of lifetime 0: its face no longer waits. Applications
// hear of each, neighbours that were asked when nobody waits any more.
func (f *Forwarder) onCancel(a *arrival, kind entryKind) {
	f.hops = f.hops[:0]
	if e := f.pit.find(a.i.Name, kind); e != nil && e.until() > a.at {
		for _, u := range e.ups {
			if !u.face.local() && u.hop != nil && u.face != a.from && !slices.Contains(f.hops, u.hop) {
				f.hops = append(f.hops, u.hop)
			}
		}
		if f.pit.retain(e, func(d *downstream) bool { return d.face != a.from }) {
			f.hops = f.hops[:0]
		}
	}
	if asked, _ := f.passToApps(a, nil); asked {
		return
	}
	if r := f.routeFor(a.i.Name, a.from); r != nil {
		for _, h := range r.hops {
			if h.face.local() && h.face != a.from {
				f.hops = append(f.hops, h)
			}
		}
	}
	for _, h := range f.hops {
		if pkt := f.towards(h.face, a); pkt != nil && h.face.send(pkt) {
			f.count.TxInterests++
		}
	}
}
