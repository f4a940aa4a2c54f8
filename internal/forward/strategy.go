package forward

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Strategy is how a route picks among its next hops.
type Strategy uint8

// The strategies. All pass over a next hop that is down or has said nothing of late,
// as long as there is another, and turn to the next one where an Interest comes back.
const (
	// Best takes the lowest cost; of equal ones the first.
	Best Strategy = iota
	// All takes every one.
	All
	// RoundRobin takes one after the other.
	RoundRobin
	// LowestRTT takes the one whose answers come soonest, and tries the others now
	// and then.
	LowestRTT
)

var strategyWords = []string{Best: "best", All: "all", RoundRobin: "round-robin", LowestRTT: "lowest-rtt"}

// Strategies are all of them, by their words.
func Strategies() []string { return slices.Clone(strategyWords) }

func (s Strategy) String() string { return strategyWords[s] }

// ParseStrategy reads what String writes.
func ParseStrategy(word string) (Strategy, error) {
	i := slices.Index(strategyWords, word)
	if i < 0 {
		return 0, fmt.Errorf("no strategy %q: there are %v", word, strategyWords)
	}
	return Strategy(i), nil
}

const (
	// silentFor is the shortest silence after which a next hop is passed over; with a
	// long round trip it is silentRTTs of them.
	silentFor  = time.Second
	silentRTTs = 4
	// probeEvery is how often one that is passed over is asked all the same, and
	// exploreEvery how often lowest-rtt looks at the others.
	probeEvery   = time.Second
	exploreEvery = time.Second
)

// silent reports whether h has been asked and has said nothing for long.
func (h *nextHop) silent(now instant) bool {
	return h.silentSince != never && now.sub(h.silentSince) >= max(silentFor, silentRTTs*h.srtt)
}

// choose appends the next hops for an Interest. It never goes back to the face it came
// from, nor to those of whom asked, if it is given, is true. Applications on
// this machine come first, and all of them, as they do by their registrations.
func (r *route) choose(dst []*nextHop, from *face, asked func(*nextHop) bool, now instant) []*nextHop {
	before := len(dst)
	usable := func(h *nextHop) bool {
		return h.face != from && !h.face.gone && !h.face.down && (asked == nil || !asked(h))
	}
	for _, h := range r.hops {
		if usable(h) && (h.face.local() || r.strategy == All) {
			dst = append(dst, h)
		}
	}
	if len(dst) > before {
		return dst
	}
	best := r.pick(usable, now)
	if best == nil {
		return dst
	}
	dst = append(dst, best)
	for _, h := range r.hops {
		switch {
		case h == best || !usable(h):
		case best.face.o.Kind == Group && h.face.o.Kind == Group:
			dst = append(dst, h) // who has it may be in any of them
		case r.looksAt(h, now):
			h.probed = now
			dst = append(dst, h)
		}
	}
	if len(dst)-before > 1 {
		r.explored = now
	}
	return dst
}

// pick is the one next hop that the strategy prefers; nil where none is usable.
func (r *route) pick(usable func(*nextHop) bool, now instant) (best *nextHop) {
	begin := 0
	if r.strategy == RoundRobin {
		begin = r.turn
	}
	for i := range r.hops {
		at := (begin + i) % len(r.hops)
		if h := r.hops[at]; usable(h) && (best == nil || r.prefers(h, best, now)) {
			best, r.turn = h, at+1
		}
	}
	return best
}

// prefers reports whether h comes before o, which stands before it.
func (r *route) prefers(h, o *nextHop, now instant) bool {
	if hs, os := h.silent(now), o.silent(now); hs != os {
		return os
	}
	switch r.strategy {
	case Best:
		return h.cost < o.cost
	case LowestRTT:
		return h.roundTrip() < o.roundTrip()
	}
	return false
}

// roundTrip is what lowest-rtt goes by: one that was never asked comes first, one that
// has not answered yet last.
func (h *nextHop) roundTrip() time.Duration {
	if h.srtt == 0 && h.sent > 0 {
		return math.MaxInt64
	}
	return h.srtt
}

// looksAt reports whether h is to be asked beside the preferred one: to see whether it
// has come back, or how quick it is now.
func (r *route) looksAt(h *nextHop, now instant) bool {
	if h.probed != never && now.sub(h.probed) < probeEvery {
		return false
	}
	return h.silent(now) || r.strategy == LowestRTT && (r.explored == never || now.sub(r.explored) >= exploreEvery)
}

// asks notes that an Interest goes to h.
func (h *nextHop) asks(now instant) {
	h.sent++
	if h.silentSince == never {
		h.silentSince = now
	}
}

// hears notes that something came from h: an answer after rtt, or, where that is 0,
// one that tells no round trip.
func (h *nextHop) hears(rtt time.Duration) {
	h.answered++
	h.silentSince = never
	switch {
	case rtt <= 0:
	case h.srtt == 0:
		h.srtt = rtt
	default:
		h.srtt += (rtt - h.srtt) / 8 // RFC 6298
	}
}
