package congestion

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// history draws what happens to a control, with its time going on.
type history struct {
	t   *rapid.T
	now time.Time
}

// wait lets a time pass: none, or up to hours.
func (h *history) wait() {
	d := rapid.OneOf(
		rapid.Just(time.Duration(0)), rapid.Map(rapid.Int64Range(1, 1e6), nanoseconds),
		rapid.Map(rapid.Int64Range(1e6, 1e9), nanoseconds), rapid.Map(rapid.Int64Range(1e9, 1e13), nanoseconds),
	).Draw(h.t, "wait")
	h.now = h.now.Add(d)
}

func nanoseconds(n int64) time.Duration { return time.Duration(n) }

// before draws a time up to some seconds before now, now itself included.
func (h *history) before() time.Time {
	return h.now.Add(-rapid.OneOf(
		rapid.Just(time.Duration(0)), rapid.Map(rapid.Int64Range(1, 1e6), nanoseconds), rapid.Map(rapid.Int64Range(1e6, 5e9), nanoseconds),
	).Draw(h.t, "sent before"))
}

// inFlight draws a number that may have to do with the window.
func (h *history) inFlight(c Control) int {
	if rapid.Bool().Draw(h.t, "window used") {
		return int(math.Ceil(c.Window()))
	}
	return rapid.IntRange(1, maxWindow).Draw(h.t, "in flight")
}

// step lets one thing happen to c.
func (h *history) step(c Control) {
	h.wait()
	switch rapid.SampledFrom([]string{"data", "data", "data", "answers", "loss", "loss", "spurious", "pause", "expect"}).Draw(h.t, "event") {
	case "data":
		sent := h.before()
		a := Answer{Now: h.now, Sent: sent, InFlight: h.inFlight(c)}
		if rapid.Bool().Draw(h.t, "timed") {
			a.RTT = h.now.Sub(sent)
		}
		c.OnData(a)
	case "answers": // of some round trips
		rtt := time.Duration(rapid.Int64Range(1, 2e9).Draw(h.t, "rtt"))
		gap := time.Duration(rapid.Int64Range(0, 1e8).Draw(h.t, "gap"))
		n, most := rapid.IntRange(1, 100).Draw(h.t, "n"), h.inFlight(c)
		for range n {
			h.now = h.now.Add(gap)
			c.OnData(Answer{Now: h.now, Sent: h.now.Add(-rtt), RTT: rtt, InFlight: most})
		}
	case "loss":
		c.OnLoss(Loss{Now: h.now, Sent: h.before(), InFlight: h.inFlight(c)})
	case "spurious":
		c.OnSpurious()
	case "pause":
		c.OnPause(time.Duration(rapid.Int64Range(0, 1e13).Draw(h.t, "pause")))
	case "expect":
		c.Expect(float64(rapid.IntRange(0, 1<<20).Draw(h.t, "expect")))
	}
}

// Whatever happens, a window is a number of Interests from 1 to 65536.
func TestWindowInBounds(t *testing.T) {
	for _, k := range Kinds {
		t.Run(string(k), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := New(k, rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, maxWindow)).Draw(t, "initial"))
				h := history{t, t0}
				for range rapid.IntRange(1, 60).Draw(t, "events") {
					h.step(c)
					if w := c.Window(); !(w >= 1 && w <= maxWindow) {
						t.Fatalf("window %v", w)
					}
				}
			})
		})
	}
}

// Whatever happened before, losses of Interests sent before the latest decrease make
// no other; no loss makes a window larger, and no answer makes one smaller.
func TestDecreases(t *testing.T) {
	for _, k := range lossControls {
		t.Run(string(k.Kind), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := New(k.Kind, rapid.IntRange(1, 1000).Draw(t, "initial"))
				watched := &watch{Control: c, t: t}
				h := history{t, t0}
				for range rapid.IntRange(1, 60).Draw(t, "events") {
					h.step(watched)
				}
			})
		})
	}
}

// watch holds the changes of a window against what may change it.
type watch struct {
	Control
	t         *rapid.T
	decreased time.Time
}

func (w *watch) OnData(a Answer) {
	before := w.Window()
	w.Control.OnData(a)
	if after := w.Window(); after < before || after > before+1 {
		w.t.Fatalf("an answer changed the window from %v to %v", before, after)
	}
}

func (w *watch) OnLoss(x Loss) {
	before, news := w.Window(), !x.Sent.Before(w.decreased)
	w.Control.OnLoss(x)
	switch after := w.Window(); {
	case after > before:
		w.t.Fatalf("a loss changed the window from %v to %v", before, after)
	case after < before && !news:
		w.t.Fatalf("the loss of what was sent at %v changed the window from %v to %v, after a decrease at %v", x.Sent, before, after, w.decreased)
	case after == before && news && before > minWindow:
		w.t.Fatalf("a new loss did not change the window of %v", before)
	}
	if news {
		w.decreased = x.Now
	}
}

func (w *watch) OnSpurious() {
	before := w.Window()
	if w.Control.OnSpurious(); w.Window() < before {
		w.t.Fatalf("a loss that was none changed the window from %v to %v", before, w.Window())
	}
}

func (w *watch) Expect(n float64)        { w.still(func() { w.Control.Expect(n) }) }
func (w *watch) OnPause(d time.Duration) { w.still(func() { w.Control.OnPause(d) }) }

// still does what must not change the window.
func (w *watch) still(f func()) {
	before := w.Window()
	if f(); w.Window() != before {
		w.t.Fatalf("the window changed from %v to %v", before, w.Window())
	}
}
