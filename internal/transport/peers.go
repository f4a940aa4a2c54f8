package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Peers carries packets to and from any number of UDP peers over one socket. Read
// and Write may run at the same time, each in one goroutine; the other methods may
// run at any time.
//
// A packet that is larger than the way to its peer goes as IP fragments, which
// routers may cut further: "don't fragment" is never asked for.
type Peers struct {
	inbox
	c     *net.UDPConn
	local netip.AddrPort

	// The following are Write's.
	out  *sender
	cut  [datagrams]bool // which of the packets given to out go as fragments
	mtus *mtus

	multicastMTU atomic.Int64 // of SetMulticast's interface; 0 is none set
	refused      atomic.Uint64
	tooLarge     atomic.Uint64
	fragmented   atomic.Uint64
}

// Datagram is what one datagram brought: at least one packet. The packets alias the
// socket's buffers until the next Read.
type Datagram struct {
	// From is the sender, with a zone where its address is link-local; an IPv4
	// address is never mapped into IPv6.
	From    netip.AddrPort
	Packets [][]byte
}

// PeersStats counts packets that did not go, or not in one piece, since the socket
// was made.
type PeersStats struct {
	Refused    uint64 // the system would not send them: no route, wrong family, a firewall's rule
	TooLarge   uint64 // over what UDP (65507 bytes over IPv4, 65527 over IPv6) or this system carries
	Fragmented uint64 // sent, as IP fragments: larger than the MTU towards their peer
}

// What a datagram needs for the headers of IP and UDP, in bytes.
const (
	headers4 = 28
	headers6 = 48
)

// udpWriteBuffer is what a socket for many peers should hold unsent, in bytes. The
// system may give less.
const udpWriteBuffer = 4 << 20

// ListenPeers makes the socket for a, whose port may be 0. An unspecified address
// is all of the host's of that family: a socket for IPv6 takes no IPv4.
func ListenPeers(a netip.AddrPort) (*Peers, error) {
	if !a.Addr().IsValid() {
		return nil, errors.New("listen udp: no address")
	}
	a = unmapped(a)
	c, err := net.ListenUDP(network("udp", a.Addr()), net.UDPAddrFromAddrPort(a))
	if err != nil {
		return nil, err
	}
	p, err := newPeers(c)
	if err != nil {
		c.Close()
		return nil, err
	}
	return p, nil
}

// newPeers owns c, unless it fails.
func newPeers(c *net.UDPConn) (*Peers, error) {
	_ = c.SetWriteBuffer(udpWriteBuffer)
	p := &Peers{c: c, local: localAddr(c), mtus: newMTUs()}
	if err := allowFragments(c, p.local.Addr()); err != nil {
		return nil, err
	}
	in, err := newInbox(c)
	if err != nil {
		return nil, err
	}
	p.inbox = in
	p.out, err = newSender(c)
	return p, err
}

func localAddr(c *net.UDPConn) netip.AddrPort {
	return unmapped(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// network is kind with the family of a: "udp4", "tcp6".
func network(kind string, a netip.Addr) string {
	if a.Is4() {
		return kind + "4"
	}
	return kind + "6"
}

// inbox reads datagrams from a socket.
type inbox struct {
	in    *receiver
	found []Datagram
	pkts  [][]byte
	// garbage counts bytes that are no packet's; nil: nobody counts them.
	garbage *atomic.Uint64
}

// CountGarbage has the bytes counted that come and are no packet's. It is called before
// the first Read.
func (r *inbox) CountGarbage(count *atomic.Uint64) { r.garbage = count }

func newInbox(c *net.UDPConn) (inbox, error) {
	_ = c.SetReadBuffer(udpReadBuffer)
	in, err := newReceiver(c)
	return inbox{in: in}, err
}

// Read waits for at least one packet and returns the datagrams that have arrived,
// as many as one system call brings. They are good until the next Read. What is no
// packet is left out, and a datagram without any. An error is the socket's end:
// [net.ErrClosed] after Close; that a peer cannot be reached is none.
func (r *inbox) Read() ([]Datagram, error) {
	for {
		n, err := r.in.receive()
		if err != nil {
			if aboutPeer(err) {
				continue
			}
			return nil, err
		}
		r.found, r.pkts = r.found[:0], r.pkts[:0]
		for i := range n {
			b, from := r.in.datagram(i)
			at := len(r.pkts)
			r.pkts = appendDatagram(r.pkts, b)
			end := len(r.pkts)
			if end > at {
				r.found = append(r.found, Datagram{from, r.pkts[at:end:end]})
			}
			for _, p := range r.pkts[at:end] {
				b = b[len(p):]
			}
			if r.garbage != nil {
				r.garbage.Add(uint64(len(b)))
			}
		}
		if len(r.found) > 0 {
			return r.found, nil
		}
	}
}

// aboutPeer reports whether a socket's error says something of one peer, or of
// this moment, and nothing of the socket.
func aboutPeer(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
		syscall.ENETDOWN, syscall.ENETRESET, syscall.EMSGSIZE, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EACCES,
		syscall.EPERM, syscall.ETIMEDOUT, syscall.EINTR, syscall.ENOBUFS, syscall.ENOMEM:
		return true
	}
	return false
}

// Write sends packet i of b to to[i], one datagram each, in order, and waits until
// the socket has taken them. A packet that cannot go to its peer is left out and
// counted ([PeersStats]). An error is the socket's end, after which nothing more is
// sent: [net.ErrClosed] after Close. b and to have the same length.
func (p *Peers) Write(b *tlv.Batch, to []netip.AddrPort) error {
	if b.Len() != len(to) {
		return fmt.Errorf("%d packets for %d destinations", b.Len(), len(to))
	}
	defer p.out.reset()
	for i := 0; i < b.Len(); {
		p.out.reset()
		for ; i < b.Len() && p.out.waiting() < datagrams; i++ {
			p.add(b.Packet(i), to[i])
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
	return nil
}

// add gives pkt to the sender, unless it cannot be sent.
func (p *Peers) add(pkt []byte, to netip.AddrPort) {
	to = unmapped(to)
	if !to.IsValid() || to.Addr().Is4() != p.local.Addr().Is4() {
		p.refused.Add(1)
		return
	}
	p.cut[p.out.waiting()] = p.exceeds(len(pkt), to.Addr())
	p.out.add(pkt, to)
}

// exceeds reports whether n bytes to a go as fragments.
func (p *Peers) exceeds(n int, a netip.Addr) bool {
	if n <= smallDatagram {
		return false
	}
	headers := headers6
	if a.Is4() {
		headers = headers4
	}
	mtu := p.mtu(a)
	return mtu > 0 && n+headers > mtu
}

// mtu is the largest IP packet that goes to a in one piece, in bytes; 0 is unknown.
func (p *Peers) mtu(a netip.Addr) int {
	if mtu := p.multicastMTU.Load(); mtu > 0 && a.IsMulticast() {
		return int(mtu)
	}
	return p.mtus.to(a, time.Now())
}

// flush sends what the sender was given, and passes over what cannot be sent.
func (p *Peers) flush() error {
	for at := 0; at < p.out.waiting(); {
		n, err := p.out.send(at)
		for _, cut := range p.cut[at : at+n] {
			if cut {
				p.fragmented.Add(1)
			}
		}
		at += n
		switch {
		case err == nil:
			continue
		case errors.Is(err, net.ErrClosed), errors.Is(err, syscall.EBADF), errors.Is(err, syscall.ENOTSOCK):
			return err
		case errors.Is(err, syscall.EMSGSIZE):
			p.tooLarge.Add(1)
		default:
			p.refused.Add(1)
		}
		at++
	}
	return nil
}

// SetMulticast makes packets to multicast addresses leave by ifi, with hops as their
// hop limit (0 to 255; 0 does not leave the host). A nil ifi leaves the choice to the
// system. Members on this host hear them too, and so does this node, if it is one.
func (p *Peers) SetMulticast(ifi *net.Interface, hops int) error {
	if hops < 0 || hops > 255 {
		return fmt.Errorf("a hop limit of %d: want 0 to 255", hops)
	}
	var err error
	if p.local.Addr().Is4() {
		c := ipv4.NewPacketConn(p.c)
		err = errors.Join(c.SetMulticastInterface(ifi), c.SetMulticastTTL(hops), c.SetMulticastLoopback(true))
	} else {
		c := ipv6.NewPacketConn(p.c)
		err = errors.Join(c.SetMulticastInterface(ifi), c.SetMulticastHopLimit(hops), c.SetMulticastLoopback(true))
	}
	if err != nil {
		return err
	}
	mtu := 0
	if ifi != nil {
		mtu = ifi.MTU
	}
	p.multicastMTU.Store(int64(mtu))
	return nil
}

// Stats are the counters as they are now.
func (p *Peers) Stats() PeersStats {
	return PeersStats{Refused: p.refused.Load(), TooLarge: p.tooLarge.Load(), Fragmented: p.fragmented.Load()}
}

// LocalAddr is the socket's address, with the port that the system chose.
func (p *Peers) LocalAddr() netip.AddrPort { return p.local }

// Close unblocks Read and Write and may be called more than once.
func (p *Peers) Close() error { return p.c.Close() }
