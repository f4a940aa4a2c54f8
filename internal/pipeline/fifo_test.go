package pipeline

import (
	"testing"

	"pgregory.net/rapid"
)

// A fifo gives what a slice would, and takes memory for little more than it ever held
// at once.
func TestFifo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var model []int
		most := 0
		for i := range rapid.IntRange(0, 30).Draw(t, "runs") {
			pushes := rapid.IntRange(0, 200).Draw(t, "pushes")
			for k := range pushes {
				q.push(1000*i + k)
				model = append(model, 1000*i+k)
			}
			most = max(most, len(model))
			for range rapid.IntRange(0, len(model)).Draw(t, "pops") {
				if q.front() != model[0] {
					t.Fatalf("%d in front, want %d", q.front(), model[0])
				}
				q.pop()
				model = model[1:]
				if q.len() != len(model) {
					t.Fatalf("%d items, want %d", q.len(), len(model))
				}
			}
		}
		if len(q.items) > 2*most+200 {
			t.Fatalf("%d places for never more than %d items", len(q.items), most)
		}
	})
}

// In steady state a fifo allocates nothing.
func TestFifoAllocates(t *testing.T) {
	var q fifo[int]
	for i := range 100 {
		q.push(i)
	}
	if n := testing.AllocsPerRun(10, func() {
		for i := range 1000 {
			q.push(i)
			q.pop()
		}
	}); n > 0.2 {
		t.Errorf("%v allocations in 1000 pushes and pops with 100 items", n)
	}
	if q.len() != 100 || cap(q.items) > 1000 {
		t.Errorf("%d items, room for %d", q.len(), cap(q.items))
	}
}
