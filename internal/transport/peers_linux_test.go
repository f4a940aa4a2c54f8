package transport

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inNamespace takes the test to a network of its own, in which lines for ip(8) are
// run first. Sockets made by the test's own goroutine are in that network; its
// thread ends with it.
func inNamespace(t *testing.T, lines ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root makes a network")
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip(err)
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network of its own: %v", err)
	}
	for _, line := range lines {
		if out, err := exec.Command(ip, strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %v, %s", line, err, out)
		}
	}
}

// fragmentsMade is how many fragments this thread's network has made.
func fragmentsMade(t *testing.T, v4 bool) int {
	t.Helper()
	file, field := "snmp6", "Ip6FragCreates"
	if v4 {
		file, field = "snmp", "FragCreates"
	}
	b, err := os.ReadFile("/proc/thread-self/net/" + file)
	must(t, err)
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		words := strings.Fields(line)
		if !v4 && len(words) == 2 && words[0] == field {
			n, err := strconv.Atoi(words[1])
			must(t, err)
			return n
		}
		if v4 && len(words) > 0 && words[0] == "Ip:" {
			for k, word := range words {
				if word == field {
					n, err := strconv.Atoi(strings.Fields(lines[i+1])[k])
					must(t, err)
					return n
				}
			}
		}
	}
	t.Fatalf("no %s in %s", field, file)
	return 0
}

// TestPeersFragmentsForReal: what is counted as fragmented is what the system does
// send in fragments, and that arrives.
func TestPeersFragmentsForReal(t *testing.T) {
	inNamespace(t, "link set lo up mtu 1500")
	for _, host := range loopbacks {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		headers := headers6
		if host.Is4() {
			headers = headers4
		}
		for _, tt := range []struct{ n, fragments, counted int }{
			{1500 - headers, 0, 0}, {1501 - headers, 2, 1}, {4000, 3, 1},
		} {
			before, made := us.Stats().Fragmented, fragmentsMade(t, host.Is4())
			must(t, us.Write(batch(packet(tt.n, 0)), []netip.AddrPort{peer.LocalAddr()}))
			sameDatagrams(t, fmt.Sprintf("%v, %d bytes", host, tt.n), peer, heard{us.LocalAddr(), [][]byte{packet(tt.n, 0)}})
			counted, made := us.Stats().Fragmented-before, fragmentsMade(t, host.Is4())-made
			if counted != uint64(tt.counted) || made != tt.fragments {
				t.Errorf("%v, %d bytes: %d counted and %d fragments made, want %d and %d", host, tt.n, counted, made, tt.counted, tt.fragments)
			}
		}
	}
}

// TestPeersMayFragment: whatever the system's default is.
func TestPeersMayFragment(t *testing.T) {
	for _, host := range loopbacks {
		level, option, want := unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT
		if host.Is4() {
			level, option, want = unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT
		}
		must(t, control(listenPeers(t, host).c, func(fd int) error {
			got, err := unix.GetsockoptInt(fd, level, option)
			if got != want {
				t.Errorf("%v: MTU discovery is %d, want %d", host, got, want)
			}
			return err
		}))
	}
}

// TestPeersEMSGSIZE: the system may carry less than UDP does.
func TestPeersEMSGSIZE(t *testing.T) {
	host := loopbacks[1]
	us, peer := listenPeers(t, host), listenPeers(t, host)
	must(t, control(us.c, func(fd int) error { // here by what is never asked for
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO)
	}))
	to := []netip.AddrPort{peer.LocalAddr(), peer.LocalAddr(), peer.LocalAddr()}
	must(t, us.Write(batch(packet(100, 0), packet(maxDatagram6, 1), packet(100, 2)), to))
	sameDatagrams(t, "around it", peer, heard{us.LocalAddr(), [][]byte{packet(100, 0)}}, heard{us.LocalAddr(), [][]byte{packet(100, 2)}})
	if s := us.Stats(); s != (PeersStats{TooLarge: 1}) {
		t.Errorf("%+v, want one too large", s)
	}
}

// TestPeersUnreachable: a peer to whom there is no way, or to whom a rule forbids
// to send, is counted and costs nobody else anything.
func TestPeersUnreachable(t *testing.T) {
	inNamespace(t, "link set lo up", "route add unreachable 10.1.0.0/16", "route add prohibit 10.2.0.0/16",
		"route add unreachable fd01::/16", "route add prohibit fd02::/16")
	for host, bad := range map[netip.Addr][]string{
		loopbacks[0]: {"10.1.0.1:9", "10.2.0.1:9", "10.3.0.1:9"},
		loopbacks[1]: {"[fd01::1]:9", "[fd02::1]:9", "[fd03::1]:9"},
	} {
		us, peer := listenPeers(t, host), listenPeers(t, host)
		for i, a := range bad {
			to := netip.MustParseAddrPort(a)
			must(t, us.Write(batch(packet(2000, 0), packet(100, 1), packet(100, 2)), []netip.AddrPort{to, peer.LocalAddr(), to}))
			sameDatagrams(t, a, peer, heard{us.LocalAddr(), [][]byte{packet(100, 1)}})
			if s := us.Stats(); s != (PeersStats{Refused: uint64(2 * (i + 1))}) {
				t.Errorf("%s: %+v, want 2 refused more", a, s)
			}
		}
	}
}

// TestPeersZones: link-local addresses say by which interface.
func TestPeersZones(t *testing.T) {
	inNamespace(t, "link set lo up", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
		"addr add fe80::1/64 dev v0 nodad", "addr add fe80::2/64 dev v0 nodad")
	us, peer := listenPeers(t, netip.IPv6Unspecified()), listenPeers(t, netip.MustParseAddr("fe80::2%v0"))
	if got := peer.LocalAddr().Addr().String(); got != "fe80::2%v0" {
		t.Errorf("LocalAddr %s", got)
	}
	ifi, err := net.InterfaceByName("v0")
	must(t, err)
	for _, zone := range []string{"v0", strconv.Itoa(ifi.Index)} {
		to := netip.AddrPortFrom(netip.MustParseAddr("fe80::2%"+zone), peer.LocalAddr().Port())
		must(t, us.Write(batch(packet(100, 0)), []netip.AddrPort{to}))
		got, err := hear(peer, 1)
		must(t, err)
		if a := got[0].from.Addr(); a.Zone() != "v0" || !a.IsLinkLocalUnicast() {
			t.Errorf("heard from %v, want an address with zone v0", a)
		}
		must(t, peer.Write(batch(packet(100, 1)), []netip.AddrPort{got[0].from}))
		sameDatagrams(t, "back", us, heard{peer.LocalAddr(), [][]byte{packet(100, 1)}})
	}
	if n := testing.AllocsPerRun(100, func() {
		must(t, peer.Write(batch1, []netip.AddrPort{peer.LocalAddr()}))
		_, err := peer.Read()
		must(t, err)
	}); n > 1 { // the slice here
		t.Errorf("%v allocations with a zone", n)
	}
}

var batch1 = batch(packet(100, 0))

// TestSockaddr: addresses come back from the system's form as they were.
func TestSockaddr(t *testing.T) {
	lo, err := net.InterfaceByIndex(1)
	must(t, err)
	z := newZones()
	var a unix.RawSockaddrInet6
	for _, s := range []string{
		"1.2.3.4:1", "255.255.255.255:65535", "0.0.0.0:256", "[::1]:9695", "[2001:db8::ff]:258", "[fe80::1%" + lo.Name + "]:1", "[ff02::1]:2",
	} {
		want := netip.MustParseAddrPort(s)
		n := z.put(&a, want)
		if got := z.addrPort(&a); got != want || want.Addr().Is4() != (n == unix.SizeofSockaddrInet4) {
			t.Errorf("%s comes back as %v, %d bytes", s, got, n)
		}
	}
	mapped := netip.MustParseAddrPort("[::ffff:1.2.3.4]:5")
	z.put(&a, mapped)
	if got := z.addrPort(&a); got != unmapped(mapped) {
		t.Errorf("%v comes back as %v", mapped, got)
	}
	z.put(&a, netip.MustParseAddrPort("[fe80::1%none]:1"))
	if got := z.addrPort(&a).Addr().Zone(); got != strconv.Itoa(noZone) {
		t.Errorf("no such zone comes back as %q", got)
	}
}
