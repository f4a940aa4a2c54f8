package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// Bounds of how long an Interest that was overtaken may still be answered.
const (
	minReorder     = time.Millisecond
	maxReorderMult = 16
	// calmLosses is after how many losses in a row that proved right the patience
	// with reordering becomes less again.
	calmLosses = 64
)

// order finds losses by order: where an Interest that was sent later has been
// answered, and the round trip and some patience have passed, an answer is not to be
// expected any more (RACK, RFC 8985).
type order struct {
	sendings fifo[sending]
	newest   uint64        // the latest sending that was answered
	rtt      time.Duration // of that answer
	mult     int           // of the patience with reordering
	calm     int           // losses since the latest that proved wrong
	due      time.Time     // when the next may be lost; zero: nothing to look at
}

// sending is one Interest: the n-th of the fetch, for that chunk. After a silence one may
// stand behind later ones, or twice; what was answered or sent again since is passed over.
type sending struct{ chunk, nth uint64 }

func (o *order) sent(chunk, nth uint64) { o.sendings.push(sending{chunk, nth}) }

// answered takes note of the answer to the n-th sending.
func (o *order) answered(nth uint64, rtt time.Duration) {
	if nth >= o.newest {
		o.newest, o.rtt = nth, rtt
	}
}

// patience is how long after it was sent an overtaken Interest may be answered.
func (o *order) patience(r *rtt) time.Duration {
	more := max(r.min/4, 2*r.rttvar, minReorder) * time.Duration(max(o.mult, 1))
	return max(o.rtt, r.srtt) + min(more, r.estimate())
}

// wrong takes note that a loss by order was none.
func (o *order) wrong() {
	o.mult, o.calm = min(2*max(o.mult, 1), maxReorderMult), 0
}

// right takes note of a loss by order, to be believed until it proves wrong.
func (o *order) right() {
	if o.calm++; o.calm >= calmLosses && o.mult > 1 {
		o.mult, o.calm = o.mult/2, 0
	}
}

// loseOverdue gives up on what was overtaken, and on what has gone unanswered for too
// long: twice the timeout, as order finds what is lost unless the path keeps none.
func (s *state) loseOverdue(now time.Time) {
	o := &s.order
	o.due = time.Time{}
	for o.sendings.len() > 0 {
		e := o.sendings.front()
		if !s.outstanding(e) {
			o.sendings.pop()
			continue
		}
		if s.mute.on {
			return
		}
		c := s.slot(e.chunk)
		overtaken := e.nth < o.newest
		at := c.sent.Add(2 * s.rtt.rto(c.tries))
		if overtaken {
			at = c.sent.Add(o.patience(&s.rtt))
		}
		if at.After(now) {
			o.due = at
			return
		}
		o.sendings.pop()
		s.path.onLoss(c.sent, now)
		s.lose(e.chunk)
		if overtaken {
			o.right()
			s.stats.Lost++
			s.event(trace.Lost, e.chunk, now)
		} else {
			s.stats.Timeouts++
			s.event(trace.Timeout, e.chunk, now)
		}
	}
}

// outstanding reports whether e is still to be answered.
func (s *state) outstanding(e sending) bool {
	if e.chunk < s.base || e.chunk >= s.next {
		return false
	}
	c := s.slot(e.chunk)
	return c.nth == e.nth && c.phase == flying && !c.held
}
