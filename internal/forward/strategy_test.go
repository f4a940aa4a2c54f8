package forward

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// ways is a forwarder with next hops for ccnx:/a and an application that asks.
type ways struct {
	*world
	asks *app
	hops []*app
	seq  int
}

func newWays(t *testing.T, s Strategy, hops int) *ways {
	ws := &ways{world: newWorld(t, Options{Strategy: s})}
	ws.asks = ws.app()
	for range hops {
		ws.hops = append(ws.hops, ws.link())
	}
	ws.route("ccnx:/a", ws.hops...)
	return ws
}

// asked sends an Interest for something new and wants exactly these next hops to get it,
// by their numbers.
func (ws *ways) asked(want ...int) (uri string) {
	ws.t.Helper()
	ws.seq++
	uri = fmt.Sprintf("ccnx:/a/%d", ws.seq)
	ws.asks.interest(uri)
	ws.got(want...)
	return uri
}

// got wants exactly these next hops to have been sent one packet.
func (ws *ways) got(want ...int) {
	ws.t.Helper()
	var got []int
	for k, h := range ws.hops {
		for range h.got {
			got = append(got, k)
		}
		h.got = nil
	}
	if !slices.Equal(got, want) {
		ws.t.Errorf("at %v: next hops %v asked, want %v", ws.now.Sub(begin), got, want)
	}
}

// answers has a next hop answer.
func (ws *ways) answers(k int, uri string) {
	ws.t.Helper()
	ws.asks.gets(ws.hops[k].uncacheable(uri))
}

// next is the state of a next hop.
func (ws *ways) next(k int) *nextHop { return ws.world.next("ccnx:/a", ws.hops[k]) }

func (w *world) next(uri string, by *app) *nextHop {
	w.t.Helper()
	return w.f.fib.byName[keyOf(mustName(w.t, uri))].hop(w.f.faces[by.id])
}

// keeps lets time go by, in which each of these answers, so that none is silent.
func (ws *ways) keeps(d time.Duration, ks ...int) {
	ws.pass(d)
	for _, k := range ks {
		ws.next(k).silentSince = never
	}
}

func TestBest(t *testing.T) {
	ws := newWays(t, Best, 4)
	cost := func(k, c int) {
		must(t, ws.f.AddRoute(mustName(t, "ccnx:/a"), ws.hops[k].id, c))
	}
	ws.asked(0)
	cost(0, 9)
	ws.asked(1)
	cost(2, -1)
	ws.asked(2)
	cost(3, -1)
	ws.asked(2) // of equal ones the first
	cost(0, -1)
	ws.asked(0)
	ws.hops[0].down(true)
	ws.asked(2)
	ws.hops[2].leaves()
	ws.asked(3)
	ws.hops[3].full = true
	ws.asked() // no other is asked in its stead
	ws.hops[3].down(true)
	ws.asked(1)
	ws.hops[1].down(true)
	ws.asked()
	ws.drops(control.Drops{NoRoute: 1})
	ws.hops[0].down(false)
	ws.asked(0)
	// Never back.
	ws.hops[1].down(false)
	ws.hops[0].interest("ccnx:/a/x")
	ws.got(1)
	if len(ws.f.NextHops(mustName(t, "ccnx:/a"))) != 3 {
		t.Error("a change of cost makes a next hop")
	}
}

func TestAll(t *testing.T) {
	ws := newWays(t, All, 4)
	ws.asked(0, 1, 2, 3)
	ws.hops[1].down(true)
	ws.hops[2].leaves()
	ws.asked(0, 3)
	ws.hops[0].interest("ccnx:/a/x")
	ws.got(3)
	ws.pass(5 * time.Second) // whoever is silent
	ws.hops[0].full = true
	ws.asked(3)
}

func TestRoundRobin(t *testing.T) {
	ws := newWays(t, RoundRobin, 3)
	var turns []int
	for range 9 {
		ws.asks.interest(fmt.Sprintf("ccnx:/a/t%d", len(turns)))
		turns = append(turns, slices.IndexFunc(ws.hops, func(a *app) bool { return len(a.got) == 1 }))
		ws.hops[turns[len(turns)-1]].got = nil
	}
	ws.quiet("one at a time")
	for k := range 6 {
		if turns[k] != turns[k+3] || turns[k+1] != (turns[k]+1)%3 {
			t.Errorf("turns %v", turns)
		}
	}
	ws.hops[1].down(true)
	last := turns[len(turns)-1]
	for range 6 { // half of it each, whoever stands before the one that is passed over
		ws.asked(2 - last)
		last = 2 - last
	}
	// Costs are of no concern.
	must(t, ws.f.AddRoute(mustName(t, "ccnx:/a"), ws.hops[2].id, 1000))
	ws.asks.interest("ccnx:/a/v")
	ws.asks.interest("ccnx:/a/w")
	ws.got(0, 2)
	ws.hops[2].leaves()
	ws.asked(0)
	ws.asked(0)
}

// TestSilentNextHop: who has been asked and said nothing for a second is passed over, as
// long as there is another, asked beside it once a second, and taken back when it answers.
func TestSilentNextHop(t *testing.T) {
	for _, back := range []string{"data", "return"} {
		t.Run(back, func(t *testing.T) {
			ws := newWays(t, Best, 3)
			ws.asked(0)
			ws.pass(silentFor - 1)
			ws.asked(0) // again, and counted from the first
			ws.pass(1)
			uri := ws.asked(0, 1) // passed over, and probed
			ws.answers(1, uri)
			for range 3 {
				ws.pass(probeEvery / 2)
				uri = ws.asked(1)
				ws.answers(1, uri)
				ws.pass(probeEvery/2 - 1)
				uri = ws.asked(1)
				ws.answers(1, uri)
				ws.pass(1)
				uri = ws.asked(0, 1)
				ws.answers(1, uri)
			}
			ws.pass(probeEvery)
			uri = ws.asked(0, 1)
			if back == "data" {
				ws.answers(0, uri)
			} else {
				ws.hops[0].sends(returned(interest(t, uri), tlv.ReturnNoRoute))
				ws.got(2) // one that was not asked yet
			}
			ws.pass(time.Millisecond)
			ws.asked(0)
		})
	}

	// Where all are silent, cost tells again, and the others are probed.
	ws := newWays(t, Best, 3)
	ws.asked(0)
	ws.pass(silentFor)
	ws.asked(0, 1)
	ws.pass(silentFor)
	ws.asked(0, 1, 2)
	ws.pass(silentFor)
	ws.asked(0, 1, 2)
	ws.asked(0)

	// There is no other.
	ws = newWays(t, Best, 1)
	ws.asked(0)
	ws.pass(10 * time.Second)
	ws.asked(0)
	ws.asked(0)

	// A long round trip takes longer.
	ws = newWays(t, Best, 2)
	uri := ws.asked(0)
	ws.pass(time.Second)
	ws.answers(0, uri)
	ws.asked(0)
	ws.pass(silentRTTs*time.Second - 1)
	ws.asked(0)
	ws.pass(1)
	ws.asked(0, 1)

	// Nobody else is silent for it, in turn or not.
	ws = newWays(t, RoundRobin, 3)
	uri = ws.asked(0)
	ws.answers(0, uri)
	ws.asked(1)
	uri = ws.asked(2)
	ws.answers(2, uri)
	ws.pass(silentFor)
	ws.asked(0, 1)
	ws.keeps(0, 0)
	ws.asked(2) // in 1's turn
	ws.keeps(0, 2)
	ws.asked(0)

	// A next hop that was never asked is not silent.
	ws = newWays(t, Best, 2)
	ws.pass(time.Hour)
	ws.asked(0)
}

// TestLowestRTT takes whose answers come soonest, and looks at the others once a second.
func TestLowestRTT(t *testing.T) {
	ws := newWays(t, LowestRTT, 3)
	uri := ws.asked(0, 1, 2)
	ws.pass(10 * time.Millisecond)
	ws.answers(2, uri)
	ws.keeps(0, 0, 1)
	if srtt := ws.next(2).srtt; srtt != 10*time.Millisecond {
		t.Errorf("round trip %v", srtt)
	}
	for range 3 {
		uri = ws.asked(2)
		ws.pass(20 * time.Millisecond)
		ws.answers(2, uri)
	}
	ws.keeps(exploreEvery-71*time.Millisecond, 0, 1)
	uri = ws.asked(2)
	ws.answers(2, uri)
	ws.keeps(time.Millisecond, 0, 1)
	uri = ws.asked(0, 1, 2) // a second after the last time
	ws.pass(5 * time.Millisecond)
	ws.answers(0, uri)
	ws.keeps(0, 1, 2)
	uri = ws.asked(0) // is quicker
	ws.answers(0, uri)

	// It slows down.
	for ws.next(0).srtt <= ws.next(2).srtt && ws.seq < 40 {
		uri = ws.asked(0)
		ws.pass(19 * time.Millisecond)
		ws.answers(0, uri)
		ws.keeps(0, 1, 2)
	}
	ws.asked(2)

	// One that has been asked and has not answered comes last, one that was never asked first.
	new := ws.link()
	ws.hops = append(ws.hops, new)
	must(t, ws.f.AddRoute(mustName(t, "ccnx:/a"), new.id, 9))
	uri = ws.asked(3)
	ws.asked(2)
	ws.answers(3, uri)
	if ws.next(3).srtt != 0 { // answered at once, which tells nothing
		t.Error("a round trip of nothing")
	}
	ws.asked(2)
	ws.hops[2].down(true)
	ws.asked(0)
	ws.hops[0].down(true)
	ws.asked(1)
}

// TestRoundTrip: smoothed by an eighth (RFC 6298); what was asked twice tells nothing
// (Karn), nor does what comes again.
func TestRoundTrip(t *testing.T) {
	ws := newWays(t, Best, 1)
	h := ws.next(0)
	rtt := func(want time.Duration) {
		t.Helper()
		if h.srtt != want {
			t.Errorf("round trip %v, want %v", h.srtt, want)
		}
	}
	uri := ws.asked(0)
	rtt(0)
	ws.pass(80 * time.Millisecond)
	ws.answers(0, uri)
	rtt(80 * time.Millisecond)
	uri = ws.asked(0)
	ws.pass(160 * time.Millisecond)
	ws.answers(0, uri)
	rtt(90 * time.Millisecond)
	uri = ws.asked(0)
	ws.pass(500 * time.Millisecond)
	ws.asks.interest(uri)
	ws.got(0)
	ws.pass(time.Millisecond)
	ws.answers(0, uri)
	rtt(90 * time.Millisecond)
	uri = ws.asked(0)
	ws.pass(10 * time.Millisecond)
	ws.hops[0].sends(returned(interest(t, uri), tlv.ReturnNoRoute))
	rtt(90 * time.Millisecond) // a refusal is no answer
	ws.asks.interest("ccnx:/a", symbolic)
	ws.got(0)
	ws.pass(10 * time.Millisecond)
	ws.asks.gets(ws.hops[0].uncacheable("ccnx:/a/Chunk=0"))
	rtt(80 * time.Millisecond)
	ws.pass(time.Second)
	ws.asks.gets(ws.hops[0].uncacheable("ccnx:/a/Chunk=1"))
	rtt(80 * time.Millisecond)
	if h.sent != 6 || h.answered != 6 {
		t.Errorf("asked %d times, answered %d, want 6 and 6", h.sent, h.answered)
	}
	if s := ws.f.Status(StatusLimits{Routes: 1}, ws.now); s.Routes[0].NextHops[0].RTTMS != 80 {
		t.Errorf("status %+v", s.Routes[0])
	}
}

// TestApplicationsBeforeNextHops: those with a route come first, and all of them, whatever
// the strategy.
func TestApplicationsBeforeNextHops(t *testing.T) {
	for _, s := range []Strategy{Best, All, RoundRobin, LowestRTT} {
		ws := newWays(t, s, 2)
		one, two := ws.app(), ws.app()
		ws.route("ccnx:/a", one, two)
		i := ws.asks.interest("ccnx:/a/x")
		one.gets(i)
		two.gets(i)
		if s == All {
			ws.got(0, 1)
		}
		ws.quiet(s.String())
		ws.asks.gets(two.uncacheable("ccnx:/a/x"))
		one.leaves()
		i = ws.asks.interest("ccnx:/a/y")
		two.gets(i)
		ws.hops[0].got, ws.hops[1].got = nil, nil
	}
}

func TestParseStrategy(t *testing.T) {
	for s, word := range []string{"best", "all", "round-robin", "lowest-rtt"} {
		got, err := ParseStrategy(word)
		if err != nil || got != Strategy(s) || got.String() != word {
			t.Errorf("%q: %v %v", word, got, err)
		}
	}
	for _, word := range []string{"", "Best", "best ", "none"} {
		if s, err := ParseStrategy(word); err == nil {
			t.Errorf("%q: %v", word, s)
		}
	}
}

// TestSetStrategy is for one prefix, and ends with its route.
func TestSetStrategy(t *testing.T) {
	ws := newWays(t, Best, 2)
	other := []*app{ws.link(), ws.link()}
	ws.route("ccnx:/a/b", other...)
	ws.strategy("ccnx:/a", All)
	ws.asked(0, 1)
	i := ws.asks.interest("ccnx:/a/b/x")
	other[0].gets(i)
	if ws.f.SetStrategy(mustName(t, "ccnx:/none"), All) {
		t.Error("a route of nothing")
	}
	for _, h := range ws.hops {
		if !ws.f.DelRoute(mustName(t, "ccnx:/a/Chunk=3"), h.id) { // a chunk is of no concern
			t.Error("no next hop")
		}
	}
	ws.route("ccnx:/a", ws.hops...)
	ws.asked(0)
}
