package object

import (
	"math"
	"testing"
)

func TestRuns(t *testing.T) {
	for size, want := range map[int64]int64{0: 0, 1: 1, RunSize: 1, RunSize + 1: 2, 8 * RunSize: 8, math.MaxInt64: 1 << 45} {
		if n := Runs(size); n != want {
			t.Errorf("%d bytes: %d runs, want %d", size, n, want)
		}
	}
}
