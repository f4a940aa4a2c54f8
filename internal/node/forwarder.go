package node

import (
	"math"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/cs"
	"github.com/cefgo/cefgo/internal/tlv"
)

// outlet is where a face's packets go.
type outlet interface {
	send(pkt []byte) // copies, never waits
	close()
}

// counters of a forwarder, for its status.
type counters struct {
	rxInterest, txInterest       uint64
	rxRegular, rxSymbolic        uint64
	rxData, txData               uint64
	malformed, corrupt, rejected uint64
}

// forwarder decides what happens to a packet. One goroutine calls it; every call
// brings its time along.
type forwarder struct {
	returnToAll bool
	faces       map[faceID]outlet
	lastFace    faceID
	regs        registrations
	pit         *pit
	nodeReply   []byte // to a link request
	store       *cs.Store
	count       counters

	hops    []faceID // scratch
	scratch []byte
}

func newForwarder(o Options) *forwarder {
	return &forwarder{
		returnToAll: o.ReturnToAll,
		faces:       make(map[faceID]outlet),
		regs:        newRegistrations(),
		pit:         newPIT(o.PITSize),
		nodeReply:   tlv.AppendNodeReply(nil, o.PITSize),
		store:       cs.New(o.CacheBytes),
	}
}

// newFaceID returns an id that was never used.
func (f *forwarder) newFaceID() faceID {
	f.lastFace++
	return f.lastFace
}

// removeFace forgets a face and its registrations. What it waits for lapses.
func (f *forwarder) removeFace(id faceID) {
	delete(f.faces, id)
	f.regs.drop(id)
}

func (f *forwarder) expire(now time.Time) { f.pit.expire(now) }

// emit sends pkt to a face, if it is still there.
func (f *forwarder) emit(to faceID, pkt []byte) bool {
	out, ok := f.faces[to]
	if ok {
		out.send(pkt)
	}
	return ok
}

// onPacket takes a packet from a face. It is only read.
func (f *forwarder) onPacket(from faceID, pkt []byte, now time.Time) {
	h, err := tlv.ParseHeader(pkt)
	if err != nil {
		f.count.malformed++
		return
	}
	switch h.Type {
	case tlv.PacketInterest:
		if string(pkt) == tlv.LinkRequest {
			f.emit(from, f.nodeReply)
			return
		}
		var i tlv.Interest
		if f.sound(i.Decode(pkt), &i.Validation) {
			f.onInterest(from, pkt, &i, now)
		}
	case tlv.PacketObject:
		var o tlv.Object
		if err := o.Decode(pkt); err != nil {
			f.count.malformed++
			return
		}
		f.onData(from, pkt, &o, now)
	case tlv.PacketReturn:
		var r tlv.Return
		if f.sound(r.Decode(pkt), &r.Validation) {
			f.onReturn(from, pkt, &r, now)
		}
	}
}

// sound counts and refuses what did not decode or fails its checksum.
func (f *forwarder) sound(err error, v *tlv.Validation) bool {
	if err != nil {
		f.count.malformed++
		return false
	}
	if v.Check() != nil {
		f.count.corrupt++
		return false
	}
	return true
}

func (f *forwarder) onInterest(from faceID, pkt []byte, i *tlv.Interest, now time.Time) {
	if i.Command != tlv.CommandNone {
		f.onCommand(from, i)
		return
	}
	f.count.rxInterest++
	i.Name = narrow(i.Name)
	kind := kindOf(i)
	if kind == kindSymbolic {
		f.count.rxSymbolic++
	} else {
		f.count.rxRegular++
	}
	if i.HopLimit == 0 {
		f.giveBack(from, pkt, i, tlv.ReturnHopLimit)
		return
	}
	if i.LifetimeOf() == 0 {
		f.onCancel(from, pkt, i, kind)
		return
	}
	if kind != kindSymbolic {
		if data := f.cached(i, now); data != nil {
			f.count.txData++
			f.emit(from, data)
			return
		}
	}
	e := f.pit.obtain(i.Name, kind)
	if e == nil {
		f.count.rejected++
		f.giveBack(from, pkt, i, tlv.ReturnNoResources)
		return
	}
	f.pit.wait(e, downstream{
		face: from, until: now.Add(min(i.LifetimeOf(), maxLifetime)), marked: i.Mark, longLife: i.LongLife(),
		keyID: string(i.KeyID.Sum), hash: string(i.ObjectHash.Sum),
	})
	asked := f.pass(from, pkt, i)
	for _, a := range asked {
		if !slices.Contains(e.asked, a) {
			e.asked = append(e.asked, a)
		}
	}
	if len(asked) == 0 && f.mayReturn(i) {
		f.pit.cancel(e, from)
		f.giveBack(from, pkt, i, tlv.ReturnNoRoute)
	}
}

// maxLifetime is the longest that an Interest stays pending, the most that Cefore's
// lifetime field holds.
const maxLifetime = math.MaxUint16 * time.Millisecond

// pass hands an Interest to the applications registered for it, as it is: a local
// application gets every Interest for its names. It returns them, valid until the
// next packet.
func (f *forwarder) pass(from faceID, pkt []byte, i *tlv.Interest) []faceID {
	f.hops = f.regs.match(f.hops[:0], i.Name, from)
	for _, to := range f.hops {
		if f.emit(to, pkt) {
			f.count.txInterest++
		}
	}
	return f.hops
}

// onCancel takes an Interest of lifetime 0: its face no longer waits.
func (f *forwarder) onCancel(from faceID, pkt []byte, i *tlv.Interest, kind entryKind) {
	if e := f.pit.find(i.Name, kind); e != nil {
		f.pit.cancel(e, from)
	}
	f.pass(from, pkt, i)
}

// mayReturn says whether the sender of i wants to hear that there is no route. The
// others get Cefore's silence, and Data should some come in time.
func (f *forwarder) mayReturn(i *tlv.Interest) bool {
	return (i.Mark || f.returnToAll) && !i.Symbolic()
}

func (f *forwarder) giveBack(to faceID, pkt []byte, i *tlv.Interest, code tlv.ReturnCode) {
	if f.mayReturn(i) {
		f.scratch = tlv.AppendReturn(f.scratch[:0], pkt, code)
		f.emit(to, f.scratch)
	}
}

// onReturn takes an application's refusal. It ends the waiting of those who want
// to know, once every application asked has refused.
func (f *forwarder) onReturn(from faceID, pkt []byte, r *tlv.Return, now time.Time) {
	r.Name = narrow(r.Name)
	e := f.pit.find(r.Name, kindOf(&r.Interest))
	if e == nil || !slices.Contains(e.asked, from) {
		return
	}
	// One application may refuse several times, and one that is gone never does.
	e.asked = slices.DeleteFunc(e.asked, func(a faceID) bool { return a == from || f.faces[a] == nil })
	if len(e.asked) > 0 {
		return
	}
	rest := e.downs[:0]
	for _, d := range e.downs {
		if d.face != from && d.until.After(now) && (d.marked || f.returnToAll) && !r.Symbolic() {
			f.emit(d.face, pkt)
		} else {
			rest = append(rest, d)
		}
	}
	f.pit.retain(e, rest)
}

// onCommand takes an application's command. There is no answer (sheet e).
func (f *forwarder) onCommand(from faceID, i *tlv.Interest) {
	name := i.Name.WithoutChunk()
	switch i.Command {
	case tlv.CommandRegister:
		f.register(name, registration{face: from, exact: true})
	case tlv.CommandRegPrefix:
		f.register(name, registration{face: from})
	case tlv.CommandDeregister:
		f.regs.remove(name, from, false)
	case tlv.CommandRouteAdd:
		f.register(name, registration{face: from, route: true})
	case tlv.CommandRouteDel:
		f.regs.remove(name, from, true)
	default:
		f.count.rejected++
	}
}

func (f *forwarder) register(name tlv.Name, reg registration) {
	if !f.regs.add(name, reg) {
		f.count.rejected++
	}
}
