package forward

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestInfoStrategy: a Request goes where an Interest would, and leaves no trace there.
func TestInfoStrategy(t *testing.T) {
	w := infoWorld(t)
	asks, one, two := w.app(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	id := uint16(0)
	ask := func(want ...*app) {
		t.Helper()
		id++
		pkt := asks.sends(infoRequest(t, infoID(id)))
		for _, a := range want {
			a.gets(w.hop(pkt))
		}
		w.quiet("asked")
	}
	ask(one)
	ask(one)
	one.down(true)
	ask(two)
	two.down(true)
	id++
	pkt := asks.sends(infoRequest(t, infoID(id)))
	asks.gets(w.refusal(pkt, tlv.InfoNoRoute))
	w.drops(control.Drops{NoRoute: 1})
	one.down(false)
	two.down(false)
	w.strategy("ccnx:/a", All)
	ask(one, two)
	one.down(true)
	ask(two)
	one.down(false)
	w.strategy("ccnx:/a", RoundRobin)
	ask(one)
	for k := range 4 {
		next := []*app{one, two}[k%2]
		ask(next)
		ask(next)
		next.gets(asks.interest(fmt.Sprintf("ccnx:/a/x/Chunk=%d", k)))
	}
	w.strategy("ccnx:/a", LowestRTT)
	r, _ := w.f.fib.get(keyOf(mustName(t, "ccnx:/a")))
	was := []nextHop{*r.hops[0], *r.hops[1]}
	turn, explored := r.turn, r.explored
	pkt = asks.sends(infoRequest(t, infoID(1000)))
	one.gets(w.hop(pkt))
	one.sends(infoReply(t, infoID(1000)))
	asks.takes(1)
	if *r.hops[0] != was[0] || *r.hops[1] != was[1] || r.turn != turn || r.explored != explored {
		t.Errorf("a trace left %+v %+v, was %+v", *r.hops[0], *r.hops[1], was)
	}
	w.strategy("ccnx:/a", Best)
	one.sends(infoRequest(t, infoID(2000))) // not back
	two.takes(1)
	one.full = true
	asks.sends(infoRequest(t, infoID(2001)))
	if w.f.infos.find(infoKeyOf(2001, mustName(t, "ccnx:/a/x"))) != nil {
		t.Error("what was not sent is waited for")
	}
	w.drops(control.Drops{})
}

// TestInfoSkippedApp: an application's own route is no way on for a Request that this
// node is to pass.
func TestInfoSkippedApp(t *testing.T) {
	w := infoWorld(t)
	asks, has := w.link(), w.app()
	w.route("ccnx:/a", has)
	asks.sends(infoRequest(t, infoHops(9, 1)))
	w.drops(control.Drops{NoRoute: 1})
	on := w.link()
	w.route("ccnx:/a", has, on)
	for _, s := range []Strategy{Best, All} {
		w.strategy("ccnx:/a", s)
		pkt := asks.sends(infoRequest(t, infoHops(9, 1), infoID(uint16(s))))
		on.gets(w.hop(pkt))
	}
}

// TestInfoGroup: a Request to a group is answered by who has something; one that goes
// to a group is answered by everybody there, and nobody else.
func TestInfoGroup(t *testing.T) {
	w := infoWorld(t)
	asks, group := w.app(), w.group()
	here, there := w.member(group), w.member(group)
	stranger, elsewhere := w.link(), w.member(w.group())
	w.app().data("ccnx:/a/x")
	pkt := here.multicasts(infoRequest(t))
	here.gets(w.answer(pkt))
	for _, opts := range [][]func(*tlv.Info){
		{infoName(t, "ccnx:/b")}, {infoHops(0, 0)}, {infoFlags(tlv.InfoFlagFullDiscovery)}, {infoName(t, "ccnx:/b"), reports(t, "ccnx:/here")},
	} {
		here.multicasts(infoRequest(t, opts...))
	}
	w.quiet("nothing to say")
	w.route("ccnx:/b", group)
	w.f.drops = control.Drops{}
	b := infoName(t, "ccnx:/b")
	pkt = asks.sends(infoRequest(t, b))
	group.gets(w.hop(pkt))
	reply := infoReply(t, b)
	for _, a := range []*app{stranger, elsewhere} {
		a.sends(reply)
	}
	w.quiet("of another group, or of none")
	w.drops(control.Drops{Unexpected: 2})
	here.sends(reply)
	there.sends(reply)
	asks.gets(reply, reply)
	here.sends(reply)    // again
	w.app().sends(reply) // no neighbour
	asks.sends(reply)
	w.quiet("unexpected")
	w.drops(control.Drops{Unexpected: 3})
	w.infos(1) // another may come
	here.sends(infoRequest(t, b, infoID(1)))
	group.takes(1)
	here.sends(infoReply(t, b, infoID(1))) // hears itself
	w.drops(control.Drops{Unexpected: 1})
	w.pass(4 * time.Second)
	w.infos(0)
}

// TestInfoNameless: a node without a name passes on, and says nothing.
func TestInfoNameless(t *testing.T) {
	w := newWorld(t, Options{})
	asks, on := w.app(), w.link()
	w.app().data("ccnx:/a/x")
	w.app().registers("ccnx:/a")
	w.route("ccnx:/a", on)
	pkt := bytes.Clone(asks.sends(infoRequest(t, reports(t, "ccnx:/b"))))
	pkt[4]--
	on.gets(pkt)
	reply := on.sends(infoReply(t))
	asks.gets(reply)
	for _, opts := range [][]func(*tlv.Info){{infoName(t, "ccnx:/b")}, {infoHops(0, 0)}, {infoHops(1, 0)}, {infoFlags(tlv.InfoFlagFullDiscovery)}} {
		asks.sends(infoRequest(t, opts...))
	}
	w.infos(0)
}
