package pipeline

import (
	"testing"
	"time"
)

// pair is two steady rigs on one path.
func pair(t *testing.T, window int) (a, b *rig) {
	p, cc := spied(window)
	a, b = rigOn(t, p, cc, Options{}), rigOn(t, p, cc, Options{})
	a.warm(100, 40*ms)
	b.now = a.now
	b.lastRx, b.progress = b.now, b.now
	b.warm(100, 40*ms)
	a.start, a.now = b.start, b.now
	a.lastRx, a.progress = a.now, a.now
	return a, b
}

// The window of a fetch to which nothing comes is another's, until it is heard of
// again.
func TestSilenceLeavesWindow(t *testing.T) {
	a, b := pair(t, 6)
	a.wantSent(from(100, 106)...)
	b.wantSent()
	a.at(60 * ms)
	a.tick()
	a.wantSent(105)
	b.at(60 * ms)
	b.wantSent(from(100, 106)...)
	if a.path.flying != 6 || a.flying != 0 || b.flying != 6 {
		t.Errorf("%d in flight, %d and %d of each", a.path.flying, a.flying, b.flying)
	}
	b.at(100 * ms)
	b.data(100, 101)
	b.wantSent(106, 107)
	a.at(101 * ms)
	a.data(105) // probed: the rest is lost, and waits for the window
	a.wantPhases(100, "lllllh")
	a.wantSent()
	b.at(102 * ms)
	b.data(102, 103)
	a.wantSent(100, 101)
	b.wantSent()
	if a.path.flying != 6 || a.flying != 2 || b.flying != 4 {
		t.Errorf("%d in flight, %d and %d of each", a.path.flying, a.flying, b.flying)
	}
}

// Late answers may bring more than the window into flight, but nothing is sent until
// it has room again; leaving gives back what is held.
func TestSilenceOverfull(t *testing.T) {
	a, b := pair(t, 6)
	a.wantSent(from(100, 106)...)
	a.at(60 * ms)
	a.tick()
	b.at(60 * ms)
	b.wantSent(from(100, 106)...)
	a.at(80 * ms)
	a.data(100)
	if a.path.flying != 11 {
		t.Fatalf("%d in flight, want 5 late ones and 6", a.path.flying)
	}
	a.wantSent()
	b.wantSent()
	a.leave()
	if a.path.flying != 6 || a.flying != 0 {
		t.Errorf("%d in flight after the late one left, want 6", a.path.flying)
	}
}

// The silence of one fetch is no pause for the control where another one got answers
// meanwhile: only the time since the latest of them is.
func TestSilenceOfOneIsNoPause(t *testing.T) {
	a, b := pair(t, 6)
	a.wantSent(from(100, 106)...)
	a.at(60 * ms)
	a.tick()
	for i := range uint64(10) {
		at := 60*ms + 40*ms*time.Duration(i)
		b.at(at)
		b.send()
		b.at(at + 40*ms)
		b.data(b.base, b.base+1, b.base+2)
		b.tick()
	}
	a.at(470 * ms) // the other one got something at 460
	a.data(105)
	if a.cc.paused != 10*ms {
		t.Errorf("the control was told of a pause of %v, want 10 ms", a.cc.paused)
	}
}

// Where the session itself is held up in a silence, that is one pause.
func TestSilenceHeldUp(t *testing.T) {
	for _, relink := range []bool{false, true} {
		a, b := pair(t, 6)
		a.wantSent(from(100, 106)...)
		a.at(60 * ms)
		a.tick() // a silence from here on
		a.at(2060 * ms)
		a.path.onBlocked(time.Second)
		for _, r := range []*rig{a, b} {
			r.onBlocked(time.Second)
		}
		a.at(3060 * ms)
		if relink {
			a.onRelink(a.now)
		} else {
			a.data(105)
		}
		if a.cc.paused != 3*time.Second {
			t.Errorf("relink %v: told of pauses of %v, want 3 s", relink, a.cc.paused)
		}
	}
}

// Held up in the middle of taking the answer of another fetch, too.
func TestSilenceHeldUpWhileOtherHears(t *testing.T) {
	a, b := pair(t, 6)
	a.cc.window = 3
	a.wantSent(100, 101, 102)
	a.cc.window = 6
	b.wantSent(100, 101, 102)
	for _, r := range []*rig{a, b} {
		r.at(60 * ms)
		r.tick()
	}
	b.at(1060 * ms)
	b.data(100) // whose writer takes a second
	a.path.onBlocked(time.Second)
	for _, r := range []*rig{a, b} {
		r.onBlocked(time.Second)
	}
	a.at(2160 * ms)
	a.data(100)
	if a.cc.paused != 2100*ms {
		t.Errorf("told of pauses of %v, want 2.1 s", a.cc.paused)
	}
}

// A silence of all fetches is one pause, whoever is heard of first.
func TestSilenceOfAllIsOnePause(t *testing.T) {
	for _, relink := range []bool{false, true} {
		a, b := pair(t, 6)
		a.cc.window = 3
		a.wantSent(100, 101, 102)
		a.cc.window = 6
		b.wantSent(100, 101, 102)
		for _, r := range []*rig{a, b} {
			r.at(60 * ms)
			r.tick()
		}
		for _, r := range []*rig{a, b} {
			r.at(1060 * ms)
			if relink {
				r.onRelink(r.now)
			} else {
				r.data(100)
			}
		}
		if a.cc.paused != time.Second {
			t.Errorf("relink %v: the control was told of pauses of %v, want 1 s", relink, a.cc.paused)
		}
	}
}
