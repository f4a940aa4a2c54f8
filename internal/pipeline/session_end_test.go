package pipeline

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// ends runs three fetches, one of them of a content that nobody answers, and ends them
// after a second by end; they are to fail with want. A goroutine that is left fails
// the bubble.
func ends(t *testing.T, end func(*farm), want error) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slow()
		cfg.CountChunks = true
		f := newFarm(t, cfg, Path{}, 100000, 100000, 10)
		f.silent = func(i int, _ time.Duration) bool { return i == 2 }
		var fs []*fetched
		for i := range f.contents {
			fs = append(fs, f.fetch(t.Context(), i, Options{}))
		}
		time.Sleep(time.Second)
		end(f)
		f.wg.Wait()
		for i, x := range fs {
			if x.err != want || x.took != time.Second {
				t.Errorf("%d: error %v after %v, want %v after a second", i, x.err, x.took, want)
			}
			if x.At() != x.Result.Bytes || (i < 2) != (x.Result.Bytes > 0) || x.Stats.Interests == 0 || x.Duration != time.Second {
				t.Errorf("%d: %d bytes written, %d counted, %d Interests in %v", i, x.At(), x.Result.Bytes, x.Stats.Interests, x.Duration)
			}
		}
		before := f.net.Interests(0)
		if before < 3 {
			t.Errorf("%d Interests for the first chunks: they are not counted", before)
		}
		for range 2 {
			if r, err := f.session.Fetch(t.Context(), f.contents[0].Name, io.Discard, Options{}); err != want || r.Bytes != 0 {
				t.Errorf("a fetch afterwards: %d bytes, error %v; want %v", r.Bytes, err, want)
			}
		}
		if n := f.net.Interests(0); n != before {
			t.Errorf("%d Interests more afterwards", n-before)
		}
		f.close()
		f.session.Close()
	})
}

// Close ends all fetches, and no others begin.
func TestSessionClose(t *testing.T) {
	ends(t, func(f *farm) { f.session.Close() }, ErrClosed)
}

// So does a link that fails.
func TestSessionLinkFails(t *testing.T) {
	ends(t, func(f *farm) { f.ledger.Fail(errLink) }, errLink)
}

// Close waits for a write under way, and lets no other begin.
func TestSessionCloseDuringWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, testnet.Config{}, Path{}, 100)
		var wrote, closed time.Duration
		start := time.Now()
		w := nthWriter(func(i int, p []byte) (int, error) {
			if i == 3 {
				time.Sleep(time.Minute)
				wrote = time.Since(start)
			}
			return len(p), nil
		})
		f.wg.Go(func() {
			if r, err := f.session.Fetch(t.Context(), f.contents[0].Name, w, Options{}); err != nil && err != ErrClosed || r.Chunks < 4 {
				t.Errorf("%d chunks, error %v", r.Chunks, err)
			}
		})
		time.Sleep(time.Second)
		f.session.Close()
		closed = time.Since(start)
		if wrote != time.Minute || closed != time.Minute {
			t.Errorf("written after %v, closed after %v; want a minute", wrote, closed)
		}
		f.close()
	})
}

// A fetch whose caller has gone already, or goes while another one's writer holds up
// the session, ends with the cause.
func TestSessionCancelledEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		f := newFarm(t, slow(), Path{}, 3000, 3000)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		gone := f.fetch(ctx, 0, Options{})
		other := f.fetch(t.Context(), 1, Options{})
		f.close()
		if gone.err != cause || gone.At() != 0 {
			t.Errorf("error %v, %d bytes; want %v", gone.err, gone.At(), cause)
		}
		other.wantWhole(t, "the other one")
	})
}

// What cannot be fetched is refused without a word to the link.
func TestSessionRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, testnet.Config{}, Path{}, 10)
		if _, err := f.session.Fetch(t.Context(), tlv.Name{}, io.Discard, Options{}); err == nil {
			t.Error("a name without segments: no error")
		}
		if _, err := f.session.Fetch(t.Context(), f.contents[0].Name, io.Discard, Options{First: 5, Last: tlv.Some[uint64](4)}); err == nil {
			t.Error("chunks 5 to 4: no error")
		}
		f.close()
		if f.ledger.wants != 0 || len(f.ledger.asked) != 0 {
			t.Errorf("%d names wanted, %d asked for", f.ledger.wants, len(f.ledger.asked))
		}
	})
}

// The session's window is what the control says, in the bounds of the path; without
// fetches it does nothing.
func TestSessionIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, slow(), Path{}, 100)
		time.Sleep(100 * time.Hour)
		a := f.fetch(t.Context(), 0, Options{})
		f.wg.Wait()
		a.wantWhole(t, "after a long time")
		time.Sleep(100 * time.Hour)
		b := f.fetch(t.Context(), 0, Options{})
		f.close()
		b.wantWhole(t, "after a long time again")
		if a.Stats.Retransmits+b.Stats.Retransmits != 0 || b.took > time.Second {
			t.Errorf("%d and %d sent again, the second took %v", a.Stats.Retransmits, b.Stats.Retransmits, b.took)
		}
		if f.session.CC() != congestion.Kinds[0] {
			t.Errorf("the default control is %s", f.session.CC())
		}
	})
}
