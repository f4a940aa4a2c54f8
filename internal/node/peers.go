package node

import (
	"net/netip"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
)

// maxPeers bounds the UDP peers that spoke first, whose source anybody can forge;
// idleAfter is how long one is remembered that says nothing and waits for nothing. In
// a flood the idle ones go sooner.
const (
	maxPeers     = 8192
	idleAfter    = 5 * time.Minute
	idleInFlood  = 5 * time.Second
	sweepEvery   = 30 * time.Second
	floodSweep   = time.Second // the least time between two looks at a full table
	maxDatagram4 = 65507
	maxDatagram6 = 65527
)

// peerKey is a UDP peer: by which socket, and where.
type peerKey struct {
	port *port
	addr netip.AddrPort
}

// udpFace is a UDP peer.
type udpFace struct {
	peerKey
	id     forward.FaceID
	static bool // of a route: it is kept
	drops  uint64
}

// Send queues pkt; it never waits.
func (u *udpFace) Send(pkt []byte) bool {
	ok := u.port.out.TryPut(pkt, u.addr)
	if !ok {
		u.drops++
	}
	return ok
}

// groupFace is a multicast group to send to.
type groupFace struct {
	udpFace
	o Group
}

// peerTable is the UDP peers.
type peerTable struct {
	c       *core
	byKey   map[peerKey]*udpFace
	byID    map[forward.FaceID]*udpFace
	dynamic int // peers that are no route's
	full    uint64
	swept   time.Time
	own     ownAddrs
}

func newPeerTable(c *core) *peerTable {
	return &peerTable{c: c, byKey: make(map[peerKey]*udpFace), byID: make(map[forward.FaceID]*udpFace)}
}

func maxDatagram(a netip.Addr) int {
	if a.Is4() {
		return maxDatagram4
	}
	return maxDatagram6
}

// add makes a face for a peer.
func (t *peerTable) add(k peerKey, static bool) *udpFace {
	u := &udpFace{peerKey: k, static: static}
	u.id = t.c.f.AddFace(u, forward.FaceOptions{Kind: forward.Link, MaxPacket: maxDatagram(k.addr.Addr()), Group: t.c.groupBy(k.port)})
	t.byKey[k], t.byID[u.id] = u, u
	if !static {
		t.dynamic++
	}
	return u
}

// static is the face of a peer that is a route's.
func (t *peerTable) static(k peerKey) *udpFace {
	u := t.byKey[k]
	switch {
	case u == nil:
		u = t.add(k, true)
	case !u.static:
		u.static = true
		t.dynamic--
	}
	return u
}

// release lets a face go that no route leads to any more, when it is idle.
func (t *peerTable) release(u *udpFace) {
	if u.static {
		u.static = false
		t.dynamic++
	}
}

// from is the face of who sent a datagram; nil where it is not listened to.
func (t *peerTable) from(k peerKey, now time.Time) *udpFace {
	if u := t.byKey[k]; u != nil {
		return u
	}
	if !k.port.strangers || t.own.has("udp", k.addr, t.c.n.net, now) {
		return nil
	}
	if t.dynamic >= maxPeers {
		if now.Sub(t.swept) >= floodSweep {
			t.drop(idleInFlood, now)
		}
		if t.dynamic >= maxPeers {
			t.full++
			return nil
		}
	}
	return t.add(k, false)
}

// sweep forgets who has been idle for long.
func (t *peerTable) sweep(now time.Time) { t.drop(idleAfter, now) }

func (t *peerTable) drop(idle time.Duration, now time.Time) {
	t.swept = now
	for k, u := range t.byKey {
		if !u.static && t.c.f.Idle(u.id, idle, now) {
			t.c.f.RemoveFace(u.id)
			delete(t.byKey, k)
			delete(t.byID, u.id)
			t.dynamic--
		}
	}
}

// onDatagrams takes packets from the network.
func (c *core) onDatagrams(d *datagrams, now time.Time) {
	var last peerKey
	var face *udpFace
	group := c.groupBy(d.port)
	c.f.Warm(&d.b)
	for i := range d.b.Len() {
		if k := (peerKey{d.port, d.from[i]}); k != last {
			last, face = k, c.peers.from(k, now)
		}
		switch {
		case face == nil:
		case d.group:
			c.f.OnGroupPacket(face.id, group, d.b.Packet(i), now)
		default:
			c.f.OnPacket(face.id, d.b.Packet(i), now)
		}
	}
	d.recycle()
}

// groupBy is the face of the group whose packets come by a port.
func (c *core) groupBy(p *port) forward.FaceID {
	for _, g := range c.groups {
		if g.port == p {
			return g.id
		}
	}
	return 0
}

// isGroup reports whether a face is a multicast group's.
func (c *core) isGroup(id forward.FaceID) bool {
	return slices.ContainsFunc(c.groups, func(g *groupFace) bool { return g.id == id })
}

// addGroup makes the face of a multicast group, and it the way for what has no other.
func (c *core) addGroup(g *groupPort) {
	gf := &groupFace{udpFace: udpFace{peerKey: peerKey{g.port, g.o.Addr}, static: true}, o: g.o}
	gf.id = c.f.AddFace(gf, forward.FaceOptions{Kind: forward.Group, MaxPacket: maxDatagram(g.o.Addr.Addr())})
	c.groups = append(c.groups, gf)
	_ = c.f.AddRoute(defaultRoute, gf.id, groupCost) // there is room for the first ones
}

// groupCost is the cost of a group's route: any other is preferred.
const groupCost = 1 << 20

// ownAddrs knows which senders are this node itself, whose multicast comes back to it.
type ownAddrs struct {
	addrs  map[netip.Addr]bool
	looked time.Time
}

// lookAgain is how often the system's addresses are looked up.
const lookAgain = 10 * time.Second

// has reports whether a is where the node itself listens, by udp or tcp. Another may
// listen at the same port of the other one, or of another address of the system's.
func (o *ownAddrs) has(network string, a netip.AddrPort, nw *network, now time.Time) bool {
	itself, all := false, false // at a, or at all addresses
	look := func(l netip.AddrPort) {
		if l.Port() == a.Port() && l.Addr().Is4() == a.Addr().Is4() {
			itself = itself || l.Addr().WithZone("") == a.Addr().WithZone("")
			all = all || l.Addr().IsUnspecified()
		}
	}
	if network == "udp" {
		for _, p := range nw.ports {
			look(p.sock.LocalAddr())
		}
	} else {
		for _, l := range nw.listeners {
			look(l.LocalAddr())
		}
	}
	if itself || !all {
		return itself
	}
	if o.addrs == nil || now.Sub(o.looked) >= lookAgain {
		o.addrs, o.looked = localAddrs(), now
	}
	return a.Addr().IsLoopback() || o.addrs[a.Addr().WithZone("")]
}
