package pipeline

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What was pushed is popped once each, the earliest first, in whatever order
// pushes and pops are mixed.
func TestTimersOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h timers
		var model []timer
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(model) == 0 || rapid.IntRange(0, 2).Draw(t, "push") > 0 {
				at := time.Time{}.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "at")))
				tm := timer{at, uint64(i), uint32(i)}
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
		if m.at.Before(got.at) {
			t.Fatalf("popped %v before %v", got.at, m.at)
		}
	}
}
