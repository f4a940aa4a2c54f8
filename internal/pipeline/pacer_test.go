package pipeline

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// paced counts the Interests that go in each millisecond where as many may as the
// pacer lets, starting after d without any.
func paced(p *pacer, window, gain float64, now time.Time, d, during time.Duration) (counts []int) {
	now = now.Add(d)
	for range during / ms {
		n := 0
		for ; p.ready(now) && n < 1<<16; n++ {
			p.sent(window, gain, now)
		}
		counts = append(counts, n)
		now = now.Add(ms)
	}
	return counts
}

// Interests go no faster than the window's worth a round trip, and some: a millisecond's
// worth at once, and the rest one millisecond's after the other.
func TestPacer(t *testing.T) {
	for _, tt := range []struct {
		srtt         time.Duration
		window, gain float64
		once, each   int // at the first time, and in each millisecond
	}{
		{50 * ms, 1000, 1.25, 26, 25}, {50 * ms, 1000, 2.5, 51, 50}, {100 * ms, 200, 1.25, 3, 3}, {4 * ms, 64, 1.25, 21, 20},
	} {
		p := pacer{rtt: rtt{srtt: tt.srtt, min: tt.srtt, count: 1}}
		for _, idle := range []time.Duration{0, time.Second, time.Hour} { // idling saves nothing up
			counts := paced(&p, tt.window, tt.gain, time.Unix(1000, 0).Add(idle), 0, 100*ms)
			sum := 0
			for i, n := range counts {
				sum += n
				if i == 0 && (n < tt.once-1 || n > tt.once) || n > tt.each+1 {
					t.Fatalf("%v, window %v times %v: %v", tt.srtt, tt.window, tt.gain, counts)
				}
			}
			want := tt.window * tt.gain * 100 * float64(ms) / float64(tt.srtt)
			if got := float64(sum); got < want || got > want+float64(tt.once)+1 {
				t.Errorf("%v, window %v times %v: %v in 100 ms, want %v", tt.srtt, tt.window, tt.gain, got, want)
			}
		}
	}
}

// Where no round trip is known, or a short one, nothing is spread.
func TestPacerShortPath(t *testing.T) {
	for _, p := range []pacer{{}, {rtt: rtt{srtt: ms, min: ms, count: 1}}, {rtt: rtt{srtt: time.Second, min: pacedFrom - 1, count: 1}}} {
		if n := paced(&p, 10, 1.25, time.Unix(1000, 0), 0, ms)[0]; n != 1<<16 {
			t.Errorf("%+v: %d go at once", p, n)
		}
	}
}

// The pacer knows the least round trip, and one that follows the latest.
func TestPacerSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pacer
		var r rtt
		for _, d := range rapid.SliceOfN(rapid.Map(rapid.Int64Range(1, 1e10), func(n int64) time.Duration { return time.Duration(n) }), 1, 50).Draw(t, "round trips") {
			p.sample(d)
			r.sample(d)
			if p.min != r.min || p.srtt != r.srtt {
				t.Fatalf("least %v, smooth %v; want %v, %v", p.min, p.srtt, r.min, r.srtt)
			}
		}
	})
}

// A fetch sends its window over the round trip, and is woken in time for what is left
// of it.
func TestPacedFetch(t *testing.T) {
	r := newRig(t, 500, Options{})
	r.warm(20, 50*ms)
	r.path.pace = pacer{rtt: rtt{srtt: 50 * ms, min: 50 * ms, count: 1}}
	sent := 0
	for range 50 {
		n := len(r.send())
		if n > 14 {
			t.Fatalf("%d Interests at once with a window of 500 in 50 ms", n)
		}
		sent += n
		if sent < 500 && (!r.path.pace.free.After(r.now) || r.path.pace.free.After(r.now.Add(ms))) {
			t.Fatalf("the next may go at %v, now is %v", r.path.pace.free, r.now)
		}
		r.now = r.now.Add(ms)
	}
	if sent != 500 {
		t.Errorf("%d Interests in a round trip, want the window of 500", sent)
	}
}
