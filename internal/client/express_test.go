package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestExpress(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		asked := interest(t, "ccnx:/a/Chunk=3", lifetime(4*time.Second))
		done := express(t.Context(), c, asked)
		fc := f.conn(0)
		var i tlv.Interest
		must(t, i.Decode(fc.got[0]))
		if !i.Mark || i.LifetimeOf() != 4*time.Second || i.HopLimit != 32 || !i.Name.Equal(asked.Name) || asked.Mark {
			t.Errorf("on the wire %+v, the caller's %+v", i, asked)
		}
		fc.wants("Interest ccnx:/a/Chunk=3")
		for _, other := range []string{"ccnx:/a", "ccnx:/a/Chunk=4", "ccnx:/a/b/Chunk=3", "ccnx:/b/Chunk=3"} {
			fc.send(data(t, other, "not this"))
		}
		time.Sleep(30 * time.Millisecond)
		fc.send(data(t, "ccnx:/a/Chunk=3", "this"))
		e := <-done
		e.answered(t, "this")
		if e.a.RTT != 30*time.Millisecond {
			t.Errorf("RTT %v", e.a.RTT)
		}
		// The answer is the caller's own.
		for range 100 {
			fc.send(data(t, "ccnx:/a/Chunk=3", "XXXX"))
		}
		synctest.Wait()
		if string(e.a.Payload) != "this" || e.a.Name.String() != "ccnx:/a/Chunk=3" || e.a.Validation.Check() != nil {
			t.Errorf("the answer became %v %q", e.a.Name, e.a.Payload)
		}
		if st := c.Stats(); st != (Stats{Unsolicited: 104}) {
			t.Errorf("%+v", st)
		}
	})
}

func TestExpressReturned(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		for _, code := range []tlv.ReturnCode{tlv.ReturnNoRoute, tlv.ReturnProhibited} {
			done := express(t.Context(), c, interest(t, "ccnx:/a"))
			fc := f.conn(0)
			pkt := fc.got[len(fc.got)-1]
			fc.send(tlv.AppendReturn(nil, pkt, code))
			e := <-done
			var r *ReturnError
			if e.a != nil || !errors.As(e.err, &r) || r.Code != code || r.Name.String() != "ccnx:/a" || errors.Is(e.err, ErrTimeout) {
				t.Errorf("%v, %v", e.a, e.err)
			}
			if want := "Interest Return: " + code.String(); e.err.Error() != want {
				t.Errorf("%q, want %q", e.err, want)
			}
			for range 4 { // over the memory of the Return
				fc.send(tlv.AppendReturn(nil, encode(t, interest(t, "ccnx:/b", func(i *tlv.Interest) { i.Mark = true })), code))
				synctest.Wait()
			}
			if r.Name.String() != "ccnx:/a" {
				t.Errorf("the name became %v", r.Name)
			}
		}
	})
}

func TestExpressTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		for _, d := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond} {
			i, want := interest(t, "ccnx:/a"), tlv.DefaultLifetime
			if d > 0 {
				i.Lifetime, want = tlv.Lifetime(d), d
			}
			e := <-express(t.Context(), c, i)
			e.failed(t, ErrTimeout, want)
			if errors.Is(e.err, tlv.ErrChecksum) {
				t.Error(e.err)
			}
		}
		f.conn(0).send(data(t, "ccnx:/a", "late"))
		synctest.Wait()
		if st := c.Stats(); st.Unsolicited != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestExpressContext(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer time.AfterFunc(100*time.Millisecond, func() { cancel(why) }).Stop()
		(<-express(ctx, c, interest(t, "ccnx:/a"))).failed(t, why, 100*time.Millisecond)
		(<-express(ctx, c, interest(t, "ccnx:/a"))).failed(t, why, 0)
		ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer stop()
		e := <-express(ctx, c, interest(t, "ccnx:/a"))
		e.failed(t, context.DeadlineExceeded, 200*time.Millisecond)
		if errors.Is(e.err, ErrTimeout) {
			t.Error("the caller's deadline is not the Interest's")
		}
	})
}

func TestExpressClosed(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		done := express(t.Context(), c, interest(t, "ccnx:/a"))
		time.Sleep(time.Second)
		c.Close()
		(<-done).failed(t, ErrClosed, time.Second)
		(<-express(t.Context(), c, interest(t, "ccnx:/a"))).failed(t, ErrClosed, 0)
		if err := c.Alive(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Alive: %v", err)
		}
		if err := c.Send(t.Context(), packet(data(t, "ccnx:/a", ""))); !errors.Is(err, ErrClosed) {
			t.Errorf("Send: %v", err)
		}
	})
}

func TestExpressUnsendable(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		if _, err := c.Express(t.Context(), &tlv.Interest{}); !errors.Is(err, tlv.ErrName) {
			t.Errorf("no name: %v", err)
		}
		i := interest(t, "ccnx:/a")
		i.Payload = make([]byte, tlv.MaxPacketLen)
		if _, err := c.Express(t.Context(), i); !errors.Is(err, tlv.ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
		f.conn(0).wants()
	})
}

// TestExpressCorrupt: a corrupt answer does not count; where none else comes, the
// error says so.
func TestExpressCorrupt(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		good := data(t, "ccnx:/a", "good")
		done := express(t.Context(), c, interest(t, "ccnx:/a"))
		f.conn(0).send(corrupt(good))
		e := <-done
		e.failed(t, ErrTimeout, 2*time.Second)
		if !errors.Is(e.err, tlv.ErrChecksum) {
			t.Error(e.err)
		}
		done = express(t.Context(), c, interest(t, "ccnx:/a"))
		f.conn(0).send(corrupt(good), good)
		(<-done).answered(t, "good")
		if st := c.Stats(); st != (Stats{Corrupt: 2}) {
			t.Errorf("%+v", st)
		}
		// And one that cannot be read behind its name.
		done = express(t.Context(), c, interest(t, "ccnx:/a"))
		unreadable := append(bytes.Clone(good[:len(good)-16]), 9, 9, 9, 9)
		unreadable[3] = byte(len(unreadable))
		f.conn(0).send(unreadable)
		e = <-done
		e.failed(t, ErrTimeout, 2*time.Second)
		if !errors.Is(e.err, tlv.ErrValidation) || c.Stats().Malformed != 1 {
			t.Errorf("%v, %+v", e.err, c.Stats())
		}
		f.conn(0).send([]byte("\x01\x01\x00\x0c\x00\x00\x00\x08\x00\x02\x00\x00")) // no name
		synctest.Wait()
		if c.Stats().Malformed != 2 {
			t.Errorf("%+v", c.Stats())
		}
	})
}

// TestExpressMany at the same time, some of them for the same name.
func TestExpressMany(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.hook = func(fc *fakeConn, pkt []byte) bool {
			_, n, _ := tlv.PeekName(pkt)
			if k, _ := n.Chunk(); k%10 != 9 {
				fc.send(data(t, n.String(), n.String()))
			}
			return true
		}
		c := f.connect()
		var wg sync.WaitGroup
		for k := range 500 {
			wg.Go(func() {
				uri := fmt.Sprintf("ccnx:/a/Chunk=%d", k/2) // two of each
				a, err := c.Express(t.Context(), interest(t, uri))
				if lost := k/2%10 == 9; lost != errors.Is(err, ErrTimeout) || !lost && string(a.Payload) != uri {
					t.Errorf("%s: %v, %v", uri, a, err)
				}
			})
		}
		wg.Wait()
	})
}

// TestExpressRestricted: Data that another Interest for that name brought does not
// answer one whose restrictions it does not meet.
func TestExpressRestricted(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	signer, err := tlv.NewRSASigner(key)
	must(t, err)
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		plain := data(t, "ccnx:/a", "plain")
		o := tlv.Object{Name: mustName(t, "ccnx:/a"), Payload: []byte("signed"), Validation: tlv.Validation{Signer: signer}}
		signed, err := o.AppendTo(nil)
		must(t, err)
		must(t, o.Decode(signed))
		id, _ := o.Validation.KeyID()
		sum := sha256.Sum256(signed[tlv.FixedHeaderLen:])
		any := express(t.Context(), c, interest(t, "ccnx:/a"))
		byKey := express(t.Context(), c, interest(t, "ccnx:/a", func(i *tlv.Interest) { i.KeyID = id }))
		byHash := express(t.Context(), c, interest(t, "ccnx:/a", func(i *tlv.Interest) { i.ObjectHash = tlv.Hash{Type: tlv.HashSHA256, Sum: sum[:]} }))
		none := express(t.Context(), c, interest(t, "ccnx:/a", func(i *tlv.Interest) { i.ObjectHash = tlv.Hash{Type: tlv.HashSHA256, Sum: make([]byte, 32)} }))
		f.conn(0).send(plain, signed)
		(<-any).answered(t, "plain")
		(<-byKey).answered(t, "signed")
		(<-byHash).answered(t, "signed")
		(<-none).failed(t, ErrTimeout, 2*time.Second)
	})
}

// TestForwarderDoesNotRead: Interests wait for it no longer than they live, and feeds
// not at all.
func TestForwarderDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.deaf = true
		c := f.connect()
		big := make([]byte, 60_000)
		var waiting []<-chan expressed
		for k := range 100 { // 6 MB: more than the connection and the queue hold
			i := interest(t, fmt.Sprintf("ccnx:/a/%d", k), lifetime(time.Second))
			i.Payload = big
			waiting = append(waiting, express(t.Context(), c, i))
		}
		for _, w := range waiting {
			(<-w).failed(t, ErrTimeout, time.Second)
		}
		feed := c.Open(mustName(t, "ccnx:/a"))
		defer feed.Close()
		start := time.Now()
		for range 100 {
			feed.TrySend(packet(big))
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("TrySend waited for %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Send(ctx, packet(data(t, "ccnx:/a", strings.Repeat("x", 60_000)))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send: %v", err)
		}
	})
}

func TestAlive(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		must(t, c.Send(t.Context(), packet(data(t, "ccnx:/a", ""))))
		must(t, c.Alive(t.Context()))
		f.conn(0).wants("Content Object ccnx:/a", "link request")
		f.change(func() { f.mute = true })
		go func() { // datagrams may be lost
			time.Sleep(time.Second)
			f.change(func() { f.mute = false })
		}()
		start := time.Now()
		must(t, c.Alive(t.Context()))
		if took := time.Since(start); took != 1200*time.Millisecond {
			t.Errorf("asked until %v", took)
		}
		f.conn(0).wants(strings.Split(strings.Repeat("link request,", 4)+"link request", ",")...)
		f.change(func() { f.mute = true })
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		if err := c.Alive(ctx); err != why {
			t.Error(err)
		}
	})
}

// An answer to an earlier request, which is still on its way, is no sign that what was sent
// since has been taken.
func TestAliveStale(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		must(t, c.Alive(t.Context()))
		f.change(func() { f.mute = true })
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, why)
		defer cancel()
		if err := c.Alive(ctx); err != why { // its answer is late
			t.Error(err)
		}
		alive := make(chan error, 1)
		go func() { alive <- c.Alive(t.Context()) }()
		synctest.Wait()
		f.conn(0).send([]byte(tlv.LinkReply))
		synctest.Wait()
		select {
		case err := <-alive:
			t.Fatalf("a late answer to the request before: %v", err)
		default:
		}
		f.conn(0).send([]byte(tlv.LinkReply))
		must(t, <-alive)
	})
}
