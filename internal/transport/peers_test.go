package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

// maxDatagram6 is the largest UDP payload over IPv6, in bytes.
const maxDatagram6 = 65527

// loopbacks are the hosts that tests of addresses run on.
var loopbacks = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}

// listenPeers makes a socket of a port that is free.
func listenPeers(t testing.TB, host netip.Addr) *Peers {
	t.Helper()
	p, err := ListenPeers(netip.AddrPortFrom(host, 0))
	must(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

// listenUDP makes a plain socket, and says what its address is.
func listenUDP(t testing.TB, host netip.Addr) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c, localAddr(c)
}

// datagramReader is Peers or a Group.
type datagramReader interface {
	Read() ([]Datagram, error)
	Close() error
}

// heard is a copy of a Datagram.
type heard struct {
	from netip.AddrPort
	pkts [][]byte
}

// hear reads n datagrams.
func hear(r datagramReader, n int) (got []heard, err error) {
	defer time.AfterFunc(patience, func() { r.Close() }).Stop()
	for len(got) < n {
		ds, err := r.Read()
		if err == nil && len(ds) == 0 {
			err = errors.New("Read returned neither a datagram nor an error")
		}
		if err != nil {
			return got, err
		}
		for _, d := range ds {
			got = append(got, heard{d.From, clone(d.Packets)})
			for _, p := range d.Packets {
				_ = append(p, "overwritten"...)
			}
		}
	}
	return got, nil
}

// sameDatagrams hears as many as are wanted and compares.
func sameDatagrams(t testing.TB, what string, r datagramReader, want ...heard) {
	t.Helper()
	got, err := hear(r, len(want))
	if err != nil {
		t.Fatalf("%s: Read after %d datagrams: %v", what, len(got), err)
	}
	for i := range min(len(got), len(want)) {
		samePackets(t, fmt.Sprintf("%s, datagram %d", what, i), got[i].pkts, want[i].pkts)
		if got[i].from != want[i].from {
			t.Errorf("%s: datagram %d comes from %v, want %v", what, i, got[i].from, want[i].from)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d datagrams, want %d", what, len(got), len(want))
	}
}

// TestPeersExchange: packets of every size, to several peers and back, in order.
func TestPeersExchange(t *testing.T) {
	for _, host := range loopbacks {
		limit := maxDatagram
		if host.Is6() {
			limit = maxDatagram6
		}
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		us := listenPeers(t, host)
		peers := []*Peers{listenPeers(t, host), listenPeers(t, host), listenPeers(t, host)}
		want := make([][]heard, len(peers))
		var back []heard
		for round, size := range []int{minPacket, 1024, 1472, 1473, 8192, tlv.MaxAtomicLen + 1, limit - 1, limit} {
			b, to := new(tlv.Batch), []netip.AddrPort(nil)
			for i := range 2 * len(peers) { // one system call's worth fits a socket's buffer
				pkt := packet(size, 10*round+i)
				peer := i % len(peers)
				b.Append(pkt)
				to = append(to, peers[peer].LocalAddr())
				want[peer] = append(want[peer], heard{us.LocalAddr(), [][]byte{pkt}})
			}
			must(t, us.Write(b, to))
			for i, p := range peers {
				sameDatagrams(t, fmt.Sprintf("%v, %d bytes, to peer %d", host, size, i), p, want[i]...)
				must(t, p.Write(batch(packet(size, i)), []netip.AddrPort{us.LocalAddr()}))
				back = append(back, heard{p.LocalAddr(), [][]byte{packet(size, i)}})
				want[i] = nil
			}
			sameDatagrams(t, fmt.Sprintf("%v, %d bytes, back", host, size), us, back...)
			back = nil
		}
		if s := us.Stats(); s.Refused > 0 || s.TooLarge > 0 {
			t.Errorf("%v: %+v, want no refusals", host, s)
		}
		for _, p := range append(peers, us) {
			must(t, p.Close())
		}
	}
}

// TestPeersManyAtOnce: more than one system call moves.
func TestPeersManyAtOnce(t *testing.T) {
	for _, host := range loopbacks {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		for _, n := range []int{datagrams - 1, datagrams, datagrams + 1, 3*datagrams + 1} {
			b, to, want := new(tlv.Batch), []netip.AddrPort(nil), []heard(nil)
			for i := range n {
				b.Append(packet(100+i, i))
				to = append(to, peer.LocalAddr())
				want = append(want, heard{us.LocalAddr(), [][]byte{packet(100+i, i)}})
			}
			must(t, us.Write(b, to))
			sameDatagrams(t, fmt.Sprintf("%v, %d", host, n), peer, want...)
		}
		must(t, us.Write(new(tlv.Batch), nil))
		if err := us.Write(batch(packet(100, 0)), nil); err == nil {
			t.Errorf("%v: Write without destinations succeeds", host)
		}
	}
}

// TestPeersNoise: a datagram without a packet is not there, and a bad place costs
// what is behind it in its datagram.
func TestPeersNoise(t *testing.T) {
	for _, host := range loopbacks {
		us := listenPeers(t, host)
		raw, from := listenUDP(t, host)
		p := func(seq int) []byte { return packet(100, seq) }
		several := bytes.Join([][]byte{p(0), p(1), packet(minPacket, 2), noise[:50], p(3)}, nil)
		for range 2 * datagrams {
			for _, d := range [][]byte{nil, noise[:100], []byte(tlv.CloseText), p(0)[:99]} {
				_, err := raw.WriteToUDPAddrPort(d, us.LocalAddr())
				must(t, err)
			}
		}
		for _, d := range [][]byte{several, noise[:1], p(4)} {
			_, err := raw.WriteToUDPAddrPort(d, us.LocalAddr())
			must(t, err)
		}
		sameDatagrams(t, host.String(), us,
			heard{from, [][]byte{p(0), p(1), packet(minPacket, 2)}}, heard{from, [][]byte{p(4)}})
	}
}

// TestPeersRefused: what cannot go to its peer costs nobody else anything.
func TestPeersRefused(t *testing.T) {
	for _, host := range loopbacks {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		other := loopbacks[0]
		if host.Is4() {
			other = loopbacks[1]
		}
		good := peer.LocalAddr()
		tests := []struct {
			name              string
			n                 int
			to                netip.AddrPort
			refused, tooLarge uint64
		}{
			{"the other family", 100, netip.AddrPortFrom(other, 9695), 1, 0},
			{"no address", 100, netip.AddrPortFrom(netip.Addr{}, good.Port()), 1, 0},
			{"no port", 100, netip.AddrPortFrom(host, 0), 1, 0},
			{"too large", tlv.MaxPacketLen, good, 0, 1},
		}
		if nowhere := netip.MustParseAddrPort("255.255.255.254:9"); host.Is4() && !routed(nowhere) {
			tests = append(tests, tests[0])
			tests[len(tests)-1].name, tests[len(tests)-1].to = "no such network", nowhere
		}
		if host.Is6() && runtime.GOOS == "linux" { // others take no zone for any
			tests = append(tests, tests[0])
			tests[len(tests)-1].name, tests[len(tests)-1].to = "no such zone", netip.MustParseAddrPort("[fe80::1%none]:9")
		}
		for _, tt := range tests {
			before := us.Stats()
			bad := packet(tt.n, 9)
			b := batch(bad, packet(100, 0), bad, bad, packet(100, 1), bad)
			must(t, us.Write(b, []netip.AddrPort{tt.to, good, tt.to, tt.to, good, tt.to}))
			what := fmt.Sprintf("%v, %s", host, tt.name)
			sameDatagrams(t, what, peer, heard{us.LocalAddr(), [][]byte{packet(100, 0)}}, heard{us.LocalAddr(), [][]byte{packet(100, 1)}})
			after := us.Stats()
			if after.Refused-before.Refused != 4*tt.refused || after.TooLarge-before.TooLarge != 4*tt.tooLarge {
				t.Errorf("%s: %+v after %+v, want %d refused and %d too large more", what, after, before, 4*tt.refused, 4*tt.tooLarge)
			}
		}
	}
}

// routed reports whether the system has a way to a.
func routed(a netip.AddrPort) bool {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a))
	if err == nil {
		c.Close()
	}
	return err == nil
}

// TestPeersNobodyThere: that nobody listens at a peer's port ends nothing.
func TestPeersNobodyThere(t *testing.T) {
	for _, host := range loopbacks {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		gone := listenPeers(t, host)
		gone.Close()
		for i := range 20 {
			must(t, us.Write(batch(packet(100, 0), packet(100, i)), []netip.AddrPort{gone.LocalAddr(), peer.LocalAddr()}))
			sameDatagrams(t, host.String(), peer, heard{us.LocalAddr(), [][]byte{packet(100, i)}})
			must(t, peer.Write(batch(packet(100, i)), []netip.AddrPort{us.LocalAddr()}))
			sameDatagrams(t, host.String(), us, heard{peer.LocalAddr(), [][]byte{packet(100, i)}})
		}
		if s := us.Stats(); s != (PeersStats{}) {
			t.Errorf("%v: %+v, want nothing: what is sent is sent", host, s)
		}
	}
}

func TestAboutPeer(t *testing.T) {
	for err, want := range map[error]bool{
		&net.OpError{Op: "read", Err: syscall.ECONNREFUSED}: true, syscall.EHOSTUNREACH: true,
		net.ErrClosed: false, syscall.EBADF: false, errors.New("other"): false,
	} {
		if got := aboutPeer(err); got != want {
			t.Errorf("aboutPeer(%v) is %v", err, got)
		}
	}
}

func TestPeersClose(t *testing.T) {
	for _, host := range loopbacks {
		p := listenPeers(t, host)
		done := blocked(t, func() error { _, err := p.Read(); return err })
		must(t, p.Close())
		if err := await(t, "Read", done); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v, want %v", err, net.ErrClosed)
		}
		for range 2 {
			if err := p.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("Close again: %v", err)
			}
			if ds, err := p.Read(); !errors.Is(err, net.ErrClosed) || len(ds) > 0 {
				t.Errorf("Read: %d datagrams, %v, want %v", len(ds), err, net.ErrClosed)
			}
			if err := p.Write(batch(packet(100, 0)), []netip.AddrPort{p.LocalAddr()}); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Write: %v, want %v", err, net.ErrClosed)
			}
		}
	}
}

func TestListenPeers(t *testing.T) {
	for _, host := range loopbacks {
		p := listenPeers(t, host)
		if a := p.LocalAddr(); a.Addr() != host || a.Port() == 0 {
			t.Errorf("LocalAddr %v, want %v and a port", a, host)
		}
		if _, err := ListenPeers(p.LocalAddr()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the same port again: %v, want %v", err, syscall.EADDRINUSE)
		}
	}
	// Both families of one port, each for itself.
	p6, err := ListenPeers(netip.MustParseAddrPort("[::]:0"))
	must(t, err)
	defer p6.Close()
	p4, err := ListenPeers(netip.AddrPortFrom(netip.IPv4Unspecified(), p6.LocalAddr().Port()))
	must(t, err)
	defer p4.Close()
	mapped, err := ListenPeers(netip.MustParseAddrPort("[::ffff:127.0.0.1]:0"))
	must(t, err)
	defer mapped.Close()
	if a := mapped.LocalAddr().Addr(); a != loopbacks[0] {
		t.Errorf("a mapped address is %v", a)
	}
	port := p6.LocalAddr().Port()
	must(t, mapped.Write(batch(packet(100, 0)), []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("::ffff:127.0.0.1"), port)}))
	sameDatagrams(t, "from a mapped address to another", p4, heard{mapped.LocalAddr(), [][]byte{packet(100, 0)}})
	if _, err := ListenPeers(netip.AddrPort{}); err == nil {
		t.Error("ListenPeers without an address succeeds")
	}
}

// TestPeersFragmented: what the MTU towards its peer is too small for is counted,
// and what cannot exceed it is not even looked up.
func TestPeersFragmented(t *testing.T) {
	for host, headers := range map[netip.Addr]int{loopbacks[0]: 28, loopbacks[1]: 48} {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		var asked []netip.Addr
		us.mtus.lookup = func(a netip.Addr) int {
			asked = append(asked, a)
			return 1500
		}
		to := slices.Repeat([]netip.AddrPort{peer.LocalAddr()}, 2)
		must(t, us.Write(batch(packet(smallDatagram, 0), packet(minPacket, 0)), to))
		if len(asked) > 0 {
			t.Errorf("%v: the MTU was looked up for small packets", host)
		}
		must(t, us.Write(batch(packet(1500-headers, 0), packet(smallDatagram+1, 0)), to))
		if s := us.Stats(); s != (PeersStats{}) || len(asked) != 1 || asked[0] != host {
			t.Errorf("%v: %+v, asked for %v; want nothing counted, and one question for %v", host, s, asked, host)
		}
		must(t, us.Write(batch(packet(1501-headers, 0), packet(5000, 0)), to))
		if s := us.Stats(); s != (PeersStats{Fragmented: 2}) || len(asked) != 1 {
			t.Errorf("%v: %+v, asked for %v; want 2 fragmented, and nothing asked for again", host, s, asked)
		}
		us.mtus = newMTUs()
		us.mtus.lookup = func(netip.Addr) int { return 0 } // unknown
		must(t, us.Write(batch(packet(5000, 0)), to[:1]))
		if s := us.Stats(); s != (PeersStats{Fragmented: 2}) {
			t.Errorf("%v: %+v with an unknown MTU", host, s)
		}
		if _, err := hear(peer, 7); err != nil {
			t.Error(err)
		}
	}
}

func TestPathMTU(t *testing.T) {
	var loopback int
	all, err := net.Interfaces()
	must(t, err)
	for _, ifi := range all {
		if ifi.Flags&net.FlagLoopback != 0 {
			loopback = ifi.MTU
		}
	}
	for _, host := range loopbacks {
		// Linux counts no more than the 65535 bytes of an IP packet for IPv4.
		if mtu := pathMTU(host); mtu != loopback && mtu != min(loopback, 65535) {
			t.Errorf("%v: %d, want %d", host, mtu, loopback)
		}
	}
	if mtu := pathMTU(netip.MustParseAddr("fe80::1%none")); mtu != 0 {
		t.Errorf("no interface has an MTU of %d", mtu)
	}
}

func TestMTUs(t *testing.T) {
	asked := 0
	m := newMTUs()
	m.lookup = func(netip.Addr) int { asked++; return 1000 + asked }
	start := time.Now()
	a := loopbacks[0]
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 1001}, {mtuAge - 1, 1001}, {mtuAge, 1002}, {2*mtuAge - 1, 1002}} {
		if got := m.to(a, start.Add(tt.after)); got != tt.want {
			t.Errorf("after %v: %d, want %d", tt.after, got, tt.want)
		}
	}
	for range 3 * maxMTUs {
		a = a.Next()
		first := m.to(a, start)
		if again := m.to(a, start); again != first {
			t.Fatalf("%v is not remembered", a)
		}
	}
	if len(m.known) != maxMTUs {
		t.Errorf("%d destinations remembered, want %d", len(m.known), maxMTUs)
	}
}

// TestPeersAllocates: packets cost no allocation, whoever they are to and from.
func TestPeersAllocates(t *testing.T) {
	for _, host := range loopbacks {
		us, one, two := listenPeers(t, host), listenPeers(t, host), listenPeers(t, host)
		b := batch(packet(1200, 0), packet(100, 1), packet(1400, 2))
		to := []netip.AddrPort{one.LocalAddr(), two.LocalAddr(), one.LocalAddr()}
		back := []netip.AddrPort{us.LocalAddr(), us.LocalAddr(), us.LocalAddr()}
		round := func() {
			must(t, us.Write(b, to))
			must(t, one.Write(b, back))
			must(t, two.Write(b, back))
			for p, n := range map[*Peers]int{us: 6, one: 2, two: 1} {
				for n > 0 {
					ds, err := p.Read()
					must(t, err)
					n -= len(ds)
				}
			}
		}
		round() // grows what Read returns, and finds the MTU
		if n := testing.AllocsPerRun(200, round); n > 0 {
			t.Errorf("%v: %v allocations for 9 packets there and read", host, n)
		}
	}
}
