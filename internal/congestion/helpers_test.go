package congestion

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// t0 is when the tests begin.
var t0 = time.Unix(1_000_000, 0)

// at is so many seconds later.
func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

// near reports whether got is want, to within a share of it.
func near(got, want, share float64) bool { return math.Abs(got-want) <= share*math.Abs(want) }

// play gives c the answers of a path whose round trip is rtt: as many in each as the
// window holds, evenly apart, and the window in use.
func play(c Control, from, until time.Time, rtt time.Duration) {
	for now := from; now.Before(until); now = now.Add(time.Duration(float64(rtt) / c.Window())) {
		c.OnData(Answer{Now: now, Sent: now.Add(-rtt), RTT: rtt, InFlight: int(math.Ceil(c.Window()))})
	}
}

// lose tells c of the loss of an Interest.
func lose(c Control, sent, now time.Time) {
	c.OnLoss(Loss{Now: now, Sent: sent, InFlight: int(c.Window())})
}

// wantWindow fails where the window of c is not want, to within a share of it.
func wantWindow(t *testing.T, c Control, want, share float64, when string) {
	t.Helper()
	if !near(c.Window(), want, share) {
		t.Errorf("%s: window %.2f, want %.2f", when, c.Window(), want)
	}
}

// lossControls are those that answer to loss, with the share that one leaves.
var lossControls = []struct {
	Kind
	beta float64
}{{Cubic, 0.7}, {AIMD, 0.5}}
