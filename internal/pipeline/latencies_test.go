package pipeline

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A percentile is within a sixteenth, and a microsecond, of the exact one; the least,
// the greatest, the number and the mean are exact.
func TestLatencies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Latencies
		durations := rapid.SliceOfN(rapid.Custom(drawLatency), 1, 300).Draw(t, "latencies")
		sum := time.Duration(0)
		for _, d := range durations {
			l.add(d)
			sum += d
		}
		slices.Sort(durations)
		n := len(durations)
		if l.Min != durations[0] || l.Max != durations[n-1] || l.Count != uint64(n) || l.Mean() != sum/time.Duration(n) {
			t.Fatalf("%v to %v, %d, mean %v; want %v to %v, %d, %v", l.Min, l.Max, l.Count, l.Mean(), durations[0], durations[n-1], n, sum/time.Duration(n))
		}
		for _, p := range append([]float64{0, 1, 50, 90, 99, 99.9, 100}, rapid.Float64Range(0, 100).Draw(t, "p")) {
			got, want := l.Percentile(p), durations[int(p/100*float64(n-1))]
			if (got-want).Abs() > want/16+time.Microsecond || got < l.Min || got > l.Max {
				t.Fatalf("percentile %v of %d: %v, want %v", p, n, got, want)
			}
		}
	})
}

// drawLatency draws up to half an hour, of any order of magnitude.
func drawLatency(t *rapid.T) time.Duration {
	most := rapid.SampledFrom([]time.Duration{1, 20, time.Microsecond, 17 * time.Microsecond, time.Millisecond, time.Second, 30 * time.Minute}).Draw(t, "most")
	return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "latency"))
}

func TestLatenciesNone(t *testing.T) {
	var l Latencies
	if l.Mean() != 0 || l.Percentile(50) != 0 || l.Count != 0 {
		t.Errorf("of none: mean %v, median %v, count %d", l.Mean(), l.Percentile(50), l.Count)
	}
}

// What is longer than the last bucket is counted there, and what is not sensible does
// not panic.
func TestLatenciesExtremes(t *testing.T) {
	var l Latencies
	for _, d := range []time.Duration{-time.Second, 0, 100 * time.Hour, 1<<63 - 1} {
		l.add(d)
	}
	if l.Min != -time.Second || l.Max != 1<<63-1 || l.Count != 4 {
		t.Errorf("%v to %v, %d", l.Min, l.Max, l.Count)
	}
	if first, last := l.Percentile(34), l.Percentile(100); first != 0 || last < 35*time.Minute {
		t.Errorf("the second is %v, the longest %v", first, last)
	}
}

// Buckets lie one behind the other: a longer latency is never in an earlier one, and
// the middle of a bucket is in it.
func TestLatencyBuckets(t *testing.T) {
	for b := range latencyBuckets {
		v := uint64(latencyOf(b) / time.Microsecond)
		if got := latencyBucket(v); got != b {
			t.Errorf("the middle of bucket %d, %d µs, is in bucket %d", b, v, got)
		}
	}
	last := 0
	for v := uint64(0); v < 1<<33; v += 1 + v/50 {
		b := latencyBucket(v)
		if b < last || b >= latencyBuckets || v < 1<<12 && b > last+1 {
			t.Fatalf("%d µs is in bucket %d, after %d", v, b, last)
		}
		last = b
	}
}
