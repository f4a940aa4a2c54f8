package congestion

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseKind(t *testing.T) {
	for _, k := range Kinds {
		if got, err := ParseKind(string(k)); got != k || err != nil {
			t.Errorf("%q: %q, error %v", k, got, err)
		}
	}
	for _, s := range []string{"", "Cubic", "cubic ", "reno", "bbr", "fix"} {
		k, err := ParseKind(s)
		if err == nil || k != "" {
			t.Errorf("%q: %q, error %v; want an error", s, k, err)
			continue
		}
		for _, known := range Kinds {
			if !strings.Contains(err.Error(), string(known)) {
				t.Errorf("%q: error %q does not name %s", s, err, known)
			}
		}
	}
}

// Kinds is complete, and its first is the default that the documents tell of.
func TestKinds(t *testing.T) {
	if want := []Kind{Delay, Cubic, AIMD, Fixed}; !slices.Equal(Kinds, want) {
		t.Errorf("kinds %v, want %v", Kinds, want)
	}
	if got := KindList(); got != "delay, cubic, aimd, fixed" {
		t.Errorf("they are listed as %q", got)
	}
}

func TestNew(t *testing.T) {
	for _, k := range Kinds {
		for initial, want := range map[int]float64{-1: 1, 0: 1, 1: 1, 10: 10, 5000: 5000} {
			if got := New(k, initial).Window(); got != want {
				t.Errorf("%s from %d: window %v, want %v", k, initial, got, want)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown kind is no bug")
		}
	}()
	New("bbr", 1)
}

// Nothing moves a fixed window.
func TestFixed(t *testing.T) {
	c := New(Fixed, 64)
	c.Expect(1000)
	play(c, t0, at(1), 50*ms)
	lose(c, at(1), at(1))
	c.OnSpurious()
	c.OnPause(time.Hour)
	wantWindow(t, c, 64, 0, "after all that can happen")
}
