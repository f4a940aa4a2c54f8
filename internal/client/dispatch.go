package client

import (
	"bytes"

	"github.com/cefgo/cefgo/internal/tlv"
)

// dispatch hands a packet to whoever waits for it. pkt is the connection's.
func (c *Client) dispatch(pkt []byte) {
	t, name, err := tlv.PeekName(pkt)
	if err != nil {
		c.malformed.Add(1)
		c.log.Debug("malformed packet", "err", err)
		return
	}
	switch t {
	case tlv.PacketInterest:
		c.dispatchInterest(pkt, name)
	case tlv.PacketObject, tlv.PacketReturn:
		if string(pkt) == tlv.LinkReply {
			select {
			case c.alive <- struct{}{}:
			default:
			}
			return
		}
		if !c.dispatchAnswer(pkt, t, name) {
			c.unsolicited.Add(1)
			c.log.Debug("packet that nobody asked for", "type", t, "name", name)
		}
	default:
		c.unsolicited.Add(1)
	}
}

func (c *Client) dispatchAnswer(pkt []byte, t tlv.PacketType, name tlv.Name) bool {
	k, hasChunk := name.Chunk()
	c.mu.Lock()
	defer c.mu.Unlock()
	feeds := c.feeds[string(name.Bytes())]
	for _, f := range feeds {
		f.q.TryPut(pkt)
	}
	waiting := c.pending[nameKey{string(name.Bytes()), k, hasChunk}]
	if len(waiting) > 0 {
		c.answer(waiting, pkt, t)
	}
	return len(feeds)+len(waiting) > 0
}

// dispatchInterest hands an Interest to the longest prefix that it falls under.
func (c *Client) dispatchInterest(pkt []byte, name tlv.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best *Registration
	for _, r := range c.regs {
		if r.covers(name) && (best == nil || len(r.prefix.Bytes()) > len(best.prefix.Bytes())) {
			best = r
		}
	}
	switch {
	case best == nil:
		c.unsolicited.Add(1)
	case best.isProbe(name):
		best.answerProbe(name)
	default:
		best.q.TryPut(pkt)
	}
}

func (r *Registration) covers(name tlv.Name) bool {
	if r.match == Exact {
		return bytes.Equal(name.Bytes(), r.prefix.Bytes())
	}
	return name.HasPrefix(r.prefix)
}
