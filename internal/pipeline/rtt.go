package pipeline

import "time"

// Bounds of the retransmission timeout.
const (
	firstRTO = 200 * time.Millisecond
	minRTO   = 50 * time.Millisecond
	// leastMargin is the clock granularity of RFC 6298: what a busy machine adds.
	leastMargin = 10 * time.Millisecond
	maxRTO      = 2 * time.Second
	// maxDoublings bounds its growth.
	maxDoublings = 5
)

// rtt estimates the round-trip time by RFC 6298. The zero value is ready.
type rtt struct {
	srtt, rttvar time.Duration
	min          time.Duration
	count        uint64
	doublings    int // of the timeout, until the next sample
}

// sample takes a round trip of an Interest that was sent once (Karn's rule).
func (r *rtt) sample(d time.Duration) {
	if r.count == 0 {
		r.srtt, r.rttvar, r.min = d, d/2, d
	} else {
		r.rttvar += ((r.srtt - d).Abs() - r.rttvar) / 4
		r.srtt += (d - r.srtt) / 8
		r.min = min(r.min, d)
	}
	r.count++
	r.doublings = 0
}

// backOff doubles the timeout until there is a sample again (RFC 6298 5.5 to 5.7), or
// else a way longer than the timeout would never give one. It is called once for
// all that is in flight.
func (r *rtt) backOff() { r.doublings = min(r.doublings+1, maxDoublings) }

// estimate is how long an answer may take: by RFC 6298, but on a path without jitter
// still half as long again as a round trip. What is lost between others is found
// sooner, see order.
func (r *rtt) estimate() time.Duration {
	if r.count == 0 {
		return firstRTO
	}
	return max(r.srtt+max(4*r.rttvar, r.srtt/2, leastMargin), minRTO)
}

// rto is how long to wait for the answer to the n-th sending of an Interest (from 1)
// where nothing else comes: the estimate, doubled with every further one.
func (r *rtt) rto(n int) time.Duration {
	d := r.estimate()
	return min(d<<min(max(n-1, r.doublings), maxDoublings), max(d, maxRTO))
}

// probeEvery is the time between two probes into a silence.
func (r *rtt) probeEvery() time.Duration {
	if r.count == 0 {
		return firstRTO
	}
	return max(r.srtt, leastProbe)
}
