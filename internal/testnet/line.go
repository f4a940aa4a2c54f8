package testnet

import (
	"math"
	"time"
)

// line is a sender of limited rate and the queue in front of it. Times are from an
// origin that is the caller's, and do not go back.
type line struct {
	// busy are the periods, one behind the other, in which the line sends what it has
	// accepted. There is one for each rate that packets in the queue were accepted at.
	busy []period
	peak int // bytes
}

type period struct {
	end  time.Duration
	rate BitRate
}

// take accepts a packet of size bytes and returns when it is wholly sent, or reports
// false where it would have to wait and the queue's limit (bytes, 0: none) is reached.
func (l *line) take(now time.Duration, size int, rate BitRate, limit int) (time.Duration, bool) {
	for len(l.busy) > 0 && l.busy[0].end <= now {
		l.busy = append(l.busy[:0], l.busy[1:]...)
	}
	start, n := now, len(l.busy)
	if n > 0 {
		start = l.busy[n-1].end
	}
	if rate == 0 {
		return start, true // behind what an earlier rate has yet to send
	}
	waiting := l.bytes(now)
	if limit > 0 && n > 0 && waiting+size > limit {
		return 0, false
	}
	l.peak = max(l.peak, waiting+size)
	end := start + time.Duration(math.Ceil(float64(size)*rate.perByte()))
	if n > 0 && l.busy[n-1].rate == rate {
		l.busy[n-1].end = end
	} else {
		l.busy = append(l.busy, period{end, rate})
	}
	return end, true
}

// bytes is what has been accepted and is not sent by now.
func (l *line) bytes(now time.Duration) int {
	sum, from := 0.0, now
	for _, p := range l.busy {
		sum += float64(p.end-from) / p.rate.perByte()
		from = p.end
	}
	return int(math.Round(sum))
}

// clear forgets what is in the queue.
func (l *line) clear() { l.busy = l.busy[:0] }
