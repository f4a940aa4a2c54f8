package pipeline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
)

// In total silence a fetch sends little: the first ten chunks once, the first of them
// again every 200 ms, and the meta six times.
func TestTotalSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, producer{})
		_, r, _ := run(t.Context(), n, Options{}, nil)
		t.Logf("%d Interests in %v", r.Stats.Interests, r.Duration)
		if r.Stats.Interests > 66 {
			t.Errorf("%d Interests in %v of silence, want at most 66", r.Stats.Interests, r.Duration)
		}
		for _, a := range n.asks {
			if a.meta {
				continue
			}
			if want := a.nth >= 4; a.longLife != want {
				t.Errorf("sending %d of chunk %d: LONGLIFE %v, want %v", a.nth, a.chunk, a.longLife, want)
			}
		}
	})
}

// In silence half-way there is one Interest at a time.
func TestSilenceHalfWay(t *testing.T) {
	for _, code := range []tlv.ReturnCode{0, tlv.ReturnNoRoute, tlv.ReturnCongestion} {
		name := "unanswered"
		if code != 0 {
			name = code.String()
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, chunked(5000))
				n.script = func(a ask) ([][]byte, bool) {
					if code != 0 && a.chunk >= 1000 {
						return n.returned(a, code), true
					}
					return nil, a.chunk >= 1000
				}
				_, r, err := run(t.Context(), n, Options{}, nil)
				if err == nil {
					t.Fatal("no error")
				}
				silent := n.lastAnswer + time.Second
				var late []ask
				for _, a := range n.asks {
					if a.at > silent {
						late = append(late, a)
					}
				}
				t.Logf("%d Interests in all, %d after a second of silence", r.Stats.Interests, len(late))
				for i, a := range late[1:] {
					if late[i].at == a.at {
						t.Errorf("%v: Interests for chunks %d and %d at once", a.at, late[i].chunk, a.chunk)
					}
				}
				if most := 590; len(late) > most {
					t.Errorf("%d Interests in 29s of silence, want at most %d", len(late), most)
				}
			})
		})
	}
}

func TestLongLife(t *testing.T) {
	for _, always := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(50))
			n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk == 10 && a.nth < 6 }
			if _, _, err := run(t.Context(), n, Options{LongLife: always}, nil); err != nil {
				t.Fatal(err)
			}
			for _, a := range n.asks {
				if want := a.nth >= 4 || always && a.nth > 1; a.longLife != want {
					t.Errorf("LongLife %v, sending %d of chunk %d: LONGLIFE %v", always, a.nth, a.chunk, a.longLife)
				}
			}
		})
	}
}

func TestInterest(t *testing.T) {
	for _, tt := range []struct {
		o        Options
		lifetime uint64
		hopLimit uint8
	}{
		{Options{}, 2000, 32},
		{Options{Lifetime: 300 * time.Millisecond, HopLimit: 3}, 300, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(5))
			if _, _, err := run(t.Context(), n, tt.o, nil); err != nil {
				t.Fatal(err)
			}
			for _, a := range n.asks {
				var i tlv.Interest
				if err := i.Decode(a.pkt); err != nil {
					t.Fatal(err)
				}
				if i.Lifetime != tlv.Some(tt.lifetime) || i.HopLimit != tt.hopLimit || !i.Mark || i.Symbolic() {
					t.Errorf("lifetime %v, hop limit %d, mark %v, symbolic %v; want %d, %d, true, false", i.Lifetime, i.HopLimit, i.Mark, i.Symbolic(), tt.lifetime, tt.hopLimit)
				}
			}
		})
	}
}

// The window stays within what the forwarder has room for, and within Max.
func TestRoom(t *testing.T) {
	for _, tt := range []struct{ room, most, want int }{{30, 0, 30}, {1, 0, 1}, {0, 0, 1}, {1000, 0, fixedWindow}, {30, 20, 20}, {30, 40, 30}} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, chunked(500))
			n.path.Room, n.path.Max = func() int { return tt.room }, tt.most
			n.window = tt.want
			if _, _, err := run(t.Context(), n, Options{}, nil); err != nil {
				t.Fatal(err)
			}
			if n.most != tt.want {
				t.Errorf("room for %d, at most %d: up to %d in flight, want %d", tt.room, tt.most, n.most, tt.want)
			}
		})
	}
}

// On a short path the window doubles up to what the forwarder is expected to hold, and no
// further.
func TestExpect(t *testing.T) {
	for _, cc := range []congestion.Kind{congestion.Cubic, congestion.AIMD, congestion.Delay} {
		synctest.Test(t, func(t *testing.T) {
			const rtt = 2 * time.Millisecond
			n := newNetwork(t, chunked(5000))
			n.latency = rtt
			size := len(n.data(100))
			n.path = Path{CC: cc, Expect: func(packet int) int {
				if packet < size-1 || packet > size+1 {
					t.Errorf("asked for packets of %d bytes, they have %d", packet, size)
				}
				return 40
			}}
			n.window, n.first = reorderChunks, 0
			at := map[int]time.Duration{} // when so many were in flight first
			n.script = func(a ask) ([][]byte, bool) {
				if _, ok := at[len(n.pending)]; !ok {
					at[len(n.pending)] = a.at
				}
				return nil, false
			}
			if _, _, err := run(t.Context(), n, Options{}, nil); err != nil {
				t.Fatal(err)
			}
			if at[40] > 3*rtt {
				t.Errorf("%s: 40 in flight after %v, want 2 or 3 round trips of %v", cc, at[40], rtt)
			}
			if d, ok := at[80]; ok && d-at[40] < 4*rtt {
				t.Errorf("%s: from 40 in flight to 80 within %v: the doubling goes on", cc, d-at[40])
			}
		})
	}
}

// What waits for a missing chunk takes no more memory than reorderBytes, however
// large the window.
func TestReorderMemory(t *testing.T) {
	const payload = 32000
	p := producer{chunks: make([][]byte, 1500), noCRC: true}
	chunk := random(1, payload)
	for i := range p.chunks {
		p.chunks[i] = chunk
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, p)
		n.path.Window = 4096
		highest := uint64(0)
		n.script = func(a ask) ([][]byte, bool) {
			missing := a.chunk == 500 && a.at < 4*time.Second
			if a.at < 4*time.Second {
				highest = max(highest, a.chunk)
			}
			return nil, missing
		}
		if _, _, err := run(t.Context(), n, Options{}, nil); err != nil {
			t.Fatal(err)
		}
		if waiting := (highest - 500) * payload; waiting > reorderBytes || waiting < reorderBytes-2*payload {
			t.Errorf("%d bytes may wait for chunk 500, want %d", waiting, reorderBytes)
		}
	})
}

// Payloads that wait for others are copied into memory that is used again: as much as
// waits at once, not as much as the ring has places. What is next in order is not copied.
func TestPayloadMemory(t *testing.T) {
	s := newState(Options{}.withDefaults(), newPath(Path{CC: congestion.Fixed, Window: 1024}), time.Time{})
	now := time.Time{}.Add(time.Second)
	o := tlv.Object{Payload: make([]byte, 1000), EndChunk: tlv.Some[uint64](99999)}
	allocs := testing.AllocsPerRun(1, func() {
		for range 1500 {
			first, ok := s.nextRequest(now)
			second, ok2 := s.nextRequest(now)
			if !ok || !ok2 {
				t.Fatal("no request")
			}
			for _, r := range []request{second, first} {
				s.onData(r.chunk, &o, 1100, now)
			}
			for k := range 2 {
				p, ok := s.ready()
				if !ok {
					t.Fatal("not ready")
				}
				if lent := &p[0] == &o.Payload[0]; lent != (k == 0) {
					t.Fatalf("chunk %d of two: copied: %v", k, !lent)
				}
				s.written()
			}
			s.wake()
		}
	})
	if len(s.free) != 1 || allocs > 2 {
		t.Errorf("%d payloads kept where one waits, %v allocations for 3000 chunks; want 1 and none", len(s.free), allocs)
	}
}
