package forward

import (
	"fmt"
	"math"
	"time"
)

// FaceID names a face; it is never used again.
type FaceID uint64

// Kind is what is behind a face.
type Kind uint8

// The kinds of faces.
const (
	App   Kind = iota // an application on this machine
	Link              // a neighbour: another forwarder, or an application over the network
	Group             // a multicast group, which only sends: answers come from Links
)

// Outlet is where a face's packets go.
type Outlet interface {
	// Send queues a copy of pkt and reports whether there was room for it. It never
	// waits.
	Send(pkt []byte) bool
}

// FaceOptions describe a face.
type FaceOptions struct {
	Kind Kind
	// MaxPacket is the largest packet that fits through it, in bytes; 0: any.
	MaxPacket int
	// Group is the multicast group by whose socket a neighbour is spoken to: only such
	// neighbours answer what the group was asked. 0: none.
	Group FaceID
	// OnMark, where set, is called when the first packet with cefgo's mark comes
	// from it.
	OnMark func()
}

// face is a connection or a peer. It stays known to those who point to it after it
// has gone.
type face struct {
	id     FaceID
	o      FaceOptions
	out    Outlet
	gone   bool
	down   bool   // for now nothing gets through
	breaks uint32 // how often it went down
	marked bool

	pending          int             // entries of the PIT in which it waits
	regs             map[string]bool // names that it is registered for
	hops             *nextHop        // the ways of routes that it is
	given            uint64          // the last Data that went there, by its number
	last             instant
	rx, tx           uint64 // packets
	rxBytes, txBytes uint64
}

func (fc *face) local() bool { return fc.o.Kind == App }

// send sends pkt and reports whether there was room.
func (fc *face) send(pkt []byte) bool {
	if fc.gone || !fc.out.Send(pkt) {
		return false
	}
	fc.tx++
	fc.txBytes += uint64(len(pkt))
	return true
}

func (fc *face) fits(n int) bool { return fc.o.MaxPacket == 0 || n <= fc.o.MaxPacket }

// instant is a time since the forwarder's beginning, in nanoseconds, by the monotonic
// clock.
type instant int64

func (i instant) add(d time.Duration) instant { return i + instant(d) }

func (i instant) sub(o instant) time.Duration { return time.Duration(i - o) }

const never = instant(math.MinInt64)

// AddFace makes a face whose packets go to out.
func (f *Forwarder) AddFace(out Outlet, o FaceOptions) FaceID {
	f.lastFace++
	f.faces[f.lastFace] = &face{id: f.lastFace, o: o, out: out, last: never}
	return f.lastFace
}

// RemoveFace forgets a face, its registrations and the routes by it. What it waits for
// lapses.
func (f *Forwarder) RemoveFace(id FaceID) {
	fc := f.faces[id]
	if fc == nil {
		return
	}
	fc.gone = true
	delete(f.faces, id)
	f.regs.drop(fc)
	f.fib.drop(fc)
}

// SetDown says whether anything gets through a face for now: routes by a face that is
// down are passed over.
func (f *Forwarder) SetDown(id FaceID, down bool) {
	if fc := f.faces[id]; fc != nil {
		if down && !fc.down {
			fc.breaks++
		}
		fc.down = down
	}
}

// Idle reports whether nothing has come from the face for d, nobody waits behind it, no
// route leads to it and nothing is registered there.
func (f *Forwarder) Idle(id FaceID, d time.Duration, now time.Time) bool {
	fc := f.faces[id]
	return fc != nil && fc.pending == 0 && len(fc.regs) == 0 && (fc.last == never || f.at(now).sub(fc.last) >= d) && !f.fib.uses(fc)
}

// Routed reports whether a route leads to the face.
func (f *Forwarder) Routed(id FaceID) bool {
	fc := f.faces[id]
	return fc != nil && f.fib.uses(fc)
}

// face is the face of that id; it fails where there is none.
func (f *Forwarder) face(id FaceID) (*face, error) {
	fc := f.faces[id]
	if fc == nil {
		return nil, fmt.Errorf("no face %d", id)
	}
	return fc, nil
}
