package testnet

import (
	"math"
	"net"
	"sync"
	"time"
)

// Network is one link that all Consumers share, with a Producer at its far end. Up
// carries Interests, down what answers them. It is meant for one testing/synctest
// bubble, in which it has to be made; outside of one it works in real time.
//
// Its methods, and those of its Consumers, may be called from several goroutines,
// but not by the producer. It has no goroutine of its own except where packets become
// due, and none when Close has returned.
type Network struct {
	producer Producer
	counts   map[uint64]int // nil: not counted
	start    time.Time

	// mu protects the following. Times count from start.
	mu        sync.Mutex
	up, down  direction
	far, near parcels // those that arrive at the producer, and at Consumers
	consumers []*Consumer
	request   Request
	// sent is when the Consumers sent what lies in their outboxes. It goes on the
	// link when that instant is over, in the order of the Consumers and not in that
	// in which their goroutines happened to run.
	sent    time.Duration
	sending bool
	// back is when the forwarder is there again; gone tells that it is still to come.
	back   time.Duration
	gone   bool
	closed bool
	timer  *time.Timer
	armed  time.Duration // when timer fires
}

// never is when a timer fires that is not set.
const never = time.Duration(math.MaxInt64)

// direction is a Shaper and what happens behind it.
type direction struct {
	*Shaper
	later Counters
}

// counters adds what was decided to what happened.
func (d *direction) counters() Counters {
	c := d.Shaper.Counters()
	c.Delivered, c.Socket = d.later.Delivered, d.later.Socket
	c.Outage += d.later.Outage
	return c
}

// Config of a Network. The zero value of each field works.
type Config struct {
	Up, Down Impairment
	Seed     uint64
	// Producer answers the Interests; nil answers none.
	Producer Producer
	// CountChunks makes Network.Interests and Request.Nth count.
	CountChunks bool
}

// NewNetwork returns a Network without Consumers.
func NewNetwork(c Config) *Network {
	n := &Network{producer: c.Producer, start: time.Now(), armed: never}
	n.up.Shaper = NewShaper(c.Up, c.Seed)
	n.down.Shaper = NewShaper(c.Down, ^c.Seed)
	n.request.net = n
	if c.CountChunks {
		n.counts = make(map[uint64]int)
	}
	n.timer = time.AfterFunc(time.Hour, n.onTimer)
	n.timer.Stop()
	return n
}

// SetUp changes what happens to Interests that are sent from now on.
func (n *Network) SetUp(im Impairment) { n.do(func() { n.up.Set(im) }) }

// SetDown changes what happens to answers that leave the producer from now on.
func (n *Network) SetDown(im Impairment) { n.do(func() { n.down.Set(im) }) }

// Restart is the forwarder ending and coming back: what is under way is lost, and all
// that is sent until it has been gone that long. Then each Consumer's Receive reports
// once that it is relinked. What a Consumer has yet to receive stays.
func (n *Network) Restart(gone time.Duration) {
	n.do(func() {
		n.up.Clear()
		n.down.Clear()
		for n.far.len() > 0 {
			p, _, slot := n.far.take()
			n.far.release(slot)
			n.lost(p)
		}
		n.down.later.Outage += uint64(n.near.clear())
		n.back, n.gone = max(n.back, n.now()+gone), true
		n.advance()
	})
}

// lost counts a packet that was under way to or at the producer.
func (n *Network) lost(p parcel) {
	if p.answer {
		n.down.Lose()
	} else {
		n.up.later.Outage++
	}
}

// Counters returns what both directions did so far.
func (n *Network) Counters() (up, down Counters) {
	n.do(func() { up, down = n.up.counters(), n.down.counters() })
	return up, down
}

// Interests is how many Interests for chunk k have reached the producer, of whatever
// name. It wants Config.CountChunks.
func (n *Network) Interests(k uint64) int {
	i := 0
	n.do(func() { i = n.counts[k] })
	return i
}

// Close ends the network: all under way is gone and every Receive fails with
// net.ErrClosed. A test in a bubble need not call it. It may be called twice.
func (n *Network) Close() {
	n.do(func() {
		n.closed = true
		n.timer.Stop()
		n.far.clear()
		n.near.clear()
		n.gone, n.sending = false, false
		for _, c := range n.consumers {
			c.fail(net.ErrClosed)
		}
	})
}

// do brings the network up to date, calls f and sees to it that what follows happens
// in time.
func (n *Network) do(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.advance()
	f()
	n.arm()
}
