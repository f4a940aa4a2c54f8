package node

import (
	"net"
	"net/netip"

	"github.com/cefgo/cefgo/internal/transport"
)

// portFor is the UDP socket by which to reach a: the one that listens at the address
// that the system would send from, else one that only calls.
func (c *core) portFor(a netip.Addr) (*port, error) {
	if p := c.n.net.portTo(a); p != nil {
		return p, nil
	}
	if p := c.n.net.outFor(a); p != nil {
		return p, nil
	}
	any := netip.IPv4Unspecified()
	if a.Is6() {
		any = netip.IPv6Unspecified()
	}
	sock, err := transport.ListenPeers(netip.AddrPortFrom(any, 0))
	if err != nil {
		return nil, err
	}
	p := newPort(sock, false)
	c.n.net.addOut(a.Is6(), p)
	c.n.startPort(p)
	return p, nil
}

// portTo is the listening socket whose own address is the one from which the system
// would send to a, else one of all addresses; nil where there is none.
func (nw *network) portTo(a netip.Addr) (found *port) {
	from := sourceFor(a)
	for _, p := range nw.ports {
		l := p.sock.LocalAddr().Addr()
		switch {
		case nw.isGroups(p) || l.Is4() != a.Is4():
		case l.WithZone("") == from:
			return p
		case l.IsUnspecified():
			found = p
		}
	}
	return found
}

// sourceFor is the address from which the system sends to a; the zero Addr where it
// knows no way there.
func sourceFor(a netip.Addr) netip.Addr {
	// Nothing is sent: to connect a UDP socket only looks up the way.
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, transport.DefaultPort)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone("")
}
