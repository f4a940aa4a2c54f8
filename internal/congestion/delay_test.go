package congestion

import (
	"testing"
	"time"
)

// paths that the tests below use: Data a second, and the round trip without a queue.
var delayPaths = []struct {
	rate float64
	base time.Duration
}{{1000, 20 * ms}, {1000, 200 * ms}, {5000, 50 * ms}, {10000, 20 * ms}, {10000, 50 * ms}, {10000, 500 * ms}}

// settled is a model with one flow, after it has had 25 round trips and 3 s.
func settled(rate float64, base time.Duration, change func(*model)) *model {
	m := newModel(rate, base, New(Delay, 10))
	if change != nil {
		change(m)
	}
	m.run(25*base + 3*time.Second)
	return m
}

// The queue wanted is 1.15 times the root of the rate, but at least 4.
func TestDelayWanted(t *testing.T) {
	for rate, want := range map[float64]float64{100: 11.5, 10000: 115, 1e6: 1150, 9: 4, 0: 4} {
		c := newDelay(10)
		c.rate = rate
		if got := c.wanted(); !near(got, want, 1e-9) {
			t.Errorf("at %v Data/s: %v, want %v", rate, got, want)
		}
	}
}

// A flow alone fills the path, and has about the queue there that it wants.
func TestDelayQueue(t *testing.T) {
	heavy(t)
	for _, p := range delayPaths {
		m := settled(p.rate, p.base, nil)
		m.run(9 * time.Second)
		c := m.flows[0].Control.(*delay)
		share, queue := m.share(m.flows[0], 9*time.Second), m.meanQueue(m.flows[0])
		if share < 0.9 || queue < 0.8*c.wanted() || queue > 2.2*c.wanted() {
			t.Errorf("%v/s, %v: %.3f of the path, a queue of %.1f; want all of it and %.1f", p.rate, p.base, share, queue, c.wanted())
		}
	}
	m := settled(10000, 50*ms, nil)
	m.run(5 * time.Second)
	if queue := m.meanQueue(m.flows[0]); !near(queue, 115, 0.1) {
		t.Errorf("a queue of %.1f on a path of 10 000/s, want 115", queue)
	}
	wantWindow(t, m.flows[0], 500+115, 0.03, "what the path holds, and the queue")
}

// Losses by chance cost no more than what is lost.
func TestDelayRandomLoss(t *testing.T) {
	heavy(t)
	for _, p := range delayPaths {
		for _, loss := range []float64{0.01, 0.03, 0.05, 0.1} {
			m := settled(p.rate, p.base, func(m *model) { m.loss = loss })
			m.run(9 * time.Second)
			if share := m.share(m.flows[0], 9*time.Second); share < 0.9*(1-loss) {
				t.Errorf("%v/s, %v, %v %% lost: %.3f of the path", p.rate, p.base, 100*loss, share)
			}
		}
	}
}

// Where there is less room than for the queue wanted, losses make it want less: few
// are lost, and the path is still used.
func TestDelayShallowBuffer(t *testing.T) {
	heavy(t)
	for _, tt := range []struct {
		rate, room float64
		base       time.Duration
	}{
		{1000, 10, 50 * ms}, {1000, 20, 20 * ms}, {1000, 30, 200 * ms}, {10000, 30, 50 * ms}, {10000, 50, 20 * ms},
		{10000, 50, 50 * ms}, {10000, 100, 50 * ms}, {10000, 100, 200 * ms}, {50000, 50, 20 * ms},
	} {
		m := settled(tt.rate, tt.base, func(m *model) { m.room = tt.room })
		m.run(9 * time.Second)
		f := m.flows[0]
		if share := m.share(f, 9*time.Second); share < 0.9 || f.lossShare() > 0.04 {
			t.Errorf("%v/s, %v, room for %v: %.3f of the path, %.3f lost", tt.rate, tt.base, tt.room, share, f.lossShare())
		}
	}
	m := newModel(10000, 50*ms, New(Delay, 10))
	m.room = 50
	m.run(10 * time.Second)
	m.room = 1000 // it wants more again where nothing is lost
	m.run(15 * time.Second)
	if c := m.flows[0].Control.(*delay); c.overflow.ceiling != 0 {
		t.Errorf("its window is bounded by %v 15 s after the losses", c.overflow.ceiling)
	}
}

// The doubling ends with a queue as long as wanted, or after three rounds that bring no
// more, where the window was made use of.
func TestDelayOpen(t *testing.T) {
	for _, tt := range []struct {
		name    string
		least   time.Duration
		used    int
		plateau int
		over    bool
	}{
		{"a queue of 40", 100 * ms, 80, 0, true}, // 36 is wanted
		{"a queue of 35", 88 * ms, 80, 0, false},
		{"no more for three rounds", 50 * ms, 80, 3, true},
		{"for two", 50 * ms, 80, 2, false},
		{"not used", 100 * ms, 39, 3, false},
	} {
		c := newDelay(80)
		c.base, c.least, c.rate, c.plateau, c.use.peak = 50*ms, tt.least, 1000, tt.plateau, tt.used
		if c.open(); c.opening == tt.over {
			t.Errorf("%s: doubling %v", tt.name, c.opening)
		}
		if tt.name == "not used" && c.plateau != 0 {
			t.Errorf("%d rounds count though nothing was tried", c.plateau)
		}
	}
}

// A loss that proves none is none, and never less.
func TestDelaySpurious(t *testing.T) {
	c := newDelay(10)
	use(c, t0, 5, 10)
	for range 2 {
		lose(c, at(0.1), at(0.1))
	}
	for _, want := range []int{1, 0, 0} {
		if c.OnSpurious(); c.losses != want {
			t.Errorf("%d losses count, want %d", c.losses, want)
		}
	}
}

// A window that is not made use of stays near what is used; when there is more to ask
// for, the path is full again within some round trips.
func TestDelayApplicationLimited(t *testing.T) {
	heavy(t)
	for _, used := range []int{3, 50, 300} {
		m := newModel(10000, 50*ms, New(Delay, 10))
		f := m.flows[0]
		f.most = used
		m.run(20 * time.Second)
		if w := f.Window(); w > 2.6*float64(used)+10 {
			t.Errorf("window %.0f with %d in flight at most", w, used)
		}
		if share, want := m.share(f, 20*time.Second), float64(used)/500; !near(share, want, 0.05) {
			t.Errorf("with %d in flight: %.3f of the path, want %.3f", used, share, want)
		}
		f.most = 0
		m.run(5 * time.Second)
		m.run(time.Second)
		if share := m.share(f, time.Second); share < 0.9 {
			t.Errorf("5 s after %d in flight: %.3f of the path", used, share)
		}
	}
}

// A pause is no time: the base is as new as before, and nothing is slower for it.
func TestDelayPause(t *testing.T) {
	for _, told := range []bool{true, false} {
		m := settled(10000, 50*ms, nil)
		f := m.flows[0]
		f.off = true
		m.run(time.Minute)
		f.off = false
		if told {
			f.OnPause(time.Minute)
		}
		before, looked := f.Window(), false
		m.run(500*ms, func() { looked = looked || f.Control.(*delay).drain > 0 })
		if looked == told {
			t.Errorf("told of the pause: %v; looked for the base again: %v", told, looked)
		}
		if told {
			wantWindow(t, f, before, 0.35, "ten round trips after a pause and the burst that ends it")
		}
	}
	c := newDelay(10)
	c.OnPause(time.Hour) // before there was anything
	play(c, t0, at(0.2), 50*ms)
	if c.Window() < 100 {
		t.Errorf("window %v after four round trips", c.Window())
	}
}

// The doubling goes on while the rounds bring more, whatever a train's rate was.
func TestDelayPlateau(t *testing.T) {
	heavy(t)
	for _, loss := range []float64{0, 0.05, 0.1} {
		for _, p := range delayPaths {
			m := newModel(p.rate, p.base, New(Delay, 10))
			m.loss = loss
			full, opened := p.rate*p.base.Seconds(), 0.0
			m.run(40*p.base, func() { // losses are tested first: ten rounds

				if c := m.flows[0].Control.(*delay); c.opening {
					opened = c.window
				}
			})
			if opened < 0.6*full {
				t.Errorf("%v/s, %v, %v %% lost: the doubling ended at %.0f of %.0f", p.rate, p.base, 100*loss, opened, full)
			}
		}
	}
}
