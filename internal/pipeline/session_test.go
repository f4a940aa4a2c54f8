package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// slow is 10 Mbit/s, 20 ms there and back: some 3000 packets of 400 bytes a second.
func slow() testnet.Config {
	return testnet.Config{
		Seed: 1,
		Up:   testnet.Impairment{Delay: 10 * ms},
		Down: testnet.Impairment{Delay: 10 * ms, Rate: 10 * mbit, Queue: 100000},
	}
}

// toEnd asks for all of the content, and no meta.
func toEnd(c *testnet.Content) Options { return Options{Last: tlv.Some(c.Chunks - 1)} }

// Fetches share one window, and each gets its part of it.
func TestSessionShares(t *testing.T) {
	for _, p := range []Path{{CC: congestion.Fixed, Window: 12}, {CC: congestion.Cubic}, {CC: congestion.Delay}} {
		t.Run(string(p.CC), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFarm(t, slow(), p, 3000, 3000, 3000, 3000)
				var fs []*fetched
				for i, c := range f.contents {
					fs = append(fs, f.fetch(t.Context(), i, toEnd(c)))
				}
				behind, high := uint64(0), 0.0
				for fs[0].Counters.Chunks.Load() < 2900 {
					time.Sleep(50 * ms)
					least, most, flying := uint64(1<<32), uint64(0), int64(0)
					for _, x := range fs {
						n := x.Counters.Chunks.Load()
						least, most = min(least, n), max(most, n)
						flying += x.Counters.InFlight.Load()
					}
					behind = max(behind, most-least)
					high = max(high, float64(flying)/float64(fs[0].Counters.Window.Load()))
				}
				f.close()
				for i, x := range fs {
					x.wantWhole(t, fmt.Sprint(i))
				}
				if behind > 300 {
					t.Errorf("one was %d chunks of 3000 behind another", behind)
				}
				if p.CC == congestion.Fixed && f.ledger.most != 12 || high < 0.9 || high > 1.5 { // it may have shrunk
					t.Errorf("up to %d in flight, %.2f of the window", f.ledger.most, high)
				}
			})
		})
	}
}

// A fetch that begins later has its part soon, and what it had goes to the others.
func TestSessionComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, slow(), Path{CC: congestion.Fixed, Window: 30}, 12000, 1000)
		long := f.fetch(t.Context(), 0, toEnd(f.contents[0]))
		time.Sleep(time.Second)
		alone := long.Counters.Chunks.Load()
		short := f.fetch(t.Context(), 1, toEnd(f.contents[1]))
		time.Sleep(500 * ms)
		if n := short.Counters.Chunks.Load(); n < alone/5 || n > alone/3 {
			t.Errorf("%d chunks in 0.5 s of sharing; one alone had %d in a second", n, alone)
		}
		time.Sleep(1500 * ms) // the short one is over
		before := long.Counters.Chunks.Load()
		time.Sleep(time.Second)
		if n := long.Counters.Chunks.Load() - before; n < alone*9/10 {
			t.Errorf("%d chunks in a second after the other one ended, %d before it began", n, alone)
		}
		f.close()
		long.wantWhole(t, "long")
		short.wantWhole(t, "short")
	})
}

// A window of one goes round.
func TestSessionWindowOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, slow(), Path{CC: congestion.Fixed, Window: 1}, 50, 50, 50)
		var fs []*fetched
		for i, c := range f.contents {
			fs = append(fs, f.fetch(t.Context(), i, toEnd(c)))
		}
		f.close()
		for i, x := range fs {
			x.wantWhole(t, fmt.Sprint(i))
			if x.took < 2500*ms {
				t.Errorf("%d took %v, want the time of nearly 150 round trips", i, x.took)
			}
		}
		if f.ledger.most != 1 {
			t.Errorf("up to %d in flight", f.ledger.most)
		}
	})
}

// A fetch that nobody answers costs the others no more than the time in which that
// is found out.
func TestSessionSilentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{CC: congestion.Fixed, Window: 16}
		alone := newFarm(t, slow(), p, 4000)
		x := alone.fetch(t.Context(), 0, toEnd(alone.contents[0]))
		alone.close()

		f := newFarm(t, slow(), p, 4000, 100)
		f.silent = func(i int, _ time.Duration) bool { return i == 1 }
		none := f.fetch(t.Context(), 1, Options{})
		time.Sleep(ms)
		y := f.fetch(t.Context(), 0, toEnd(f.contents[0]))
		f.close()
		y.wantWhole(t, "the other one")
		if y.took > x.took+250*ms {
			t.Errorf("it took %v beside a silent one, %v alone", y.took, x.took)
		}
		if !errors.Is(none.err, ErrTimeout) || none.took != 10*time.Second {
			t.Errorf("the silent one: %v after %v", none.err, none.took)
		}
	})
}

// One that falls silent half-way holds up nobody either, and goes on afterwards.
func TestSessionSilentHalfWay(t *testing.T) {
	kinds := congestion.Kinds
	if raced {
		kinds = kinds[:1]
	}
	for _, cc := range kinds {
		t.Run(string(cc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFarm(t, slow(), Path{CC: cc}, 6000, 20000)
				f.silent = func(i int, at time.Duration) bool { return i == 0 && at > time.Second && at < 4*time.Second }
				a, b := f.fetch(t.Context(), 0, toEnd(f.contents[0])), f.fetch(t.Context(), 1, toEnd(f.contents[1]))
				time.Sleep(1500 * ms)
				before := b.Counters.Chunks.Load()
				time.Sleep(2 * time.Second)
				alone := b.Counters.Chunks.Load() - before
				time.Sleep(time.Second)
				before = b.Counters.Chunks.Load()
				time.Sleep(time.Second)
				beside := b.Counters.Chunks.Load() - before
				f.close()
				a.wantWhole(t, "the silent one")
				b.wantWhole(t, "the other one")
				const full = 2 * 2900 // the path's, in two seconds
				if alone < full*9/10 || beside < full/5 {
					t.Errorf("the other one had %d chunks in two seconds of silence, %d in one after it", alone, beside)
				}
				if a.Stats.Silences != 1 || b.Stats.Silences != 0 {
					t.Errorf("%d and %d silences", a.Stats.Silences, b.Stats.Silences)
				}
			})
		})
	}
}

// Several fetches of one name, each for a chunk of its own, get just that; what two
// ask for, both get.
func TestSessionSingleChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm(t, slow(), Path{}, 60)
		var fs []*fetched
		for i := range uint64(50) {
			fs = append(fs, f.fetch(t.Context(), 0, Options{First: i, Last: tlv.Some(i)}))
		}
		both := []*fetched{f.fetch(t.Context(), 0, Options{First: 55, Last: tlv.Some[uint64](55)}), f.fetch(t.Context(), 0, Options{First: 55, Last: tlv.Some[uint64](56)})}
		f.close()
		for i, x := range fs {
			if x.err != nil || x.Result.Chunks != 1 || x.At() != uint64(i+1)*256 || x.Stats.Unasked+x.Stats.Duplicates != 0 || x.Stats.Interests != 1 {
				t.Errorf("chunk %d: error %v, %d chunks to byte %d, %d unasked, %d again, %d Interests", i, x.err, x.Result.Chunks, x.At(), x.Stats.Unasked, x.Stats.Duplicates, x.Stats.Interests)
			}
		}
		for i, x := range both {
			if x.err != nil || x.Result.Chunks != uint64(i+1) {
				t.Errorf("one of two: error %v, %d chunks", x.err, x.Result.Chunks)
			}
		}
		if f.ledger.wants != 1 {
			t.Errorf("the name was wanted %d times", f.ledger.wants)
		}
	})
}

// Many at once, of names with their metas, all come; each name is wanted once and
// forgotten.
func TestSessionMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chunks := make([]uint64, 100)
		for i := range chunks {
			chunks[i] = uint64(1 + i*7%40)
		}
		cfg := slow()
		cfg.Down.Loss, cfg.Up.Loss = 0.05, 0.05
		f := newFarm(t, cfg, Path{}, chunks...)
		var fs []*fetched
		for i := range chunks {
			fs = append(fs, f.fetch(t.Context(), i, Options{}), f.fetch(t.Context(), i, Options{}))
		}
		f.close()
		for i, x := range fs {
			x.wantWhole(t, fmt.Sprint(i))
		}
		if f.ledger.wants != 200 {
			t.Errorf("%d names wanted, want 100 and their metas", f.ledger.wants)
		}
	})
}

// A fetch that is cancelled ends with its cause, and no other does; what it had of the
// window is free.
func TestSessionCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		f := newFarm(t, slow(), Path{CC: congestion.Fixed, Window: 20}, 9000, 3000, 9000)
		gone, other, same := f.fetch(ctx, 0, Options{}), f.fetch(t.Context(), 1, Options{}), f.fetch(t.Context(), 0, Options{First: 8000})
		time.AfterFunc(500*ms, func() { cancel(cause) })
		time.Sleep(600 * ms)
		if n := other.Counters.InFlight.Load() + same.Counters.InFlight.Load(); n != 20 {
			t.Errorf("the others have %d in flight, want the whole window of 20", n)
		}
		f.close()
		if gone.err != cause || gone.took != 500*ms || gone.At() == 0 || gone.Counters.InFlight.Load() != 0 {
			t.Errorf("the one cancelled: %v after %v, %d bytes, %d in flight", gone.err, gone.took, gone.At(), gone.Counters.InFlight.Load())
		}
		other.wantWhole(t, "another")
		same.wantWhole(t, "another of the same name")
	})
}
