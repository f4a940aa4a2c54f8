package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// loopInterface is the interface by which nodes of this host are in a group.
func loopInterface(t testing.TB) string {
	t.Helper()
	all, err := net.Interfaces()
	must(t, err)
	for _, i := range all {
		if i.Flags&(net.FlagLoopback|net.FlagUp) == net.FlagLoopback|net.FlagUp {
			return i.Name
		}
	}
	t.Skip("no loopback interface that is up")
	return ""
}

// freeGroup is a group with a port that nobody has.
func freeGroup(t testing.TB, addr, ifi string) Group {
	t.Helper()
	p, err := transport.ListenPeers(netip.MustParseAddrPort("0.0.0.0:0"))
	must(t, err)
	defer p.Close()
	return Group{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), p.LocalAddr().Port()), Interface: ifi, HopLimit: 1}
}

// groupOf are the faces of groups.
func groupOf(t testing.TB, s control.NodeStatus) (found control.Face) {
	t.Helper()
	k := 0
	for _, f := range s.Faces {
		if f.Kind == kindGroup {
			found = f
			k++
		}
	}
	if k != 1 {
		t.Fatalf("%d groups in %+v", k, s.Faces)
	}
	return found
}

// member hears what is sent to a group, and nothing else.
type member struct {
	g  *transport.Group
	in chan []byte
}

func joins(t testing.TB, g Group) *member {
	t.Helper()
	ifi, err := net.InterfaceByName(g.Interface)
	must(t, err)
	in, err := transport.JoinGroup(g.Addr, ifi)
	must(t, err)
	m := &member{in, make(chan []byte, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			ds, err := in.Read()
			if err != nil {
				return
			}
			for _, d := range ds {
				for _, p := range d.Packets {
					m.in <- append([]byte{}, p...)
				}
			}
		}
	}()
	t.Cleanup(func() { in.Close(); <-done })
	return m
}

func (m *member) hears(t testing.TB, want []byte) {
	t.Helper()
	select {
	case got := <-m.in:
		if string(got) != string(want) {
			t.Fatalf("the group hears %s, want %s", show(got), show(want))
		}
	case <-time.After(patience):
		t.Fatalf("the group does not hear %s", show(want))
	}
}

// TestGroup: nodes in one group find each other's content without a route. What is sent
// to the group is one packet; nobody but who has it says anything.
func TestGroup(t *testing.T) {
	for _, addr := range []string{"224.0.0.251", "239.1.2.3"} {
		groupTest(t, freeGroup(t, addr, loopInterface(t)))
	}
}

func groupTest(t *testing.T, g Group) {
	t.Helper()
	url := groupURL(g.Addr)
	a, b, c := start(t, Options{Groups: []Group{g}}), start(t, Options{Groups: []Group{g}}), start(t, Options{Groups: []Group{g}})
	lan := joins(t, g)
	asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
	if f := groupOf(t, a.status(t)); f.Addr != url || !f.Static || len(a.Listening()) != 1 || a.Listening()[0] != control.Addr(url) {
		t.Errorf("face %+v, listening at %v", f, a.Listening())
	}
	a.hasRoutes(t, "in a group", fmt.Sprintf("ccnx:/ best %s=%d", url, groupCost))
	for k := range 3 {
		uri := fmt.Sprintf("ccnx:/b/Chunk=%d", k)
		exchange(t, asks, has, uri)
		lan.hears(t, interest(t, uri))
	}
	if s := a.status(t); s.PIT.Entries != 0 || groupOf(t, s).TxPackets != 3 || groupOf(t, s).RxPackets != 0 || s.Packets.RxInterests != 3 || s.Packets.RxData != 3 {
		t.Errorf("who asks: %+v", s)
	}
	// Nobody has it: nobody says so, and nobody says it again.
	none := interest(t, "ccnx:/none", marked, lifetime(time.Minute))
	asks.sends(none)
	lan.hears(t, none)
	for _, n := range []*Node{b, c} {
		n.awaits(t, "it has heard all", func(s *control.NodeStatus) bool { return s.Packets.RxInterests >= 4 })
	}
	// A stranger's, whom all hear.
	ifi, err := net.InterfaceByName(g.Interface)
	must(t, err)
	any := netip.IPv4Unspecified()
	if g.Addr.Addr().Is6() {
		any = netip.IPv6Unspecified()
	}
	p, err := transport.ListenPeers(netip.AddrPortFrom(any, 0))
	must(t, err)
	defer p.Close()
	must(t, p.SetMulticast(ifi, 1))
	var batch tlv.Batch
	other := interest(t, "ccnx:/other", lifetime(time.Minute))
	batch.Append(other)
	must(t, p.Write(&batch, []netip.AddrPort{g.Addr}))
	lan.hears(t, other)
	for n, want := range map[*Node]uint64{a: 5, b: 5, c: 5} {
		n.awaits(t, "it has heard all", func(s *control.NodeStatus) bool { return s.Packets.RxInterests >= want })
	}
	// What anybody had to say to that has been said before this.
	exchange(t, asks, has, "ccnx:/b/last")
	lan.hears(t, interest(t, "ccnx:/b/last"))
	exchange(t, asks, has, "ccnx:/b/very/last")
	lan.hears(t, interest(t, "ccnx:/b/very/last"))
	for name, n := range map[string]*Node{"asks": a, "has": b, "has not": c} {
		s := n.awaits(t, "it has heard all", func(s *control.NodeStatus) bool { return s.Packets.RxInterests >= 7 })
		tx, rx := map[*Node]uint64{a: 6}[n], map[*Node]uint64{a: 7, b: 7, c: 7}[n]
		if f := groupOf(t, s); f.TxPackets != tx || s.Packets.RxInterests != rx || s.Packets.TxReturns != 0 || s.Packets.RxReturns != 0 || s.Packets.TxInterests != map[*Node]uint64{a: 6, b: 5}[n] {
			t.Errorf("who %s: %d sent to the group, packets %+v, drops %+v", name, f.TxPackets, s.Packets, s.Drops)
		}
		for _, k := range s.Sockets {
			if k.Refused+k.QueueDrops+k.TooLarge > 0 {
				t.Errorf("who %s: %+v", name, k)
			}
		}
	}
	if len(lan.in) > 0 {
		t.Errorf("the group hears %s", show(<-lan.in))
	}
	asks.settled() // and the application hears no Return
}

// TestGroupAndRoute: a route comes before the group, and the group stays when the
// default route goes.
func TestGroupAndRoute(t *testing.T) {
	g := freeGroup(t, "239.1.2.4", loopInterface(t))
	far := startNear(t, Options{})
	b := start(t, Options{Groups: []Group{g}})
	a := start(t, Options{Groups: []Group{g}, Routes: []Route{route(t, "ccnx:/", far.url(t, "udp"))}})
	lan := joins(t, g)
	asks, has := dial(t, a), dial(t, far).registers("ccnx:/x")
	exchange(t, asks, has, "ccnx:/x/1")
	must(t, a.ask(func(c *core) {
		if had, err := c.delRoute(defaultRoute, ""); !had || err != nil {
			t.Errorf("%v, %v", had, err)
		}
		if had, err := c.delRoute(defaultRoute, ""); had || err != nil {
			t.Errorf("again: %v, %v", had, err)
		}
		if had, err := c.delRoute(defaultRoute, fmt.Sprintf("face:%d", c.groups[0].id)); had || err != nil {
			t.Errorf("by its face: %v, %v", had, err)
		}
	}))
	has = dial(t, b).registers("ccnx:/x")
	exchange(t, asks, has, "ccnx:/x/2")
	lan.hears(t, interest(t, "ccnx:/x/2"))
	must(t, a.SetRoutes(nil))
	exchange(t, asks, has, "ccnx:/x/3")
	lan.hears(t, interest(t, "ccnx:/x/3"))
	if len(lan.in) > 0 {
		t.Errorf("the group hears %s", show(<-lan.in))
	}
}

// TestGroupData: what is no question has no business in a group.
func TestGroupData(t *testing.T) {
	g := freeGroup(t, "239.1.2.5", loopInterface(t))
	n := start(t, Options{Groups: []Group{g}})
	asks := dial(t, n)
	lan := joins(t, g)
	asks.sends(interest(t, "ccnx:/x", lifetime(time.Minute)))
	lan.hears(t, interest(t, "ccnx:/x", lifetime(time.Minute)))
	ifi, err := net.InterfaceByName(g.Interface)
	must(t, err)
	p, err := transport.ListenPeers(netip.MustParseAddrPort("0.0.0.0:0"))
	must(t, err)
	defer p.Close()
	must(t, p.SetMulticast(ifi, 1))
	var b tlv.Batch
	b.Append(data(t, "ccnx:/x"))
	b.Append(tlv.AppendReturn(nil, interest(t, "ccnx:/x"), tlv.ReturnNoRoute))
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/x"))
	must(t, err)
	b.Append(reg)
	must(t, p.Write(&b, []netip.AddrPort{g.Addr, g.Addr, g.Addr}))
	s := n.awaits(t, "all heard", func(s *control.NodeStatus) bool { return s.Drops.Unexpected == 2 && s.Drops.RemoteApp == 1 })
	if s.PIT.Entries != 1 || len(s.Apps) != 0 || s.Store.Objects != 0 {
		t.Errorf("%+v", s)
	}
	asks.settled()
}

func TestBadGroups(t *testing.T) {
	lo := loopInterface(t)
	for _, g := range []Group{
		{Addr: netip.MustParseAddrPort("127.0.0.1:9"), Interface: lo},
		{Addr: netip.MustParseAddrPort("224.0.0.251:9"), Interface: "nosuch0"},
		{Addr: netip.MustParseAddrPort("224.0.0.251:9"), Interface: lo, HopLimit: 256},
		{},
	} {
		n, err := Start(Options{Socket: socketPath(t), Groups: []Group{freeGroup(t, "239.1.2.6", lo), g}})
		var listen *ListenError
		if !errors.As(err, &listen) {
			t.Errorf("%+v: %v, want a *ListenError", g, err)
		}
		if err == nil {
			n.Close()
		}
	}
}

// inNetwork runs the rest of a test as a process of its own, in a network that those
// commands of ip make. In the process that does so it is false.
func inNetwork(t *testing.T, lines ...string) bool {
	t.Helper()
	const variable = "CEFGO_TEST_NETWORK"
	if os.Geteuid() != 0 {
		t.Skip("only root makes a network")
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip(err)
	}
	if os.Getenv(variable) == t.Name() {
		for _, line := range lines {
			if out, err := exec.Command(ip, strings.Fields(line)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v, %s", line, err, out)
			}
		}
		return true
	}
	probe := exec.Command(ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("no network of its own: %v, %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// aLink is a network with an Ethernet whose far end hears nothing.
var aLink = []string{
	"link set lo up mtu 1500", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
	"addr add fe80::1/64 dev v0 nodad", "addr add 10.0.0.1/24 dev v0",
}

// TestGroupOverALink: IPv6, with addresses that hold on one link only, and IPv4.
func TestGroupOverALink(t *testing.T) {
	if !inNetwork(t, aLink...) {
		return
	}
	for _, addr := range []string{"ff02::1234", "ff05::1234", "224.0.23.170"} {
		groupTest(t, freeGroup(t, addr, "v0"))
	}
}

// TestLinkLocalNeighbour: however its interface is written.
func TestLinkLocalNeighbour(t *testing.T) {
	if !inNetwork(t, aLink...) {
		return
	}
	ifi, err := net.InterfaceByName("v0")
	must(t, err)
	b := startNear(t, Options{Listen: []Listen{{Addr: netip.MustParseAddrPort("[fe80::1%v0]:0"), UDP: true, TCP: true}}})
	for _, network := range []string{"udp", "tcp"} {
		for _, zone := range []string{"v0", fmt.Sprint(ifi.Index)} {
			via := fmt.Sprintf("%s://[fe80::1%%%s]:%d", network, zone, b.port(t, network).Port())
			a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", via)}})
			up(t, a, fmt.Sprintf("%s://[fe80::1%%v0]:%d", network, b.port(t, network).Port()))
			asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
			exchange(t, asks, has, "ccnx:/b/1")
			has.conn.Close()
			b.until(t, "deregistered", registered(0))
		}
	}
}

// TestFragments: what is larger than the way to a neighbour goes as fragments, and is
// counted.
func TestFragments(t *testing.T) {
	if !inNetwork(t, aLink...) {
		return
	}
	for _, host := range loopbacks {
		b := startNear(t, Options{Listen: anyPort(host)})
		a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", b.url(t, "udp"))}})
		asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
		headers := 28
		if host.Is6() {
			headers = 48
		}
		fragmented := uint64(0)
		for _, n := range []int{1500 - headers, 1501 - headers, 9000, 60_000, maxDatagram(host)} {
			uri := fmt.Sprintf("ccnx:/b/%05d", n)
			asks.sends(interest(t, uri))
			has.gets(interest(t, uri))
			has.sends(dataOf(t, uri, n))
			asks.gets(dataOf(t, uri, n))
			if n > 1500-headers {
				fragmented++
			}
			b.awaits(t, fmt.Sprintf("%d of up to %d bytes fragmented", fragmented, n), func(s *control.NodeStatus) bool { return s.Sockets[0].Fragmented >= fragmented })
			if s := b.status(t).Sockets[0]; s.Fragmented != fragmented || s.Refused+s.TooLarge+s.QueueDrops > 0 {
				t.Errorf("%v, %d bytes: %+v, want %d fragmented", host, n, s, fragmented)
			}
		}
		if s := b.status(t); s.Drops != (control.Drops{}) {
			t.Errorf("drops %+v", s.Drops)
		}
	}
}

// TestTwoGroups: what is asked in one is asked in the other, too, by who is in both.
func TestTwoGroups(t *testing.T) {
	lo := loopInterface(t)
	one, two := freeGroup(t, "239.1.2.7", lo), freeGroup(t, "239.1.2.8", lo)
	a := start(t, Options{Groups: []Group{one}})
	start(t, Options{Groups: []Group{one, two}, Forward: forward.Options{Strategy: forward.All}})
	c := start(t, Options{Groups: []Group{two}})
	heardOne, heardTwo := joins(t, one), joins(t, two)
	asks, has := dial(t, a), dial(t, c).registers("ccnx:/c")
	asks.sends(interest(t, "ccnx:/c/1"))
	has.gets(interest(t, "ccnx:/c/1", hops(tlv.DefaultHopLimit-1)))
	has.sends(data(t, "ccnx:/c/1"))
	asks.gets(data(t, "ccnx:/c/1"))
	heardOne.hears(t, interest(t, "ccnx:/c/1"))
	heardTwo.hears(t, interest(t, "ccnx:/c/1", hops(tlv.DefaultHopLimit-1)))
	if len(heardOne.in)+len(heardTwo.in) > 0 {
		t.Errorf("it is heard again: %d in the first, %d in the second", len(heardOne.in), len(heardTwo.in))
	}
}

// TestAllGroupsAreAsked: by one who is in several, where there is no other way.
func TestAllGroupsAreAsked(t *testing.T) {
	lo := loopInterface(t)
	one, two := freeGroup(t, "239.1.2.9", lo), freeGroup(t, "239.1.2.10", lo)
	asks := dial(t, start(t, Options{Groups: []Group{one, two}}))
	for _, g := range []Group{one, two} {
		has := dial(t, start(t, Options{Groups: []Group{g}})).registers("ccnx:/" + g.Addr.String())
		exchange(t, asks, has, "ccnx:/"+g.Addr.String()+"/1")
	}
}
