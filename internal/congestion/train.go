package congestion

import "time"

// A train's Data tell the path's rate once it has this many and spans this time.
const (
	trainLength = 16
	trainSpan   = 2 * time.Millisecond
)

// train measures how fast Data come one after the other: in slow start the window's
// worth of it comes in one train each round trip, at the rate of the path's narrowest
// place. It also keeps the latest round trips' least, which shows a queue sooner than
// the least of a round does.
type train struct {
	began  time.Time
	latest time.Time // Data of it
	count  int
	rate   float64 // Data a second, of the fastest; 0: not known
	recent [8]time.Duration
	next   int
}

func (t *train) take(a Answer, base time.Duration) {
	if a.RTT > 0 {
		t.recent[t.next%len(t.recent)] = a.RTT
		t.next++
	}
	span := max(base/8, trainSpan)
	switch took := a.Now.Sub(t.began); {
	case t.count == 0, a.Now.Sub(t.latest) > span/2: // a gap: the next train
		t.began, t.count = a.Now, 0
	case t.count >= trainLength && took >= span:
		t.rate = max(t.rate, float64(t.count)/took.Seconds())
		t.began, t.count = a.Now, 0
	}
	t.latest = a.Now
	t.count++
}

// least is the least of the latest round trips; 0 where there are too few.
func (t *train) least() time.Duration {
	if t.next < len(t.recent) {
		return 0
	}
	least := t.recent[0]
	for _, d := range t.recent {
		least = min(least, d)
	}
	return least
}

// full reports whether a window holds all that the path does, whose own round trip is
// base, and the latest round trips are longer than that by at least queued.
func (t *train) full(window float64, base, queued time.Duration) bool {
	return t.rate > 0 && window >= t.rate*base.Seconds() && t.least() >= base+queued
}
