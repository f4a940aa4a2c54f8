package pipeline

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// cancels are a network's book of Interests with LONGLIFE, and of what cancels them: each
// is cancelled once at most, and nothing else is.
type cancels struct {
	longLived map[uint64]time.Duration // chunks whose Interest pends whatever comes, and since when
	ended     []cancelled
}

type cancelled struct {
	at    time.Duration
	chunk uint64
}

// pends takes note of an Interest.
func (n *network) pends(a ask) {
	if !a.longLife {
		return
	}
	if n.longLived == nil {
		n.longLived = make(map[uint64]time.Duration)
	}
	n.longLived[a.chunk] = a.at
}

// cancelled takes an Interest of lifetime 0.
func (n *network) cancelled(in *tlv.Interest) {
	k, _ := in.Name.Chunk()
	if _, pends := n.longLived[k]; !pends || !in.Name.WithoutChunk().Equal(n.name) || in.LongLife() || in.Mark {
		n.t.Errorf("cancelled: %+v; with LONGLIFE pend chunks %v", in, n.longLived)
	}
	delete(n.longLived, k)
	n.ended = append(n.ended, cancelled{time.Since(n.start), k})
}

// What was sent again with LONGLIFE is cancelled as soon as its chunk is here, and
// nothing else is.
func TestCancelAnswered(t *testing.T) {
	for _, always := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(50))
			n.script = func(a ask) ([][]byte, bool) {
				return nil, a.chunk == 10 && a.nth < 6 || a.chunk == 20 && a.nth < 3
			}
			var came time.Duration
			w := nthWriter(func(i int, p []byte) (int, error) {
				if i == 10 {
					came = time.Since(n.start)
				}
				return len(p), nil
			})
			if _, _, err := run(t.Context(), n, Options{LongLife: always}, w); err != nil {
				t.Fatal(err)
			}
			want := []uint64{10}
			if always {
				want = []uint64{10, 20}
			}
			var got []uint64
			for _, c := range n.ended {
				got = append(got, c.chunk)
				if c.chunk == 10 && c.at != came {
					t.Errorf("chunk 10 is cancelled at %v, but came at %v", c.at, came)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) || len(n.longLived) > 0 {
				t.Errorf("LongLife %v: cancelled are %v, want %v; pending still %v", always, got, want, n.longLived)
			}
		})
	}
}

// The last chunk's too, with which the fetch ends.
func TestCancelLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(50))
		n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk == 49 && a.nth < 5 }
		_, r, err := run(t.Context(), n, Options{}, nil)
		if err != nil || !slices.Equal(n.ended, []cancelled{{r.Duration, 49}}) {
			t.Errorf("error %v, cancelled are %v, want chunk 49 at the end", err, n.ended)
		}
	})
}

// A fetch that ends early cancels what it left pending, as far as that has not lapsed.
func TestCancelAtEnd(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name string
		end  func(n *network, cancel func())
		o    Options
		want bool // anything is cancelled
	}{
		{name: "stalled", o: Options{Stall: 3 * time.Second}, want: true},
		{name: "past the deadline", o: Options{Deadline: 3 * time.Second}, want: true},
		{name: "cancelled", want: true, end: func(_ *network, cancel func()) { time.AfterFunc(3*time.Second, cancel) }},
		{name: "the link fails", end: func(n *network, _ func()) { time.AfterFunc(3*time.Second, n.cut) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				n := newNetwork(t, chunked(50))
				n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk >= 20 }
				if tt.end != nil {
					tt.end(n, func() { cancel(cause) })
				}
				_, r, err := run(ctx, n, tt.o, nil)
				if err == nil || len(n.longLived) == 0 && !tt.want {
					t.Errorf("error %v, pending at the end: %v", err, n.longLived)
				}
				if tt.want != (len(n.ended) > 0) {
					t.Errorf("cancelled are %v", n.ended)
				}
				for k, at := range n.longLived {
					if tt.want && at > r.Duration-2*time.Second {
						t.Errorf("chunk %d pends since %v, of %v", k, at, r.Duration)
					}
				}
			})
		})
	}
}

// What went with a connection needs no cancel on the next one, nor does what has lapsed.
func TestCancelGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration // since the sending with LONGLIFE
		gone  func(*rig)
		want  []uint64
	}{
		{"pending", 2*time.Second - 1, func(*rig) {}, []uint64{100}},
		{"lapsed", 2 * time.Second, func(*rig) {}, nil},
		{"the link is new", ms, func(r *rig) { r.onRelink(r.now) }, nil},
	} {
		r := steady(t, 1)
		r.o.LongLife = true
		r.wantSent(100)
		r.at(60 * ms)
		r.tick()
		r.wantSent(100) // again, as a probe
		r.at(60*ms + tt.after)
		tt.gone(r)
		r.cancelRest(r.now)
		if !slices.Equal(r.cancels, tt.want) {
			t.Errorf("%s: cancelled are %v, want %v", tt.name, r.cancels, tt.want)
		}
	}
}

// An end that becomes known cancels what was sent again beyond it.
func TestCancelBeyondEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, style(20, endInLast))
		n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk == 19 && a.nth < 6 }
		_, _, err := run(t.Context(), n, Options{LongLife: true}, nil)
		beyond := 0
		for _, c := range n.ended {
			if c.chunk > 19 {
				beyond++
			}
		}
		if err != nil || beyond == 0 || len(n.longLived) > 0 {
			t.Errorf("error %v; cancelled are %v, pending still %v", err, n.ended, n.longLived)
		}
	})
}

// A fetch that ends leaves alone what another one of its name may wait for.
func TestCancelShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(50))
		n.off = true
		n.script = func(a ask) ([][]byte, bool) { return nil, a.at < 4*time.Second }
		s := NewSession(n, n.path)
		ended := make(chan error)
		go func() {
			_, err := s.Fetch(t.Context(), n.name, io.Discard, Options{})
			ended <- err
		}()
		if _, err := s.Fetch(t.Context(), n.name, io.Discard, Options{Timeout: 3 * time.Second}); err != ErrTimeout {
			t.Errorf("error %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("the other one: %v", err)
		}
		s.Close()
		if len(n.ended) == 0 {
			t.Error("nothing is cancelled: the test shows nothing")
		}
		for _, c := range n.ended {
			if c.at < 4*time.Second {
				t.Errorf("chunk %d is cancelled at %v, before it came", c.chunk, c.at)
			}
		}
	})
}
