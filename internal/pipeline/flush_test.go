package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// gathering is a writer that gathers: it notes what is called, and when.
type gathering struct {
	bytes.Buffer
	t                  *testing.T
	calls              strings.Builder // a w for each write, an f for each flush; a space where time has passed
	last               time.Time
	writes, flushes    int
	badWrite, badFlush int // which of them fails, from 1
	pending            int // writes since the last flush
}

var errBadWrite, errBadFlush = errors.New("bad write"), errors.New("bad flush")

func (g *gathering) note(c byte) {
	if now := time.Now(); now != g.last {
		if g.last = now; g.calls.Len() > 0 {
			g.calls.WriteByte(' ')
		}
		if g.pending > 0 {
			g.t.Errorf("%d writes were not flushed when the next packets came: %s", g.pending, g.calls.String())
		}
	}
	g.calls.WriteByte(c)
}

func (g *gathering) Write(p []byte) (int, error) {
	g.note('w')
	if g.writes++; g.writes == g.badWrite {
		return 0, errBadWrite
	}
	g.pending++
	return g.Buffer.Write(p)
}

func (g *gathering) Flush() error {
	g.note('f')
	if g.pending == 0 {
		g.t.Errorf("flushed for nothing: %s", g.calls.String())
	}
	g.pending = 0
	if g.flushes++; g.flushes == g.badFlush {
		return errBadFlush
	}
	return nil
}

// atOnce lets the answers for the chunks arrive together, ten at a time.
func atOnce(n *network) {
	n.path.Window = 10
	n.latency = 5 * time.Millisecond
	n.script = func(a ask) ([][]byte, bool) {
		if a.meta || a.chunk >= uint64(len(n.chunks)) {
			return nil, true
		}
		return [][]byte{n.data(a.chunk)}, true
	}
}

// What arrives together is flushed together, once, and nothing else is: not the chunks
// that wait for one before them, nor what begins behind chunk 0.
func TestFlush(t *testing.T) {
	for _, tt := range []struct {
		name    string
		first   uint64
		prepare func(*network)
		want    string
	}{
		{name: "in order", want: "wwwwwwwwwwf wwwwwwwwwwf wwwwwwwwwwf"},
		{name: "from a chunk on", first: 15, want: "wwwwwwwwwwf wwwwwf"},
		{name: "one is late", prepare: func(n *network) {
			n.script = func(a ask) ([][]byte, bool) {
				switch {
				case a.meta:
					return nil, true
				case a.chunk == 4 && a.nth == 1: // it comes alone, behind all the others
					time.AfterFunc(50*time.Millisecond, func() { n.later(n.data(4)) })
					return nil, true
				}
				return nil, a.chunk > 9
			}
			n.chunks = n.chunks[:10]
		}, want: "wwwwf wwwwwwf"},
		{name: "twice the same", prepare: func(n *network) { n.duplicate = 1 }, want: "wwwwwwwwwwf wwwwwwwwwwf wwwwwwwwwwf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, chunked(30))
				n.trusts = false
				if atOnce(n); tt.prepare != nil {
					tt.prepare(n)
				}
				g := &gathering{t: t}
				s := NewSession(n, n.path)
				defer s.Close()
				o := Options{First: tt.first, Last: tlv.Some(uint64(len(n.chunks) - 1))}
				n.expect(o)
				r, err := s.Fetch(t.Context(), n.name, g, o)
				if err != nil || !bytes.Equal(g.Bytes(), bytes.Join(n.chunks[tt.first:], nil)) || r.Bytes != uint64(g.Len()) {
					t.Errorf("%v, %d bytes", err, g.Len())
				}
				if got := g.calls.String(); got != tt.want {
					t.Errorf("calls %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// What was written before a fetch fails is flushed, also where it fails in the middle of
// what came together; and an error of Flush fails the fetch, unless it has failed
// already.
func TestFlushFails(t *testing.T) {
	other := []byte("another")
	for _, tt := range []struct {
		name    string
		g       gathering
		prepare func(*network)
		begin   error
		want    string
		err     string
		write   bool // it is a *WriteError
	}{
		{name: "a write", g: gathering{badWrite: 15}, want: "wwwwwwwwwwf wwwwwf", err: errBadWrite.Error(), write: true},
		{name: "the first write", g: gathering{badWrite: 1}, want: "w", err: errBadWrite.Error(), write: true},
		{name: "a flush", g: gathering{badFlush: 2}, want: "wwwwwwwwwwf wwwwwwwwwwf", err: errBadFlush.Error(), write: true},
		{name: "the last flush", g: gathering{badFlush: 3}, want: "wwwwwwwwwwf wwwwwwwwwwf wwwwwwwwwwf", err: errBadFlush.Error(), write: true},
		{name: "a write and its flush", g: gathering{badWrite: 15, badFlush: 2}, want: "wwwwwwwwwwf wwwwwf", err: errBadWrite.Error(), write: true},
		{name: "another version", prepare: func(n *network) {
			n.script = func(a ask) ([][]byte, bool) {
				if a.chunk == 16 && !a.meta {
					return [][]byte{n.data(16, func(o *tlv.Object) { o.Version = other })}, true
				}
				return nil, a.meta
			}
		}, want: "wwwwwwwwwwf wwwwwwf", err: "two versions"},
		{name: "another version, and the flush", g: gathering{badFlush: 2}, prepare: func(n *network) {
			n.script = func(a ask) ([][]byte, bool) {
				if a.chunk == 16 && !a.meta {
					return [][]byte{n.data(16, func(o *tlv.Object) { o.Version = other })}, true
				}
				return nil, a.meta
			}
		}, want: "wwwwwwwwwwf wwwwwwf", err: "two versions"},
		{name: "the beginning", begin: errors.New("refused"), want: "", err: "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, chunked(30).with(func(p *producer) { p.version = v1 }))
				n.trusts = false
				if atOnce(n); tt.prepare != nil {
					tt.prepare(n)
				}
				g := &tt.g
				g.t = t
				s := NewSession(n, n.path)
				defer s.Close()
				o := Options{Last: tlv.Some[uint64](29)}
				if tt.begin != nil {
					o.Begin = func(Beginning) error { return tt.begin }
				}
				r, err := s.Fetch(t.Context(), n.name, g, o)
				var werr *WriteError
				if err == nil || !strings.Contains(err.Error(), tt.err) || errors.As(err, &werr) != tt.write {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				if got := g.calls.String(); got != tt.want {
					t.Errorf("calls %s, want %s", got, tt.want)
				}
				if r.Bytes != uint64(g.Len()) || !bytes.HasPrefix(n.content(), g.Bytes()) {
					t.Errorf("%d bytes counted, %d written", r.Bytes, g.Len())
				}
			})
		})
	}
}

// Of fetches that share a session each is flushed for what is its own; one whose caller
// goes has nothing left to be flushed.
func TestFlushShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, chunked(40))
		n.trusts = false
		atOnce(n)
		n.script = func(a ask) ([][]byte, bool) { return nil, a.meta || a.chunk >= 30 && a.at < time.Second }
		n.off = true // they are those of one fetch
		s := NewSession(n, n.path)
		defer s.Close()
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		all := []*gathering{{t: t}, {t: t}, {t: t}}
		done := make(chan error, len(all))
		for i, o := range []Options{{First: 0, Last: tlv.Some[uint64](14)}, {First: 15, Last: tlv.Some[uint64](29)}, {First: 20, Last: tlv.Some[uint64](39)}} {
			ctx := ctx
			if i < 2 {
				ctx = t.Context()
			}
			go func() {
				_, err := s.Fetch(ctx, n.name, all[i], o)
				if i == 2 && err == cause {
					err = nil
				} else if i == 2 {
					err = fmt.Errorf("cancelled: %v", err)
				}
				done <- err
			}()
		}
		time.AfterFunc(500*time.Millisecond, func() { cancel(cause) })
		for range all {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for i, want := range []int{15, 15, 10} {
			if g := all[i]; g.writes != want || g.pending != 0 || g.flushes == 0 || g.flushes >= g.writes {
				t.Errorf("fetch %d: %d writes, want %d; %d flushes, %d not flushed: %s", i, g.writes, want, g.flushes, g.pending, g.calls.String())
			}
		}
	})
}
