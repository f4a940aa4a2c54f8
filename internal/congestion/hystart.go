package congestion

import "time"

// Parameters of RFC 9406 4.3.
const (
	hystartMinEta   = 4 * time.Millisecond
	hystartMaxEta   = 16 * time.Millisecond
	hystartDivisor  = 8
	hystartSamples  = 8
	hystartSlowdown = 4 // of growth, while it is not sure that the queue grows
	hystartRounds   = 5
)

// slowStart doubles the window every round trip, and leaves off before it floods the
// path: when round trips grow (HyStart++, RFC 9406), and at once where the window holds
// all that the path does.
type slowStart struct {
	train         train
	base          time.Duration // least round trip
	last, current time.Duration // least round trip of the last round and of this one
	samples       int           // in this round
	baseline      time.Duration // least round trip when growth was slowed; 0: it is not
	slowRounds    int           // since then
}

// grow returns by how much an answer raises the window; over is true once slow start
// should end.
func (s *slowStart) grow(a Answer, window float64, newRound bool) (by float64, over bool) {
	if a.RTT > 0 && (s.base == 0 || a.RTT < s.base) {
		s.base = a.RTT
	}
	s.train.take(a, s.base)
	if s.base > 0 && s.train.full(window, s.base, eta(s.base)) {
		return 0, true
	}
	if newRound {
		if s.baseline > 0 {
			s.slowRounds++
		}
		s.last, s.current, s.samples = s.current, 0, 0
	}
	if a.RTT > 0 {
		if s.current == 0 || a.RTT < s.current {
			s.current = a.RTT
		}
		s.samples++
	}
	if s.samples >= hystartSamples && s.last > 0 {
		s.judge()
	}
	if s.baseline > 0 {
		return 1.0 / hystartSlowdown, s.slowRounds >= hystartRounds
	}
	return 1, false
}

// eta is how much longer round trips have to be to show a queue.
func eta(base time.Duration) time.Duration {
	return min(max(base/hystartDivisor, hystartMinEta), hystartMaxEta)
}

// judge slows growth where round trips have become longer, and takes that back
// where they become as short as before.
func (s *slowStart) judge() {
	switch {
	case s.baseline > 0 && s.current < s.baseline:
		s.baseline, s.slowRounds = 0, 0
	case s.baseline == 0 && s.current >= s.last+eta(s.last):
		s.baseline, s.slowRounds = s.current, 0
	}
}
