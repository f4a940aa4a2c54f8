package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// writer calls itself with the number of the write, from 0.
type writer func(i int, p []byte) (int, error)

func (w *writer) Write(p []byte) (int, error) { return (*w)(0, p) }

// nthWriter counts the writes for f.
func nthWriter(f writer) io.Writer {
	i := -1
	w := writer(func(_ int, p []byte) (int, error) { i++; return f(i, p) })
	return &w
}

func TestFetchCancelled(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name    string
		p       producer
		after   time.Duration
		prepare func(*network)
	}{
		{name: "before the start", p: chunked(5)},
		{name: "in silence", after: 3 * time.Second},
		{name: "half-way", p: chunked(50000), after: 777 * time.Millisecond},
		{name: "while packets keep coming", p: chunked(5), after: 777 * time.Millisecond, prepare: func(n *network) {
			n.latency = 0
			n.script = func(a ask) ([][]byte, bool) {
				var again func()
				again = func() { n.later(n.data(3)); time.AfterFunc(100*time.Microsecond, again) }
				if a.chunk == 3 && a.nth == 1 && !a.meta {
					again()
				}
				return nil, a.chunk == 4
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				n := newNetwork(t, tt.p)
				if tt.prepare != nil {
					tt.prepare(n)
				}
				if tt.after == 0 {
					cancel(cause)
				} else {
					time.AfterFunc(tt.after, func() { cancel(cause) })
				}
				_, r, err := run(ctx, n, Options{}, nil)
				if err != cause || r.Duration != tt.after {
					t.Errorf("error %v after %v, want %v after %v", err, r.Duration, cause, tt.after)
				}
				if tt.after == 0 && len(n.asks) > 0 {
					t.Errorf("%d Interests sent for a fetch that was cancelled", len(n.asks))
				}
			})
		})
	}
}

func TestFetchLinkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(50000))
		time.AfterFunc(300*time.Millisecond, n.cut)
		out, r, err := run(t.Context(), n, Options{}, nil)
		if err != errLink || r.Duration != 300*time.Millisecond || len(out) == 0 {
			t.Errorf("%d bytes, error %v after %v; want %v after 300ms", len(out), err, r.Duration, errLink)
		}
	})
}

func TestFetchName(t *testing.T) {
	for uri, n := range map[string]tlv.Name{"none": {}, "too long": mustName(t, "ccnx:/"+strings.Repeat("x", 1013))} {
		_, err := fetchAlone(t.Context(), newInstant(t, 1, 1, false), n, io.Discard, Options{})
		var decode *tlv.DecodeError
		if !errors.As(err, &decode) {
			t.Errorf("name %s: error %v, want one of tlv's", uri, err)
		}
	}
	// With a chunk it fits, with /meta it does not.
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(3))
		n.name = mustName(t, "ccnx:/"+strings.Repeat("x", 1010))
		if _, _, err := run(t.Context(), n, Options{}, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestFetchWriterFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		n     int
		err   error
		is    error
		bytes uint64
	}{
		{"a full disk", 4, syscall.ENOSPC, syscall.ENOSPC, 24},
		{"a writer that breaks its contract", 4, nil, io.ErrShortWrite, 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, chunked(50))
				n.expect(Options{})
				w := nthWriter(func(i int, p []byte) (int, error) {
					if i == 2 {
						return tt.n, tt.err
					}
					if i > 2 {
						t.Error("written to after an error")
					}
					return len(p), nil
				})
				r, err := fetchAlone(t.Context(), n, n.name, w, Options{})
				var we *WriteError
				if !errors.As(err, &we) || !errors.Is(err, tt.is) {
					t.Errorf("error %v, want a WriteError of %v", err, tt.is)
				}
				if r.Bytes != tt.bytes || r.Chunks != 2 {
					t.Errorf("%d bytes, %d chunks; want %d and 2", r.Bytes, r.Chunks, tt.bytes)
				}
			})
		})
	}
}

// A writer that blocks is no silence of the network: neither an end to the fetch,
// nor a reason to send everything again, nor a long round trip.
func TestFetchWriterBlocks(t *testing.T) {
	for _, tt := range []struct {
		name string
		each time.Duration
		at   func(i int) bool
	}{
		{"once for a minute", time.Minute, func(i int) bool { return i == 100 }},
		{"twice within one window", time.Minute, func(i int) bool { return i == 100 || i == 120 }},
		{"a little each time", 10 * time.Millisecond, func(int) bool { return true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, chunked(500))
				n.jitter = 5 * time.Millisecond
				w := nthWriter(func(i int, p []byte) (int, error) {
					if tt.at(i) {
						time.Sleep(tt.each)
					}
					return len(p), nil
				})
				_, r, err := run(t.Context(), n, Options{}, w)
				if err != nil {
					t.Fatal(err)
				}
				if r.Stats.Retransmits > 4 || r.Stats.RTT.Max > 40*time.Millisecond {
					t.Errorf("%d re-sends, round trips up to %v; nothing was lost (but overtaken), and an answer takes 5 to 10ms", r.Stats.Retransmits, r.Stats.RTT.Max)
				}
			})
		})
	}
	t.Run("with nothing in flight", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(500))
			var woken time.Duration
			w := nthWriter(func(i int, p []byte) (int, error) {
				if i == startWindow+fixedWindow-1 {
					time.Sleep(time.Minute)
					woken = time.Since(n.start)
				}
				return len(p), nil
			})
			if _, _, err := run(t.Context(), n, Options{}, w); err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, a := range n.asks {
				if a.at == woken {
					at++
				}
			}
			if at != fixedWindow {
				t.Errorf("%d Interests after the minute, want a full window of %d", at, fixedWindow)
			}
		})
	})
	t.Run("and then silence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(500))
			n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk > 150 }
			w := nthWriter(func(i int, p []byte) (int, error) {
				if i == 100 {
					time.Sleep(time.Minute)
				}
				return len(p), nil
			})
			_, r, err := run(t.Context(), n, Options{}, w)
			if err == nil || r.Duration < 90*time.Second || r.Duration > 91*time.Second {
				t.Errorf("%v after %v, want an error after the minute and 30s", err, r.Duration)
			}
		})
	})
	t.Run("past the deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(500))
			n.path.Window = 1
			w := nthWriter(func(_ int, p []byte) (int, error) { time.Sleep(time.Second); return len(p), nil })
			_, r, err := run(t.Context(), n, Options{Deadline: 10 * time.Second}, w)
			if err == nil || r.Duration > 11*time.Second {
				t.Errorf("%v after %v, want an error at the deadline of 10s", err, r.Duration)
			}
		})
	})
}

// Begin is told of the content once, before the first payload; its error ends the
// fetch.
func TestFetchBegin(t *testing.T) {
	refused := errors.New("refused")
	for _, tt := range []struct {
		name string
		p    producer
		o    Options
		err  error
		want Beginning
	}{
		{"end in all chunks", chunked(9).with(func(p *producer) { p.version = v1 }), Options{}, nil, Beginning{0, 10, v1, tlv.Some[uint64](8)}},
		{"end in meta", cefapp(9, "9"), Options{}, nil, Beginning{0, 10, nil, tlv.Some[uint64](8)}},
		{"end in the last chunk", style(9, endInLast), Options{First: 2}, nil, Beginning{2, 10, nil, tlv.Opt[uint64]{}}},
		{"one empty chunk", split(nil, 10), Options{}, nil, Beginning{0, 0, nil, tlv.Some[uint64](0)}},
		{"refused", chunked(9), Options{}, refused, Beginning{0, 10, nil, tlv.Some[uint64](8)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, tt.p)
				var got []Beginning
				tt.o.Begin = func(b Beginning) error { got = append(got, b); return tt.err }
				w := nthWriter(func(_ int, p []byte) (int, error) {
					if len(got) == 0 {
						t.Error("written to before Begin")
					}
					return len(p), nil
				})
				out, _, err := run(t.Context(), n, tt.o, w)
				if err != tt.err || tt.err != nil && len(out) > 0 {
					t.Errorf("error %v, %d bytes written; want %v", err, len(out), tt.err)
				}
				if len(got) != 1 || !reflect.DeepEqual(got[0], tt.want) {
					t.Errorf("begun with %+v, want once %+v", got, tt.want)
				}
			})
		})
	}
}

// What is in flight when the connection is made anew is asked again at once, and
// only that.
func TestFetchRelink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(5000))
		n.latency = 50 * time.Millisecond
		time.AfterFunc(1020*time.Millisecond, n.relink)
		_, r, err := run(t.Context(), n, Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Stats.Relinks != 1 || r.Stats.Retransmits != fixedWindow {
			t.Errorf("%d relinks, %d re-sends; want 1 and the window of %d", r.Stats.Relinks, r.Stats.Retransmits, fixedWindow)
		}
		for _, a := range n.asks {
			if a.nth > 1 && a.at != 1020*time.Millisecond {
				t.Fatalf("chunk %d re-sent at %v, want 1.02s", a.chunk, a.at)
			}
		}
	})
}

// A daemon that comes back within the patience of a fetch goes on with it, with a
// full window at once.
func TestFetchRelinkAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(5000))
		down, up := 100*time.Millisecond, 20*time.Second+3*time.Millisecond
		n.script = func(a ask) ([][]byte, bool) { return nil, a.at >= down && a.at < up }
		time.AfterFunc(up, n.relink)
		_, r, err := run(t.Context(), n, Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, a := range n.asks {
			if a.at == up {
				at++
			}
		}
		if at != fixedWindow || r.Duration > up+time.Second {
			t.Errorf("%d Interests at the relink, done after %v; want %d, soon after 20s", at, r.Duration, fixedWindow)
		}
	})
}

func TestFetchCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counters
		n := newNetwork(t, chunked(500))
		n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk == 100 && a.at < time.Second }
		time.AfterFunc(900*time.Millisecond, func() {
			if c.Chunks.Load() != 100 || c.Bytes.Load() != 1000 || c.Total.Load() != 500 || c.InFlight.Load() != 0 {
				t.Errorf("half-way: %d chunks, %d bytes, %d in all, %d in flight; want 100, 1000, 500, and 0 in a silence",
					c.Chunks.Load(), c.Bytes.Load(), c.Total.Load(), c.InFlight.Load())
			}
		})
		_, r, err := run(t.Context(), n, Options{Counters: &c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Chunks.Load() != 500 || c.Bytes.Load() != 5000 || c.Retransmits.Load() != r.Stats.Retransmits ||
			c.InFlight.Load() != 0 || c.LargestPayload.Load() != 10 || c.SmoothedRTT.Load() != int64(5*time.Millisecond) {
			t.Errorf("at the end: %d chunks, %d bytes, %d re-sends, %d in flight, payload %d, RTT %d", c.Chunks.Load(), c.Bytes.Load(),
				c.Retransmits.Load(), c.InFlight.Load(), c.LargestPayload.Load(), c.SmoothedRTT.Load())
		}
	})
}

// The total is unknown again once the meta that told it proves false.
func TestFetchCountersOfFalseMeta(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counters
		n := newNetwork(t, cefapp(9, "2"))
		n.trusts = false
		n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk > 0 && a.nth == 1 && !a.meta }
		time.AfterFunc(30*time.Millisecond, func() {
			if c.Total.Load() != 2 {
				t.Errorf("%d in all, want 2 as the meta tells", c.Total.Load())
			}
			n.later(n.data(3))
		})
		_, _, err := run(t.Context(), n, Options{Counters: &c}, nil)
		if err == nil || c.Total.Load() != 0 {
			t.Errorf("%d in all, error %v; want 0 and an error", c.Total.Load(), err)
		}
	})
}

// The payload is the fetch's: the link may use its batches again at once.
func TestFetchKeepsNoPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(50).with(func(p *producer) { p.version = []byte("v1") }))
		n.jitter = 20 * time.Millisecond
		l := &scribbler{network: n}
		var out bytes.Buffer
		r, err := fetchAlone(t.Context(), l, n.name, &out, Options{})
		if err != nil || !bytes.Equal(out.Bytes(), n.content()) || string(r.Version) != "v1" {
			t.Errorf("version %q, error %v, equal %v", r.Version, err, bytes.Equal(out.Bytes(), n.content()))
		}
	})
}

// scribbler spoils what it handed over before.
type scribbler struct {
	*network
	given []byte
}

func (s *scribbler) Receive(b *tlv.Batch) (bool, error) {
	for i := range s.given {
		s.given[i] = 0xee
	}
	relinked, err := s.network.Receive(b)
	s.given = b.Range(0, b.Len())
	return relinked, err
}
