package transport

import (
	"net"

	"golang.org/x/net/ipv4"

	"github.com/cefgo/cefgo/internal/tlv"
)

// maxDatagram is the largest UDP payload over IPv4, in bytes.
const maxDatagram = 65507

// datagrams is how many datagrams one system call moves at most, where the
// platform can do that (Linux); elsewhere it moves one.
const datagrams = 16

// udp is a Conn over one connected UDP socket. Its source port stays the same
// for its life: every new one costs cefnetd a face for ever (sheet m 5).
type udp struct {
	c    *net.UDPConn
	p    *ipv4.PacketConn // batches work on either family
	in   []ipv4.Message
	out  []ipv4.Message
	pkts [][]byte
}

// udpReadBuffer is what a UDP socket should hold unread, in bytes: a window of Data may
// arrive at once. The system may give less.
const udpReadBuffer = 4 << 20

func newUDP(c *net.UDPConn) *udp {
	_ = c.SetReadBuffer(udpReadBuffer)
	u := &udp{c: c, p: ipv4.NewPacketConn(c), in: make([]ipv4.Message, datagrams), out: make([]ipv4.Message, datagrams)}
	for i := range u.in {
		u.in[i].Buffers = [][]byte{make([]byte, tlv.MaxPacketLen)}
		u.out[i].Buffers = make([][]byte, 1)
	}
	return u
}

func (u *udp) Read(b *tlv.Batch) error {
	b.Reset(2 * batchBytes)
	for b.Len() == 0 {
		n, err := u.p.ReadBatch(u.in, 0)
		if err != nil {
			return err
		}
		u.pkts = u.pkts[:0]
		for _, m := range u.in[:n] {
			u.pkts = appendDatagram(u.pkts, m.Buffers[0][:m.N])
		}
		for _, p := range u.pkts {
			b.Append(p)
		}
	}
	return nil
}

// appendDatagram appends the packets of one datagram, which may hold several.
// The rest of a datagram from the first bad or cut packet on is dropped: it can
// only be noise, and the next datagram starts anew.
func appendDatagram(pkts [][]byte, b []byte) [][]byte {
	for {
		n, ok := frame(b)
		if !ok || n == 0 {
			return pkts
		}
		pkts = append(pkts, b[:n:n])
		b = b[n:]
	}
}

func (u *udp) Write(b *tlv.Batch) error {
	if err := checkSizes(b, maxDatagram); err != nil {
		return err
	}
	for i := 0; i < b.Len(); {
		ms := u.out[:min(datagrams, b.Len()-i)]
		for k := range ms {
			ms[k].Buffers[0] = b.Packet(i + k)
		}
		n, err := u.p.WriteBatch(ms, 0)
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

func (u *udp) MaxPacket() int { return maxDatagram }

func (u *udp) Close() error { return u.c.Close() }
