package pipeline

import (
	"testing"
	"time"
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
		{"none", nil, 0, 0, 200 * ms},
		{"one", []time.Duration{80 * ms}, 80 * ms, 40 * ms, 240 * ms},
		{"two", []time.Duration{80 * ms, 160 * ms}, 90 * ms, 50 * ms, 290 * ms},
		{"shorter", []time.Duration{80 * ms, 40 * ms}, 75 * ms, 40 * ms, 235 * ms},
		{"short", []time.Duration{ms, ms, ms}, ms, 281250, 50 * ms},
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

func TestRTOGrows(t *testing.T) {
	var none, short, long rtt
	short.sample(10 * ms)
	long.sample(3 * time.Second)
	for n, want := range [][3]time.Duration{
		1: {200 * ms, 50 * ms, 9 * time.Second},
		2: {400 * ms, 100 * ms, 9 * time.Second},
		3: {800 * ms, 200 * ms, 9 * time.Second},
		4: {1600 * ms, 400 * ms, 9 * time.Second},
		5: {2 * time.Second, 800 * ms, 9 * time.Second},
		6: {2 * time.Second, 1600 * ms, 9 * time.Second},
		7: {2 * time.Second, 1600 * ms, 9 * time.Second},
	} {
		if n == 0 {
			continue
		}
		if got := [3]time.Duration{none.rto(n), short.rto(n), long.rto(n)}; got != want {
			t.Errorf("sending %d: %v, want %v", n, got, want)
		}
	}
	if got := none.rto(1000); got != 2*time.Second {
		t.Errorf("sending 1000: %v, want 2s", got)
	}
}

// Silence after silence doubles the timeout, until there is a sample.
func TestRTOBacksOff(t *testing.T) {
	var r rtt
	r.sample(50 * ms) // 150 ms
	for _, want := range []time.Duration{300 * ms, 600 * ms, 1200 * ms, 2 * time.Second, 2 * time.Second} {
		r.backOff()
		if got := r.rto(1); got != want {
			t.Errorf("timeout %v, want %v", got, want)
		}
	}
	if got := r.rto(2); got != maxRTO {
		t.Errorf("second sending: %v, want %v", got, maxRTO)
	}
	if r.estimate() != 150*ms || r.probeEvery() != 50*ms {
		t.Errorf("estimate %v, probes every %v; want 150ms and 50ms still", r.estimate(), r.probeEvery())
	}
	r.sample(50 * ms)
	if got := r.rto(1); got != r.estimate() || got > 150*ms {
		t.Errorf("after a sample: %v, want the estimate %v", got, r.estimate())
	}
}
