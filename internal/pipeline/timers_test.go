package pipeline

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimerBefore(t *testing.T) {
	at := time.Time{}.Add(time.Hour)
	ordered := []timer{{at, 3, 0}, {at, 4, 0}, {at.Add(1), 1, 0}, {at.Add(1), 2, 0}}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.before(b); got != (i < j) {
				t.Errorf("%v before %v: %v", a, b, got)
			}
		}
	}
}

// What was pushed is popped once each, the earliest first, in whatever order
// pushes and pops are mixed.
func TestTimersOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h timers
		var model []timer
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(model) == 0 || rapid.IntRange(0, 2).Draw(t, "push") > 0 {
				at := time.Time{}.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "at")))
				tm := timer{at, rapid.Uint64Range(0, 20).Draw(t, "chunk"), uint32(i)}
				h.push(tm)
				model = append(model, tm)
				continue
			}
			popTimer(t, &h, &model)
		}
		for len(model) > 0 {
			popTimer(t, &h, &model)
		}
		if len(h) != 0 {
			t.Fatalf("%d timers left", len(h))
		}
	})
}

// popTimer pops one of h and of model, an unordered list of the same.
func popTimer(t *rapid.T, h *timers, model *[]timer) {
	if len(*h) != len(*model) {
		t.Fatalf("%d timers, want %d", len(*h), len(*model))
	}
	got := h.pop()
	i := slices.Index(*model, got)
	if i < 0 {
		t.Fatalf("popped %v, which was not pushed, or twice", got)
	}
	*model = slices.Delete(*model, i, i+1)
	for _, m := range *model {
		if m.before(got) {
			t.Fatalf("popped %v before %v", got, m)
		}
	}
}
