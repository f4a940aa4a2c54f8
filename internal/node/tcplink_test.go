package node

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// freeTCP is a port at which nobody listens, yet.
func freeTCP(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := transport.ListenTCP(netip.AddrPortFrom(loopbacks[0], 0))
	must(t, err)
	defer l.Close()
	return l.LocalAddr()
}

// TestTCPLink: a neighbour may come later, and go and come again; the face stays.
func TestTCPLink(t *testing.T) {
	at := freeTCP(t)
	via := "tcp://" + at.String()
	a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", via)}})
	asks := dial(t, a)
	f := theOther(t, a.status(t))
	if f.Kind != kindTCP || f.Addr != via || !f.Static || !f.Down {
		t.Errorf("before the neighbour: %+v", f)
	}
	asks.refused("ccnx:/b/early", tlv.ReturnPathError)
	for range 2 {
		b := start(t, Options{Listen: []Listen{{Addr: at, TCP: true}}})
		a.is(t, via, false)
		has := dial(t, b).registers("ccnx:/b")
		exchange(t, asks, has, "ccnx:/b/1")
		if again := theOther(t, a.status(t)); again.ID != f.ID || !again.Static {
			t.Errorf("with the neighbour: %+v", again)
		}
		b.Close()
		a.is(t, via, true)
		asks.refused("ccnx:/b/2", tlv.ReturnPathError)
	}
}

// TestTCPLinkEnds: with its last route, whether it is up or down, and with the node.
func TestTCPLinkEnds(t *testing.T) {
	b := startNear(t, Options{})
	for name, at := range map[string]netip.AddrPort{"up": b.port(t, "tcp"), "down": freeTCP(t)} {
		t.Run(name, func(t *testing.T) {
			via := "tcp://" + at.String()
			a := start(t, Options{})
			here := goleak.IgnoreCurrent()
			must(t, a.SetRoutes([]Route{route(t, "ccnx:/b", via), route(t, "ccnx:/c", via)}))
			a.is(t, via, name == "down")
			must(t, a.SetRoutes([]Route{route(t, "ccnx:/c", via)}))
			if s := a.status(t); len(s.Faces) != 1 {
				t.Errorf("faces %+v, with a route left", s.Faces)
			}
			must(t, a.SetRoutes(nil))
			if s := a.status(t); len(s.Faces) != 0 || s.RouteNum != 0 {
				t.Errorf("faces %+v, %d routes", s.Faces, s.RouteNum)
			}
			b.awaits(t, "the connection has ended", func(s *control.NodeStatus) bool { return len(s.Faces) == 0 })
			goleak.VerifyNone(t, here)
			// And anew.
			must(t, a.SetRoutes([]Route{route(t, "ccnx:/b", via)}))
			a.is(t, via, name == "down")
		})
	}
	b.awaits(t, "the last connection has ended", func(s *control.NodeStatus) bool { return len(s.Faces) == 0 })
}

// TestDownIsPassedOver: as long as there is another next hop.
func TestDownIsPassedOver(t *testing.T) {
	down := "tcp://" + freeTCP(t).String()
	b := startNear(t, Options{})
	for _, strategy := range []string{"best", "all", "round-robin", "lowest-rtt"} {
		a := start(t, Options{Routes: []Route{
			{mustName(t, "ccnx:/b"), down, 1, strategy}, {mustName(t, "ccnx:/b"), b.url(t, "udp"), 2, strategy},
		}})
		asks, has := dial(t, a), dial(t, b).registers("ccnx:/b")
		for _, uri := range []string{"ccnx:/b/1", "ccnx:/b/2", "ccnx:/b/3"} {
			exchange(t, asks, has, uri)
		}
		s := a.status(t)
		if h := s.Routes[0].NextHops; !h[0].Down || h[0].Interests != 0 || h[1].Down || h[1].Interests != 3 {
			t.Errorf("%s: next hops %+v", strategy, h)
		}
		has.conn.Close()
		b.until(t, "gone", registered(0))
	}
}

// TestNeighbourThatHangsUp: it is called again, with a pause, and costs nobody else
// anything.
func TestNeighbourThatHangsUp(t *testing.T) {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopbacks[0], 0)))
	must(t, err)
	via := "tcp://" + l.Addr().String()
	a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", via)}})
	has, asks := dial(t, a).registers("ccnx:/a"), dial(t, a)
	var calls []time.Time
	for range 4 {
		must(t, l.SetDeadline(time.Now().Add(patience)))
		c, err := l.Accept()
		must(t, err)
		calls = append(calls, time.Now())
		// In the middle of a packet.
		_, _ = c.Write(interest(t, "ccnx:/a/x")[:10])
		c.Close()
		exchange(t, asks, has, "ccnx:/a/1")
	}
	if took := calls[3].Sub(calls[0]); took < 2*redialFirst {
		t.Errorf("3 calls in %v", took)
	}
	l.Close()
	a.is(t, via, true)
	exchange(t, asks, has, "ccnx:/a/2")
}

// TestLinkThatDoesNotRead: what it does not take is lost and counted, also over several
// connections, and others go on.
func TestLinkThatDoesNotRead(t *testing.T) {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopbacks[0], 0)))
	must(t, err)
	defer l.Close()
	must(t, l.SetDeadline(time.Now().Add(patience)))
	via := "tcp://" + l.Addr().String()
	a := start(t, Options{Routes: []Route{route(t, "ccnx:/b", via)}})
	asks, has := dial(t, a), dial(t, a).registers("ccnx:/a")
	lost := uint64(0)
	for range 2 {
		c, err := l.Accept()
		must(t, err)
		a.is(t, via, false)
		before := lost
		for k := 0; lost <= before; k++ {
			if k == 1000 {
				t.Fatal("60 MB for who does not read, and nothing lost")
			}
			asks.sends(interest(t, "ccnx:/b/x", func(i *tlv.Interest) { i.Payload = make([]byte, 60_000) }))
			asks.settled()
			lost = theOther(t, a.status(t)).QueueDrops
		}
		exchange(t, asks, has, "ccnx:/a/1")
		c.Close()
		a.is(t, via, true)
		if after := theOther(t, a.status(t)).QueueDrops; after < lost {
			t.Errorf("%d lost, and afterwards %d", lost, after)
		}
	}
}

// TestRouteGoneMeanwhile: a connection that is made just when its route goes is ended.
func TestRouteGoneMeanwhile(t *testing.T) {
	c := bareCore()
	at := freeTCP(t)
	l := c.link(transport.Address{Network: "tcp", Addr: at.String()})
	c.unlink(l)
	conn := newBlockedConn()
	c.onLink(event{link: l, conn: conn})
	<-conn.ended
	// Nor is a link of the same address that is not the one that called its.
	again := c.link(l.addr)
	conn = newBlockedConn()
	c.onLink(event{link: l, conn: conn})
	<-conn.ended
	if again.stream != nil {
		t.Error("another link's connection is taken")
	}
	c.unlink(again)
	c.n.closeBare()
}
