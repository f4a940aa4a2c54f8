package client

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

var errDown = errors.New("nobody listens")

func TestNewFails(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.down = errDown
		if _, err := New(t.Context(), Config{Dial: f.dial}); !errors.Is(err, errDown) {
			t.Errorf("New: %v", err)
		}
	})
}

// TestNewContext: it bounds the first attempt only.
func TestNewContext(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		ctx, cancel := context.WithCancel(t.Context())
		c, err := New(ctx, Config{Dial: func(dial context.Context) (transport.Conn, error) {
			if dial.Err() != nil {
				return nil, dial.Err()
			}
			return f.dial(dial)
		}})
		must(t, err)
		cancel()
		f.conn(0).breaks(nil)
		must(t, c.Alive(t.Context()))
		f.conn(1).wants("link request")
		must(t, c.Close())
	})
}

// TestRelink: a connection that dies is made anew, and begins with the
// registrations, then the Interests that still wait; feeds are told once.
func TestRelink(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		r, err := c.Register(t.Context(), mustName(t, "ccnx:/mine"), Prefix)
		must(t, err)
		_, err = c.Register(t.Context(), mustName(t, "ccnx:/exact"), Exact)
		must(t, err)
		feed := c.Open(mustName(t, "ccnx:/fed"))
		done := express(t.Context(), c, interest(t, "ccnx:/asked"))
		old := f.conn(0)
		old.wants("DEREG ccnx:/mine", "REG ccnx:/mine", "DEREG ccnx:/exact", "REG exactly ccnx:/exact", "Interest ccnx:/asked")
		var b tlv.Batch
		if relinked, err := feed.Receive(&b); relinked || err != nil {
			t.Errorf("relinked %v, %v before", relinked, err)
		}
		select {
		case <-feed.Ready():
		default:
		}
		start := time.Since(f.start)
		old.breaks(nil)
		synctest.Wait()
		if d := f.dialled(); len(d) != 2 || d[1] != start {
			t.Errorf("dialled at %v", d)
		}
		f.conn(1).wants("DEREG ccnx:/mine", "REG ccnx:/mine", "DEREG ccnx:/exact", "REG exactly ccnx:/exact", "Interest ccnx:/asked")
		<-feed.Ready()
		if relinked, err := feed.Receive(&b); !relinked || err != nil {
			t.Errorf("relinked %v, %v", relinked, err)
		}
		if relinked, _ := feed.Receive(&b); relinked {
			t.Error("relinked twice")
		}
		f.conn(1).send(data(t, "ccnx:/asked", "at last"))
		(<-done).answered(t, "at last")
		other, _ := f.dial(t.Context()) // somebody else, to see that Interests come
		must(t, other.Write(packet(encode(t, interest(t, "ccnx:/mine/x")))))
		<-r.Ready()
		if must(t, r.Receive(&b)); b.Len() != 1 {
			t.Errorf("%d Interests", b.Len())
		}
		other.Close()
		if st := c.Stats(); st.Reconnects != 1 {
			t.Errorf("%+v", st)
		}
		feed.Close()
	})
}

func encode(t testing.TB, i *tlv.Interest) []byte {
	t.Helper()
	pkt, err := i.AppendTo(nil)
	must(t, err)
	return pkt
}

// TestRelinkDropsTheQueue: what was queued for the old connection is lost with it;
// Interests that still wait go once.
func TestRelinkDropsTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.deaf = true
		c := f.connect()
		feed := c.Open(mustName(t, "ccnx:/fed"))
		for range 20 { // more than the connection holds
			feed.TrySend(packet(data(t, "ccnx:/queued", string(make([]byte, 60_000)))))
		}
		done := express(t.Context(), c, interest(t, "ccnx:/asked"))
		f.change(func() { f.deaf = false })
		f.conn(0).breaks(nil)
		f.conn(1).wants("Interest ccnx:/asked")
		f.conn(1).send(data(t, "ccnx:/asked", ""))
		(<-done).answered(t, "")
		feed.Close()
	})
}

// TestBackoff: one attempt at once, then with growing pauses, for as long as the
// client lives.
func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		time.Sleep(time.Minute)
		f.change(func() { f.down, f.dials, f.start = errDown, nil, time.Now() })
		f.conn(0).breaks(nil)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		const ms = time.Millisecond
		if want := []time.Duration{0, 50 * ms, 150 * ms, 350 * ms, 750 * ms, 1550 * ms, 2550 * ms, 3550 * ms}; !slices.Equal(f.dialled(), want) {
			t.Errorf("dialled at %v, want %v", f.dialled(), want)
		}
		f.change(func() { f.down = nil })
		must(t, c.Alive(t.Context()))
		f.change(func() { f.down = errDown })
		f.conn(1).breaks(nil)
		synctest.Wait()
		start := time.Now()
		must(t, c.Close())
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v while there is no connection", took)
		}
	})
}

// TestShortLivedConnections: cefnetd takes a 65th application's connection and ends
// it at once (sheet b). That is no reason to come again without a pause, either.
func TestShortLivedConnections(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		f.change(func() { f.full = true })
		f.conn(0).breaks(nil)
		time.Sleep(5 * time.Second)
		f.change(func() { f.full = false })
		const ms = time.Millisecond
		if want := []time.Duration{0, 0, 50 * ms, 150 * ms, 350 * ms, 750 * ms, 1550 * ms, 2550 * ms, 3550 * ms, 4550 * ms}; !slices.Equal(f.dialled(), want) {
			t.Errorf("dialled at %v, want %v", f.dialled(), want)
		}
		time.Sleep(2 * time.Second) // it has room now
		must(t, c.Alive(t.Context()))
		k := len(f.dialled())
		f.conn(k - 1).breaks(nil)
		f.conn(k) // at once, after one that was of use
	})
}

// TestConnectionOfNoUse: one that cefnetd refuses in text, and a stream that has lost
// its packet boundaries.
func TestConnectionOfNoUse(t *testing.T) {
	for _, err := range []error{
		&transport.TextError{Text: []byte("ERROR:cefnetd is resource busy, #14.\n")},
		&transport.FramingError{Reason: "a packet of 50055 bytes was cut at byte 36544"},
	} {
		bubble(t, func(t *testing.T, f *fake) {
			c := f.connect()
			done := express(t.Context(), c, interest(t, "ccnx:/a"))
			f.conn(0).breaks(err)
			f.conn(1).wants("Interest ccnx:/a")
			f.conn(1).send(data(t, "ccnx:/a", "answer"))
			(<-done).answered(t, "answer")
			synctest.Wait()
			if f.conn(0).conn.Write(packet(data(t, "ccnx:/a", ""))) == nil || c.Stats().Reconnects != 1 {
				t.Errorf("the old connection is open; %+v", c.Stats())
			}
		})
	}
}

// TestOversized: a packet that does not fit the transport is lost alone.
func TestOversized(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		f.conn(0).conn.Close()
		synctest.Wait()
		var b tlv.Batch
		b.Append(data(t, "ccnx:/a", "1"))
		b.Append(bytes.Repeat([]byte{1}, tlv.MaxPacketLen+1))
		b.Append(data(t, "ccnx:/b", "2"))
		must(t, c.Send(t.Context(), &b))
		f.conn(1).wants("Content Object ccnx:/a", "Content Object ccnx:/b")
		if len(f.dialled()) != 2 {
			t.Errorf("dialled at %v", f.dialled())
		}
	})
}

// TestSilence: where something is awaited and nothing comes for 3 s, the forwarder
// has 1 s for a sign of life, else it is left.
func TestSilence(t *testing.T) {
	const idle = 17*time.Second + 300*time.Millisecond // before anything is awaited
	for name, await := range map[string]func(*testing.T, *fake, *Client){
		"Express": func(t *testing.T, f *fake, c *Client) {
			express(t.Context(), c, interest(t, "ccnx:/a", lifetime(time.Minute)))
			f.conn(0).wants("Interest ccnx:/a")
		},
		"feed": func(t *testing.T, f *fake, c *Client) { c.Open(mustName(t, "ccnx:/a")) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fake) {
				c := f.connect()
				f.mute = true
				time.Sleep(idle)
				f.conn(0).wants() // nothing is awaited
				await(t, f, c)
				time.Sleep(silence - 1)
				f.conn(0).wants()
				time.Sleep(time.Nanosecond)
				f.conn(0).wants("link request")
				time.Sleep(proof - 1)
				synctest.Wait()
				if n := len(f.dialled()); n != 1 {
					t.Errorf("%d connections", n)
				}
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				if d := f.dialled(); len(d) != 2 || d[1] != idle+silence+proof {
					t.Errorf("dialled at %v", d)
				}
				if name == "Express" {
					f.conn(1).wants("Interest ccnx:/a")
				}
				// The new connection has as long.
				f.change(func() { f.mute = false })
				time.Sleep(silence)
				f.conn(1).wants("link request")
				c.Close()
			})
		})
	}
}

// TestSignOfLife: an answer to the link request, or anything else that arrives, keeps
// the connection.
func TestSignOfLife(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		done := express(t.Context(), c, interest(t, "ccnx:/a", lifetime(time.Minute)))
		fc := f.conn(0)
		fc.wants("Interest ccnx:/a")
		time.Sleep(30*time.Second + time.Millisecond)
		fc.wants(strings.Split(strings.Repeat("link request,", 9)+"link request", ",")...)
		f.change(func() { f.mute = true })
		for range 20 {
			time.Sleep(silence - time.Second/10)
			fc.send(data(t, "ccnx:/other", ""))
			synctest.Wait()
		}
		fc.wants()
		if len(f.dialled()) != 1 {
			t.Errorf("dialled at %v", f.dialled())
		}
		(<-done).failed(t, ErrTimeout, time.Minute)
		time.Sleep(time.Hour) // nothing is awaited any more
		fc.wants()
		if len(f.dialled()) != 1 {
			t.Errorf("dialled at %v", f.dialled())
		}
	})
}

// TestSilenceEnds where nothing is awaited any longer: a link request without an
// answer is then no reason to leave.
func TestSilenceEnds(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		f.mute = true
		(<-express(t.Context(), c, interest(t, "ccnx:/a", lifetime(silence+proof/2)))).failed(t, ErrTimeout, silence+proof/2)
		f.conn(0).wants("Interest ccnx:/a", "link request")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(f.dialled()) != 1 {
			t.Errorf("dialled at %v", f.dialled())
		}
	})
}
