package congestion

import (
	"fmt"
	"testing"
	"time"
)

// opening are the controls that double their window at first.
var opening = []Kind{Cubic, AIMD, Delay}

// At first the window doubles every round trip.
func TestSlowStart(t *testing.T) {
	for _, k := range opening {
		t.Run(string(k), func(t *testing.T) {
			m := newModel(1e6, 50*ms, New(k, 10))
			for round := 1; round <= 5; round++ {
				m.run(50*ms + 25*ms/5)
				wantWindow(t, m.flows[0], 10*float64(int(1)<<round), 0.01, fmt.Sprintf("after %d round trips", round))
			}
		})
	}
}

// The doubling goes no further than to what the path is sure to hold, whether that is
// told before the first Data or after it; a loss knows better.
func TestExpect(t *testing.T) {
	for _, k := range lossControls {
		for _, first := range []bool{true, false} {
			c := New(k.Kind, 10)
			if first {
				c.Expect(40)
			}
			play(c, t0, at(0.02), 50*ms)
			if !first {
				c.Expect(40)
			}
			play(c, at(0.02), at(0.5), 50*ms)
			if w := c.Window(); w < 40 || w > 50 {
				t.Errorf("%s, told first: %v: window %v after ten round trips, want 40 and one for each since", k.Kind, first, w)
			}
		}
		c := New(k.Kind, 100)
		lose(c, t0, t0)
		c.Expect(1000)
		play(c, t0, at(0.1), 50*ms)
		if w := c.Window(); w > 100*k.beta+10 {
			t.Errorf("%s: window %v after a loss at 100: it doubles again", k.Kind, w)
		}
	}
	for _, expect := range []float64{0, 40} {
		c := newDelay(10)
		c.Expect(expect)
		now := t0
		for ; c.opening && now.Before(at(0.2)); now = now.Add(ms) {
			play(c, now, now.Add(ms), 50*ms)
		}
		if w := c.Window(); expect > 0 && !near(w, 40, 0.1) || expect == 0 && w < 100 {
			t.Errorf("delay, expecting %v: window %v at the end of the doubling", expect, w)
		}
	}
}

// use gives c n answers, a millisecond apart, with that many Interests in flight.
func use(c Control, from time.Time, n, inFlight int) {
	for i := range n {
		now := from.Add(time.Duration(i) * ms)
		c.OnData(Answer{Now: now, Sent: now.Add(-50 * ms), RTT: 50 * ms, InFlight: inFlight})
	}
}

// In slow start a window grows only where half of it is made use of. What counts is
// the most in flight in this round trip and the last.
func TestUnusedSlowStart(t *testing.T) {
	for _, k := range opening {
		for _, tt := range []struct {
			inFlight int
			grows    bool
		}{{1, false}, {49, false}, {50, true}} {
			c := New(k, 100)
			use(c, t0, 40, tt.inFlight)
			if grows := c.Window() > 100; grows != tt.grows {
				t.Errorf("%s, with %d of 100 in flight: window %v", k, tt.inFlight, c.Window())
			}
		}
		c := New(k, 100)
		use(c, t0, 1, 100)
		before := c.Window()
		use(c, at(0.01), 20, 3)
		if c.Window() <= before {
			t.Errorf("%s: the answers of a round trip that began with a full window do not count", k)
		}
		use(c, at(0.051), 1, 3) // begins the next round trip
		before = c.Window()
		if use(c, at(0.052), 20, 3); c.Window() <= before {
			t.Errorf("%s: nor do those of the one after", k)
		}
		use(c, at(1), 120, 3)
		before = c.Window()
		use(c, at(3), 60, 3)
		if c.Window() > before {
			t.Errorf("%s: use of long ago still counts", k)
		}
	}
}

// After slow start it takes four fifths.
func TestUnusedWindow(t *testing.T) {
	for _, k := range lossControls {
		for _, tt := range []struct {
			inFlight int
			grows    bool
		}{{1, false}, {79, false}, {81, true}} {
			c := New(k.Kind, int(100/k.beta))
			lose(c, t0, t0)
			use(c, at(1), 120, tt.inFlight)
			use(c, at(2), 120, tt.inFlight)
			if grows := c.Window() > 101; grows != tt.grows {
				t.Errorf("%s, with %d of 100 in flight: window %v", k.Kind, tt.inFlight, c.Window())
			}
		}
	}
}
