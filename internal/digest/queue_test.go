package digest

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// TestWorkers: there are no more than was said.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{Workers: 3})
		entered, gate := make(chan int, 10), make(chan struct{})
		defer close(gate)
		for i := range 10 {
			p.Want(gated(1, entered, gate).job(fmt.Sprint(i)))
		}
		synctest.Wait()
		if len(entered) != 3 {
			t.Errorf("%d files are read at once", len(entered))
		}
	})
}

// TestSpare: huge files get a second processor where one is left then.
func TestSpare(t *testing.T) {
	for _, c := range []struct {
		workers, huge int
		want          bool
	}{{2, 1, false}, {3, 1, true}, {4, 1, true}, {4, 2, false}, {5, 2, true}, {8, 3, true}, {8, 4, false}} {
		q := queues{workers: c.workers, busyHuge: c.huge}
		if q.spare() != c.want {
			t.Errorf("%d workers, %d with huge files: %v", c.workers, c.huge, !c.want)
		}
	}
}

// TestSmallDoesNotWaitForHuge: with any number of workers, so many huge files are read at
// once and a small one passes them.
func TestSmallDoesNotWaitForHuge(t *testing.T) {
	for workers, most := range map[int]int{1: 1, 2: 1, 3: 2, 5: 4} {
		synctest.Test(t, func(t *testing.T) {
			p := open(t, Options{Workers: workers})
			entered, gate := make(chan int, 20), make(chan struct{})
			defer close(gate)
			for i := range 10 {
				p.Want(gated(8<<20+1, entered, gate).job(fmt.Sprint("huge", i)))
			}
			synctest.Wait()
			if len(entered) != most {
				t.Errorf("%d workers: %d huge files are read at once", workers, len(entered))
			}
			for i := range 10 {
				p.Want(newFake(make([]byte, 8<<20)).job(fmt.Sprint("small", i)))
			}
			synctest.Wait()
			if got := p.Take(); len(got) != 10 {
				t.Errorf("%d workers: %d small files are done", workers, len(got))
			}
		})
	}
}

// TestHugeDoNotStarve: the workers that are not kept for small files take what came first.
func TestHugeDoNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{Workers: 3})
		entered, gate := make(chan int, 20), make(chan struct{})
		first := make(chan struct{})
		for i := range 3 {
			p.Want(gated(10, entered, first).job(fmt.Sprint("first", i)))
		}
		p.Want(gated(8<<20+1, entered, gate).job("huge"))
		for i := range 10 {
			p.Want(gated(10, entered, gate).job(fmt.Sprint("later", i)))
		}
		close(first)
		synctest.Wait()
		for len(entered) > 0 {
			if <-entered > 10 {
				close(gate)
				return
			}
		}
		close(gate)
		t.Error("later small files went first")
	})
}

// TestHugeAllEnd: the workers that huge files leave take the next.
func TestHugeAllEnd(t *testing.T) {
	p := open(t, Options{Workers: 3})
	content := random(3, 8<<20+1)
	for i := range 5 {
		p.Want(newFake(content).job(fmt.Sprint(i)))
	}
	want := sumsOf(content)
	for _, o := range collect(t, p, 5) {
		if o.Err != nil || !equal(o.Sums, want) {
			t.Errorf("outcome %v", o)
		}
	}
}
