package congestion

import (
	"testing"
	"time"
)

// A path whose own round trip becomes longer or shorter is full again soon, and in
// the end with the queue wanted.
func TestDelayBaseChanges(t *testing.T) {
	heavy(t)
	const rate, base = 10000, 50 * ms
	for _, tt := range []struct {
		to     time.Duration
		within int // round trips
	}{{25 * ms, 1}, {40 * ms, 1}, {60 * ms, 1}, {75 * ms, 2}, {100 * ms, 3}, {200 * ms, 3}} {
		m := settled(rate, base, nil)
		f := m.flows[0]
		m.base = tt.to
		took := 0
		for i := range 40 {
			if m.run(tt.to); m.share(f, tt.to) < 0.8 {
				took = i + 1
			}
		}
		if took > tt.within {
			t.Errorf("to %v: full again after %d round trips, want %d", tt.to, took, tt.within)
		}
		m.run(12 * time.Second)
		m.run(8 * time.Second)
		if share, queue := m.share(f, 8*time.Second), m.meanQueue(f); share < 0.95 || queue > 230 {
			t.Errorf("to %v, later: %.3f of the path, a queue of %.0f; want all of it and 115", tt.to, share, queue)
		}
	}
}

// A round trip that stays long though the window has become half of what it
// was is the path's own: the window is set to what that holds, within its bounds.
func TestDelayStray(t *testing.T) {
	for _, tt := range []struct {
		name                string
		rate, window, began float64
		least, rtt          time.Duration
		stray               bool
		want                float64
	}{
		{"a new path", 10000, 500, 1000, 100 * ms, 101 * ms, true, 1000},
		{"with a larger window already", 1000, 500, 1000, 100 * ms, 101 * ms, true, 500},
		{"too little of a decline", 10000, 526, 1000, 100 * ms, 101 * ms, false, 526},
		{"a round trip that declines too", 10000, 500, 1000, 90 * ms, 101 * ms, false, 500},
		{"the beginning of a decline", 10000, 500, 0, 100 * ms, 0, false, 500},
		{"a path that holds more than a window may be", 655360, 40000, 80000, 200 * ms, 200 * ms, true, maxWindow},
	} {
		c := newDelay(tt.window)
		c.base, c.rate, c.least, c.stray = 50*ms, tt.rate, tt.least, stray{tt.began, tt.rtt}
		if got := c.isStray(); got != tt.stray || c.window != tt.want {
			t.Errorf("%s: %v, window %v; want %v, %v", tt.name, got, c.window, tt.stray, tt.want)
		}
		if want := map[bool]time.Duration{true: tt.least, false: 50 * ms}[tt.stray]; c.base != want {
			t.Errorf("%s: base %v, want %v", tt.name, c.base, want)
		}
	}
}

// The same where the path becomes slower or faster.
func TestDelayRateChanges(t *testing.T) {
	heavy(t)
	for _, tt := range []struct {
		to     float64
		within int
		queue  float64
	}{{5000, 1, 81}, {20000, 7, 163}, {1000, 1, 36}} {
		m := settled(10000, 50*ms, nil)
		f := m.flows[0]
		m.rate = tt.to
		took := 0
		for i := range 40 {
			if m.run(50 * ms); m.share(f, 50*ms) < 0.8 {
				took = i + 1
			}
		}
		if took > tt.within {
			t.Errorf("to %v/s: full again after %d round trips, want %d", tt.to, took, tt.within)
		}
		m.run(12 * time.Second)
		m.run(8 * time.Second)
		if share, queue := m.share(f, 8*time.Second), m.meanQueue(f); share < 0.95 || queue < 0.7*tt.queue || queue > 2*tt.queue {
			t.Errorf("to %v/s, later: %.3f of the path, a queue of %.0f; want all of it and %.0f", tt.to, share, queue, tt.queue)
		}
	}
}

// Every ten seconds the window is lowered for two rounds to see the path's own round
// trip, which costs next to nothing.
func TestDelayLooksForBase(t *testing.T) {
	heavy(t)
	m := newModel(10000, 50*ms, New(Delay, 10))
	f := m.flows[0]
	c := f.Control.(*delay)
	var began []time.Time
	var longest time.Duration
	looking := false
	m.run(time.Minute, func() {
		switch now := c.drain > 0; {
		case now && !looking:
			began = append(began, m.now)
			fallthrough
		case now:
			longest = max(longest, m.now.Sub(began[len(began)-1]))
			looking = true
		default:
			looking = false
		}
	})
	if n := len(began); n < 4 || n > 5 || longest > 3*60*ms {
		t.Errorf("looked %d times, for up to %v; want each ten seconds for two rounds", n, longest)
	}
	for i := 1; i < len(began); i++ {
		if d := began[i].Sub(began[i-1]); d < 10*time.Second || d > 12*time.Second {
			t.Errorf("looked again after %v", d)
		}
	}
	if share := m.share(f, time.Minute); share < 0.985 {
		t.Errorf("%.3f of the path in a minute", share)
	}
	if !near(float64(c.base), float64(50*ms), 0.02) {
		t.Errorf("base %v, want 50 ms", c.base)
	}
}

// A base that was wrong, for the path had a queue of others at first, is right after
// some looking.
func TestDelayLearnsBase(t *testing.T) {
	heavy(t)
	m := newModel(10000, 50*ms, New(Fixed, 700), New(Delay, 10))
	other, f := m.flows[0], m.flows[1]
	m.run(time.Second)
	m.run(5 * time.Second)
	if c := f.Control.(*delay); c.base < 65*ms {
		t.Fatalf("base %v with a queue of 20 ms: there is nothing to learn", c.base)
	}
	other.off = true
	m.run(15 * time.Second)
	m.run(5 * time.Second)
	if share, queue := m.share(f, 5*time.Second), m.meanQueue(f); share < 0.95 || queue > 230 {
		t.Errorf("alone for 15 s: %.3f of the path, a queue of %.0f; want all of it and 115", share, queue)
	}
}

// jain is Jain's index of fairness: 1 where all have the same.
func jain(shares ...float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range shares {
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(shares)) * squares)
}

// Two flows of one path come to have the same of it, whenever they began, and nearly
// so where one's round trip is longer.
func TestDelayFair(t *testing.T) {
	heavy(t)
	for _, tt := range []struct {
		name         string
		later, extra time.Duration
		least        float64
	}{
		{"together", 0, 0, 0.97},
		{"2 s later", 2 * time.Second, 0, 0.97},
		{"7 s later", 7 * time.Second, 0, 0.97},
		{"a longer round trip", 0, 25 * ms, 0.9},
		{"a longer round trip, 2 s later", 2 * time.Second, 25 * ms, 0.9},
		{"a much longer one", 0, 100 * ms, 0.8},
	} {
		m := newModel(10000, 50*ms, New(Delay, 10), New(Delay, 10))
		a, b := m.flows[0], m.flows[1]
		b.extra, b.off = tt.extra, true
		m.run(tt.later)
		b.off = false
		m.run(10 * time.Second)
		const d = 20 * time.Second
		m.run(d)
		x, y := m.share(a, d), m.share(b, d)
		if jain(x, y) < tt.least || x+y < 0.95 {
			t.Errorf("%s: %.3f and %.3f of the path, Jain's index %.3f; want at least %v", tt.name, x, y, jain(x, y), tt.least)
		}
	}
}

// On a short path a busy machine adds more than the path: neither round trips that stay
// long nor a step are the path's own.
func TestDelayShortPath(t *testing.T) {
	for _, base := range []time.Duration{farFrom - 1, farFrom} {
		long := base >= farFrom
		c := newDelay(100)
		c.opening = false
		for i, rtt := range []time.Duration{base, base + 20*ms} {
			for k := range 8 {
				now := at(float64(8*i+k) / 1000)
				c.OnData(Answer{Now: now, Sent: now.Add(-rtt), RTT: rtt, InFlight: 1})
			}
		}
		if grown := c.base > base; grown != long {
			t.Errorf("a step of 20 ms on a path of %v: base %v", base, c.base)
		}
		c = newDelay(100)
		c.base, c.least, c.stray = base, 50*ms, stray{1000, 50 * ms}
		if got := c.isStray(); got != long {
			t.Errorf("round trips of 50 ms on a path of %v are its own: %v", base, got)
		}
	}
}
