//go:build !linux

package transport

import (
	"net"
	"net/netip"

	"github.com/cefgo/cefgo/internal/tlv"
)

// receiver receives one datagram at a time.
type receiver struct {
	c    *net.UDPConn
	buf  []byte
	n    int
	from netip.AddrPort
}

func newReceiver(c *net.UDPConn) (*receiver, error) {
	return &receiver{c: c, buf: make([]byte, tlv.MaxPacketLen)}, nil
}

// receive waits for datagrams and returns how many have come.
func (r *receiver) receive() (int, error) {
	n, from, err := r.c.ReadFromUDPAddrPort(r.buf)
	if err != nil {
		return 0, err
	}
	r.n, r.from = n, unmapped(from)
	return 1, nil
}

// datagram is what receive brought as number i.
func (r *receiver) datagram(int) ([]byte, netip.AddrPort) { return r.buf[:r.n], r.from }

// sender takes up to [datagrams] datagrams at a time.
type sender struct {
	c    *net.UDPConn
	n    int
	pkts [datagrams][]byte
	to   [datagrams]netip.AddrPort
}

func newSender(c *net.UDPConn) (*sender, error) { return &sender{c: c}, nil }

// reset forgets all packets.
func (s *sender) reset() {
	clear(s.pkts[:s.n])
	s.n = 0
}

// waiting is the number of packets added since reset.
func (s *sender) waiting() int { return s.n }

// add appends a packet, which is not copied.
func (s *sender) add(pkt []byte, to netip.AddrPort) {
	s.pkts[s.n], s.to[s.n] = pkt, to
	s.n++
}

// send sends packets from the one with number at on, and returns how many the
// system has taken. An error is about the first that it has not taken.
func (s *sender) send(at int) (int, error) {
	if _, err := s.c.WriteToUDPAddrPort(s.pkts[at], s.to[at]); err != nil {
		return 0, err
	}
	return 1, nil
}

// allowFragments leaves everything as it is: only Linux refuses by itself what
// exceeds an MTU.
func allowFragments(*net.UDPConn, netip.Addr) error { return nil }
