package digest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestOpenFails: an error ends the job, and is not remembered.
func TestOpenFails(t *testing.T) {
	p := open(t, Options{})
	content := random(1, 10)
	j := newFake(content).job("a")
	refuses := j
	refuses.Open = func() (Source, error) { return nil, errNoFile }
	if o := one(t, p, refuses); o.Err != errNoFile || o.Sums != nil {
		t.Errorf("outcome %v", o)
	}
	wantSums(t, p, j, sumsOf(content))
	if s, ok := p.Lookup(j.Key); !ok || !equal(s, sumsOf(content)) {
		t.Errorf("Sums %v, %v", s, ok)
	}
}

func TestNegativeSize(t *testing.T) {
	j := notOpened(t, "a", -1)
	if o := one(t, open(t, Options{Dir: t.TempDir()}), j); o.Err == nil {
		t.Errorf("outcome %v", o)
	}
}

// TestManyAtOnce: everybody wants everything; each file is read once.
func TestManyAtOnce(t *testing.T) {
	const files, goroutines = 100, 4
	p := open(t, Options{Workers: 3})
	var opened [files]atomic.Int32
	content := func(i int) []byte { return random(byte(i), 1000*i) }
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := range files {
				j := newFake(content(i)).job(fmt.Sprint(i))
				f := j.Open
				j.Open = func() (Source, error) { opened[i].Add(1); return f() }
				p.Want(j)
				p.Lookup(j.Key)
				p.Progress(j.Key)
			}
		})
	}
	for _, o := range collect(t, p, files) {
		if s, ok := p.Lookup(o.Key); o.Err != nil || !ok || s != o.Sums {
			t.Errorf("outcome %v, remembered %v", o, s)
		}
	}
	all.Wait()
	for i := range files {
		s, _ := p.Lookup(keyOf(fmt.Sprint(i)))
		if n := opened[i].Load(); n != 1 || !equal(s, sumsOf(content(i))) {
			t.Errorf("file %d: read %d times, Sums %v", i, n, s)
		}
	}
	if more := p.Take(); len(more) > 0 {
		t.Errorf("more outcomes: %v", more)
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{Workers: 2})
		gate := make(chan struct{})
		f := newFake(make([]byte, hugeFrom+1))
		f.onRead = func(int) { <-gate }
		p.Want(f.job("a"))
		p.Want(newFake(make([]byte, hugeFrom+1)).job("b"))
		for i := range 6 {
			synctest.Wait()
			if done, underWay := p.Progress(keyOf("a")); done != int64(i)*readSize || !underWay {
				t.Errorf("after %d reads: %d, %v", i, done, underWay)
			}
			gate <- struct{}{}
		}
		if done, underWay := p.Progress(keyOf("b")); done != 0 || !underWay {
			t.Errorf("waiting: %d, %v", done, underWay)
		}
		close(gate)
		synctest.Wait()
		if done, underWay := p.Progress(keyOf("a")); done != 0 || underWay {
			t.Errorf("at the end: %d, %v", done, underWay)
		}
	})
}

// TestBounded: what is too much is dropped, and can be wanted again.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{Workers: 2})
		entered, gate := make(chan int, 2), make(chan struct{})
		for i := range 2 {
			p.Want(gated(1, entered, gate).job(fmt.Sprint("gated", i)))
		}
		empty := newFake(nil)
		for i := range maxJobs - 2 {
			p.Want(empty.job(fmt.Sprint(i)))
		}
		underWay := func() bool { _, ok := p.Progress(keyOf("late")); return ok }
		p.Want(empty.job("late"))
		if underWay() {
			t.Error("one more waits")
		}
		close(gate)
		synctest.Wait()
		p.Want(empty.job("late"))
		if underWay() {
			t.Error("one more than can be taken is under way")
		}
		if n := len(p.Ready()); n != 1 {
			t.Errorf("%d tokens", n)
		}
		if n := len(p.Take()); n != maxJobs {
			t.Errorf("%d outcomes", n)
		}
		p.Want(empty.job("late"))
		synctest.Wait()
		if got := p.Take(); len(got) != 1 || got[0].Key != keyOf("late") {
			t.Errorf("wanted again: outcomes %v", got)
		}
	})
}

func TestKnownIsNotDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{})
		p.Want(newFake([]byte("x")).job("a"))
		synctest.Wait()
		p.Want(notOpened(t, "a", 1))
		synctest.Wait()
		if got := p.Take(); len(got) != 1 || got[0].Err != nil {
			t.Errorf("outcomes %v", got)
		}
	})
}
