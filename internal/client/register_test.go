package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// registered is how a Register ended.
type registered struct {
	r    *Registration
	err  error
	took time.Duration
}

func register(ctx context.Context, c *Client, prefix tlv.Name, m Match) <-chan registered {
	done := make(chan registered, 1)
	start := time.Now()
	go func() {
		r, err := c.Register(ctx, prefix, m)
		done <- registered{r, err, time.Since(start)}
	}()
	synctest.Wait()
	return done
}

func (r registered) failed(t *testing.T, want error, took time.Duration) {
	t.Helper()
	if r.r != nil || !errors.Is(r.err, want) || r.took != took {
		t.Errorf("Register: %v, %v after %v; want %v after %v", r.r, r.err, r.took, want, took)
	}
}

func (r registered) done(t *testing.T, took time.Duration) {
	t.Helper()
	if r.err != nil || r.took != took {
		t.Errorf("Register: %v after %v, want %v", r.err, r.took, took)
	}
}

// TestRegisterOnTheWire: byte for byte as Cefore's own programs do, DEREG first.
func TestRegisterOnTheWire(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		r, err := c.Register(t.Context(), mustName(t, "ccnx:/gold/py"), Prefix)
		must(t, err)
		_, err = c.Register(t.Context(), mustName(t, "ccnx:/gold/lib"), Exact)
		must(t, err)
		must(t, r.Deregister(t.Context()))
		must(t, r.Deregister(t.Context())) // once is enough
		var want [][]byte
		for _, id := range []string{
			"registration/cefpyco/register-deregister-1", "registration/cefpyco/register-deregister-2", // DEREG, REG prefix
			"registration/libcefore/dereg-1", "registration/libcefore/reg-1", // DEREG, REG exact
			"registration/cefpyco/register-deregister-1",
		} {
			want = append(want, vectorBytes(t, id))
		}
		if got := f.conn(0).got; !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("sent %x\nwant %x", got, want)
		}
		if r.Prefix().String() != "ccnx:/gold/py" {
			t.Error(r.Prefix())
		}
		var b tlv.Batch
		<-r.Ready()
		if err := r.Receive(&b); !errors.Is(err, ErrClosed) {
			t.Errorf("Receive after Deregister: %v", err)
		}
	})
}

// TestRegisterProbed: nobody answers for the name, so it is free; then a probe from
// the second connection has to come.
func TestRegisterProbed(t *testing.T) {
	for _, match := range []Match{Prefix, Exact} {
		for _, returns := range []bool{false, true} {
			bubble(t, func(t *testing.T, f *fake) {
				f.returns = returns
				c := f.probed()
				took := freeWait
				if returns {
					took = 0 // the forwarder says that there is nobody
				}
				(<-register(t.Context(), c, mustName(t, "ccnx:/a"), match)).done(t, took)
				second := f.conn(1)
				if synctest.Wait(); !second.ended || len(f.dialled()) != 2 {
					t.Errorf("second connection ended: %v, %d dialled", second.ended, len(f.dialled()))
				}
				first := slices.Clone(f.conn(0).got)
				if len(first) != 4 || inWords(first[0]) != "DEREG ccnx:/a" || !strings.HasPrefix(inWords(first[1]), "REG") || inWords(first[2]) != "link request" {
					t.Fatalf("sent %s", f.conn(0).wire())
				}
				var o tlv.Object
				must(t, o.Decode(first[3]))
				// No cache may keep the answer to a probe, and it proves itself whole.
				if !o.Expiry.OK || o.Expiry.V.Time().After(time.Now()) || o.CacheTime.OK || !o.Summed || o.Check() != nil {
					t.Errorf("answer to the probe %+v", o)
				}
				probes := second.got
				if match == Prefix {
					second.wants("Interest ccnx:/a/.cefgo/probe/…", "Interest ccnx:/a/.cefgo/probe/…")
					return
				}
				for _, p := range probes {
					_, n, _ := tlv.PeekName(p)
					if k, ok := n.Chunk(); !ok || k < exactProbe || k > 1<<32-1 || !n.WithoutChunk().Equal(mustName(t, "ccnx:/a")) {
						t.Errorf("probe %v", n)
					}
				}
				if len(probes) != 2 {
					t.Errorf("%d probes", len(probes))
				}
			})
		}
	}
}

// TestRegisterTaken: while its owner lives, a name is nobody else's; not a command
// goes out that would take it away.
func TestRegisterTaken(t *testing.T) {
	for _, match := range []Match{Prefix, Exact} {
		bubble(t, func(t *testing.T, f *fake) {
			owner, other := f.probed(), f.probed()
			r, err := owner.Register(t.Context(), mustName(t, "ccnx:/a/b"), match)
			must(t, err)
			f.conn(0).wire()
			f.conn(1).wire()
			(<-register(t.Context(), other, mustName(t, "ccnx:/a/b"), match)).failed(t, ErrTaken, 0)
			f.conn(1).wants() // other's
			(<-register(t.Context(), owner, mustName(t, "ccnx:/a/b"), match)).failed(t, ErrTaken, 0)
			if got := len(other.regs) + len(owner.regs); got != 1 {
				t.Errorf("%d registrations", got)
			}
			_, err = other.Register(t.Context(), mustName(t, "ccnx:/a/c"), match) // a neighbour
			must(t, err)
			if match == Prefix { // one below, and one above
				below, err := other.Register(t.Context(), mustName(t, "ccnx:/a/b/c"), match)
				must(t, err)
				must(t, below.Deregister(t.Context()))
				_, err = other.Register(t.Context(), mustName(t, "ccnx:/a"), match)
				must(t, err)
			}
			must(t, r.Deregister(t.Context()))
			must(t, owner.Alive(t.Context()))
			_, err = other.Register(t.Context(), mustName(t, "ccnx:/a/b"), match)
			must(t, err)
		})
	}
}

// TestRegisterOverADeadOwner: cefnetd keeps the registration of who is gone (sheet
// m 6).
func TestRegisterOverADeadOwner(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		dead, err := f.dial(t.Context())
		must(t, err)
		pkt, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/a"))
		must(t, err)
		must(t, dead.Write(packet(pkt)))
		synctest.Wait()
		dead.Close()
		c := f.probed()
		(<-register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)).done(t, freeWait)
	})
}

func TestRegisterNoProbeComes(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.loses = true
		c := f.probed()
		(<-register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)).failed(t, ErrNotRegistered, freeWait+arriveTries*arriveWait)
		f.conn(0).wants("DEREG ccnx:/a", "REG ccnx:/a", "link request", "DEREG ccnx:/a")
		// A late start is none: the third probe comes.
		done := register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)
		time.Sleep(freeWait + 2*arriveWait - 1)
		f.change(func() { f.loses = false })
		(<-done).done(t, freeWait+2*arriveWait)
	})
}

// TestRegisterAnswered by somebody else: an answer, or a Return, is none of ours, and
// the next probe goes no sooner for it.
func TestRegisterAnsweredBySomebodyElse(t *testing.T) {
	for name, answer := range map[string]func([]byte) []byte{
		"Return": func(pkt []byte) []byte { return tlv.AppendReturn(nil, pkt, tlv.ReturnNoRoute) },
		"other": func(pkt []byte) []byte {
			_, n, _ := tlv.PeekName(pkt)
			o := tlv.Object{Name: n, Payload: append([]byte("8 bytes."), mustName(t, "ccnx:/").Bytes()...)}
			b, _ := o.AppendTo(nil)
			return b
		},
		"unknown": func(pkt []byte) []byte {
			_, n, _ := tlv.PeekName(pkt)
			return data(t, n.String(), "short")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fake) {
				f.hook = func(fc *fakeConn, pkt []byte) bool {
					if fc.number > 0 && string(pkt) != tlv.LinkRequest {
						fc.send(answer(pkt))
						return true
					}
					return false
				}
				c := f.probed()
				(<-register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)).failed(t, ErrNotRegistered, arriveTries*arriveWait)
				if n := len(f.conn(1).got); n != 1+arriveTries {
					t.Errorf("%d probes", n)
				}
			})
		})
	}
}

func TestRegisterBadPrefix(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.probed()
		long := mustName(t, "ccnx:/"+strings.Repeat("x", 1020))
		for _, p := range []struct {
			name tlv.Name
			m    Match
		}{
			{tlv.Name{}, Prefix}, {mustName(t, "ccnx:/"), Prefix}, {mustName(t, "ccnx:/"), Exact}, {mustName(t, "ccnx:/a/Chunk=1"), Exact},
			{long, Prefix}, {long, Exact}, {mustName(t, "ccnx:/"+strings.Repeat("x", 990)), Prefix},
		} {
			(<-register(t.Context(), c, p.name, p.m)).failed(t, ErrPrefix, 0)
		}
		f.conn(0).wants()
		(<-register(t.Context(), c, mustName(t, "ccnx:/"+strings.Repeat("x", 990)), Exact)).done(t, freeWait)
	})
}

func TestRegisterSecondConnectionFails(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connectWith(Config{Dial: f.dial, DialSecond: func(context.Context) (transport.Conn, error) { return nil, errDown }})
		(<-register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)).failed(t, errDown, 0)
		f.conn(0).wants()
	})
}

func TestRegisterInterrupted(t *testing.T) {
	why := errors.New("enough")
	for _, after := range []time.Duration{freeWait / 2, freeWait + arriveWait/2, freeWait + 3*arriveWait} {
		bubble(t, func(t *testing.T, f *fake) {
			f.loses = true
			c := f.probed()
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(after, func() { cancel(why) })
			(<-register(ctx, c, mustName(t, "ccnx:/a"), Prefix)).failed(t, why, after)
			if after < freeWait {
				f.conn(0).wants()
			} else {
				f.conn(0).wants("DEREG ccnx:/a", "REG ccnx:/a", "link request", "DEREG ccnx:/a")
			}
		})
	}
	bubble(t, func(t *testing.T, f *fake) { // by Close
		f.loses = true
		c := f.probed()
		done := register(t.Context(), c, mustName(t, "ccnx:/a"), Prefix)
		time.Sleep(freeWait + arriveWait/2)
		must(t, c.Close())
		(<-done).failed(t, ErrClosed, freeWait+arriveWait/2)
		(<-register(t.Context(), c, mustName(t, "ccnx:/b"), Prefix)).failed(t, ErrClosed, 0)
	})
}

// TestRegisterUnsent: what cannot be sent is not registered.
func TestRegisterUnsent(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		f.deaf = true
		c := f.connect()
		for full := false; !full; { // the connection and the queue, to the last byte
			for _, n := range []int{60_000, 10} {
				for c.out.TryPut(make([]byte, n)) {
				}
			}
			synctest.Wait()
			full = !c.out.TryPut(make([]byte, 10))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		(<-register(ctx, c, mustName(t, "ccnx:/a"), Prefix)).failed(t, context.DeadlineExceeded, time.Second)
		if len(c.regs) != 0 {
			t.Error("it stays registered")
		}
	})
}

// TestReceive: an Interest goes to the longest of our registrations that it falls
// under; an exact one takes none for what lies below. Probes are not for the
// application.
func TestReceive(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		regs := map[string]*Registration{}
		for uri, m := range map[string]Match{"ccnx:/a": Prefix, "ccnx:/a/b": Prefix, "ccnx:/a/b/x": Exact} {
			r, err := c.Register(t.Context(), mustName(t, uri), m)
			must(t, err)
			regs[uri] = r
		}
		fc := f.conn(0)
		for uri, to := range map[string]string{
			"ccnx:/a": "ccnx:/a", "ccnx:/a/c/Chunk=9": "ccnx:/a", "ccnx:/a/bb": "ccnx:/a", "ccnx:/a/b": "ccnx:/a/b", "ccnx:/a/b/c/d": "ccnx:/a/b",
			"ccnx:/a/b/x": "ccnx:/a/b/x", "ccnx:/a/b/x/Chunk=3": "ccnx:/a/b/x", "ccnx:/a/b/x/y": "ccnx:/a/b",
			"ccnx:/b": "", "ccnx:/": "",
		} {
			pkt := encode(t, interest(t, uri))
			before := c.Stats().Unsolicited
			fc.send(pkt)
			synctest.Wait()
			for name, r := range regs {
				var b tlv.Batch
				must(t, r.Receive(&b))
				switch {
				case name != to && b.Len() != 0, name == to && b.Len() != 1:
					t.Errorf("%s brought %d packets to %s", uri, b.Len(), name)
				case name == to && !bytes.Equal(b.Packet(0), pkt):
					t.Errorf("%s brought %x", uri, b.Packet(0))
				}
			}
			if got := c.Stats().Unsolicited - before; (got == 1) != (to == "") {
				t.Errorf("%s: %d unsolicited", uri, got)
			}
		}
		for name, probe := range map[string]string{
			"ccnx:/a":     "ccnx:/a/x/y/.cefgo/probe/0123456789abcdef",
			"ccnx:/a/b":   "ccnx:/a/b/.cefgo/probe/0123456789abcdef",
			"ccnx:/a/b/x": "ccnx:/a/b/x/Chunk=4294967040",
		} {
			fc.wire()
			fc.send(encode(t, interest(t, probe)))
			fc.f.conn(0)
			var o tlv.Object
			if len(fc.got) != 1 || o.Decode(fc.got[0]) != nil || o.Name.String() != probe ||
				!bytes.Equal(o.Payload, append(slices.Clone(c.id[:]), mustName(t, name).Bytes()...)) {
				t.Errorf("%s is answered with %s", probe, fc.wire())
			}
			var b tlv.Batch
			if must(t, regs[name].Receive(&b)); b.Len() != 0 {
				t.Errorf("%s came to the application", probe)
			}
		}
	})
}

// TestReceiveLate: what the application does not receive is lost beyond a bound, and
// counted.
func TestReceiveLate(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		r, err := c.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		i := interest(t, "ccnx:/a/x")
		i.Payload = make([]byte, 60_000)
		pkt := encode(t, i)
		for range 100 {
			f.conn(0).send(pkt)
		}
		must(t, c.Alive(t.Context()))
		n := len(all(t, r.Receive))
		if held := inletBytes / len(pkt); n != held || r.Lost() != uint64(100-held) {
			t.Errorf("%d received, %d lost", n, r.Lost())
		}
	})
}

// TestVerifiedAfterRelink: over a new connection a registration is probed again, and
// made again for as long as no probe comes.
func TestVerifiedAfterRelink(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.probed()
		_, err := c.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		f.change(func() { f.loses = true })
		f.conn(0).breaks(nil)
		start := time.Now()
		again := f.conn(2) // after the first probe's
		again.wants("DEREG ccnx:/a", "REG ccnx:/a", "link request")
		round := arriveTries*arriveWait + lastBackoff
		time.Sleep(arriveTries * arriveWait)
		again.wants("DEREG ccnx:/a", "REG ccnx:/a")
		time.Sleep(round)
		again.wants("link request", "DEREG ccnx:/a", "REG ccnx:/a")
		f.change(func() { f.loses = false })
		time.Sleep(lastBackoff)
		again.wants("link request", "Content Object ccnx:/a/.cefgo/probe/…")
		time.Sleep(time.Minute)
		again.wants()
		for _, fc := range f.conns[3:] {
			if !fc.ended {
				t.Errorf("connection %d of the probes is open %v later", fc.number, time.Since(start))
			}
		}
	})
}

// TestNotVerifiedAfterDeregister: what is deregistered meanwhile is not registered
// again.
func TestNotVerifiedAfterDeregister(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.probed()
		r, err := c.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		f.change(func() { f.loses = true })
		f.conn(0).breaks(nil)
		again := f.conn(2)
		again.wants("DEREG ccnx:/a", "REG ccnx:/a", "link request")
		must(t, r.Deregister(t.Context()))
		again.wants("DEREG ccnx:/a")
		time.Sleep(time.Minute)
		again.wants()
		if len(f.regs) != 0 {
			t.Errorf("registered: %v", f.regs)
		}
	})
}

// TestVerifiedOnTheLastConnection: when it breaks once more, only the last one's
// rounds go on.
func TestVerifiedOnTheLastConnection(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.probed()
		_, err := c.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		f.change(func() { f.loses = true })
		f.conn(0).breaks(nil)
		f.conn(2).wants("DEREG ccnx:/a", "REG ccnx:/a", "link request")
		time.Sleep(arriveWait)
		f.conn(2).breaks(nil)
		time.Sleep(firstBackoff)
		synctest.Wait()
		var again *fakeConn
		for _, fc := range f.conns[3:] {
			if len(fc.got) > 0 && inWords(fc.got[0]) == "DEREG ccnx:/a" {
				again = fc
			}
		}
		again.wants("DEREG ccnx:/a", "REG ccnx:/a", "link request")
		time.Sleep(arriveTries*arriveWait - 1)
		again.wants()
		time.Sleep(time.Nanosecond)
		again.wants("DEREG ccnx:/a", "REG ccnx:/a")
	})
}

// TestCloseDeregisters and waits until the forwarder has taken it, though not for
// long.
func TestCloseDeregisters(t *testing.T) {
	for _, mute := range []bool{false, true} {
		bubble(t, func(t *testing.T, f *fake) {
			c := f.connect()
			var regs []*Registration
			for _, uri := range []string{"ccnx:/a", "ccnx:/b"} {
				r, err := c.Register(t.Context(), mustName(t, uri), Prefix)
				must(t, err)
				regs = append(regs, r)
			}
			fc := f.conn(0)
			fc.wire()
			f.mute = mute
			start := time.Now()
			// Several at once wait for the same.
			both := make(chan error, 2)
			for range 2 {
				go func() { both <- c.Close() }()
			}
			for range 2 {
				must(t, <-both)
				f.change(func() {
					if len(f.regs) != 0 {
						t.Errorf("registered: %v", f.regs)
					}
				})
			}
			want, took := []string{"DEREG ccnx:/a", "DEREG ccnx:/b", "link request"}, time.Duration(0)
			if mute {
				want, took = append(want, "link request"), flushBound
			}
			if got := time.Since(start); got != took {
				t.Errorf("Close took %v, want %v", got, took)
			}
			fc.wants(want...)
			for _, r := range regs {
				var b tlv.Batch
				<-r.Ready()
				if err := r.Receive(&b); !errors.Is(err, ErrClosed) {
					t.Errorf("Receive: %v", err)
				}
				must(t, r.Deregister(t.Context())) // nothing is left to do
			}
		})
	}
}

// TestCloseWithoutForwarder does not wait for one for long.
func TestCloseWithoutForwarder(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		_, err := c.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		f.change(func() { f.down = errDown })
		f.conn(0).breaks(nil)
		synctest.Wait()
		start := time.Now()
		must(t, c.Close())
		if took := time.Since(start); took != flushBound {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestProbesOfManyClients: each knows its own.
func TestProbesOfManyClients(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		for k := range 5 {
			c := f.probed()
			(<-register(t.Context(), c, mustName(t, fmt.Sprintf("ccnx:/many/%d", k)), Prefix)).done(t, freeWait)
		}
	})
}

// TestRegistrationLost: where another process takes the prefix right after, as two
// that start at the same time do to each other, the loser learns it and sends no DEREG
// that would take it from the winner.
func TestRegistrationLost(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		first, second := f.probed(), f.probed()
		r, err := first.Register(t.Context(), mustName(t, "ccnx:/a"), Prefix)
		must(t, err)
		var b tlv.Batch
		stolen := &Registration{c: second, prefix: mustName(t, "ccnx:/a"), q: transport.NewQueue(1)}
		must(t, second.add(t.Context(), stolen)) // DEREG, REG; its own probe came before ours
		f.conn(0).wire()
		time.Sleep(2 * guardAfter)
		if err := r.Receive(&b); !errors.Is(err, ErrTaken) {
			t.Errorf("the loser receives %v", err)
		}
		must(t, first.Close())
		f.conn(0).wants()
		if err := stolen.Receive(&b); err != nil {
			t.Errorf("the winner receives %v", err)
		}
	})
}
