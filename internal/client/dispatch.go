package client

import (
	"bytes"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// dispatch hands packets, which came from conn, to whoever waits for them. b is empty
// then, or its packets are of no further use.
func (c *Client) dispatch(conn transport.Conn, b *tlv.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	run := run{b: b}
	for i := range b.Len() {
		pkt := b.Packet(i)
		t, name, err := tlv.PeekName(pkt)
		if err != nil {
			c.malformed.Add(1)
			c.log.Debug("malformed packet", "err", err)
			continue
		}
		switch t {
		case tlv.PacketInterest:
			c.dispatchInterest(&run, i, name)
		case tlv.PacketObject, tlv.PacketReturn:
			if c.isLinkReply(conn, pkt) {
				continue
			}
			if !c.dispatchAnswer(&run, i, t, name) {
				c.unsolicited.Add(1)
				c.log.Debug("packet that nobody asked for", "type", t, "name", name)
			}
		default:
			c.unsolicited.Add(1)
		}
	}
	run.finish()
}

// isLinkReply takes a forwarder's sign of life, if pkt is one. mu is held.
func (c *Client) isLinkReply(conn transport.Conn, pkt []byte) bool {
	size, node := tlv.ParseNodeReply(pkt)
	if !node && string(pkt) != tlv.LinkReply {
		return false
	}
	if node {
		transport.Unlimit(conn)
	}
	if c.cfg.OnPeer != nil {
		c.cfg.OnPeer(Peer{node, size})
	}
	c.linkReplies++
	select {
	case c.alive <- struct{}{}:
	default:
	}
	return true
}

// run is packets one behind the other that go to one queue, which takes them at once.
type run struct {
	b       *tlv.Batch
	to      *transport.Queue
	from, n int // packets from to n-1 of b are the run's
}

// add puts packet i into q, at the latest when the run ends.
func (r *run) add(q *transport.Queue, i int) {
	if q != r.to || i != r.n {
		r.end()
		r.to, r.from = q, i
	}
	r.n = i + 1
}

// end puts the run's packets.
func (r *run) end() {
	if r.to != nil {
		r.to.TryPutRange(r.b, r.from, r.n)
	}
	r.to = nil
}

// finish is end where nothing comes after: what all goes to one queue is handed over.
func (r *run) finish() {
	if r.to == nil || r.from > 0 || r.n < r.b.Len() {
		r.end()
		return
	}
	r.to.TryTake(r.b)
}

// dispatchAnswer hands over packet i. mu is held.
func (c *Client) dispatchAnswer(r *run, i int, t tlv.PacketType, name tlv.Name) bool {
	feeds := c.feeds[string(name.Bytes())]
	for _, f := range feeds {
		r.add(f.q, i)
	}
	if len(c.pending) == 0 {
		return len(feeds) > 0
	}
	k, hasChunk := name.Chunk()
	waiting := c.pending[nameKey{string(name.Bytes()), k, hasChunk}]
	if len(waiting) > 0 {
		c.answer(waiting, r.b.Packet(i), t)
	}
	return len(feeds)+len(waiting) > 0
}

// dispatchInterest hands an Interest to the longest prefix that it falls under. mu is
// held.
func (c *Client) dispatchInterest(r *run, i int, name tlv.Name) {
	var best *Registration
	for _, reg := range c.regs {
		if reg.covers(name) && (best == nil || len(reg.prefix.Bytes()) > len(best.prefix.Bytes())) {
			best = reg
		}
	}
	switch {
	case best == nil:
		c.unsolicited.Add(1)
	case best.isProbe(name):
		best.answerProbe(name)
	default:
		r.add(best.q, i)
	}
}

func (r *Registration) covers(name tlv.Name) bool {
	if r.match == Exact {
		return bytes.Equal(name.Bytes(), r.prefix.Bytes())
	}
	return name.HasPrefix(r.prefix)
}
