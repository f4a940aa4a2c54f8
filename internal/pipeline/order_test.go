package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// steady is a rig whose round trip is always 40 ms, with a timeout of 60 ms and chunks
// from 100 on to be sent. Its patience is 40 ms and a quarter of that: 50 ms.
func steady(t *testing.T, window int) *rig {
	r := newRig(t, window, Options{})
	r.warm(100, 40*ms)
	if r.order.patience(&r.rtt) != 50*ms || r.rtt.rto(1) != 60*ms {
		t.Fatalf("patience %v, timeout %v", r.order.patience(&r.rtt), r.rtt.rto(1))
	}
	return r
}

// What was overtaken is lost once the round trip and the patience have passed, no
// sooner, and then sent again at once.
func TestOrderOvertaken(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(40 * ms)
	r.data(101, 103)
	r.tick()
	r.wantPhases(100, "fhfh")
	r.wantWake(50 * ms)
	r.wantSent(104, 105)
	r.at(50*ms - 1)
	r.tick()
	r.wantPhases(100, "fhfh")
	r.at(50 * ms)
	r.tick()
	r.wantPhases(100, "lhlhff")
	if r.stats.Lost != 2 || r.stats.Timeouts != 0 || r.count(trace.Lost) != 2 {
		t.Errorf("%d by order, %d by timer, %d events; want 2, 0, 2", r.stats.Lost, r.stats.Timeouts, r.count(trace.Lost))
	}
	for _, x := range r.cc.losses {
		if !x.Sent.Equal(r.start) || !x.Now.Equal(r.now) || x.InFlight < 3 {
			t.Errorf("the control was told of the loss %+v", x)
		}
	}
	if len(r.cc.losses) != 2 {
		t.Errorf("the control was told of %d losses", len(r.cc.losses))
	}
	r.wantSent(100, 102)
	if r.stats.Retransmits != 2 {
		t.Errorf("%d re-sends, want 2", r.stats.Retransmits)
	}
}

// What overtook is the latest sending that was answered, in whatever order the answers
// came.
func TestOrderLatestAnswered(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(40 * ms)
	r.data(103, 101)
	r.at(50 * ms)
	r.tick()
	r.wantPhases(100, "lhlh")
}

// What nothing overtook is not lost by order, but by its timer, after twice the
// timeout, where others are answered meanwhile.
func TestOrderNotOvertaken(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(40 * ms)
	r.data(100, 101, 102) // the last, 103, is not answered
	r.cc.window = 1
	for _, d := range []time.Duration{60 * ms, 90 * ms, 120*ms - 1} {
		r.at(d)
		r.lastRx = r.now // something else arrives
		r.tick()
		r.wantPhases(103, "f")
	}
	r.at(120 * ms)
	r.tick()
	r.wantPhases(103, "l")
	if r.stats.Lost != 0 || r.stats.Timeouts != 1 || r.count(trace.Timeout) != 1 || len(r.cc.losses) != 1 {
		t.Errorf("%d by order, %d by timer, %d told; want 0, 1, 1", r.stats.Lost, r.stats.Timeouts, len(r.cc.losses))
	}
}

// Interests that were sent at one time have an order too.
func TestOrderEqualTimes(t *testing.T) {
	r := steady(t, 8)
	r.wantSent(from(100, 108)...)
	r.at(40 * ms)
	r.data(103)
	r.at(50 * ms)
	r.tick()
	r.wantPhases(100, "lllhffff")
	r.wantSent(100, 101, 102, 108)
	r.at(52 * ms)
	r.data(107)
	r.tick() // the patience is longer by now: that answer took 52 ms
	r.wantPhases(100, "fffhfffh")
	r.wantWake(r.start.Add(r.order.patience(&r.rtt)).Sub(r.start))
	r.now = r.wake()
	r.tick()
	r.wantPhases(100, "fffhlllh")
}

// Patience is the round trip and a quarter of the least, or twice its deviation, a
// millisecond at least; times more where that proved wrong, but not above the timeout.
func TestOrderPatience(t *testing.T) {
	for _, tt := range []struct {
		name            string
		r               rtt
		o               order
		want, withPrior time.Duration
	}{
		{name: "steady", r: rtt{srtt: 40 * ms, min: 40 * ms, count: 9}, want: 50 * ms},
		{name: "with jitter", r: rtt{srtt: 40 * ms, min: 30 * ms, rttvar: 10 * ms, count: 9}, want: 60 * ms},
		{name: "very short", r: rtt{srtt: ms, min: ms, count: 9}, want: 2 * ms},
		{name: "the overtaking answer took longer", r: rtt{srtt: 40 * ms, min: 40 * ms, count: 9}, o: order{rtt: 55 * ms}, want: 65 * ms},
		{name: "wrong twice", r: rtt{srtt: 40 * ms, min: 40 * ms, count: 9}, o: order{mult: 4}, want: 80 * ms},
		{name: "wrong often", r: rtt{srtt: 40 * ms, min: 40 * ms, count: 9}, o: order{mult: 16}, want: 40*ms + 60*ms},
	} {
		if got := tt.o.patience(&tt.r); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Each loss by order that proves wrong doubles the patience, up to sixteenfold; 64
// in a row that do not halve it.
func TestOrderLearns(t *testing.T) {
	var o order
	mult := func(want int, when string) {
		t.Helper()
		if max(o.mult, 1) != want {
			t.Fatalf("%s: %d times the patience, want %d", when, o.mult, want)
		}
	}
	for _, want := range []int{2, 4, 8, 16, 16} {
		o.wrong()
		mult(want, "wrong")
	}
	for _, want := range []int{8, 4, 2, 1, 1} {
		for range 63 {
			o.right()
		}
		if want < 8 {
			mult(max(2*want, 1), "63 times right")
		}
		o.right()
		if want == 1 {
			mult(1, "64 times right")
			break
		}
		mult(want, "64 times right")
	}
	o = order{mult: 4}
	for range 63 {
		o.right()
	}
	o.wrong()
	for range 63 {
		o.right()
	}
	mult(8, "63 times right, since the latest was wrong")
	o.right()
	mult(4, "64 times right")

	r := steady(t, 80)
	r.order.mult, r.order.calm = 4, 0
	r.wantSent(from(100, 180)...)
	r.at(40 * ms)
	r.data(179)
	r.at(100 * ms)
	r.lastRx = r.now
	r.tick()
	if r.stats.Lost != 79 || r.order.mult != 2 || r.order.calm != 15 {
		t.Errorf("%d lost, %d times the patience, %d since; want 79, 2, 15", r.stats.Lost, r.order.mult, r.order.calm)
	}
}

// An answer to what was taken for lost proves that wrong: the control may take its
// decrease back, and the patience grows.
func TestOrderSpurious(t *testing.T) {
	for _, tt := range []struct {
		name   string
		resent bool
		after  time.Duration // since the loss
		wrong  bool
	}{
		{"before it was sent again", false, 5 * ms, true},
		{"right after it was sent again", true, 5 * ms, true},
		{"a round trip after it was sent again", true, 40 * ms, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := steady(t, 2)
			r.wantSent(100, 101)
			r.at(40 * ms)
			r.data(101)
			r.at(50 * ms)
			r.tick()
			r.wantPhases(100, "l")
			if tt.resent {
				r.cc.window = 1
				r.wantSent(100)
			}
			r.at(50*ms + tt.after)
			r.data(100)
			want := 0
			if tt.wrong {
				want = 1
			}
			if r.cc.spurious != want || r.stats.Spurious != uint64(want) || r.count(trace.Spurious) != want || r.order.mult/2 != want {
				t.Errorf("the control was told %d times, %d counted, %d events, %d times the patience", r.cc.spurious, r.stats.Spurious, r.count(trace.Spurious), r.order.mult)
			}
			if rtt := r.cc.answers[len(r.cc.answers)-1].RTT; (rtt != 0) == tt.resent {
				t.Errorf("a round trip of %v was told", rtt)
			}
		})
	}
}

// A late answer to the first sending of a chunk does not overtake what was sent
// between that and the second one.
func TestOrderLateOriginal(t *testing.T) {
	r := steady(t, 2)
	r.wantSent(100, 101)
	r.at(40 * ms)
	r.data(101)
	r.tick()
	r.wantSent(102)
	r.at(50 * ms)
	r.tick()
	r.wantSent(100) // again
	newest := r.order.newest
	r.at(55 * ms)
	r.data(100) // too soon for the second
	if r.order.newest != newest {
		t.Errorf("sending %d counts as answered, want %d still", r.order.newest, newest)
	}
	r.wantSent(103)
	r.at(91 * ms) // the patience for 102, had it been overtaken
	r.lastRx = r.now
	r.tick()
	r.wantPhases(102, "f")
}

// Nothing is lost in a silence, whatever was overtaken before it.
func TestOrderInSilence(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(40 * ms)
	r.data(103)
	r.fallSilent(r.now)
	for d := 41 * ms; d < time.Second; d += 20 * ms {
		r.at(d)
		r.tick()
	}
	r.wantPhases(100, "dddh")
	if r.stats.Lost != 0 || r.stats.Timeouts != 0 || len(r.cc.losses) != 0 {
		t.Errorf("%d by order, %d by timer, %d told", r.stats.Lost, r.stats.Timeouts, len(r.cc.losses))
	}
}
