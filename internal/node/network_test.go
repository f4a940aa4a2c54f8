package node

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// loopbacks are the addresses of this host that nodes meet at.
var loopbacks = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// anyPort listens at ports of the system's choice.
func anyPort(host netip.Addr) []Listen {
	return []Listen{{Addr: netip.AddrPortFrom(host, 0), UDP: true, TCP: true}}
}

// startNear starts a node that IPv4 neighbours of this host can reach.
func startNear(t testing.TB, o Options) *Node {
	t.Helper()
	if o.Listen == nil {
		o.Listen = anyPort(loopbacks[0])
	}
	return start(t, o)
}

// url is where the node listens for neighbours over "udp" or "tcp".
func (n *Node) url(t testing.TB, network string) string {
	t.Helper()
	for _, a := range n.Listening() {
		if strings.HasPrefix(string(a), network+"://") {
			return string(a)
		}
	}
	t.Fatalf("no %s in %v", network, n.Listening())
	return ""
}

func (n *Node) port(t testing.TB, network string) netip.AddrPort {
	t.Helper()
	v, err := parseVia(n.url(t, network))
	must(t, err)
	return v.addr
}

func route(t testing.TB, prefix, via string) Route {
	t.Helper()
	return Route{Prefix: mustName(t, prefix), Via: via}
}

func (n *Node) status(t testing.TB) control.NodeStatus {
	t.Helper()
	s, err := n.Status(forward.StatusLimits{Apps: 100, Pending: 100, Routes: 100})
	must(t, err)
	return s
}

// awaits waits until the status is as cond wants it.
func (n *Node) awaits(t testing.TB, what string, cond func(*control.NodeStatus) bool) control.NodeStatus {
	t.Helper()
	var s control.NodeStatus
	n.until(t, what, func(c *core) bool {
		s = c.status(forward.StatusLimits{Apps: 100, Pending: 100, Routes: 100})
		return cond(&s)
	})
	return s
}

// others are the faces that are no application's.
func others(s *control.NodeStatus) []control.Face {
	return slices.DeleteFunc(slices.Clone(s.Faces), func(f control.Face) bool { return f.Kind == kindApp })
}

// theOther is the only face that is no application's.
func theOther(t testing.TB, s control.NodeStatus) control.Face {
	t.Helper()
	all := others(&s)
	if len(all) != 1 {
		t.Fatalf("faces %+v, want one that is no application's", s.Faces)
	}
	return all[0]
}

// routesOf is the routes of a status, one a line.
func routesOf(s *control.NodeStatus) string {
	var b strings.Builder
	for _, r := range s.Routes {
		fmt.Fprintf(&b, "%s %s", r.Prefix, r.Strategy)
		for _, h := range r.NextHops {
			fmt.Fprintf(&b, " %s=%d", h.Addr, h.Cost)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (n *Node) routes(t testing.TB) string {
	t.Helper()
	s := n.status(t)
	return routesOf(&s)
}

func marked(i *tlv.Interest) { i.Mark = true }

func hops(k uint8) func(*tlv.Interest) { return func(i *tlv.Interest) { i.HopLimit = k } }

func size(k int) func(*tlv.Object) { return func(o *tlv.Object) { o.Payload = make([]byte, k) } }

// dataOf is Data whose packet has n bytes.
func dataOf(t testing.TB, uri string, n int) []byte {
	t.Helper()
	d := data(t, uri, size(n-len(data(t, uri, size(0)))))
	if len(d) != n {
		t.Fatalf("%d bytes, want %d", len(d), n)
	}
	return d
}

// refused asks and gets the Interest back with that code.
func (p *peer) refused(uri string, code tlv.ReturnCode) {
	p.t.Helper()
	i := interest(p.t, uri, marked)
	p.sends(i)
	got := p.next()
	var r tlv.Return
	if err := r.Decode(got); err != nil || r.Code != code || r.Name.String() != uri {
		p.t.Fatalf("got %s, %v; want %v of %s", show(got), err, code, uri)
	}
}

// TestTwoNodes: an application on one asks, one on the other answers, or nobody does.
func TestTwoNodes(t *testing.T) {
	for _, host := range loopbacks {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprintf("%s %v", network, host), func(t *testing.T) {
				b := startNear(t, Options{Listen: anyPort(host)})
				via := b.url(t, network)
				a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", via)}})
				up(t, a, via)
				asks, has := dial(t, a), dial(t, b).registers("ccnx:/b/app")
				for k := range 50 {
					exchange(t, asks, has, fmt.Sprintf("ccnx:/b/app/Chunk=%d", k))
				}
				big := dataOf(t, "ccnx:/b/app/big", 60_000)
				asks.sends(interest(t, "ccnx:/b/app/big"))
				has.gets(interest(t, "ccnx:/b/app/big"))
				has.sends(big)
				asks.gets(big)
				asks.refused("ccnx:/b/none", tlv.ReturnNoRoute)
				asks.refused("ccnx:/elsewhere", tlv.ReturnNoRoute)

				near, far := a.status(t), b.status(t)
				f := theOther(t, near)
				if f.Kind != network || f.Addr != via || !f.Static || f.Down || f.TxPackets != 52 || f.RxPackets != 52 || f.Pending != 0 {
					t.Errorf("the asking node's face: %+v", f)
				}
				if h := near.Routes[0].NextHops[0]; h.Addr != via || h.Interests != 52 || h.Answered != 52 || h.RTTMS <= 0 {
					t.Errorf("its next hop: %+v", h)
				}
				// To set what is set already changes nothing, not even what was measured.
				must(t, a.SetRoutes([]Route{route(t, "ccnx:/b", via)}))
				if h := a.status(t).Routes[0].NextHops[0]; h.Interests != 52 {
					t.Errorf("its next hop, set again: %+v", h)
				}
				f = theOther(t, far)
				if f.Kind != network || f.Static || f.RxPackets != 52 || f.TxPackets != 52 || !strings.HasPrefix(f.Addr, network+"://") {
					t.Errorf("the answering node's face: %+v", f)
				}
				if far.Drops != (control.Drops{NoRoute: 1}) || near.Drops != (control.Drops{NoRoute: 1}) {
					t.Errorf("drops %+v, %+v", near.Drops, far.Drops)
				}
			})
		}
	}
}

// up waits until a next hop is not down.
func up(t testing.TB, n *Node, via string) { t.Helper(); n.is(t, via, false) }

// is waits until a next hop is down, or not.
func (n *Node) is(t testing.TB, via string, down bool) {
	t.Helper()
	n.awaits(t, fmt.Sprintf("%s is down: %v", via, down), func(s *control.NodeStatus) bool {
		return slices.ContainsFunc(s.Faces, func(f control.Face) bool { return f.Addr == via && f.Down == down })
	})
}

// TestThreeNodes: the one between others passes on, with one hop less, and back.
func TestThreeNodes(t *testing.T) {
	for _, way := range [][2]string{{"udp", "udp"}, {"tcp", "tcp"}, {"udp", "tcp"}, {"tcp", "udp"}} {
		t.Run(strings.Join(way[:], " then "), func(t *testing.T) {
			c := startNear(t, Options{})
			b := startNear(t, Options{Routes: []Route{route(t, "ccnx:/c", c.url(t, way[1]))}})
			a := startNear(t, Options{Routes: []Route{route(t, "ccnx:/c", b.url(t, way[0]))}})
			up(t, b, c.url(t, way[1]))
			up(t, a, b.url(t, way[0]))
			asks, has := dial(t, a), dial(t, c).registers("ccnx:/c/app")
			for k := range 5 {
				uri := fmt.Sprintf("ccnx:/c/app/Chunk=%d", k)
				asks.sends(interest(t, uri))
				has.gets(interest(t, uri, hops(tlv.DefaultHopLimit-1)))
				has.sends(data(t, uri))
				asks.gets(data(t, uri))
			}
			asks.refused("ccnx:/c/none", tlv.ReturnNoRoute)
			// One hop takes it to the neighbour and no farther.
			asks.sends(interest(t, "ccnx:/c/app/near", marked, hops(1)))
			want := tlv.AppendReturn(nil, interest(t, "ccnx:/c/app/near", marked, hops(1)), tlv.ReturnHopLimit)
			asks.gets(want)
			has.settled()
		})
	}
}

// TestLargestPackets: 65507 bytes fit into a datagram, of IPv6 65527; of what is larger, who asked
// over UDP learns that it does not, and TCP takes it.
func TestLargestPackets(t *testing.T) {
	for _, host := range loopbacks {
		most := map[bool]int{true: 65507, false: 65527}[host.Is4()]
		b := startNear(t, Options{Listen: anyPort(host)})
		has := dial(t, b).registers("ccnx:/b")
		for _, tt := range []struct {
			network string
			size    int
			fits    bool
		}{{"udp", most, true}, {"udp", most + 1, false}, {"udp", tlv.MaxPacketLen, false}, {"tcp", tlv.MaxPacketLen, true}} {
			t.Run(fmt.Sprintf("%s %v %d", tt.network, host, tt.size), func(t *testing.T) {
				a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", b.url(t, tt.network))}})
				up(t, a, b.url(t, tt.network))
				asks := dial(t, a)
				asks.sends(interest(t, "ccnx:/b/x", marked))
				has.gets(interest(t, "ccnx:/b/x", marked))
				d := dataOf(t, "ccnx:/b/x", tt.size)
				has.sends(d)
				if tt.fits {
					asks.gets(d)
					return
				}
				var r tlv.Return
				if got := asks.next(); r.Decode(got) != nil || r.Code != tlv.ReturnMTU {
					t.Errorf("got %s, want a Return for the MTU", show(got))
				}
			})
		}
		if s := b.status(t); s.Drops.TooLarge != 2 || s.Sockets[0].TooLarge != 0 {
			t.Errorf("too large: %d, and %+v", s.Drops.TooLarge, s.Sockets)
		}
	}
}

// TestStoredData: what an application has pushed reaches a neighbour without it.
func TestStoredData(t *testing.T) {
	b := startNear(t, Options{})
	a := start(t, Options{Routes: []Route{route(t, "ccnx:/", b.url(t, "udp"))}})
	has := dial(t, b)
	has.sends(data(t, "ccnx:/put"))
	has.settled()
	asks := dial(t, a)
	asks.sends(interest(t, "ccnx:/put"))
	asks.gets(data(t, "ccnx:/put"))
}

// stranger is a neighbour made of a bare socket.
func stranger(t testing.TB, n *Node, network string) *peer {
	t.Helper()
	c, err := transport.Dial(t.Context(), transport.Address{Network: network, Addr: n.port(t, network).String()})
	must(t, err)
	return newPeer(t, c)
}

// answered asks for what the node has and gets it: all before has been worked off.
func (p *peer) answered(uri string) *peer {
	p.t.Helper()
	p.sends(interest(p.t, uri))
	p.gets(data(p.t, uri))
	return p
}

// holding starts a node that others can reach and that has Data.
func holding(t testing.TB, uri string, o Options) *Node {
	t.Helper()
	n := startNear(t, o)
	p := dial(t, n)
	p.sends(data(t, uri))
	p.settled()
	p.conn.Close()
	n.until(t, "put", faces(0))
	return n
}

// TestStrangers: who speaks first is listened to, shown, and over TCP gone with his
// connection.
func TestStrangers(t *testing.T) {
	n := holding(t, "ccnx:/x", Options{})
	u, v := stranger(t, n, "udp").answered("ccnx:/x"), stranger(t, n, "tcp").answered("ccnx:/x")
	u.sends([]byte(tlv.LinkRequest))
	u.gets([]byte(tlv.LinkReply))
	v.sends([]byte(tlv.LinkRequest))
	v.gets([]byte(tlv.LinkReply))
	s := n.status(t)
	seen := others(&s)
	if len(seen) != 2 {
		t.Fatalf("faces %+v", seen)
	}
	for i, network := range []string{"udp", "tcp"} {
		if f := seen[i]; f.Kind != network || !strings.HasPrefix(f.Addr, network+"://127.0.0.1:") || f.Static || f.Down || f.RxPackets != 2 || f.TxPackets != 2 {
			t.Errorf("%+v", f)
		}
	}
	v.conn.Close()
	n.awaits(t, "the connection's face is gone", func(s *control.NodeStatus) bool { return len(s.Faces) == 1 })
	u.answered("ccnx:/x")
}

// TestNoStrangersAtACallingPort: a node that only calls listens to whom it calls.
func TestNoStrangersAtACallingPort(t *testing.T) {
	b := holding(t, "ccnx:/b/x", Options{})
	a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", b.url(t, "udp"))}})
	asks := dial(t, a)
	asks.answered("ccnx:/b/x")
	s := a.status(t)
	if len(s.Listening) != 0 || len(s.Sockets) != 1 {
		t.Fatalf("listening at %v, sockets %+v", s.Listening, s.Sockets)
	}
	v, err := parseVia(string(s.Sockets[0].Addr))
	must(t, err)
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopbacks[0], v.addr.Port())))
	must(t, err)
	defer c.Close()
	_, err = c.Write(interest(t, "ccnx:/b/x"))
	must(t, err)
	asks.answered("ccnx:/b/x")
	s = a.status(t)
	if f := theOther(t, s); f.Addr != b.url(t, "udp") || s.Packets.RxInterests != 2 {
		t.Errorf("%d Interests taken; %+v", s.Packets.RxInterests, s.Faces)
	}
}

// TestSamePortElsewhere: who has our port at another of this host's addresses is a
// neighbour, not ourselves.
func TestSamePortElsewhere(t *testing.T) {
	a := startNear(t, Options{})
	port := a.port(t, "udp").Port()
	for _, host := range []string{"127.0.0.2", "::1"} {
		t.Run(host, func(t *testing.T) {
			b, err := Start(Options{Socket: socketPath(t), Listen: []Listen{{Addr: netip.AddrPortFrom(netip.MustParseAddr(host), port), UDP: true}}})
			if err != nil {
				t.Skip(err) // no such address, or the port is somebody else's there
			}
			defer b.Close()
			must(t, a.SetRoutes([]Route{route(t, "ccnx:/b", b.url(t, "udp"))}))
			asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
			exchange(t, asks, has, "ccnx:/b/1")
			// And the other way round, from that port.
			puts := dial(t, a)
			puts.sends(data(t, "ccnx:/put"))
			puts.settled()
			if host == "127.0.0.2" {
				must(t, b.SetRoutes([]Route{route(t, "ccnx:/put", a.url(t, "udp"))}))
				dial(t, b).answered("ccnx:/put")
			}
		})
	}
}

// TestManyPacketsBothWays: nothing is lost between two nodes that keep up.
func TestManyPacketsBothWays(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			b := startNear(t, Options{})
			a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", b.url(t, network))}})
			up(t, a, b.url(t, network))
			asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
			const rounds, window = 20, 50
			for r := range rounds {
				var is, ds [][]byte
				for k := range window {
					uri := fmt.Sprintf("ccnx:/b/Chunk=%d", r*window+k)
					is, ds = append(is, interest(t, uri)), append(ds, data(t, uri, size(1000)))
				}
				asks.sends(is...)
				for _, i := range is {
					has.gets(i)
				}
				has.sends(ds...)
				for _, d := range ds {
					asks.gets(d)
				}
			}
		})
	}
}

// deadline bounds a raw connection of a test.
func deadline(t testing.TB, c net.Conn) {
	t.Helper()
	must(t, c.SetDeadline(time.Now().Add(patience)))
}

// cat is what several packets are in one stream.
func cat(pkts ...[]byte) []byte { return bytes.Join(pkts, nil) }
