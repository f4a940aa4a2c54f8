package congestion

import (
	"fmt"
	"testing"
)

// However many Interests of one round trip are lost, the window shrinks once: those
// sent before the latest decrease tell nothing new.
func TestOneDecreaseARoundTrip(t *testing.T) {
	for _, k := range lossControls {
		t.Run(string(k.Kind), func(t *testing.T) {
			c := New(k.Kind, 1000)
			lose(c, at(0.9), at(1))
			wantWindow(t, c, 1000*k.beta, 1e-9, "after the first loss")
			for _, sent := range []float64{0, 0.5, 0.95, 0.999999} {
				lose(c, at(sent), at(1.02))
			}
			wantWindow(t, c, 1000*k.beta, 1e-9, "after losses of the same round trip")
			lose(c, at(1), at(1.1))
			wantWindow(t, c, 1000*k.beta*k.beta, 1e-9, "after the loss of what was sent since")
			lose(c, at(1.05), at(1.15))
			wantWindow(t, c, 1000*k.beta*k.beta, 1e-9, "after one before the second decrease")
		})
	}
}

// No loss makes the window smaller than two, or larger.
func TestLeastWindow(t *testing.T) {
	for _, k := range lossControls {
		for initial, want := range map[int]float64{1: 1, 2: 2, 3: 2, 100: 2} {
			c := New(k.Kind, initial)
			for i := range 100 {
				before := c.Window()
				lose(c, at(float64(i)), at(float64(i)))
				if c.Window() > before {
					t.Fatalf("%s from %d: a loss grew the window from %v to %v", k.Kind, initial, before, c.Window())
				}
			}
			wantWindow(t, c, want, 1e-9, fmt.Sprintf("%s from %d, after 100 losses", k.Kind, initial))
		}
	}
}

// A decrease is taken back when all losses that it was for have proved none, and not
// before.
func TestUndo(t *testing.T) {
	for _, k := range lossControls {
		t.Run(string(k.Kind), func(t *testing.T) {
			c := New(k.Kind, 1000)
			for range 3 {
				lose(c, at(0.9), at(1))
			}
			for i := range 2 {
				c.OnSpurious()
				wantWindow(t, c, 1000*k.beta, 1e-9, fmt.Sprintf("after %d of 3 proved none", i+1))
			}
			c.OnSpurious()
			wantWindow(t, c, 1000, 1e-9, "after all of them")
			c.OnSpurious()
			wantWindow(t, c, 1000, 1e-9, "after one more")
			lose(c, at(2), at(2))
			wantWindow(t, c, 1000*k.beta, 1e-9, "after another loss")
		})
		t.Run(string(k.Kind)+" in slow start", func(t *testing.T) {
			c := New(k.Kind, 10)
			lose(c, t0, t0)
			c.OnSpurious()
			play(c, at(0.2), at(0.3), 50*ms)
			if c.Window() < 30 {
				t.Errorf("window %v two round trips later, want slow start again", c.Window())
			}
		})
		t.Run(string(k.Kind)+" after growth", func(t *testing.T) {
			c := New(k.Kind, 10)
			lose(c, t0, t0)
			play(c, t0, at(5), 50*ms)
			grown := c.Window()
			c.OnSpurious()
			wantWindow(t, c, grown, 1e-9, "where it is larger by now")
		})
		t.Run(string(k.Kind)+" twice decreased", func(t *testing.T) {
			c := New(k.Kind, 1000)
			lose(c, t0, t0)
			lose(c, at(1), at(1))
			c.OnSpurious()
			wantWindow(t, c, 1000*k.beta, 1e-9, "only the latest is taken back")
			c.OnSpurious()
			wantWindow(t, c, 1000*k.beta, 1e-9, "and not the one before")
		})
	}
}

// After an undo, cubic is where it was: on the same curve.
func TestUndoCubicCurve(t *testing.T) {
	undone, other := newCubic(1000), newCubic(1000)
	for _, c := range []*cubic{undone, other} {
		lose(c, t0, t0)
		play(c, t0, at(2), 50*ms)
	}
	lose(undone, at(2), at(2))
	undone.OnData(Answer{Now: at(2.1), Sent: at(2), RTT: 50 * ms, InFlight: 700}) // its curve has begun
	undone.OnSpurious()
	play(undone, at(2.1), at(12), 50*ms)
	play(other, at(2), at(12), 50*ms)
	wantWindow(t, undone, other.Window(), 0.002, "10 s after an undo")
	if undone.most != other.most || undone.k != other.k || undone.prior != other.prior {
		t.Errorf("W_max %v, K %v, prior %v; want %v, %v, %v", undone.most, undone.k, undone.prior, other.most, other.k, other.prior)
	}
}
