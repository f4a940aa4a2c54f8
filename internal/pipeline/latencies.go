package pipeline

import (
	"math/bits"
	"time"
)

// Latencies are round trips, in buckets of at most 1/16 of their size and at least a
// microsecond. The zero value holds none.
type Latencies struct {
	Min, Max time.Duration // exact
	Count    uint64
	sum      time.Duration
	buckets  [latencyBuckets]uint32
}

const (
	subBits        = 4
	latencyBuckets = (32 - subBits) << subBits // up to 1<<31 µs: 35 minutes
)

func (l *Latencies) add(d time.Duration) {
	if l.Count == 0 || d < l.Min {
		l.Min = d
	}
	l.Max = max(l.Max, d)
	l.sum += d
	l.Count++
	l.buckets[latencyBucket(uint64(max(d, 0)/time.Microsecond))]++
}

// latencyBucket is where v microseconds are counted.
func latencyBucket(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return min(shift<<subBits+int(v>>shift), latencyBuckets-1)
}

// latencyOf is the middle of a bucket.
func latencyOf(bucket int) time.Duration {
	shift := max(bucket>>subBits-1, 0)
	low := uint64(bucket - shift<<subBits)
	return time.Duration(low<<shift+(1<<shift)/2) * time.Microsecond
}

// Mean of all; 0 where there are none.
func (l *Latencies) Mean() time.Duration {
	if l.Count == 0 {
		return 0
	}
	return l.sum / time.Duration(l.Count)
}

// Percentile is a round trip that p percent (0 to 100) of all do not exceed, to
// within a sixteenth; 0 where there are none.
func (l *Latencies) Percentile(p float64) time.Duration {
	if l.Count == 0 {
		return 0
	}
	rank, seen := uint64(p/100*float64(l.Count-1)), uint64(0)
	for i, n := range l.buckets {
		if seen += uint64(n); seen > rank {
			return min(max(latencyOf(i), l.Min), l.Max)
		}
	}
	return l.Max
}
