package congestion

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// After a decrease from W_max the window is W_cubic(t) = 0.4 (t-K)^3 + W_max after t
// seconds, with K the cube root of 0.3 W_max / 0.4 (RFC 9438 4.2). The round trip is
// short enough for the lag of one to be small, and long enough for AIMD's window to
// stay below.
func TestCubicGrowth(t *testing.T) {
	c := newCubic(2000)
	lose(c, t0, t0)
	wantWindow(t, c, 1400, 1e-9, "after the decrease")
	c.OnData(Answer{Now: t0, Sent: t0.Add(-50 * ms), RTT: 50 * ms, InFlight: 1400})
	if !near(c.k, 11.447142, 1e-6) {
		t.Errorf("K is %v s, want 11.447142", c.k)
	}
	now := t0
	for _, want := range []struct{ t, window float64 }{
		{0.5, 1475.2}, {1, 1543.9}, {2, 1662.7}, {5, 1892.8}, {8, 1983.6}, // concave
		{11.447142, 2000}, // the plateau
		{15, 2017.9}, {20, 2250.3},
	} {
		play(c, now, at(want.t), 50*ms)
		now = at(want.t)
		wantWindow(t, c, want.window, 0.003, fmt.Sprintf("after %v s", want.t))
	}
}

// One answer raises the window by 1/cwnd of the way to W_cubic(t+RTT), but no faster
// than to half as much again in a round trip (RFC 9438 4.2, 4.4).
func TestCubicAnswer(t *testing.T) {
	for _, tt := range []struct {
		name           string
		t, window, rtt float64 // seconds; W_max is 1000
		want           float64 // increase
	}{
		{"concave", 0, 700, 0.1, (0.4*math.Pow(0.1-9.0856, 3) + 1000 - 700) / 700},
		{"a long round trip", 0, 700, 2, (0.4*math.Pow(2-9.0856, 3) + 1000 - 700) / 700},
		{"plateau", 9.0856 - 0.1, 1000, 0.1, 0},
		{"convex", 12, 1000, 0.1, 0.4 * math.Pow(12.1-9.0856, 3) / 1000},
		{"above the curve", 1, 1100, 0.1, 0},
		{"far below it", 60, 1000, 0.1, 0.5},
	} {
		c := &cubic{lossWindow: lossWindow{window: tt.window}, most: 1000, prior: 1000, k: 9.0856, rtt: time.Duration(tt.rtt * 1e9)}
		c.grow(tt.t)
		if got := c.window - tt.window; math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("%s: window grows by %.5f, want %.5f", tt.name, got, tt.want)
		}
	}
}

// Where the curve lies below it, the window is W_est, which grows by 3(1-0.7)/(1+0.7)
// a round trip up to the window before the decrease, and from there by one (RFC 9438
// 4.3).
func TestCubicRenoFriendly(t *testing.T) {
	const rtt, alpha = 20 * ms, 0.5294117
	t.Run("after one decrease", func(t *testing.T) {
		c := newCubic(20)
		lose(c, t0, t0)
		play(c, t0, at(0.1), rtt)
		wantWindow(t, c, 14+5*alpha, 0.01, "after 5 round trips")
		play(c, at(0.1), at(0.4), rtt)
		wantWindow(t, c, 20+(20-6/alpha), 0.02, "after 20 round trips")
	})
	t.Run("after fast convergence", func(t *testing.T) {
		c := newCubic(20)
		lose(c, t0, t0)
		lose(c, at(0.1), at(0.1)) // from 14: W_max is 11.9, cwnd_prior 14
		wantWindow(t, c, 9.8, 1e-9, "after two decreases")
		play(c, at(0.1), at(0.24), rtt)
		wantWindow(t, c, 9.8+7*alpha, 0.01, "after 7 round trips")
		play(c, at(0.24), at(0.4), rtt)
		wantWindow(t, c, 14+(15-4.2/alpha), 0.02, "after 15 round trips")
	})
}

// A decrease before the window is back at W_max makes room for others: W_max is
// 0.85 of that window (RFC 9438 4.7).
func TestCubicFastConvergence(t *testing.T) {
	c := newCubic(1000)
	for i, want := range []struct{ window, most float64 }{{700, 1000}, {490, 595}, {343, 416.5}} {
		now := at(float64(i))
		lose(c, now, now)
		if !near(c.window, want.window, 1e-9) || !near(c.most, want.most, 1e-9) {
			t.Errorf("decrease %d: window %v, W_max %v; want %v, %v", i+1, c.window, c.most, want.window, want.most)
		}
	}
	c.beginEpoch(at(3))
	if want := math.Cbrt((416.5 - 343) / 0.4); !near(c.k, want, 1e-9) {
		t.Errorf("K is %v, want %v", c.k, want)
	}
	c.window = 500 // above W_max: no others
	lose(c, at(4), at(4))
	if c.most != 500 {
		t.Errorf("W_max %v after a decrease from above it, want 500", c.most)
	}
}

// Without a decrease, the first growth after slow start begins on the plateau: K is 0
// and W_max the window (RFC 9438 4.10).
func TestCubicAfterSlowStart(t *testing.T) {
	c := newCubic(10)
	c.Expect(1000)
	play(c, t0, at(1), 50*ms)
	if c.k != 0 || c.Opening() || c.window < 1000 || c.window > 1020 || !near(c.most, 1000, 0.01) {
		t.Fatalf("after slow start K is %v, W_max %v, window %v", c.k, c.most, c.window)
	}
	start, began := c.most, c.epoch
	play(c, at(1), began.Add(8*time.Second), 50*ms)
	wantWindow(t, c, start+0.4*8*8*8, 0.01, "8 s later")
}

// The window does not grow for times in which it was not made use of: growth begins
// anew from what it is (RFC 9438 5.8).
func TestCubicUnused(t *testing.T) {
	c := newCubic(1000)
	lose(c, t0, t0)
	play(c, t0, at(1), 50*ms)
	before := c.Window()
	for now := at(1); now.Before(at(30)); now = now.Add(50 * ms) {
		c.OnData(Answer{Now: now, Sent: now.Add(-50 * ms), RTT: 50 * ms, InFlight: 100})
	}
	wantWindow(t, c, before, 0.01, "after 29 s of little use")
	play(c, at(30), at(30.1), 50*ms)
	wantWindow(t, c, before+0.1*3*0.4*c.k*c.k, 0.02, "0.1 s of use later")
	play(c, at(30.1), at(30).Add(time.Duration(c.k*1e9)), 50*ms)
	wantWindow(t, c, 1000, 0.005, "K later")
}

// A pause is no time: the window is the same after as before, and goes on from there.
func TestCubicPause(t *testing.T) {
	paused, other := newCubic(1000), newCubic(1000)
	for _, c := range []*cubic{paused, other} {
		lose(c, t0, t0)
		play(c, t0, at(2), 50*ms)
	}
	paused.OnPause(time.Minute)
	play(paused, at(62), at(65), 50*ms)
	play(other, at(2), at(5), 50*ms)
	wantWindow(t, paused, other.Window(), 0.002, "3 s after a pause of a minute")
	first := newCubic(1000)
	first.OnPause(time.Minute) // before there was anything
	wantWindow(t, first, 1000, 0, "paused at once")
}
