package pipeline

import (
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// silent is a steady rig with four Interests out, sent at 0, and no answer: from
// 60 ms on it is silent, and probes each 50 ms.
func silent(t *testing.T) *rig {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.wantWake(60 * ms)
	r.at(60*ms - 1)
	r.tick()
	r.wantPhases(100, "ffff")
	r.at(60 * ms)
	r.tick()
	return r
}

// What is in flight when nothing came for a timeout is in doubt, and in nobody's
// window; no loss is told.
func TestSilenceBegins(t *testing.T) {
	r := silent(t)
	r.wantPhases(100, "dddd")
	if r.flying != 0 || r.path.flying != 0 || len(r.cc.losses) != 0 || r.stats.Silences != 1 || r.count(trace.Silence) != 1 {
		t.Errorf("%d and %d in flight, %d losses told, %d silences, %d events", r.flying, r.path.flying, len(r.cc.losses), r.stats.Silences, r.count(trace.Silence))
	}
	r.wantWake(60 * ms) // the first probe is due
	// Something that is no answer, but arrives, puts it off.
	r = steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(30 * ms)
	r.data(99) // again
	r.at(89 * ms)
	r.tick()
	r.wantPhases(100, "ffff")
	r.wantWake(90 * ms)
	// And it is counted from when something is in flight at all.
	r = steady(t, 4)
	r.at(time.Minute)
	r.progress = r.now
	r.tick()
	r.wantSent(from(100, 104)...)
	r.tick()
	r.wantPhases(100, "ffff")
	r.wantWake(time.Minute + 60*ms)
}

// In a silence there is one probe at a time, for the chunk asked for last and the one
// that is written next by turns.
func TestSilenceProbes(t *testing.T) {
	r := silent(t)
	for i, want := range []uint64{103, 100, 103, 100, 103} {
		at := 60*ms + time.Duration(i)*50*ms
		r.at(at - 1)
		r.tick()
		if i > 0 {
			r.wantSent()
		}
		r.at(at)
		r.tick()
		r.wantSent(want)
		r.wantSent()
		r.wantPhases(100, "dddd")
		r.wantWake(at + 50*ms)
	}
	if r.flying != 0 || r.path.flying != 0 || r.stats.Interests != 109 || r.stats.Retransmits != 5 || r.stats.Silences != 1 {
		t.Errorf("%d in flight, %d sent, %d again, %d silences", r.path.flying, r.stats.Interests, r.stats.Retransmits, r.stats.Silences)
	}
	// Probes are a round trip apart where that is longer.
	r = newRig(t, 4, Options{})
	r.warm(10, 200*ms)
	r.wantSent(from(10, 14)...)
	r.at(r.rtt.rto(1))
	r.tick()
	r.wantSent(13)
	r.wantWake(r.now.Sub(r.start) + r.rtt.srtt)
}

// The newest is the chunk that was asked for last, which need not be the highest.
func TestSilenceProbesNewest(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	r.at(40 * ms)
	r.data(102, 103)
	r.wantSent(104, 105)
	r.at(50 * ms)
	r.tick()
	r.wantSent(100, 101)
	for i, want := range []uint64{101, 100, 101} {
		r.at(100*ms + time.Duration(i)*50*ms)
		r.tick()
		r.wantPhases(100, "ddhhdd")
		r.wantSent(want)
	}
}

// The answer to a probe, before any other, says that the rest is lost: all is sent
// again as the window allows, and that counts as one loss.
func TestSilenceProbeAnswered(t *testing.T) {
	for _, probes := range []int{1, 2} {
		r := silent(t)
		want := []uint64{103, 100}[:probes]
		for i, k := range want {
			r.at(60*ms + time.Duration(i)*50*ms)
			r.tick()
			r.wantSent(k)
		}
		r.at(160 * ms)
		r.data(want[probes-1])
		r.wantPhases(100, []string{"lllh", "wlll"}[probes-1])
		if len(r.cc.losses) != 1 || !r.cc.losses[0].Sent.Equal(r.start.Add(60*ms)) || r.cc.paused != 100*ms || r.cc.spurious != 0 {
			t.Errorf("told: losses %+v, a pause of %v, %d spurious", r.cc.losses, r.cc.paused, r.cc.spurious)
		}
		if r.stats.Lost+r.stats.Timeouts+r.stats.Spurious != 0 {
			t.Errorf("%d by order, %d by timer, %d spurious", r.stats.Lost, r.stats.Timeouts, r.stats.Spurious)
		}
		again := slices.DeleteFunc(from(100, 104), func(k uint64) bool { return k == want[probes-1] })
		r.wantSent(append(again, 104)...)
		r.tick()
		if r.flying != 4 || r.path.flying != 4 {
			t.Errorf("%d and %d in flight, want 4", r.flying, r.path.flying)
		}
	}
}

// A late answer to another one says that the rest is late as well: it is waited for.
func TestSilenceLateOriginal(t *testing.T) {
	r := silent(t)
	r.wantSent(103)
	r.at(80 * ms)
	r.data(100)
	r.wantPhases(100, "wfff")
	if len(r.cc.losses) != 0 || r.flying != 3 || r.path.flying != 3 || r.cc.paused != 20*ms {
		t.Errorf("%d losses told, %d and %d in flight, a pause of %v", len(r.cc.losses), r.flying, r.path.flying, r.cc.paused)
	}
	r.tick()
	r.wantSent(104)
	r.data(101, 102, 103)
	r.tick()
	if r.stats.Retransmits != 1 || r.stats.Lost+r.stats.Timeouts+r.stats.Spurious != 0 {
		t.Errorf("%d sent again, %d by order, %d by timer, %d spurious; want the probe alone", r.stats.Retransmits, r.stats.Lost, r.stats.Timeouts, r.stats.Spurious)
	}
	// What does not come then is found as ever: it is overtaken, or by its timer.
	r = silent(t)
	r.wantSent(103)
	r.at(70 * ms)
	r.tick()
	r.at(80 * ms)
	r.data(100, 102)
	r.tick()
	r.now = r.wake()
	r.tick()
	r.wantPhases(100, "wlhf")
	if r.stats.Lost != 1 {
		t.Errorf("%d lost by order, want 1", r.stats.Lost)
	}
}

// What comes for the probed chunk sooner than any round trip took is the answer to its
// Interest of before; so is, as far as one can tell, whatever comes first of all.
func TestSilenceProbedOriginal(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  string
	}{{"too soon", 40*ms - 1, "fffh"}, {"a round trip later", 40 * ms, "lllh"}} {
		r := silent(t)
		r.wantSent(103)
		r.at(60*ms + tt.after)
		r.data(103)
		r.wantPhases(100, tt.want)
		if r.stats.Spurious != 0 || r.cc.spurious != 0 {
			t.Errorf("%s: %d spurious, %d told", tt.name, r.stats.Spurious, r.cc.spurious)
		}
	}
	r := newRig(t, 4, Options{})
	r.path.pace = pacer{rtt: rtt{srtt: 1, count: 1}}
	r.wantSent(0, 1, 2, 3)
	r.at(firstRTO)
	r.tick()
	r.wantSent(3)
	r.at(firstRTO + time.Second)
	r.data(3)
	r.wantPhases(0, "fffh")
	if len(r.cc.losses) != 0 {
		t.Errorf("%d losses told", len(r.cc.losses))
	}
}

// Silence after silence, with nothing heard between, would be one; the timeout grows
// with each, and is as before once a round trip is known.
func TestSilenceBacksOff(t *testing.T) {
	r := silent(t)
	if got := r.rtt.rto(1); got != 120*ms {
		t.Errorf("timeout %v after a silence, want 120 ms", got)
	}
	r.wantSent(103)
	r.at(160 * ms)
	r.data(103)
	r.wantSent(100, 101, 102, 104)
	r.at(280*ms - 1)
	r.tick()
	r.wantPhases(100, "fffhf")
	r.at(280 * ms)
	r.tick()
	r.wantPhases(100, "dddhd")
	if r.stats.Silences != 2 || r.rtt.rto(1) != 240*ms {
		t.Errorf("%d silences, timeout %v; want 2, 240 ms", r.stats.Silences, r.rtt.rto(1))
	}
}

// A connection made anew ends a silence: all in doubt is sent again at once, and as if
// for the first time.
func TestSilenceRelink(t *testing.T) {
	r := silent(t)
	r.wantSent(103)
	r.at(5 * time.Second)
	r.onRelink(r.now)
	r.wantPhases(100, "llll")
	if r.cc.paused != 5*time.Second-60*ms || len(r.cc.losses) != 0 {
		t.Errorf("told of a pause of %v and %d losses; want 4.94s and none", r.cc.paused, len(r.cc.losses))
	}
	r.wantSent(from(100, 104)...)
	r.tick()
	r.wantPhases(100, "ffff")
	if r.slot(100).tries != 2 || r.slot(103).tries != 2 || r.stats.Relinks != 1 || r.count(trace.Relink) != 1 {
		t.Errorf("%d and %d tries, %d relinks, %d events", r.slot(100).tries, r.slot(103).tries, r.stats.Relinks, r.count(trace.Relink))
	}
	r.at(5*time.Second + 40*ms)
	r.data(from(100, 104)...)
	r.wantPhases(100, "wwww")
	if r.cc.paused != 5*time.Second-60*ms {
		t.Errorf("told of pauses of %v in all", r.cc.paused)
	}
}
