package forward

import "github.com/cefgo/cefgo/internal/tlv"

// warmFrom is how many entries of the PIT are too many for the processor's cache.
const warmFrom = 1 << 14

// Warm is told of packets before they are handed over one by one. It looks at the places
// of the PIT that they will need, so that the processor fetches these side by side and
// not one after the other; with a million entries, that is most of what a packet costs.
// It changes nothing.
func (f *Forwarder) Warm(b *tlv.Batch) {
	if f.pit.len() >= warmFrom {
		f.pit.warm(b)
	}
}

// warm looks up the packets of b. Each loop has only reads in it of which none waits for
// the one before.
func (p *pit) warm(b *tlv.Batch) {
	tags := p.tags[:0]
	for i := range b.Len() {
		if t, name, err := tlv.PeekName(b.Packet(i)); err == nil && t <= tlv.PacketReturn {
			tags = append(tags, p.tagOf(narrow(name), kindFor(name)))
		}
	}
	p.tags = tags
	x := &p.index
	found := uint32(0)
	for i, tag := range tags {
		// The number there, or, as a rule, next to it.
		s := x.slots[x.home(tag)]
		if s.tag != tag {
			s = x.slots[x.after(x.home(tag))]
		}
		tags[i] = 0
		if s.used() && s.tag == tag {
			tags[i] = s.plus1
		}
	}
	for _, plus1 := range tags {
		if plus1 != 0 {
			e := p.entry(plus1 - 1)
			found += e.number + uint32(e.kind) + uint32(e.newest) + uint32(e.name1[inlineName-1]) + uint32(e.down1[0].until) + e.up1[0].breaks
		}
	}
	p.seen += found
}
