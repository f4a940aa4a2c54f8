package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Interest Returns do not end a silence.
func TestSilenceReturns(t *testing.T) {
	for _, code := range []tlv.ReturnCode{tlv.ReturnNoRoute, tlv.ReturnCongestion, tlv.ReturnNoResources} {
		r := silent(t)
		for i := range 20 {
			r.at(60*ms + time.Duration(i)*50*ms)
			r.tick()
			sent := r.send()
			if len(sent) != 1 {
				t.Fatalf("%v at %v: sent %v, want one probe", code, r.now.Sub(r.start), sent)
			}
			r.at(60*ms + time.Duration(i)*50*ms + 10*ms)
			r.onReturn(sent[0], code, r.now)
			r.tick()
			r.wantSent()
			r.wantPhases(100, "dddd")
		}
		if r.stats.Returns[uint8(code)] != 20 || r.stats.Silences != 1 || r.flying != 0 || r.err != nil {
			t.Errorf("%v: %d Returns, %d silences, %d in flight, error %v", code, r.stats.Returns[uint8(code)], r.stats.Silences, r.flying, r.err)
		}
	}
}

// What came back in a silence is sent again at once when that turns out to be over.
func TestSilenceReturnedThenLate(t *testing.T) {
	r := silent(t)
	r.wantSent(103)
	r.onReturn(103, tlv.ReturnCongestion, r.now)
	r.at(80 * ms)
	r.data(100)
	r.wantPhases(100, "wffl")
	r.wantSent(103, 104)
}

// What comes back waits for its time before it is sent again, and is not lost
// meanwhile, not by order nor by a timer.
func TestReturnedInterestWaits(t *testing.T) {
	for code, want := range map[tlv.ReturnCode]time.Duration{tlv.ReturnNoRoute: 100 * ms, tlv.ReturnCongestion: 60 * ms, tlv.ReturnNoResources: 60 * ms} {
		r := steady(t, 4)
		r.wantSent(from(100, 104)...)
		r.at(5 * ms)
		r.onReturn(101, code, r.now)
		r.at(40 * ms)
		r.data(100, 102, 103)
		at := 5*ms + want
		for r.now.Before(r.start.Add(at - 10*ms)) {
			r.now = r.now.Add(10 * ms)
			r.lastRx = r.now // others are answered
			r.tick()
			r.wantPhases(101, "f")
		}
		r.at(at)
		r.lastRx = r.now
		r.tick()
		r.wantPhases(101, "l")
		losses := 1
		if code == tlv.ReturnNoRoute {
			losses = 0
		}
		if r.stats.Lost+r.stats.Timeouts != 0 || len(r.cc.losses) != losses {
			t.Errorf("%v: %d by order, %d by timer, %d losses told; want 0, 0, %d", code, r.stats.Lost, r.stats.Timeouts, len(r.cc.losses), losses)
		}
	}
}
