package transport

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// twoLinks is a network whose two links go nowhere but carry multicast.
var twoLinks = []string{
	"link set lo up multicast on", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
	"link add w0 type veth peer name w1", "link set w0 up", "link set w1 up",
	"addr add 10.0.0.1/24 dev v0", "addr add 10.0.1.1/24 dev w0",
	"addr add fe80::1/64 dev v0 nodad", "addr add fe80::1/64 dev w0 nodad",
	"addr add fd00::1/64 dev v0 nodad", "addr add fd01::1/64 dev w0 nodad",
}

func interfaceNamed(t *testing.T, name string) *net.Interface {
	t.Helper()
	ifi, err := net.InterfaceByName(name)
	must(t, err)
	return ifi
}

// multicaster is a socket of all addresses of a's family, whose multicasts leave by ifi.
func multicaster(t *testing.T, a netip.Addr, ifi *net.Interface) *Peers {
	t.Helper()
	host := netip.IPv6Unspecified()
	if a.Is4() {
		host = netip.IPv4Unspecified()
	}
	p := listenPeers(t, host)
	must(t, p.SetMulticast(ifi, 1))
	return p
}

var groups = []string{"224.0.0.251", "239.1.2.3", "ff02::1234", "ff05::1234"}

// TestGroup: every member of the host hears what is sent to the group by the link
// that it has joined, once, and nothing else.
func TestGroup(t *testing.T) {
	inNamespace(t, twoLinks...)
	v, w := interfaceNamed(t, "v0"), interfaceNamed(t, "w0")
	for _, s := range groups {
		group := netip.MustParseAddr(s)
		one, err := JoinGroup(netip.AddrPortFrom(group, 0), v)
		must(t, err)
		defer one.Close()
		to := one.LocalAddr()
		if to.Addr().WithZone("") != group || to.Port() == 0 {
			t.Errorf("%s: LocalAddr %v", s, to)
		}
		to = netip.AddrPortFrom(group, to.Port())
		two, err := JoinGroup(to, v)
		must(t, err)
		defer two.Close()
		elsewhere, err := JoinGroup(to, w)
		must(t, err)
		defer elsewhere.Close()
		overV, overW := multicaster(t, group, v), multicaster(t, group, w)

		// A socket of the group's port, at one of the host's own addresses.
		host := netip.MustParseAddr("fd00::1")
		if group.Is4() {
			host = netip.MustParseAddr("10.0.0.1")
		}
		own, err := ListenPeers(netip.AddrPortFrom(host, to.Port()))
		must(t, err)
		defer own.Close()

		must(t, overW.Write(batch(packet(100, 0)), []netip.AddrPort{to}))
		must(t, overV.Write(batch(packet(100, 1)), []netip.AddrPort{own.LocalAddr()}))
		must(t, overV.Write(batch(packet(100, 2)), []netip.AddrPort{to}))
		for what, tt := range map[string]struct {
			r    datagramReader
			from *Peers
			want []byte
		}{
			"the first member":  {one, overV, packet(100, 2)},
			"the second member": {two, overV, packet(100, 2)},
			"the other link's":  {elsewhere, overW, packet(100, 0)},
			"the own address":   {own, overV, packet(100, 1)},
		} {
			got, err := hear(tt.r, 1)
			must(t, err)
			samePackets(t, s+", "+what, got[0].pkts, [][]byte{tt.want})
			if from := got[0].from; from.Port() != tt.from.LocalAddr().Port() || len(got) != 1 {
				t.Errorf("%s, %s: from %v, %d datagrams", s, what, from, len(got))
			}
			// The sender can be answered.
			must(t, own.Write(batch(packet(100, 3)), []netip.AddrPort{got[0].from}))
			if back, err := hear(tt.from, 1); err != nil || len(back) != 1 {
				t.Errorf("%s, %s: %d answers, %v", s, what, len(back), err)
			}
		}
	}
}

// TestGroupOnLoopback: members of one host need no link. Linux carries no IPv6
// multicast over it.
func TestGroupOnLoopback(t *testing.T) {
	lo, err := net.InterfaceByIndex(1)
	must(t, err)
	for _, s := range groups[:2] {
		one, err := JoinGroup(netip.AddrPortFrom(netip.MustParseAddr(s), 0), lo)
		must(t, err)
		defer one.Close()
		two, err := JoinGroup(one.LocalAddr(), lo)
		must(t, err)
		defer two.Close()
		p := multicaster(t, one.LocalAddr().Addr(), lo)
		must(t, p.Write(batch(packet(100, 0)), []netip.AddrPort{one.LocalAddr()}))
		for _, g := range []*Group{one, two} {
			got, err := hear(g, 1)
			must(t, err)
			samePackets(t, s, got[0].pkts, [][]byte{packet(100, 0)})
		}
	}
}

// TestSetMulticast: the hop limit, and the MTU of the interface.
func TestSetMulticast(t *testing.T) {
	inNamespace(t, append(twoLinks, "link set v0 mtu 1300", "link set v1 mtu 1300")...)
	v, w := interfaceNamed(t, "v0"), interfaceNamed(t, "w0")
	for _, s := range groups {
		group := netip.AddrPortFrom(netip.MustParseAddr(s), 9695)
		p := multicaster(t, group.Addr(), w)
		for hops := range 256 {
			must(t, p.SetMulticast(w, hops))
			got, err := ipv4.NewPacketConn(p.c).MulticastTTL()
			if group.Addr().Is6() {
				got, err = ipv6.NewPacketConn(p.c).MulticastHopLimit()
			}
			if got != hops || err != nil {
				t.Errorf("%s: hop limit %d, %v, want %d", s, got, err, hops)
			}
		}
		for _, hops := range []int{-1, 256} {
			if err := p.SetMulticast(w, hops); err == nil {
				t.Errorf("%s: a hop limit of %d is taken", s, hops)
			}
		}
		must(t, p.Write(batch(packet(1400, 0)), []netip.AddrPort{group}))
		if s := p.Stats(); s != (PeersStats{}) {
			t.Errorf("%v, by the link with the large MTU: %+v", group, s)
		}
		must(t, p.SetMulticast(v, 1))
		must(t, p.Write(batch(packet(1400, 0)), []netip.AddrPort{group}))
		if s := p.Stats(); s != (PeersStats{Fragmented: 1}) {
			t.Errorf("%v, by the link with the small MTU: %+v, want 1 fragmented", group, s)
		}
		must(t, p.SetMulticast(nil, 1))
	}
}

func TestGroupClose(t *testing.T) {
	inNamespace(t, twoLinks...)
	g, err := JoinGroup(netip.MustParseAddrPort("239.1.2.3:0"), interfaceNamed(t, "v0"))
	must(t, err)
	done := blocked(t, func() error { _, err := g.Read(); return err })
	must(t, g.Close())
	if err := await(t, "Read", done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v, want %v", err, net.ErrClosed)
	}
	_ = g.Close()
}

func TestJoinGroupErrors(t *testing.T) {
	inNamespace(t, twoLinks...)
	v := interfaceNamed(t, "v0")
	for _, s := range []string{"10.0.0.1:1", "[::1]:1"} {
		if _, err := JoinGroup(netip.MustParseAddrPort(s), v); err == nil || !strings.Contains(err.Error(), "multicast") {
			t.Errorf("%s: %v, want an error that says that it is no multicast address", s, err)
		}
	}
	if _, err := JoinGroup(netip.AddrPort{}, v); err == nil {
		t.Error("no address is joined")
	}
	// Without an interface and a route there is none to choose.
	if _, err := JoinGroup(netip.MustParseAddrPort("239.1.2.3:1"), nil); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("no interface: %v, want %v", err, syscall.ENODEV)
	}
	gone := *v
	gone.Index = 999
	if _, err := JoinGroup(netip.MustParseAddrPort("239.1.2.3:1"), &gone); err == nil {
		t.Error("an interface that is not there is joined")
	}
}
