package transport

import (
	"net/netip"
	"time"
)

// smallDatagram is what any way is taken to carry in one piece, in bytes of payload:
// every IPv4 host takes a packet of 576 bytes (RFC 1122 3.3.2), and IPv6 carries more.
const smallDatagram = 576 - headers4

// mtus remembers how large an IP packet to each destination may be to go in one
// piece.
type mtus struct {
	known  map[netip.Addr]mtu
	lookup func(netip.Addr) int
}

type mtu struct {
	bytes int
	until time.Time
}

// maxMTUs bounds the destinations remembered; where there are more, any of them is
// looked up again when its turn comes.
const maxMTUs = 4096

// mtuAge is how long what was found is believed: routes change.
const mtuAge = time.Minute

func newMTUs() *mtus { return &mtus{known: map[netip.Addr]mtu{}, lookup: pathMTU} }

// to is the largest IP packet that goes to a in one piece, in bytes; 0 is unknown.
func (m *mtus) to(a netip.Addr, now time.Time) int {
	known, ok := m.known[a]
	if ok && now.Before(known.until) {
		return known.bytes
	}
	if !ok && len(m.known) >= maxMTUs {
		for other := range m.known {
			delete(m.known, other)
			break
		}
	}
	known = mtu{m.lookup(a), now.Add(mtuAge)}
	m.known[a] = known
	return known.bytes
}
