package congestion

import "time"

// Parameters of step.
const (
	stepSamples = 8
	stepShare   = 0.2                  // of the path's own round trip
	leastStep   = 4 * time.Millisecond // less is a short queue's
)

// step notices when the path becomes longer from one answer to the next: a queue does
// not grow as fast. It looks at two runs of round trips, one behind the other.
type step struct {
	rtt  [2 * stepSamples]time.Duration
	next int
}

// take takes a round trip of a path whose own is base, and returns by how much that
// has grown: mostly 0.
func (s *step) take(rtt, base time.Duration) time.Duration {
	s.rtt[s.next%len(s.rtt)] = rtt
	s.next++
	least := max(time.Duration(stepShare*float64(base)), leastStep)
	if s.next < len(s.rtt) || rtt < base+least {
		return 0
	}
	before, after := time.Duration(0), rtt
	for i := range stepSamples {
		before = max(before, s.rtt[(s.next+i)%len(s.rtt)])
		after = min(after, s.rtt[(s.next+stepSamples+i)%len(s.rtt)])
	}
	if grown := after - before; grown >= least {
		s.next = 0
		return grown
	}
	return 0
}
