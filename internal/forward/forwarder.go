// Package forward decides what a forwarder does with a packet: it owns the PIT, the
// FIB, the registrations of applications, the strategies, and which Data the content
// store keeps. It has no socket, clock or goroutine: one goroutine calls it, and every
// call brings its time along. It imports cs and tlv, and control for the words in
// which a forwarder tells its state.
package forward

import (
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/cs"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Options of a [Forwarder]. The zero value works.
type Options struct {
	// PITSize bounds the pending Interests. Default is 65535, as cefnetd's.
	PITSize int
	// FaceQuota bounds the entries of the PIT in which one face waits. Default is
	// three quarters of PITSize, which is what all neighbours together get at most.
	FaceQuota int
	// LinkLifetime and LinkSymbolicLifetime bound how long a neighbour's Interests are
	// pending. Default is 65.535 s, as for an application's.
	LinkLifetime, LinkSymbolicLifetime time.Duration
	// FIBSize bounds the next hops of all routes. Default is 2^20.
	FIBSize int
	// CacheBytes bounds the content store. Default is 64 MiB.
	CacheBytes int
	// Policy says what the content store gives up first. Default is cs.LRU.
	Policy cs.Policy
	// Strategy of a new route. Default is Best.
	Strategy Strategy
	// ReturnToAll sends Interest Returns to applications without cefgo's mark
	// too, as ENABLE_INTEREST_RETURN=1 does; Cefore's tools take the first one
	// for the end.
	ReturnToAll bool
	// AllowRemoteApps takes registrations from the network.
	AllowRemoteApps bool
	// NodeName is what CCNinfo calls this forwarder. Without one, it passes CCNinfo
	// on and answers none.
	NodeName tlv.Name
}

// Defaults of [Options].
const (
	DefaultPITSize    = 65535
	DefaultFIBSize    = 1 << 20
	DefaultCacheBytes = 64 << 20
)

// Forwarder is a forwarder's state.
type Forwarder struct {
	o        Options
	begin    time.Time
	faces    map[FaceID]*face
	lastFace FaceID
	regs     registrations
	fib      fib
	pit      *pit
	infos    infoTable
	store    *cs.Store

	nodeReply []byte // to a link request
	count     control.Packets
	drops     control.Drops

	// Scratch.
	ends    []int
	apps    []*face
	hops    []*nextHop
	scratch []byte
}

// networkQuota is in how many entries of the PIT all neighbours together may wait: the
// rest is for applications.
func (o *Options) networkQuota() int { return max(1, o.PITSize-o.PITSize/4) }

// New returns a forwarder without faces. now is the time before all others.
func New(o Options, now time.Time) *Forwarder {
	if o.PITSize == 0 {
		o.PITSize = DefaultPITSize
	}
	if o.FaceQuota == 0 {
		o.FaceQuota = o.networkQuota()
	}
	if o.FIBSize == 0 {
		o.FIBSize = DefaultFIBSize
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	return &Forwarder{
		o:         o,
		begin:     now,
		faces:     make(map[FaceID]*face),
		regs:      newRegistrations(),
		fib:       newFIB(o.FIBSize),
		pit:       newPIT(o.PITSize),
		nodeReply: tlv.AppendNodeReply(nil, o.PITSize),
		store:     cs.New(o.CacheBytes, o.Policy),
	}
}

func (f *Forwarder) at(now time.Time) instant { return instant(now.Sub(f.begin)) }

// Pending is the number of entries that may lapse: while there are any, Expire is to
// be called every [Tick].
func (f *Forwarder) Pending() int { return f.pit.len() + f.infos.len() }

// Expire ends what has lapsed.
func (f *Forwarder) Expire(now time.Time) {
	f.pit.expire(f.at(now))
	f.infos.expire(f.at(now))
}

// OnPacket takes a packet from a face. It is only read.
func (f *Forwarder) OnPacket(id FaceID, pkt []byte, now time.Time) {
	if from := f.faces[id]; from != nil {
		f.onPacket(from, pkt, now, nil)
	}
}

// OnGroupPacket takes a packet that its sender, the neighbour behind a face, sent to the
// multicast group behind another. Only what asks is taken, and it is not sent to that
// group again, nor returned: others hear it too, and one of them may have an answer.
func (f *Forwarder) OnGroupPacket(id, group FaceID, pkt []byte, now time.Time) {
	if from, by := f.faces[id], f.faces[group]; from != nil && by != nil {
		f.onPacket(from, pkt, now, by)
	}
}

func (f *Forwarder) onPacket(from *face, pkt []byte, now time.Time, group *face) {
	at := f.at(now)
	from.last = at
	from.rx++
	from.rxBytes += uint64(len(pkt))
	h, err := tlv.ParseHeader(pkt)
	if err != nil {
		f.drops.Malformed++
		return
	}
	switch h.Type {
	case tlv.PacketInterest:
		if string(pkt) == tlv.LinkRequest {
			f.onLinkRequest(from)
			return
		}
		a := arrival{from: from, pkt: pkt, now: now, at: at, group: group}
		if err := a.i.Decode(pkt); err != nil {
			f.drops.Malformed++
			f.returnMalformed(&a)
			return
		}
		f.onInterest(&a)
	case tlv.PacketObject:
		var o tlv.Object
		if err := o.Decode(pkt); err != nil {
			f.drops.Malformed++
			return
		}
		if group != nil {
			f.drops.Unexpected++
			return
		}
		f.onData(from, pkt, &o, now)
	case tlv.PacketReturn:
		var r tlv.Return
		switch {
		case r.Decode(pkt) != nil:
			f.drops.Malformed++
		case r.Validation.Check() != nil:
			f.drops.Corrupt++
		case group != nil:
			f.drops.Unexpected++
		default:
			f.onReturn(from, pkt, &r, at)
		}
	case tlv.PacketInfoRequest, tlv.PacketInfoReply:
		f.onInfo(from, pkt, now, group != nil)
	}
}

// onLinkRequest answers who asks whether a forwarder is here: an application of cefgo's
// learns more than a neighbour.
func (f *Forwarder) onLinkRequest(from *face) {
	if from.local() {
		from.send(f.nodeReply)
		f.mark(from)
		return
	}
	f.scratch = append(f.scratch[:0], tlv.LinkReply...)
	from.send(f.scratch)
}

// mark notes that a face is cefgo's: Cefore's tools never send a link request, nor
// the mark.
func (f *Forwarder) mark(fc *face) {
	if fc.marked {
		return
	}
	fc.marked = true
	if fc.o.OnMark != nil {
		fc.o.OnMark()
	}
}
