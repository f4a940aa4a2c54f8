package forward

import (
	"math"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// infoArrival is a CCNinfo packet and how it came.
type infoArrival struct {
	from  *face
	pkt   []byte // is only read
	i     tlv.Info
	name  tlv.Name // as the tables have it
	now   time.Time
	at    instant
	group bool // sent to a multicast group
}

// onInfo takes a CCNinfo packet (RFC 9344). Requests are answered and passed on as
// cefnetd does by default (sheet k): by everyone, about everything, but for a full
// discovery.
func (f *Forwarder) onInfo(from *face, pkt []byte, now time.Time, group bool) {
	f.count.RxInfo++
	a := infoArrival{from: from, pkt: pkt, now: now, at: f.at(now), group: group}
	f.infos.expire(a.at)
	if a.i.Decode(pkt) != nil {
		f.drops.Malformed++
		return
	}
	if a.i.Validation.Check() != nil {
		f.drops.Corrupt++
		return
	}
	a.name = narrow(a.i.Name)
	switch {
	case a.i.Type == tlv.PacketInfoRequest:
		f.onInfoRequest(&a)
	case group:
		f.drops.Unexpected++
	default:
		f.onInfoReply(&a)
	}
}

func (f *Forwarder) onInfoRequest(a *infoArrival) {
	skipped := a.i.SkipHop > 0
	switch {
	case skipped && a.i.HopLimit <= a.i.SkipHop: // it would end where nobody answers
		f.drops.HopLimit++
	case a.i.HopLimit == 0:
		f.drops.HopLimit++
		f.refuseInfo(a, tlv.InfoNoInfo)
	case a.i.Flags&tlv.InfoFlagFullDiscovery != 0:
		f.refuseInfo(a, tlv.InfoAdminProh)
	case !skipped && f.answerInfo(a):
	case a.i.HopLimit == 1:
		f.drops.HopLimit++
		f.refuseInfo(a, tlv.InfoNoInfo)
	case f.hasReported(&a.i):
		f.refuseInfo(a, tlv.InfoNoError) // that it is a loop is said by refuseInfo
	default:
		f.passInfo(a, skipped)
	}
}

// hasReported reports whether i has been here before.
func (f *Forwarder) hasReported(i *tlv.Info) bool {
	return slices.ContainsFunc(i.Reports, func(s tlv.InfoStamp) bool { return s.Node.Equal(f.o.NodeName) })
}

// passInfo sends a Request on to where an Interest would go, and remembers who asked
// whom.
func (f *Forwarder) passInfo(a *infoArrival, skipped bool) {
	key := infoKeyOf(a.i.RequestID, a.name)
	if f.infos.find(key) != nil {
		return // it came by another way too, or again
	}
	hops := f.infoHops(a)
	if len(hops) == 0 {
		f.drops.NoRoute++
		if !skipped {
			f.refuseInfo(a, tlv.InfoNoRoute)
		}
		return
	}
	pkt, err := tlv.AppendInfoHop(f.scratch[:0], a.pkt, f.infoStamp(a))
	hops = slices.DeleteFunc(hops, func(h *nextHop) bool { return !h.face.fits(len(pkt)) })
	if err != nil || len(hops) == 0 {
		f.refuseInfo(a, tlv.InfoNoSpace)
		return
	}
	f.scratch = pkt
	if f.infos.waiting[a.from] >= maxInfosOfFace {
		f.drops.FaceQuota++
		return
	}
	e := &infoEntry{key: key, down: a.from, until: a.at.add(infoTimeout)}
	for _, h := range hops {
		if h.face.send(pkt) {
			e.ups = append(e.ups, h.face)
		}
	}
	if len(e.ups) == 0 {
		return // no room in any queue: it is lost
	}
	if f.infos.add(e) {
		f.drops.PITFull++
	}
}

// infoHops are the next hops to which an Interest for the name would go now, but for
// applications, which do not speak CCNinfo. It takes no turn and no measure of them: a
// trace changes nothing for Interests.
func (f *Forwarder) infoHops(a *infoArrival) []*nextHop {
	f.hops = f.hops[:0]
	r := f.routeFor(a.name, a.from)
	if r == nil {
		return nil
	}
	usable := func(h *nextHop) bool { return leadsOn(h, a.from) && !h.face.local() }
	if r.strategy != All {
		turn := r.turn
		if h := r.pick(usable, a.at); h != nil {
			f.hops = append(f.hops, h)
		}
		r.turn = turn
		return f.hops
	}
	for _, h := range r.hops {
		if usable(h) {
			f.hops = append(f.hops, h)
		}
	}
	return f.hops
}

// leadsOn reports whether h can take what came from a face.
func leadsOn(h *nextHop, from *face) bool { return h.face != from && !h.face.gone && !h.face.down }

// onInfoReply hands a Reply, as it is, to who sent the Request. Each face that was
// asked may answer once; whose word is worth more is for the one to say who asked.
func (f *Forwarder) onInfoReply(a *infoArrival) {
	e := f.infos.find(infoKeyOf(a.i.RequestID, a.name))
	if e == nil || !e.expects(a.from) {
		f.drops.Unexpected++
		return
	}
	if e.heard = append(e.heard, a.from); e.done() {
		f.infos.remove(e)
	}
	f.sendInfo(e.down, a.pkt)
}

func (f *Forwarder) sendInfo(to *face, pkt []byte) {
	if !f.tooLarge(to, pkt) {
		to.send(pkt)
	}
}

// maxInfoReply bounds a Reply that is made here (sheet k).
const maxInfoReply = 1280

// refuseInfo tells who asked that no answer comes from here, and who says so. To a
// group others may have a better answer. Without a name there is nothing to say.
func (f *Forwarder) refuseInfo(a *infoArrival, code tlv.InfoCode) {
	if a.group || f.o.NodeName.IsZero() {
		return
	}
	if f.hasReported(&a.i) {
		code |= tlv.InfoFatal
	}
	if code&^tlv.InfoFatal != tlv.InfoNoSpace {
		pkt, err := tlv.AppendInfoError(f.scratch[:0], a.pkt, code, f.infoStamp(a))
		if err == nil && len(pkt) <= maxInfoReply {
			f.scratch = pkt
			f.sendInfo(a.from, pkt)
			return
		}
		code = code&tlv.InfoFatal | tlv.InfoNoSpace
	}
	pkt, err := tlv.AppendInfoError(f.scratch[:0], a.pkt, code, tlv.InfoStamp{})
	if err != nil || len(pkt) > maxInfoReply {
		f.drops.TooLarge++
		return
	}
	f.scratch = pkt
	f.sendInfo(a.from, pkt)
}

func (f *Forwarder) infoStamp(a *infoArrival) tlv.InfoStamp {
	return tlv.InfoStamp{Arrival: tlv.InfoArrival(a.now), Node: f.o.NodeName}
}

// answerInfo answers a Request for what is here, and reports whether there is
// anything: a publisher, first, as cefnetd has it, or Data in the store.
func (f *Forwarder) answerInfo(a *infoArrival) bool {
	if f.o.NodeName.IsZero() {
		return false
	}
	block := tlv.InfoBlock{Type: tlv.InfoBlockPublisher}
	if prefix, ok := f.publisherOf(a); ok {
		block.Name = prefix
		for i := range block.Counters {
			block.Counters[i] = math.MaxUint32 // only the publisher could tell
		}
	} else if block, ok = f.infoOfStore(a); !ok {
		return false
	}
	var blocks []tlv.InfoBlock
	if a.i.Flags&tlv.InfoFlagCache != 0 {
		blocks = append(blocks, block)
	}
	pkt, err := tlv.AppendInfoReply(f.scratch[:0], a.pkt, f.infoStamp(a), blocks)
	if err != nil || len(pkt) > maxInfoReply {
		f.refuseInfo(a, tlv.InfoNoSpace)
		return true
	}
	f.scratch = pkt
	f.sendInfo(a.from, pkt)
	return true
}

// publisherOf is the prefix under which an application here takes the Interests for the
// name: by its registration or by a route.
func (f *Forwarder) publisherOf(a *infoArrival) (prefix tlv.Name, ok bool) {
	f.apps = f.matchApps(f.apps[:0], a.name, a.from)
	if len(f.apps) > 0 {
		return f.registeredAs(f.apps[0], a.name), true
	}
	r := f.routeFor(a.name, a.from)
	if r == nil || !slices.ContainsFunc(r.hops, func(h *nextHop) bool { return leadsOn(h, a.from) && h.face.local() }) {
		return tlv.Name{}, false
	}
	prefix, err := tlv.NameFromBytes([]byte(r.key))
	return prefix, err == nil // a key is a name's
}

// registeredAs is the longest prefix of name under which matchApps found an
// application.
func (f *Forwarder) registeredAs(app *face, name tlv.Name) tlv.Name {
	segs := withoutReflexive(name).Bytes()
	ends := segmentEnds(nil, segs)
	for d := len(ends); d > 0; d-- {
		all, _ := f.regs.get(string(segs[:ends[d-1]]))
		if slices.ContainsFunc(all, func(g registration) bool { return g.face == app && (d == len(ends) || !g.exact) }) {
			segs = segs[:ends[d-1]]
			break
		}
	}
	prefix, err := tlv.NameFromBytes(segs)
	if err != nil {
		panic("forward: bug: a prefix of a name that is none: " + err.Error())
	}
	return prefix
}

// infoOfStore is what the store has of the name, unless only its publisher is asked
// for.
func (f *Forwarder) infoOfStore(a *infoArrival) (b tlv.InfoBlock, ok bool) {
	if a.i.Flags&tlv.InfoFlagPublisher != 0 {
		return b, false
	}
	sum, ok := f.store.Summarize(a.name, a.now)
	if !ok {
		return b, false
	}
	return tlv.InfoBlock{
		Type: tlv.InfoBlockCache,
		Name: a.i.Name,
		Counters: [...]uint32{
			clamp(sum.Bytes / 1024), clamp(sum.Objects), clamp(sum.Hits), clamp(sum.First), clamp(sum.Last),
			clamp(a.now.Sub(sum.Oldest) / time.Second), clamp(sum.Until.Sub(a.now) / time.Second), // 0: nothing lapses
		},
	}, true
}

// clamp is v as a counter of 32 bits.
func clamp[T int | uint64 | time.Duration](v T) uint32 {
	return uint32(min(uint64(max(v, 0)), math.MaxUint32))
}
