package pipeline

import "time"

// Bounds of the retransmission timeout.
const (
	firstRTO = 300 * time.Millisecond
	minRTO   = 100 * time.Millisecond
	maxRTO   = 2 * time.Second
	// maxDoublings bounds its growth.
	maxDoublings = 5
)

// rtt estimates the round-trip time by RFC 6298. The zero value is ready.
type rtt struct {
	srtt, rttvar  time.Duration
	min, max, sum time.Duration
	count         uint64
	doublings     int // of the timeout, until the next sample
	doubled       time.Time
}

// sample takes a round trip of an Interest that was sent once (Karn's rule).
func (r *rtt) sample(d time.Duration) {
	if r.count == 0 {
		r.srtt, r.rttvar, r.min, r.max = d, d/2, d, d
	} else {
		r.rttvar += ((r.srtt - d).Abs() - r.rttvar) / 4
		r.srtt += (d - r.srtt) / 8
		r.min, r.max = min(r.min, d), max(r.max, d)
	}
	r.sum += d
	r.count++
	r.doublings = 0
}

// timeout takes note at now that an Interest sent once, at sent, went unanswered.
// The timeouts of all are doubled until there is a sample again (RFC 6298 5.5 to
// 5.7), or else a way longer than the timeout would never give one; and once for
// all that was in flight.
func (r *rtt) timeout(sent, now time.Time) {
	if sent.Before(r.doubled) {
		return
	}
	r.doublings, r.doubled = min(r.doublings+1, maxDoublings), now
}

// estimate is how long an answer may take.
func (r *rtt) estimate() time.Duration {
	if r.count == 0 {
		return firstRTO
	}
	return max(r.srtt+4*r.rttvar, minRTO)
}

// rto is how long to wait for the answer to the n-th sending of an Interest
// (from 1): the estimate, doubled with every further one.
func (r *rtt) rto(n int) time.Duration {
	d := r.estimate()
	return min(d<<min(max(n-1, r.doublings), maxDoublings), max(d, maxRTO))
}
