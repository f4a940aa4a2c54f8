package forward

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// wires connects forwarders with each other: what one sends to its face of a wire comes
// to the other one's, in the order of sending.
type wires struct {
	t      testing.TB
	nodes  []*world
	queue  []func()
	sent   [5]int // packets over all wires by type
	limits []uint8
}

// end is one forwarder's face of a wire.
type end struct {
	ws  *wires
	far *end
	w   *world
	id  FaceID
}

func (e *end) Send(pkt []byte) bool {
	h, err := tlv.ParseHeader(pkt)
	must(e.ws.t, err)
	e.ws.sent[h.Type]++
	if h.Type == tlv.PacketInterest {
		e.ws.limits = append(e.ws.limits, h.HopLimit)
	}
	pkt = bytes.Clone(pkt)
	e.ws.queue = append(e.ws.queue, func() { e.far.w.f.OnPacket(e.far.id, pkt, e.far.w.now) })
	return true
}

func newWires(t testing.TB, n int, o Options) *wires {
	ws := &wires{t: t}
	for range n {
		ws.nodes = append(ws.nodes, newWorld(t, o))
	}
	return ws
}

// wire connects two nodes; each has a route for uri by the other where that is asked for.
func (ws *wires) wire(a, b int, uri string, there, back bool) (_, _ *end) {
	x := &end{ws: ws, w: ws.nodes[a]}
	y := &end{ws: ws, w: ws.nodes[b], far: x}
	x.far = y
	x.id, y.id = x.w.f.AddFace(x, FaceOptions{Kind: Link}), y.w.f.AddFace(y, FaceOptions{Kind: Link})
	if there {
		must(ws.t, x.w.f.AddRoute(mustName(ws.t, uri), x.id, 0))
	}
	if back {
		must(ws.t, y.w.f.AddRoute(mustName(ws.t, uri), y.id, 0))
	}
	return x, y
}

// run lets the packets arrive, at most so many, and returns how many of a type were sent
// over the wires meanwhile.
func (ws *wires) run(most int, of tlv.PacketType) int {
	ws.t.Helper()
	defer func() { ws.sent, ws.limits = [5]int{}, nil }()
	for n := 0; len(ws.queue) > 0; n++ {
		if n == most {
			ws.queue = nil
			ws.t.Errorf("more than %d packets", most)
			break
		}
		next := ws.queue[0]
		ws.queue = ws.queue[1:]
		next()
	}
	for _, w := range ws.nodes {
		w.f.sound(ws.t)
	}
	return ws.sent[of]
}

func (ws *wires) pass(d time.Duration) {
	for _, w := range ws.nodes {
		w.pass(d)
	}
}

// TestRing: in a ring of two or three forwarders, each of which has a route for
// everything by the next one, an Interest dies out, and so does one that is sent again.
func TestRing(t *testing.T) {
	for _, nodes := range []int{2, 3} {
		for _, kind := range []func(*tlv.Interest){func(*tlv.Interest) {}, symbolic, longLife} {
			t.Run(fmt.Sprint(nodes), func(t *testing.T) {
				ws := newWires(t, nodes, Options{})
				for k := range nodes {
					ws.wire(k, (k+1)%nodes, "ccnx:/", true, false)
				}
				asks := ws.nodes[0].app()
				asks.interest("ccnx:/a/x", kind, hopLimit(32))
				first := ws.run(100, tlv.PacketInterest)
				if !bytes.Equal(interest(t, "ccnx:/a/x", kind), interest(t, "ccnx:/a/x", symbolic)) && first != nodes {
					t.Errorf("%d Interests, want once around", first)
				}
				for range 5 { // once more around, at most until no hop is left
					asks.interest("ccnx:/a/x", kind, hopLimit(32))
					if n := ws.run(100, tlv.PacketInterest); n > 32 {
						t.Errorf("%d Interests of one that was sent again", n)
					}
					ws.pass(100 * time.Millisecond)
				}
				asks.interest("ccnx:/a/x", kind, cancel)
				if n := ws.run(100, tlv.PacketInterest); n > nodes {
					t.Errorf("%d cancelling Interests", n)
				}
				ws.pass(tlv.DefaultLifetime + 2*Tick)
				for _, w := range ws.nodes {
					w.pending(0)
				}
			})
		}
	}
}

// TestRingData: around a ring whose nodes all ask both ways, Data reaches everyone who
// asked exactly once.
func TestRingData(t *testing.T) {
	for _, s := range []Strategy{Best, All, RoundRobin, LowestRTT} {
		t.Run(s.String(), func(t *testing.T) {
			ws := newWires(t, 3, Options{Strategy: s})
			for k := range ws.nodes {
				ws.wire(k, (k+1)%3, "ccnx:/", true, true)
			}
			asks, also := ws.nodes[0].app(), ws.nodes[1].app()
			has := ws.nodes[2].app().registers("ccnx:/a")
			for k := range 20 {
				uri := fmt.Sprintf("ccnx:/a/%d", k)
				asks.interest(uri)
				also.interest(uri, hopLimit(30))
				if n := ws.run(200, tlv.PacketInterest); n > 6 {
					t.Errorf("%d Interests over three wires", n)
				}
				if len(has.got) == 0 {
					t.Fatal("the Interest does not arrive")
				}
				has.got = nil
				d := has.uncacheable(uri, payload(uri))
				if n := ws.run(200, tlv.PacketObject); n > 6 {
					t.Errorf("%d Data over three wires", n)
				}
				asks.gets(d)
				also.gets(d)
			}
			ws.pass(tlv.DefaultLifetime + 2*Tick)
			for _, w := range ws.nodes {
				w.pending(0)
			}
		})
	}
}

// TestLine: over three forwarders an Interest has one hop less at each, the Return comes
// all the way back, and is byte for byte what each has sent.
func TestLine(t *testing.T) {
	ws := newWires(t, 3, Options{})
	ws.wire(0, 1, "ccnx:/a", true, false)
	ws.wire(1, 2, "ccnx:/a", true, false)
	asks, has := ws.nodes[0].app(), ws.nodes[2].app()
	i := asks.interest("ccnx:/a/x", marked, hopLimit(2))
	ws.run(10, 0)
	asks.gets(returned(lower(i), tlv.ReturnNoRoute))
	has.registers("ccnx:/a")
	i = asks.interest("ccnx:/a/x", hopLimit(2))
	for k := range 2 {
		if len(ws.limits) != 1 || ws.limits[0] != uint8(2-k) {
			t.Errorf("hop limits %v over wire %d", ws.limits, k)
		}
		ws.limits = nil
		next := ws.queue
		ws.queue = nil
		for _, arrive := range next {
			arrive()
		}
	}
	has.gets(lower(i))
	d := has.uncacheable("ccnx:/a/x")
	ws.run(10, 0)
	asks.gets(d)
	i = asks.interest("ccnx:/a/y", marked, hopLimit(1))
	ws.run(10, 0)
	asks.gets(returned(i, tlv.ReturnHopLimit))
	for _, w := range ws.nodes {
		w.pending(0)
	}
}

// TestMesh: where every forwarder of a full mesh asks all others, an Interest that is sent
// again does not multiply with every hop.
func TestMesh(t *testing.T) {
	const nodes = 5
	ws := newWires(t, nodes, Options{Strategy: All})
	for a := range nodes {
		for b := range a {
			ws.wire(a, b, "ccnx:/", true, true)
		}
	}
	asks := ws.nodes[0].app()
	for _, pause := range []time.Duration{0, time.Millisecond, time.Second} {
		for range 3 {
			asks.interest("ccnx:/a/x", hopLimit(255))
			n := ws.run(5000, tlv.PacketInterest)
			if n > nodes*nodes {
				t.Errorf("%d Interests over %d wires", n, nodes*(nodes-1)/2)
			}
			if n == 0 {
				t.Error("no Interest goes out")
			}
			ws.pass(pause)
		}
	}
	has := ws.nodes[nodes-1].app().registers("ccnx:/a")
	asks.interest("ccnx:/a/x", hopLimit(255))
	ws.run(5000, 0)
	has.got = nil
	d := has.uncacheable("ccnx:/a/x")
	ws.run(5000, 0)
	asks.gets(d)
	asks.interest("ccnx:/a", symbolic, hopLimit(255))
	if n := ws.run(5000, tlv.PacketInterest); n > nodes*nodes {
		t.Errorf("%d symbolic Interests", n)
	}
	has.got = nil
}

// TestCircling: what comes around a second time has a hop limit lower than before; who asks
// again from farther away than others is heard all the same, a little later.
func TestCircling(t *testing.T) {
	w := newWorld(t, Options{})
	near, far, here, up := w.link(), w.link(), w.app(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(near.interest("ccnx:/a/x", hopLimit(9))))
	far.interest("ccnx:/a/x", hopLimit(7))
	far.interest("ccnx:/a/x", hopLimit(7))
	w.pass(loopTime - 1)
	far.interest("ccnx:/a/x", hopLimit(8))
	if w.f.count.Aggregated != 3 {
		t.Errorf("%d aggregated, want 3", w.f.count.Aggregated)
	}
	w.pass(1)
	up.gets(lower(far.interest("ccnx:/a/x", hopLimit(7)))) // near may have gone
	far.interest("ccnx:/a/x", hopLimit(7))
	up.gets(lower(near.interest("ccnx:/a/x", hopLimit(9))))
	here.interest("ccnx:/a/x", hopLimit(1))
	up.gets(here.interest("ccnx:/a/x", hopLimit(1))) // no neighbour
	up.gets(lower(far.interest("ccnx:/a", symbolic, hopLimit(7))))
	up.gets(lower(near.interest("ccnx:/a", symbolic, hopLimit(7))))
	up.gets(lower(near.interest("ccnx:/a", symbolic, hopLimit(8))))
	far.interest("ccnx:/a", symbolic, hopLimit(7))
	w.pass(loopTime)
	up.gets(lower(far.interest("ccnx:/a", symbolic, hopLimit(7))))
	near.gets()
	up.sends(returned(lower(far.interest("ccnx:/a/x", hopLimit(8))), tlv.ReturnNoRoute))
	up.got, near.got, far.got = nil, nil, nil
	w.quiet("refused")
	up.gets(lower(far.interest("ccnx:/a/x", hopLimit(7)))) // once it was refused, it may be asked again
}

// TestRemoteRing: nor do registrations by the network make an Interest go around for ever.
func TestRemoteRing(t *testing.T) {
	ws := newWires(t, 3, Options{AllowRemoteApps: true})
	for k := range ws.nodes {
		here, _ := ws.wire(k, (k+1)%3, "ccnx:/", false, false)
		reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/a"))
		must(t, err)
		here.w.f.OnPacket(here.id, reg, here.w.now)
	}
	asks := ws.nodes[0].app()
	for _, opt := range []func(*tlv.Interest){func(*tlv.Interest) {}, symbolic, cancel} {
		asks.interest("ccnx:/a/x", opt, hopLimit(32))
		ws.run(100, 0)
	}
}
