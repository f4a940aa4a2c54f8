package testnet

import "github.com/cefgo/cefgo/internal/tlv"

// Want adds names, whatever the chunk: from the first call on, what arrives for others
// takes its place in the socket but is not received. Before that all is.
func (c *Consumer) Want(names ...tlv.Name) {
	c.net.do(func() {
		c.sift()
		if c.wanted == nil {
			c.wanted = make(map[string]bool)
		}
		for _, n := range names {
			c.wanted[string(n.Bytes())] = true
		}
	})
}

// Forget takes names away. What has arrived for them is still received.
func (c *Consumer) Forget(names ...tlv.Name) {
	c.net.do(func() {
		c.sift()
		for _, n := range names {
			delete(c.wanted, string(n.Bytes()))
		}
	})
}

// sift moves what has arrived, and is wanted, from in to sifted.
func (c *Consumer) sift() {
	if c.wanted == nil { // then sifted is empty
		c.in, c.sifted = c.sifted, c.in
		return
	}
	for i := range c.in.Len() {
		pkt := c.in.Packet(i)
		_, name, err := tlv.PeekName(pkt)
		if err == nil && c.wanted[string(name.Bytes())] {
			c.sifted.Append(pkt)
		} else {
			c.count.Unwanted++
		}
	}
	c.in.Reset(1 << 20)
}
