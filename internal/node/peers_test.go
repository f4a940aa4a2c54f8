package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// bareCore is the loop's part of a node without sockets.
func bareCore() *core { return newCore(bareNode()) }

func bareNode() *Node {
	n := &Node{net: &network{out: make(map[bool]*port)}, log: slog.New(slog.DiscardHandler), begun: time.Now(), events: make(chan event)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// barePort is a UDP port without a socket.
func barePort(strangers bool) *port {
	p := &port{out: transport.NewAddrQueue(portQueueBytes), strangers: strangers, free: make(chan *datagrams, readBatches)}
	for range readBatches {
		p.free <- &datagrams{port: p}
	}
	return p
}

// somewhere is the address number k of an IPv6 network.
func somewhere(k int) netip.AddrPort {
	a := netip.MustParseAddr("2001:db8::").As16()
	binary.BigEndian.PutUint32(a[12:], uint32(k))
	return netip.AddrPortFrom(netip.AddrFrom16(a), 9695)
}

// from is a datagram that has arrived.
func (p *port) from(a netip.AddrPort, pkts ...[]byte) *datagrams {
	d := <-p.free
	d.fill([]transport.Datagram{{From: a, Packets: pkts}})
	return d
}

// check compares the table's parts with each other and with the forwarder's faces.
func (t *peerTable) check(tb testing.TB) {
	tb.Helper()
	dynamic := 0
	for k, u := range t.byKey {
		if t.byID[u.id] != u || u.peerKey != k {
			tb.Errorf("%v is %+v, its face %+v", k.addr, u, t.byID[u.id])
		}
		if !u.static {
			dynamic++
		}
	}
	faces := len(t.c.f.Status(forward.StatusLimits{}, time.Now()).Faces) - len(t.c.streams) - len(t.c.links) - len(t.c.groups)
	if dynamic != t.dynamic || len(t.byID) != len(t.byKey) || faces != len(t.byKey) {
		tb.Errorf("%d peers, %d by their face, %d faces; %d of %d dynamic", len(t.byKey), len(t.byID), faces, t.dynamic, dynamic)
	}
}

// TestPeerFlood: the sources that a flood invents take no more than their share, those
// that are of use stay, and the table recovers.
func TestPeerFlood(t *testing.T) {
	c := bareCore()
	p, now := barePort(true), c.n.begun
	asks := interest(t, "ccnx:/none", lifetime(time.Hour), func(i *tlv.Interest) { i.MsgVendor = tlv.VendorSymbolic })
	says := data(t, "ccnx:/none")
	k := 0
	next := func(pkt []byte) *udpFace {
		k++
		c.onDatagrams(p.from(somewhere(k), pkt), now)
		return c.peers.byKey[peerKey{p, somewhere(k)}]
	}
	static := c.peers.static(peerKey{p, somewhere(0)})
	must(t, c.f.AddRoute(mustName(t, "ccnx:/"), static.id, 0))
	routed := next(says)
	must(t, c.f.AddRoute(mustName(t, "ccnx:/r"), routed.id, 0))
	waits := next(asks)
	for c.peers.dynamic < maxPeers {
		if next(says) == nil {
			t.Fatalf("%d peers, and no room", c.peers.dynamic)
		}
	}
	last := k
	now = now.Add(floodSweep)
	for range 100 {
		if u := next(says); u != nil {
			t.Fatalf("number %d has room", k)
		}
	}
	if c.peers.full != 100 || c.peers.dynamic != maxPeers {
		t.Errorf("%d turned away, %d there", c.peers.full, c.peers.dynamic)
	}
	if s := c.status(forward.StatusLimits{}); s.Drops.FacesFull != 100 || len(s.Faces) != maxPeers+1 {
		t.Errorf("status: %d turned away, %d faces", s.Drops.FacesFull, len(s.Faces))
	}
	c.peers.check(t)
	// Who is known is heard, and goes on to be. A static one more has room.
	c.onDatagrams(p.from(somewhere(last), says), now)
	c.peers.static(peerKey{p, somewhere(-1)})
	if c.peers.full != 100 {
		t.Error("one that is known is turned away")
	}
	// In a flood, who has been silent for long goes first; but nobody looks at each packet.
	now = c.n.begun.Add(idleInFlood - 1)
	if next(says) != nil {
		t.Error("room, though nobody was idle for long")
	}
	now = now.Add(1)
	if next(says) != nil {
		t.Error("the whole table is looked through again at once")
	}
	now = now.Add(floodSweep - 1)
	if next(says) == nil {
		t.Error("no room, though almost all were idle")
	}
	c.peers.check(t)
	for what, u := range map[string]*udpFace{"static": static, "routed": routed, "waiting": waits, "heard of late": c.peers.byKey[peerKey{p, somewhere(last)}]} {
		if u == nil || c.peers.byID[u.id] != u {
			t.Errorf("the %s one is gone", what)
		}
	}
	if c.peers.dynamic != 4 {
		t.Errorf("%d left", c.peers.dynamic)
	}
	// Their datagrams are not mixed up.
	d := <-p.free
	d.fill([]transport.Datagram{{From: somewhere(1), Packets: [][]byte{says, says}}, {From: somewhere(2), Packets: [][]byte{says}}, {From: somewhere(1), Packets: [][]byte{says}}})
	c.onDatagrams(d, now)
	for _, f := range c.f.Status(forward.StatusLimits{}, now).Faces {
		if want := map[forward.FaceID]uint64{routed.id: 4, waits.id: 2}[forward.FaceID(f.ID)]; want > 0 && f.RxPackets != want {
			t.Errorf("face %d has sent %d packets, want %d", f.ID, f.RxPackets, want)
		}
	}
}

// TestPeersAreForgotten: by the loop itself, when they have been idle for long.
func TestPeersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := bareNode()
		n.wg.Go(n.loop)
		defer n.closeBare()
		p := barePort(true)
		var static, released *udpFace
		must(t, n.ask(func(c *core) {
			static, released = c.peers.static(peerKey{p, somewhere(1)}), c.peers.static(peerKey{p, somewhere(2)})
			must(t, c.f.AddRoute(mustName(t, "ccnx:/1"), static.id, 0))
			must(t, c.f.AddRoute(mustName(t, "ccnx:/2"), released.id, 0))
		}))
		peers := func() (k int) {
			must(t, n.ask(func(c *core) { c.peers.check(t); k = len(c.peers.byKey) }))
			return k
		}
		must(t, n.post(event{grams: p.from(somewhere(3), data(t, "ccnx:/x"))}))
		time.Sleep(idleAfter - sweepEvery)
		must(t, n.post(event{grams: p.from(somewhere(4), data(t, "ccnx:/x"))}))
		if k := peers(); k != 4 {
			t.Errorf("%d peers at first", k)
		}
		time.Sleep(3 * sweepEvery)
		if k := peers(); k != 3 {
			t.Errorf("%d peers when one has been idle for %v", k, idleAfter)
		}
		// Whoever is heard again stays longer.
		must(t, n.post(event{grams: p.from(somewhere(4), data(t, "ccnx:/x"))}))
		time.Sleep(idleAfter - sweepEvery)
		if k := peers(); k != 3 {
			t.Errorf("%d peers when one was heard again", k)
		}
		time.Sleep(3 * sweepEvery)
		if k := peers(); k != 2 {
			t.Errorf("%d peers when only the static ones are left", k)
		}
		time.Sleep(time.Hour)
		must(t, n.ask(func(c *core) {
			if had, err := c.delRoute(mustName(t, "ccnx:/2"), fmt.Sprintf("face:%d", released.id)); !had || err != nil {
				t.Errorf("%v, %v", had, err)
			}
			if released.static {
				t.Error("still static")
			}
		}))
		time.Sleep(3 * sweepEvery)
		if k := peers(); k != 1 {
			t.Errorf("%d peers when a route is gone", k)
		}
	})
}

// closeBare is Close of a node without sockets.
func (n *Node) closeBare() {
	n.cancel()
	n.wg.Wait()
}

// TestAPeerBecomesStatic: one that spoke first, by a route; and the other way round.
func TestAPeerBecomesStatic(t *testing.T) {
	n := holding(t, "ccnx:/x", Options{})
	p := stranger(t, n, "udp").answered("ccnx:/x")
	f := theOther(t, n.status(t))
	must(t, n.SetRoutes([]Route{route(t, "ccnx:/a", f.Addr)}))
	if s := theOther(t, n.status(t)); s.ID != f.ID || !s.Static {
		t.Errorf("%+v, was %+v", s, f)
	}
	exchange(t, dial(t, n), p, "ccnx:/a/1")
	forget := func() {
		must(t, n.ask(func(c *core) { c.peers.sweep(time.Now().Add(2 * idleAfter)); c.peers.check(t) }))
	}
	forget()
	if s := theOther(t, n.status(t)); s.ID != f.ID {
		t.Errorf("%+v", s)
	}
	must(t, n.SetRoutes(nil))
	if s := theOther(t, n.status(t)); s.ID != f.ID || s.Static {
		t.Errorf("%+v, was %+v", s, f)
	}
	forget()
	n.awaits(t, "forgotten", func(s *control.NodeStatus) bool { return len(others(s)) == 0 })
	p.answered("ccnx:/x")
	if s := theOther(t, n.status(t)); s.ID == f.ID || s.Static {
		t.Errorf("%+v, was %+v", s, f)
	}
}
