package congestion

import (
	"math"
	"testing"
	"time"
)

// playLosses plays round trips of 50 ms to o, whose Data and losses follow from the
// window, as long as more is true. It returns the window at the end.
func playLosses(o *overflow, window float64, path func(window float64) (data, lost int), rounds int, each ...func(window float64)) float64 {
	for range rounds {
		data, lost := path(window)
		window = o.bound(o.round(data, lost, 50*ms, window, false))
		for _, call := range each {
			call(window)
		}
	}
	return window
}

// full is a path that holds so many; the rest is lost.
func full(holds int) func(float64) (int, int) {
	return func(window float64) (data, lost int) {
		w := int(window)
		return min(w, holds), max(w-holds, 0)
	}
}

// random is a path that holds any number, and loses a share.
func random(share float64) func(float64) (int, int) {
	return func(window float64) (data, lost int) {
		lost = int(math.Round(window * share))
		return int(window) - lost, lost
	}
}

// A path that is overfull gets a window that it holds, within a few tests.
func TestOverflowFound(t *testing.T) {
	for _, window := range []float64{530, 600, 1000, 5000} {
		var o overflow
		at := playLosses(&o, window, full(500), 100)
		if at > 500*1.05 || at < 400 || o.noise > 0.01 {
			t.Errorf("from %v: window %v after 100 rounds, noise %v; the path holds 500", window, at, o.noise)
		}
	}
}

// Losses at random cost a few rounds of a smaller window now and then: after each the
// window is what it was, and no such share is tested again for a while.
func TestOverflowRandomLoss(t *testing.T) {
	for _, share := range []float64{0.04, 0.1, 0.3} {
		var o overflow
		tests, was := 0, watching
		count := func(float64) {
			if o.stage == cut && was != cut {
				tests++
			}
			was = o.stage
		}
		if at := playLosses(&o, 1000, random(share), 200, count); o.stage != cut && at != 1000 || o.ceiling != 0 {
			t.Errorf("%v lost: window %v, bounded by %v after 200 rounds", share, at, o.ceiling)
		}
		if tests < 1 || tests > 6 || o.noise > share+0.01 {
			t.Errorf("%v lost: %d tests, noise %v", share, tests, o.noise)
		}
	}
}

// Few losses are let pass without a test.
func TestOverflowTolerates(t *testing.T) {
	var o overflow
	least := 1000.0
	playLosses(&o, 1000, random(0.029), 500, func(w float64) {
		least = min(least, w)
		if o.still() {
			t.Fatal("it is tested")
		}
	})
	if least != 1000 || o.bound(1e6) != 1e6 {
		t.Errorf("the window was %v, and is bounded by %v", least, o.bound(1e6))
	}
}

// The window is cut by what is lost, but by a twentieth at least and half at most; a
// flood is tested at once.
func TestOverflowCut(t *testing.T) {
	for _, tt := range []struct {
		lost   float64 // share
		part   float64 // of the window, in the test
		within int     // rounds
	}{{0.04, 0.95, 6}, {0.08, 0.92, 6}, {0.3, 0.7, 6}, {0.9, 0.5, 6}} {
		var o overflow
		least, rounds := 1000.0, 0
		playLosses(&o, 1000, random(tt.lost), 30, func(w float64) {
			if least = min(least, w); least == 1000 {
				rounds++
			}
		})
		if !near(least, 1000*tt.part, 0.01) || rounds > tt.within {
			t.Errorf("%v lost: cut to %v after %d rounds, want %v after %d", tt.lost, least, rounds, 1000*tt.part, tt.within)
		}
	}
	var o overflow
	for range 6 { // in the beginning the cut is larger: the window has doubled
		data, lost := random(0.1)(1000)
		if w := o.round(data, lost, 50*ms, 1000, true); w != 1000 && w != 750 {
			t.Errorf("cut to %v while the window doubles", w)
		}
	}
	if o.stage != cut {
		t.Errorf("stage %v after six rounds of losses", o.stage)
	}
	o = overflow{}
	if o.round(60, 7, 50*ms, 67, false); o.stage != watching {
		t.Error("seven losses are a flood")
	}
	if o.round(60, 8, 50*ms, 68, false); o.stage != holding {
		t.Error("eight losses of 68 are none")
	}
	if w := o.round(0, 100, 50*ms, 68, false); w != 68 || !o.still() {
		t.Error("the window does not hold still")
	}
}

// A bound is tried after a while, slowly at first; each time that it proves right, it
// stays longer.
func TestOverflowPatience(t *testing.T) {
	var o overflow
	window := playLosses(&o, 1000, full(500), 40)
	last := 0
	for range 6 {
		if o.patience < last {
			t.Errorf("patience %d after %d", o.patience, last)
		}
		last = o.patience
		for range 4000 { // the control wants ever more
			window = playLosses(&o, o.bound(window+50), full(500), 1)
			if o.patience > last {
				break
			}
		}
	}
	if last < 64 {
		t.Errorf("patience %d after six tests", last)
	}
	// Where there is room for more, the bound goes away.
	rounds := 0
	for ; o.ceiling > 0 && rounds < 2000; rounds++ {
		window = playLosses(&o, min(o.bound(window+50), 3000), full(1<<20), 1)
	}
	if o.ceiling > 0 || rounds > 4*last+200 {
		t.Errorf("bounded by %v still, %d rounds after the path became free", o.ceiling, rounds)
	}
}

// A step is by how much the path became longer from eight answers to the next eight:
// a fifth of its round trip, and 4 ms, at least.
func TestStep(t *testing.T) {
	run := func(s *step, base time.Duration, rtts ...time.Duration) (grown time.Duration) {
		for _, rtt := range rtts {
			grown += s.take(rtt, base)
		}
		return grown
	}
	eight := func(rtt time.Duration) (rtts []time.Duration) {
		for range 8 {
			rtts = append(rtts, rtt)
		}
		return rtts
	}
	for _, tt := range []struct {
		name                string
		base, before, after time.Duration
		want                time.Duration
	}{
		{"a fifth", 50 * ms, 50 * ms, 60 * ms, 10 * ms},
		{"less", 50 * ms, 50 * ms, 60*ms - 1, 0},
		{"on a queue", 50 * ms, 55 * ms, 105 * ms, 50 * ms},
		{"4 ms of a short path", 5 * ms, 5 * ms, 9 * ms, 4 * ms},
		{"less than that", 5 * ms, 5 * ms, 9*ms - 1, 0},
		{"shorter", 50 * ms, 80 * ms, 60 * ms, 0},
	} {
		var s step
		if got := run(&s, tt.base, append(eight(tt.before), eight(tt.after)...)...); got != tt.want {
			t.Errorf("%s: grown by %v, want %v", tt.name, got, tt.want)
		}
	}
	var s step
	run(&s, 50*ms, eight(50*ms)...)
	if got := run(&s, 50*ms, append(eight(100 * ms)[:7], 50*ms)...); got != 0 {
		t.Errorf("seven long answers and a short one: grown by %v", got)
	}
	for rtt := 50 * ms; rtt < 200*ms; rtt += ms { // a queue that grows
		if got := run(&s, 50*ms, rtt); got != 0 {
			t.Fatalf("a queue of %v: grown by %v", rtt-50*ms, got)
		}
	}
	s = step{}
	if got := run(&s, 50*ms, append(eight(50*ms), append(eight(100*ms), eight(100*ms)...)...)...); got != 50*ms {
		t.Errorf("one step told as %v", got)
	}
}
