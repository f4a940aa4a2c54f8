package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// gate is a stream whose every write waits to be let through.
type gate struct {
	bytes.Buffer
	sizes []int // of the writes, the one that waits too
	pass  chan struct{}
	bad   int // writes fail from here on, counted from 1; 0: none does
	short bool
}

var errWrites = errors.New("bad write")

func newGate() *gate { return &gate{pass: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.sizes = append(g.sizes, len(p))
	<-g.pass
	switch {
	case g.bad > 0 && len(g.sizes) >= g.bad:
		return 0, errWrites
	case g.short:
		return g.Buffer.Write(p[:len(p)-1])
	}
	return g.Buffer.Write(p)
}

// open lets everything through from now on.
func (g *gate) open() { close(g.pass) }

// lets lets one write through, and waits for what comes of it.
func (g *gate) lets() {
	g.pass <- struct{}{}
	synctest.Wait()
}

// wrote compares the sizes of the writes so far.
func (g *gate) wrote(t *testing.T, when string, want ...int) {
	t.Helper()
	synctest.Wait()
	if fmt.Sprint(g.sizes) != fmt.Sprint(want) {
		t.Errorf("%s: writes of %v bytes, want %v", when, g.sizes, want)
	}
}

// writes gives p to s in pieces of n bytes, whose memory it uses again.
func writes(t *testing.T, s *streamWriter, p []byte, n int) {
	t.Helper()
	buf := make([]byte, n)
	for len(p) > 0 {
		k := copy(buf, p)
		if m, err := s.Write(buf[:k]); m != k || err != nil {
			t.Fatalf("Write of %d bytes: %d, %v", k, m, err)
		}
		p = p[k:]
		clear(buf)
	}
}

func flush(t *testing.T, s *streamWriter) {
	t.Helper()
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
}

// result is what f comes to, in a goroutine of its own; synctest.Wait tells whether it
// waits.
func result(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	synctest.Wait()
	return c
}

// What comes during a write goes out with the next, in one piece and in order; nothing
// goes out before Flush, and close waits for all.
func TestStreamWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		s := newStreamWriter(t.Context(), g, time.Time{})
		content := pattern(25_500)
		flush(t, s) // of nothing
		writes(t, s, content[:3000], 1000)
		g.wrote(t, "before Flush")
		flush(t, s)
		flush(t, s)
		g.wrote(t, "after Flush", 3000)
		for at := 3000; at < 20_000; at += 1000 {
			writes(t, s, content[at:at+1000], 100)
			flush(t, s)
		}
		g.wrote(t, "while the first is written", 3000)
		g.lets()
		g.wrote(t, "then", 3000, 17_000)
		writes(t, s, content[20_000:25_000], 5000)
		flush(t, s)
		writes(t, s, content[25_000:], 500) // not flushed
		closed := result(s.close)
		g.wrote(t, "while closing", 3000, 17_000)
		g.lets()
		g.wrote(t, "the rest", 3000, 17_000, 5500)
		if len(closed) > 0 {
			t.Errorf("closed before all is written: %v", <-closed)
		}
		g.lets()
		if len(closed) == 0 {
			t.Fatal("close waits though all is written")
		}
		if err := <-closed; err != nil || !bytes.Equal(g.Bytes(), content) {
			t.Errorf("%v, %d bytes written of %d, the same %v", err, g.Len(), len(content), bytes.Equal(g.Bytes(), content))
		}
	})
}

// At most gatherBytes wait, besides what is being written; where they do, they need no
// Flush. One piece may be larger.
func TestStreamWriterWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		s := newStreamWriter(t.Context(), g, time.Time{})
		content := pattern(4 * gatherBytes)
		const piece = 1000
		taken := 0
		ended := result(func() error {
			for ; taken+piece <= 3*gatherBytes; taken += piece {
				if _, err := s.Write(content[taken : taken+piece]); err != nil {
					return err
				}
			}
			return nil
		})
		const full = gatherBytes / piece * piece
		g.wrote(t, "the first without Flush", full)
		if taken != 2*full || len(ended) > 0 {
			t.Errorf("%d bytes taken where %d are written and as much may wait", taken, full)
		}
		g.lets()
		g.wrote(t, "after the first", full, full)
		if taken <= 2*full || len(ended) > 0 && taken < 3*full {
			t.Errorf("%d bytes taken where %d are written", taken, 2*full)
		}
		g.open()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		large := content[taken:]
		if len(large) <= gatherBytes {
			t.Fatalf("%d bytes", len(large))
		}
		writes(t, s, large, len(large))
		if err := s.close(); err != nil || !bytes.Equal(g.Bytes(), content) {
			t.Errorf("%v, %d bytes written of %d", err, g.Len(), len(content))
		}
	})
}

// The error of a write that fails, or is short, is that of whatever comes behind it,
// and of what waits then. Nothing is written any more.
func TestStreamWriterFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		gate *gate
		want error
	}{{"failed", &gate{bad: 2}, errWrites}, {"short", &gate{short: true}, io.ErrShortWrite}} {
		begin := func(t *testing.T) (*gate, *streamWriter) {
			g := newGate()
			g.bad, g.short = tt.gate.bad, tt.gate.short
			s := newStreamWriter(t.Context(), g, time.Time{})
			if g.bad > 1 { // one that is good
				writes(t, s, pattern(1000), 1000)
				flush(t, s)
				synctest.Wait()
				g.lets()
			}
			writes(t, s, pattern(2000), 1000)
			flush(t, s)
			synctest.Wait()
			return g, s
		}
		wants := func(t *testing.T, what string, err error) {
			t.Helper()
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", what, err, tt.want)
			}
		}
		t.Run(tt.name+", then used", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, s := begin(t)
				before := len(g.sizes)
				writes(t, s, pattern(500), 500)
				flush(t, s)
				g.open()
				synctest.Wait()
				n, err := s.Write([]byte("x"))
				if wants(t, "Write", err); n != 0 {
					t.Errorf("Write: %d bytes", n)
				}
				wants(t, "Flush", s.Flush())
				wants(t, "close", s.close())
				if len(g.sizes) != before {
					t.Errorf("writes of %v bytes, behind the bad one too", g.sizes)
				}
			})
		})
		t.Run(tt.name+", while Write waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, s := begin(t)
				writes(t, s, pattern(gatherBytes), gatherBytes)
				wrote := result(func() error { _, err := s.Write([]byte("x")); return err })
				if len(wrote) > 0 {
					t.Errorf("Write does not wait: %v", <-wrote)
				}
				g.open()
				wants(t, "Write", <-wrote)
				wants(t, "close", s.close())
			})
		})
		t.Run(tt.name+", while close waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, s := begin(t)
				closed := result(s.close)
				if len(closed) > 0 {
					t.Errorf("close does not wait: %v", <-closed)
				}
				g.open()
				wants(t, "close", <-closed)
			})
		})
	}
}

// The deadline and the context end a Write and a close that wait, though the stream
// takes nothing. The goroutine ends when the stream does take it, or fails.
func TestStreamWriterGivesUp(t *testing.T) {
	cause := errors.New("enough")
	const after = 5 * time.Second
	for _, ends := range []string{"the deadline", "the context"} {
		for _, waits := range []string{"Write", "close", "close behind Write"} {
			t.Run(waits+" by "+ends, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGate()
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					deadline, want := time.Time{}, cause
					start := time.Now()
					if ends == "the deadline" {
						deadline, want = start.Add(after), errDeadline
					} else {
						time.AfterFunc(after, func() { cancel(cause) })
					}
					s := newStreamWriter(ctx, g, deadline)
					writes(t, s, pattern(1000), 1000)
					flush(t, s)
					synctest.Wait()
					writes(t, s, pattern(gatherBytes), gatherBytes)
					gaveUp := func(what string, err error, last time.Duration) {
						t.Helper()
						if took := time.Since(start); err != want || took != after+last {
							t.Errorf("%s: %v after %v, want %v after %v", what, err, took, want, after+last)
						}
					}
					if waits != "close" {
						n, err := s.Write([]byte("x"))
						if gaveUp("Write", err, 0); n != 0 {
							t.Errorf("Write: %d bytes", n)
						}
					}
					if waits != "Write" {
						gaveUp("close", s.close(), lastWrite)
					}
					g.open()
					_ = s.close()
					synctest.Wait()
					if want := append(pattern(1000), pattern(gatherBytes)...); !bytes.Equal(g.Bytes(), want) {
						t.Errorf("%d bytes written in the end, want %d", g.Len(), len(want))
					}
				})
			})
		}
	}
}

// What is there when the time is over still goes out where the stream takes it, and then
// all is well.
func TestStreamWriterLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		ctx, cancel := context.WithCancelCause(t.Context())
		s := newStreamWriter(ctx, g, time.Now().Add(time.Second))
		writes(t, s, pattern(1000), 1000)
		flush(t, s)
		cancel(errors.New("enough"))
		time.Sleep(2 * time.Second)
		time.AfterFunc(lastWrite-1, g.open)
		if err := s.close(); err != nil || g.Len() != 1000 {
			t.Errorf("%d bytes, %v", g.Len(), err)
		}
	})
}

// Whatever is written, and however slow the stream is, it comes whole and in order.
func TestStreamWriterOrder(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			slow := &sleepy{r: rand.New(rand.NewPCG(seed, 2))}
			s := newStreamWriter(t.Context(), slow, time.Time{})
			content := pattern(1 << 20)
			for at := 0; at < len(content); {
				n := r.IntN(20_000)
				if r.IntN(50) == 0 {
					n = r.IntN(2 * gatherBytes)
				}
				n = min(n, len(content)-at)
				writes(t, s, content[at:at+n], max(n, 1))
				at += n
				switch r.IntN(3) {
				case 0:
					flush(t, s)
				case 1:
					time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond) // the network's
				}
			}
			if err := s.close(); err != nil || !bytes.Equal(slow.Bytes(), content) {
				t.Errorf("%v, %d bytes written of %d", err, slow.Len(), len(content))
			}
			if slow.most > 2*gatherBytes {
				t.Errorf("a write of %d bytes", slow.most)
			}
		})
	}
}

// sleepy is a stream that takes its time.
type sleepy struct {
	bytes.Buffer
	r    *rand.Rand
	most int
}

func (s *sleepy) Write(p []byte) (int, error) {
	s.most = max(s.most, len(p))
	time.Sleep(time.Duration(s.r.IntN(5000)) * time.Microsecond)
	return s.Buffer.Write(p)
}

// On a pipe: a reader that has gone is told of, and no goroutine stays.
func TestStreamWriterPipe(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := newStreamWriter(t.Context(), w, time.Time{})
	content := pattern(3 * gatherBytes)
	read := make(chan []byte)
	go func() {
		b := make([]byte, 2*gatherBytes)
		n, _ := io.ReadFull(r, b)
		r.Close()
		read <- b[:n]
	}()
	var werr error
	for at := 0; at < len(content) && werr == nil; at += 4096 {
		if _, werr = s.Write(content[at : at+4096]); werr == nil {
			werr = s.Flush()
		}
	}
	if err := s.close(); err == nil || werr != nil && !errors.Is(err, werr) {
		t.Errorf("%v, then %v at the end, of a pipe that nobody reads any more", werr, err)
	}
	if got := <-read; !bytes.Equal(got, content[:2*gatherBytes]) {
		t.Errorf("%d bytes read", len(got))
	}
}
