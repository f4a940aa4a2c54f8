package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// NeighbourConn is a TCP connection between forwarders. What is no packet is
// skipped, texts as well: a neighbour has no business to send any.
type NeighbourConn interface {
	Conn
	// RemoteAddr is the other end; an IPv4 address is never mapped into IPv6.
	RemoteAddr() netip.AddrPort
}

// neighbour is a NeighbourConn.
type neighbour struct {
	*stream
	remote netip.AddrPort
}

func (n *neighbour) RemoteAddr() netip.AddrPort { return n.remote }

// keepAlive finds out within a minute that an idle neighbour is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// newNeighbour makes a NeighbourConn of c, which it owns.
func newNeighbour(c *net.TCPConn) *neighbour {
	_ = c.SetNoDelay(true)
	_ = c.SetKeepAliveConfig(keepAlive)
	return &neighbour{newStream(c, deaf), unmapped(c.RemoteAddr().(*net.TCPAddr).AddrPort())}
}

// DialNeighbour connects to the forwarder at a, whose network is "tcp", as one
// forwarder to another. [Dial] is for clients, who never guess where a packet
// starts.
func DialNeighbour(ctx context.Context, a Address) (NeighbourConn, error) {
	if a.Network != "tcp" {
		return nil, fmt.Errorf("%v is no TCP address", a)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, a.Network, a.Addr)
	if err != nil {
		return nil, err
	}
	return newNeighbour(c.(*net.TCPConn)), nil
}

// TCPListener accepts neighbours.
type TCPListener struct{ l *net.TCPListener }

// ListenTCP listens at a, whose port may be 0. An unspecified address is all of the
// host's of that family: one of IPv6 takes no IPv4.
func ListenTCP(a netip.AddrPort) (*TCPListener, error) {
	if !a.Addr().IsValid() {
		return nil, errors.New("listen tcp: no address")
	}
	a = unmapped(a)
	l, err := net.ListenTCP(network("tcp", a.Addr()), net.TCPAddrFromAddrPort(a))
	if err != nil {
		return nil, err
	}
	return &TCPListener{l}, nil
}

// Accept waits for the next neighbour. It fails with net.ErrClosed after Close;
// another error may pass, such as the process having no descriptor left.
func (l *TCPListener) Accept() (NeighbourConn, error) {
	c, err := l.l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return newNeighbour(c), nil
}

// LocalAddr is the listener's address, with the port that the system chose.
func (l *TCPListener) LocalAddr() netip.AddrPort {
	return unmapped(l.l.Addr().(*net.TCPAddr).AddrPort())
}

// Close stops listening and unblocks Accept; connections stay.
func (l *TCPListener) Close() error { return l.l.Close() }
