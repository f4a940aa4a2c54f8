package congestion

import (
	"testing"
	"time"
)

// rounds plays round trips to a slow start whose window is so small that no train of
// Data could tell of a full path: n answers each, with that round trip. It returns
// what the last round's last answer did.
func playRounds(s *slowStart, n int, rtts ...time.Duration) (by float64, over bool) {
	for _, rtt := range rtts {
		for i := range n {
			if by, over = s.grow(Answer{Now: t0, Sent: t0, RTT: rtt}, 0.001, i == 0); over {
				return by, over
			}
		}
	}
	return by, over
}

// Growth is slowed when the least round trip of a round is longer than that of the
// one before by an eighth of that, but at least 4 and at most 16 ms (RFC 9406 4.3).
func TestHyStartThreshold(t *testing.T) {
	for _, tt := range []struct{ last, threshold time.Duration }{
		{5 * ms, 4 * ms}, {32 * ms, 4 * ms}, {40 * ms, 5 * ms}, {80 * ms, 10 * ms},
		{128 * ms, 16 * ms}, {500 * ms, 16 * ms},
	} {
		if got := eta(tt.last); got != tt.threshold {
			t.Errorf("threshold at %v: %v, want %v", tt.last, got, tt.threshold)
		}
		for _, more := range []time.Duration{-1, 0} {
			var s slowStart
			by, over := playRounds(&s, 8, tt.last, tt.last+tt.threshold+more)
			if slowed := by == 0.25; slowed != (more == 0) || over {
				t.Errorf("%v, then %v longer: growth %v, over %v", tt.last, tt.threshold+more, by, over)
			}
		}
	}
}

// It takes eight samples of a round, and the round before.
func TestHyStartSamples(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n      int
		rtts   []time.Duration
		growth float64
	}{
		{"seven", 7, []time.Duration{80 * ms, 90 * ms}, 1},
		{"eight", 8, []time.Duration{80 * ms, 90 * ms}, 0.25},
		{"a first round", 20, []time.Duration{90 * ms}, 1},
		{"round trips not known", 20, []time.Duration{80 * ms, 0}, 1},
		{"two small steps", 8, []time.Duration{80 * ms, 89 * ms, 98 * ms}, 1},
		{"a step after calm", 8, []time.Duration{80 * ms, 80 * ms, 80 * ms, 90 * ms}, 0.25},
	} {
		var s slowStart
		if by, _ := playRounds(&s, tt.n, tt.rtts...); by != tt.growth {
			t.Errorf("%s: growth %v, want %v", tt.name, by, tt.growth)
		}
	}
	// The least of a round counts, not the latest.
	var s slowStart
	playRounds(&s, 8, 80*ms)
	playRounds(&s, 1, 80*ms)
	for range 20 {
		if by, _ := s.grow(Answer{Now: t0, Sent: t0, RTT: 200 * ms}, 0.001, false); by != 1 {
			t.Fatal("slowed, though one round trip was as short as ever")
		}
	}
}

// Slowed growth ends slow start after five rounds, the one in which it began
// included, and is taken back where round trips become shorter than they were then
// (RFC 9406 4.2).
func TestHyStartConservative(t *testing.T) {
	var s slowStart
	if by, over := playRounds(&s, 8, 80*ms, 90*ms, 90*ms, 90*ms, 90*ms, 90*ms); over || by != 0.25 {
		t.Errorf("in the fifth slowed round: growth %v, over %v", by, over)
	}
	if _, over := s.grow(Answer{Now: t0, Sent: t0, RTT: 90 * ms}, 0.001, true); !over {
		t.Error("not over after five slowed rounds")
	}

	s = slowStart{}
	if by, _ := playRounds(&s, 8, 80*ms, 90*ms, 90*ms, 90*ms-1); by != 1 {
		t.Errorf("growth %v where round trips became shorter, want 1", by)
	}
	if by, over := playRounds(&s, 8, 90*ms-1, 101*ms+250*time.Microsecond, 102*ms, 103*ms, 103*ms, 103*ms); by != 0.25 || over {
		t.Errorf("growth %v, over %v in the fifth round of slowing again", by, over)
	}
}

// In slow start on a path that fills up, the controls that answer to loss leave off
// before they have flooded it.
func TestHyStartOnPath(t *testing.T) {
	heavy(t)
	for _, k := range lossControls {
		for _, base := range []time.Duration{20 * ms, 50 * ms, 200 * ms, 500 * ms} {
			const rate = 10000.0
			full := rate * base.Seconds()
			m := newModel(rate, base, New(k.Kind, 10))
			m.run(16 * base)
			if w := m.flows[0].Window(); w < 0.95*full || w > 1.5*full+16 {
				t.Errorf("%s: window %.0f on a path that holds %.0f", k.Kind, w, full)
			}
		}
	}
}

// A train tells the rate at which Data come one behind the other, whatever the gap
// between one train and the next.
func TestTrain(t *testing.T) {
	const base = 80 * ms // a train spans 10 ms
	for _, tt := range []struct {
		name   string
		length int // of each train, 0.1 ms apart
		rtt    time.Duration
		want   float64 // 0: not known
	}{
		{"short trains", 50, 80 * ms, 0},
		{"long enough", 150, 80 * ms, 10000},
		{"no gaps", 800, 80 * ms, 10000},
	} {
		var tr train
		for round := range 5 {
			for i := range tt.length {
				tr.take(Answer{Now: t0.Add(time.Duration(round)*80*ms + time.Duration(i)*100*time.Microsecond), RTT: tt.rtt}, base)
			}
		}
		if !near(tr.rate, tt.want, 0.02) {
			t.Errorf("%s: rate %v, want %v", tt.name, tr.rate, tt.want)
		}
	}
	// Too few Data make no train, however long they take.
	var tr train
	for i := range 17 {
		if tr.rate != 0 {
			t.Errorf("rate %v of %d Data", tr.rate, i)
		}
		tr.take(Answer{Now: t0.Add(time.Duration(i) * ms)}, 8*ms)
	}
	if !near(tr.rate, 1000, 0.01) {
		t.Errorf("rate %v of 17 Data, want 1000", tr.rate)
	}
}

// A path is full where the window holds what the train's rate does and the latest
// eight round trips are all longer than the path's own.
func TestTrainFull(t *testing.T) {
	fill := func(last time.Duration) *train {
		tr := &train{rate: 10000}
		tr.take(Answer{Now: t0, RTT: 200 * ms}, 0) // forgotten by the end
		for i := range 8 {
			rtt := 90 * ms
			if i == 3 {
				rtt = last
			}
			tr.take(Answer{Now: t0, RTT: rtt}, 0)
		}
		return tr
	}
	const base = 80 * ms
	for _, tt := range []struct {
		name   string
		train  *train
		window float64
		queued time.Duration
		full   bool
	}{
		{"full", fill(90 * ms), 800, 10 * ms, true},
		{"a smaller window", fill(90 * ms), 799, 10 * ms, false},
		{"less queue than that", fill(90 * ms), 800, 11 * ms, false},
		{"one short round trip", fill(89 * ms), 800, 10 * ms, false},
		{"no train", &train{recent: fill(90 * ms).recent, next: 9}, 800, 10 * ms, false},
		{"seven round trips", &train{rate: 10000, recent: fill(90 * ms).recent, next: 7}, 800, 10 * ms, false},
	} {
		if got := tt.train.full(tt.window, base, tt.queued); got != tt.full {
			t.Errorf("%s: full is %v", tt.name, got)
		}
	}
	// Where it is full, slow start is over at once.
	s := slowStart{train: *fill(90 * ms), base: base}
	if by, over := s.grow(Answer{Now: t0, RTT: 90 * ms}, 800, false); !over || by != 0 {
		t.Errorf("on a full path: growth %v, over %v", by, over)
	}
}
