package testnet

import "time"

// onTimer does no more than it must: it has a small new stack, and what the producer
// does would make it grow each time.
func (n *Network) onTimer() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.armed = never
	now := n.now()
	n.produce(now, now-n.down.is.Delay)
	n.arrive(now)
	n.arm()
}

func (n *Network) now() time.Duration { return time.Since(n.start) }

// advance lets happen what has to by now.
func (n *Network) advance() {
	now := n.now()
	n.produce(now, now)
	n.arrive(now)
}

// produce lets happen what has to by until on the way to and at the producer. That may
// be late, which nobody sees: the producer is told its time, and no answer can arrive
// before the timer that arm sets.
func (n *Network) produce(now, until time.Duration) {
	if n.sending && until >= n.sent && (now > n.sent || n.lookahead() == 0) {
		n.flush()
	}
	for at, ok := n.far.next(); ok && at <= until; at, ok = n.far.next() {
		p, _, slot := n.far.take()
		n.atProducer(p, at)
		n.far.release(slot)
	}
}

// arrive lets Consumers have what has arrived by now.
func (n *Network) arrive(now time.Duration) {
	for at, ok := n.near.next(); ok && at <= now; at, ok = n.near.next() {
		p, _, slot := n.near.take()
		n.deliver(p)
		n.near.release(slot)
	}
	if n.gone && n.back <= now {
		n.gone = false
		for _, c := range n.consumers {
			c.relinked = true
			c.signal()
		}
	}
}

// lookahead is the least time from an Interest to its answer.
func (n *Network) lookahead() time.Duration { return n.up.is.Delay + n.down.is.Delay }

// arm sets the timer to the first time at which a Consumer could see something. It
// may fire too early, never too late.
func (n *Network) arm() {
	first := never
	if n.sending {
		first = n.sent + n.lookahead()
	}
	if at, ok := n.far.next(); ok {
		first = min(first, at+n.down.is.Delay)
	}
	if at, ok := n.near.next(); ok {
		first = min(first, at)
	}
	if n.gone {
		first = min(first, n.back)
	}
	if first < n.armed && !n.closed {
		n.armed = first
		n.timer.Reset(first - n.now())
	}
}

// flush puts what the Consumers have sent on the link.
func (n *Network) flush() {
	n.sending = false
	at := n.start.Add(n.sent)
	for _, c := range n.consumers {
		for i := range c.out.Len() {
			pkt := c.out.Packet(i)
			var v Verdict
			if n.sent < n.back {
				v = n.up.Lose()
			} else {
				v = n.up.Take(at, len(pkt))
			}
			for _, k := range v.Copies[:v.N] {
				n.far.put(n.sent+k.After, parcel{pkt: pkt[:k.Len], who: c})
			}
		}
		c.out.Reset(1 << 20)
	}
}

// atProducer hands an Interest to the producer, or an answer that it held back to the
// link.
func (n *Network) atProducer(p parcel, at time.Duration) {
	if p.answer {
		n.answer(p.pkt, p.who, at)
		return
	}
	n.up.later.Delivered++
	if n.producer == nil {
		return
	}
	n.request.open(p, n.start.Add(at))
	n.producer(&n.request)
	n.request.shut()
}

// answer puts a packet for c on the link down, at at.
func (n *Network) answer(pkt []byte, c *Consumer, at time.Duration) {
	v := n.down.Take(n.start.Add(at), len(pkt))
	for _, k := range v.Copies[:v.N] {
		n.near.put(at+k.After+c.delay, parcel{pkt: pkt[:k.Len], who: c})
	}
}

// deliver hands a packet to its Consumer.
func (n *Network) deliver(p parcel) {
	if p.who.accept(p.pkt) {
		n.down.later.Delivered++
	} else {
		n.down.later.Socket++
	}
}
