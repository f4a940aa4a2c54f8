package congestion

import "testing"

// AIMD halves at a loss and adds one Interest a round trip (RFC 5681).
func TestAIMD(t *testing.T) {
	c := newAIMD(100)
	lose(c, t0, t0)
	wantWindow(t, c, 50, 1e-9, "after a loss")
	play(c, t0, at(1), 50*ms)
	wantWindow(t, c, 70, 0.005, "after 20 round trips")
	play(c, at(1), at(5), 50*ms)
	wantWindow(t, c, 150, 0.005, "after 100")
	lose(c, at(5), at(5))
	wantWindow(t, c, 75, 0.005, "after another loss")
}

// What one answer adds is the window's inverse, and nothing where it is little used.
func TestAIMDAnswer(t *testing.T) {
	for _, tt := range []struct {
		inFlight int
		want     float64
	}{{100, 50.02}, {40, 50.02}, {39, 50}, {1, 50}} {
		c := newAIMD(100)
		lose(c, t0, t0)
		c.OnData(Answer{Now: at(1), Sent: at(0.9), RTT: 100 * ms, InFlight: tt.inFlight})
		if !near(c.Window(), tt.want, 1e-9) {
			t.Errorf("%d of 50 in flight: window %v, want %v", tt.inFlight, c.Window(), tt.want)
		}
	}
}
