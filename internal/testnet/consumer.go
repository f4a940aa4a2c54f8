package testnet

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Consumer is the near end of a Network: pipeline's Link. One goroutine receives.
type Consumer struct {
	net    *Network
	ready  chan struct{}
	delay  time.Duration
	socket int

	// Network.mu protects the following.
	out      tlv.Batch
	in       tlv.Batch       // arrived
	sifted   tlv.Batch       // arrived before, and wanted
	unread   int             // packets arrived since the last Receive
	wanted   map[string]bool // nil: all
	relinked bool
	err      error
	count    ConsumerCounters
}

// ConsumerConfig of a Consumer. The zero value of each field works.
type ConsumerConfig struct {
	// Delay is added to the way of each answer to this Consumer, behind the link that
	// is shared: a longer round trip than that of others.
	Delay time.Duration
	// Socket bounds the packets that lie unread, as the unix socket of an application
	// does: cefnetd drops what exceeds it without a word. It holds about 93 packets of
	// 1 KB. 0 is no bound.
	Socket int
}

// ConsumerCounters are what went through one Consumer.
type ConsumerCounters struct {
	Sent       uint64 // Interests, lost ones included
	Received   uint64 // packets that Receive moved out
	Socket     uint64 // packets dropped as too many were unread
	Unwanted   uint64 // packets of names that are not wanted
	PeakUnread int    // packets
}

// Consumer adds a Consumer, at any time.
func (n *Network) Consumer(cfg ConsumerConfig) *Consumer {
	c := &Consumer{net: n, ready: make(chan struct{}, 1), delay: cfg.Delay, socket: cfg.Socket}
	n.do(func() { n.consumers = append(n.consumers, c) })
	return c
}

// TrySend puts all packets of b, which stays the caller's, on the link up.
func (c *Consumer) TrySend(b *tlv.Batch) {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	n.advance()
	if n.closed {
		return
	}
	for i := range b.Len() {
		c.out.Append(b.Packet(i))
	}
	c.count.Sent += uint64(b.Len())
	n.sent, n.sending = n.now(), true
	n.arm()
}

// Ready yields a token when there may be something to receive.
func (c *Consumer) Ready() <-chan struct{} { return c.ready }

// Receive empties b and moves into it what has arrived. relinked is true once after
// each Restart. The error is that of Fail or Close.
func (c *Consumer) Receive(b *tlv.Batch) (relinked bool, err error) {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	n.advance()
	n.arm()
	b.Reset(1 << 20)
	select {
	case <-c.ready: // it told of what is received here
	default:
	}
	if c.err != nil {
		return false, c.err
	}
	c.sift()
	*b, c.sifted, c.unread = c.sifted, *b, 0
	c.count.Received += uint64(b.Len())
	relinked, c.relinked = c.relinked, false
	return relinked, nil
}

// Fail makes Receive fail with err from now on.
func (c *Consumer) Fail(err error) { c.net.do(func() { c.fail(err) }) }

// Counters returns what went through c so far.
func (c *Consumer) Counters() (count ConsumerCounters) {
	c.net.do(func() { count = c.count })
	return count
}

func (c *Consumer) fail(err error) {
	c.err = err
	c.signal()
}

// accept takes a packet that has arrived, or reports false where it finds no room.
func (c *Consumer) accept(pkt []byte) bool {
	if c.socket > 0 && c.unread >= c.socket {
		c.count.Socket++
		return false
	}
	c.in.Append(pkt)
	c.unread++
	c.count.PeakUnread = max(c.count.PeakUnread, c.unread)
	c.signal()
	return true
}

func (c *Consumer) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}
