package client

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// echo is a forwarder on a real socket, which answers every Interest itself.
type echo struct {
	l  *transport.Listener
	wg sync.WaitGroup

	mu    sync.Mutex
	conns []transport.LocalConn
}

func startEcho(t *testing.T, path string) *echo {
	t.Helper()
	l, err := transport.ListenUnix(path)
	must(t, err)
	e := &echo{l: l}
	e.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.mu.Lock()
			e.conns = append(e.conns, c)
			e.mu.Unlock()
			e.wg.Go(func() { e.serve(t, c) })
		}
	})
	t.Cleanup(e.stop)
	return e
}

func (e *echo) serve(t *testing.T, c transport.LocalConn) {
	for in := new(tlv.Batch); ; {
		if c.Read(in) != nil {
			return
		}
		var b tlv.Batch
		for k := range in.Len() {
			pkt := in.Packet(k)
			var i tlv.Interest
			switch {
			case string(pkt) == tlv.LinkRequest:
				b.Append([]byte(tlv.LinkReply))
			case i.Decode(pkt) != nil:
				t.Errorf("got %x", pkt)
			case i.Command == tlv.CommandNone:
				b.Append(data(t, i.Name.String(), i.Name.String()))
			}
		}
		if b.Len() > 0 && c.Write(&b) != nil {
			return
		}
	}
}

// stop ends the forwarder as a crash does: abruptly.
func (e *echo) stop() {
	e.l.Close()
	e.mu.Lock()
	for _, c := range e.conns {
		c.Close()
	}
	e.mu.Unlock()
	e.wg.Wait()
}

// TestOverASocket: many at once, through the end and the return of the forwarder.
func TestOverASocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "cefgo")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	e := startEcho(t, path)
	c, err := New(t.Context(), Config{Dial: func(ctx context.Context) (transport.Conn, error) {
		return transport.Dial(ctx, transport.Address{Network: "unix", Addr: path})
	}})
	must(t, err)
	defer c.Close()
	all := func(round int) {
		var wg sync.WaitGroup
		for k := range 200 {
			wg.Go(func() {
				uri := fmt.Sprintf("ccnx:/%d/Chunk=%d", round, k)
				a, err := c.Express(t.Context(), interest(t, uri, lifetime(time.Minute)))
				if err != nil || string(a.Payload) != uri {
					t.Errorf("%s: %v, %v", uri, a, err)
				}
			})
		}
		wg.Wait()
	}
	all(0)
	e.stop()
	done := make(chan error, 1)
	go func() { // waits for the next forwarder
		_, err := c.Express(t.Context(), interest(t, "ccnx:/between", lifetime(time.Minute)))
		done <- err
	}()
	startEcho(t, path)
	must(t, <-done)
	all(1)
	if st := c.Stats(); st.Reconnects == 0 {
		t.Errorf("%+v", st)
	}
}
