package testnet

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Producer answers an Interest that has reached the far end: at once, later, several
// times or not at all. It is called with the Network locked, for one Interest after
// the other in the order of their arrival. It must not call the Network, for which
// it would wait for ever (a goroutine that it starts may), and takes the time from the
// Request: by the clock it may be later.
type Producer func(r *Request)

// Request is an Interest at the far end. It is valid while the Producer runs.
type Request struct {
	At     time.Time // when it arrived
	Packet []byte    // memory of the Network
	From   *Consumer

	net *Network
	nth int
}

// Name returns the Interest's name, which aliases Packet.
func (r *Request) Name() (tlv.Name, error) {
	_, name, err := tlv.PeekName(r.Packet)
	return name, err
}

// Chunk returns the number of the chunk asked for; ok is false where there is none.
func (r *Request) Chunk() (k uint64, ok bool) {
	name, err := r.Name()
	if err != nil {
		return 0, false
	}
	return name.Chunk()
}

// Nth tells how many Interests for this chunk have arrived, this one included. It
// wants Config.CountChunks.
func (r *Request) Nth() int { return r.nth }

// Reply sends pkt, which it copies, to the consumer that asked.
func (r *Request) Reply(pkt []byte) { r.ReplyAfter(0, pkt) }

// ReplyAfter does so d after the Interest's arrival.
func (r *Request) ReplyAfter(d time.Duration, pkt []byte) {
	if r.From == nil {
		panic("testnet: a Request is answered after its Producer returned; see ReplyAfter")
	}
	at := r.At.Sub(r.net.start) + d
	if d > 0 {
		r.net.far.put(at, parcel{pkt: pkt, who: r.From, answer: true})
		return
	}
	r.net.answer(pkt, r.From, at)
}

func (r *Request) open(p parcel, at time.Time) {
	r.At, r.Packet, r.From, r.nth = at, p.pkt, p.who, 0
	if r.net.counts == nil {
		return
	}
	if k, ok := r.Chunk(); ok {
		r.net.counts[k]++
		r.nth = r.net.counts[k]
	}
}

func (r *Request) shut() { r.Packet, r.From = nil, nil }
