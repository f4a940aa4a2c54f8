package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

const ms = time.Millisecond

func TestRTT(t *testing.T) {
	// After samples, by RFC 6298 2.2 and 2.3 with alpha 1/8, beta 1/4.
	for _, tt := range []struct {
		name         string
		samples      []time.Duration
		srtt, rttvar time.Duration
		rto          time.Duration
	}{
		{"none", nil, 0, 0, 300 * ms},
		{"one", []time.Duration{80 * ms}, 80 * ms, 40 * ms, 240 * ms},
		{"two", []time.Duration{80 * ms, 160 * ms}, 90 * ms, 50 * ms, 290 * ms},
		{"shorter", []time.Duration{80 * ms, 40 * ms}, 75 * ms, 40 * ms, 235 * ms},
		{"short", []time.Duration{ms, ms, ms}, ms, 281250, 100 * ms},
		{"long", []time.Duration{3 * time.Second}, 3 * time.Second, 1500 * ms, 9 * time.Second},
	} {
		var r rtt
		for _, d := range tt.samples {
			r.sample(d)
		}
		if r.srtt != tt.srtt || r.rttvar != tt.rttvar || r.rto(1) != tt.rto || r.estimate() != tt.rto {
			t.Errorf("%s: srtt %v, rttvar %v, rto %v, estimate %v; want %v, %v, %v", tt.name, r.srtt, r.rttvar, r.rto(1), r.estimate(), tt.srtt, tt.rttvar, tt.rto)
		}
	}
}

func TestRTTStatistics(t *testing.T) {
	var r rtt
	for _, d := range []time.Duration{5 * ms, 2 * ms, 8 * ms} {
		r.sample(d)
	}
	if r.min != 2*ms || r.max != 8*ms || r.sum != 15*ms || r.count != 3 {
		t.Errorf("min %v, max %v, sum %v, count %d; want 2ms, 8ms, 15ms, 3", r.min, r.max, r.sum, r.count)
	}
}

func TestRTOGrows(t *testing.T) {
	var none, short, long rtt
	short.sample(10 * ms)
	long.sample(3 * time.Second)
	for n, want := range [][3]time.Duration{
		1: {300 * ms, 100 * ms, 9 * time.Second},
		2: {600 * ms, 200 * ms, 9 * time.Second},
		3: {1200 * ms, 400 * ms, 9 * time.Second},
		4: {2 * time.Second, 800 * ms, 9 * time.Second},
		5: {2 * time.Second, 1600 * ms, 9 * time.Second},
		6: {2 * time.Second, 2 * time.Second, 9 * time.Second},
		7: {2 * time.Second, 2 * time.Second, 9 * time.Second},
	} {
		if n == 0 {
			continue
		}
		if got := [3]time.Duration{none.rto(n), short.rto(n), long.rto(n)}; got != want {
			t.Errorf("sending %d: %v, want %v", n, got, want)
		}
	}
	if got := short.rto(1000); got != 2*time.Second {
		t.Errorf("sending 1000: %v, want 2s", got)
	}
}

// An Interest Return is an answer: what it has asked again is no timeout.
func TestReturnIsNoTimeout(t *testing.T) {
	now := time.Time{}.Add(time.Hour)
	s := newState(Options{}.withDefaults(), now)
	s.nextRequest(now)
	s.onReturn(0, tlv.ReturnNoRoute, now.Add(5*ms))
	s.onTime(now.Add(5*ms + minRTO))
	if r, ok := s.nextRequest(now.Add(5*ms + minRTO)); !ok || r.chunk != 0 || s.rtt.doublings != 0 {
		t.Errorf("next is %v, %v with %d doublings; want chunk 0 again and none", r, ok, s.rtt.doublings)
	}
	s.onTime(now.Add(time.Minute / 10))
	if s.rtt.doublings != 0 {
		t.Errorf("%d doublings for a chunk that was sent before; want none", s.rtt.doublings)
	}
}

// A timeout doubles the timeouts of all once for what was in flight then, until
// there is a sample.
func TestRTOTimeout(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Time{}.Add(time.Hour + d) }
	var r rtt
	r.sample(50 * ms) // 150 ms
	r.timeout(at(0), at(150*ms))
	r.timeout(at(10*ms), at(160*ms))
	r.timeout(at(149*ms), at(299*ms))
	if got := r.rto(1); got != 300*ms {
		t.Errorf("after the timeouts of one window: %v, want 300ms", got)
	}
	if got := r.rto(2); got != 300*ms {
		t.Errorf("second sending: %v, want 300ms: its own doubling is the same one", got)
	}
	if got := r.rto(3); got != 600*ms {
		t.Errorf("third sending: %v, want 600ms", got)
	}
	r.timeout(at(151*ms), at(451*ms))
	if got := r.rto(1); got != 600*ms {
		t.Errorf("after a second timeout: %v, want 600ms", got)
	}
	if got := r.estimate(); got != 150*ms {
		t.Errorf("estimate %v, want 150ms still", got)
	}
	for i := range 100 {
		now := at(time.Duration(i+1) * time.Second)
		r.timeout(now, now)
	}
	if got := r.rto(1); got != maxRTO {
		t.Errorf("after a hundred timeouts: %v, want %v", got, maxRTO)
	}
	r.sample(50 * ms)
	if got := r.rto(1); got != r.estimate() || got > 150*ms {
		t.Errorf("after a sample: %v, want the estimate %v", got, r.estimate())
	}
}
