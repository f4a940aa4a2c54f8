package digest

import (
	"testing"
	"testing/synctest"
)

// TestCloseEndsHuge: after the read that is under way there is no other, and no outcome.
func TestCloseEndsHuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Workers: 2})
		reads, gate := 0, make(chan struct{})
		f := newFake(make([]byte, hugeFrom+1))
		f.onRead = func(int) {
			if reads++; reads == 2 {
				<-gate
			}
		}
		p.Want(f.job("running"))
		p.Want(notOpened(t, "waiting", hugeFrom+1))
		synctest.Wait()
		closed := make(chan struct{}, 2)
		for range 2 {
			go func() {
				p.Close()
				closed <- struct{}{}
			}()
		}
		synctest.Wait()
		if len(closed) != 0 {
			t.Error("Close does not wait for the worker")
		}
		close(gate)
		<-closed
		<-closed
		if reads != 2 || f.closed.Load() != 1 {
			t.Errorf("%d reads, closed %d times", reads, f.closed.Load())
		}
		p.Want(notOpened(t, "late", 1))
		for _, name := range []string{"running", "waiting", "late"} {
			if _, underWay := p.Progress(keyOf(name)); underWay {
				t.Errorf("%s is under way", name)
			}
		}
		if got := p.Take(); len(got) > 0 {
			t.Errorf("outcomes %v", got)
		}
		p.Close()
	})
}

// TestClosedInBetween: what was looked up on disk meanwhile is not read.
func TestClosedInBetween(t *testing.T) {
	p := New(Options{})
	p.Close()
	p.pushAgain(&task{Job: notOpened(t, "a", hugeFrom+1)})
	p.wg.Wait()
}
