package forward

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// inWheel counts the entries that the wheel will bring.
func inWheel(p *pit) (n int) {
	for _, slot := range p.wheel.slots {
		for ; slot != nil; slot = slot.next {
			for _, a := range slot.list[:slot.n] {
				if p.wheel.turns[a.number] == a.turn {
					n++
				}
			}
		}
	}
	return n
}

// sound checks that the PIT's tables agree with each other.
func (p *pit) sound(t testing.TB) {
	t.Helper()
	n, symbolic, network := 0, 0, 0
	waiting := make(map[*face]int)
	p.all(func(e *entry) bool {
		n++
		if e.kind == kindSymbolic {
			symbolic++
		}
		if p.find(e.name(), e.kind) != e || p.entry(e.number) != e || len(e.downs) == 0 || e.due <= p.wheel.at {
			t.Errorf("entry %+v is not where it should be", e)
		}
		for _, d := range e.downs {
			waiting[d.face]++
			if !d.face.local() {
				network++
			}
		}
		return true
	})
	if n+len(p.free) != len(p.blocks)*pitBlock || n != p.index.used {
		t.Errorf("%d entries in use, %d in the index, %d not in use, %d blocks", n, p.index.used, len(p.free), len(p.blocks))
	}
	if n != p.len() || n != inWheel(p) || n > p.max || symbolic != p.symbolic {
		t.Errorf("%d entries by name, %d in the wheel, %d counted, at most %d; %d symbolic, %d counted", n, inWheel(p), p.len(), p.max, symbolic, p.symbolic)
	}
	if network != p.network {
		t.Errorf("neighbours wait %d times, %d counted", network, p.network)
	}
	for fc, n := range waiting {
		if fc.pending != n {
			t.Errorf("face %d waits in %d entries, %d counted", fc.id, n, fc.pending)
		}
	}
}

// TestLifetimes: an Interest is answered until the very end of its lifetime and not
// after it, and its entry is gone two ticks of the wheel later.
func TestLifetimes(t *testing.T) {
	const turn = wheelSlots * Tick
	none := func(*tlv.Interest) {}
	for _, c := range []struct {
		opt   func(*tlv.Interest)
		lasts time.Duration
	}{
		{none, tlv.DefaultLifetime},
		{lifetime(time.Millisecond), time.Millisecond},
		{lifetime(Tick), Tick},
		{lifetime(4 * time.Second), 4 * time.Second},
		{lifetime(turn - Tick), turn - Tick},
		{lifetime(turn), turn},
		{lifetime(turn + Tick), turn + Tick},
		{lifetime(2*turn + 7*time.Second), 2*turn + 7*time.Second},
		{lifetime(maxLifetime), maxLifetime},
		{func(i *tlv.Interest) { i.Lifetime = tlv.Some[uint64](math.MaxUint16 + 1) }, maxLifetime},
		{func(i *tlv.Interest) { i.Lifetime = tlv.Some[uint64](math.MaxUint64) }, maxLifetime},
	} {
		t.Run(c.lasts.String(), func(t *testing.T) {
			for _, when := range []time.Duration{c.lasts - 1, c.lasts} {
				w := newWorld(t, Options{})
				asks, has := w.app(), w.app()
				asks.interest("ccnx:/a/Chunk=1", c.opt)
				w.pass(when)
				if when < c.lasts {
					w.pending(1)
				}
				d := has.uncacheable("ccnx:/a/Chunk=1")
				if when < c.lasts {
					asks.gets(d)
				}
				w.quiet("at " + when.String())
				w.pass(2 * Tick)
				w.pending(0)
				w.f.pit.sound(t)
			}
		})
	}
}

// TestRenewal: to ask again prolongs the waiting; to ask again for a shorter time
// does not shorten it.
func TestRenewal(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	asks.interest("ccnx:/a", lifetime(time.Second))
	w.pass(900 * time.Millisecond)
	asks.interest("ccnx:/a", lifetime(40*time.Second)) // beyond the wheel's turn
	w.pass(39 * time.Second)
	asks.interest("ccnx:/a", lifetime(time.Millisecond))
	w.pass(time.Second - 1)
	w.pending(1)
	asks.gets(has.uncacheable("ccnx:/a"))

	asks.interest("ccnx:/a", lifetime(time.Second))
	w.pass(500 * time.Millisecond)
	asks.interest("ccnx:/a", lifetime(time.Second))
	w.pass(time.Second - 1)
	w.pending(1)
	w.pass(1 + 2*Tick)
	has.uncacheable("ccnx:/a")
	w.pending(0)
}

// TestEachFaceItsOwnEnd: of one entry, who has waited long enough gets nothing.
func TestEachFaceItsOwnEnd(t *testing.T) {
	w := newWorld(t, Options{})
	short, long, has := w.app(), w.app(), w.app()
	short.interest("ccnx:/a", lifetime(time.Second))
	long.interest("ccnx:/a", lifetime(3*time.Second))
	w.pass(time.Second)
	long.gets(has.uncacheable("ccnx:/a"))
	w.quiet("lapsed")
}

// TestEndOfTheLastToWait: when whoever would have waited longest no longer does, the
// entry ends with the others, also where their slot of the wheel has been swept.
func TestEndOfTheLastToWait(t *testing.T) {
	for _, c := range []struct{ pass, rest time.Duration }{
		{0, 2 * time.Second},
		{5 * time.Second, 0}, // the slot of the others has gone by
	} {
		w := newWorld(t, Options{})
		w.pass(Tick) // the first time all slots are swept
		short, long := w.app(), w.app()
		short.interest("ccnx:/a", lifetime(2*time.Second))
		long.interest("ccnx:/a", lifetime(60*time.Second))
		w.pass(c.pass)
		long.interest("ccnx:/a", cancel)
		w.pass(c.rest + 2*Tick)
		w.pending(0)
		w.f.pit.sound(t)
	}
	w := newWorld(t, Options{})
	w.pass(Tick)
	short, long, has := w.app(), w.app(), w.app()
	short.interest("ccnx:/a", longLife, lifetime(2*time.Second))
	long.interest("ccnx:/a", lifetime(60*time.Second))
	d := has.uncacheable("ccnx:/a") // consumes the one, not the other
	long.gets(d)
	short.gets(d)
	w.pass(2*time.Second + 2*Tick)
	w.pending(0)
}

// TestIdleGaps: nobody expires anything while nothing is pending, or while the
// process sleeps.
func TestIdleGaps(t *testing.T) {
	const turn = wheelSlots * Tick
	for _, gap := range []time.Duration{Tick, time.Second, turn - Tick, turn, turn + Tick, time.Hour} {
		t.Run(gap.String(), func(t *testing.T) {
			w := newWorld(t, Options{})
			asks, has := w.app(), w.app()
			asks.interest("ccnx:/a/Chunk=0", lifetime(100*time.Millisecond))
			w.pass(time.Second)
			w.pending(0)
			w.now = w.now.Add(gap) // the loop has no reason to look
			for k := range uint64(50) {
				asks.interest(fmt.Sprintf("ccnx:/a/Chunk=%d", k), lifetime(time.Duration(k+1)*time.Second))
			}
			w.pass(10*time.Second - 1)
			w.f.pit.sound(t)
			if n := w.f.pit.len(); n < 41 {
				t.Errorf("%d pending before the tenth second is over", n)
			}
			w.pass(1 + 2*Tick)
			w.pending(40)
			asks.gets(has.uncacheable("ccnx:/a/Chunk=49"))
			w.now = w.now.Add(50 * time.Second) // all lapse while nobody looks
			w.f.Expire(w.now)
			w.pending(0)
			w.f.pit.sound(t)
		})
	}
}

func TestPITFull(t *testing.T) {
	w := newWorld(t, Options{PITSize: 3})
	asks, has := w.app(), w.app().registers("ccnx:/a")
	for k := range 3 {
		has.gets(asks.interest(fmt.Sprintf("ccnx:/a/Chunk=%d", k)))
	}
	asks.interest("ccnx:/a/Chunk=3")
	i := asks.interest("ccnx:/a/Chunk=4", marked)
	asks.gets(returned(i, tlv.ReturnNoResources))
	asks.interest("ccnx:/a", marked, symbolic)
	w.quiet("full")
	if w.f.drops.PITFull != 3 {
		t.Errorf("%d rejected, want 3", w.f.drops.PITFull)
	}
	has.gets(asks.interest("ccnx:/a/Chunk=0")) // what is pending may be asked again
	w.pending(3)
	asks.gets(has.uncacheable("ccnx:/a/Chunk=0"))
	has.gets(asks.interest("ccnx:/a/Chunk=4"))
	w.pass(3 * time.Second)
	w.pending(0)
	w.f.pit.sound(t)
}

// TestManyEntries: 10^5 of them, some of one name and some of many, all lapse.
func TestManyEntries(t *testing.T) {
	const n = 100_000
	w := newWorld(t, Options{PITSize: n, FaceQuota: n})
	asks, has := w.app(), w.app()
	base := mustName(t, "ccnx:/many")
	i := tlv.Interest{HopLimit: 1}
	var buf []byte
	for k := range uint64(n) {
		i.Name = base.WithChunk(k)
		if k%4 == 0 {
			child, err := base.Child(fmt.Sprint(k))
			must(t, err)
			i.Name = child
		}
		i.Lifetime = tlv.Some(k%60_000 + 1)
		var err error
		buf, err = i.AppendTo(buf[:0])
		must(t, err)
		w.f.OnPacket(asks.id, buf, w.now)
	}
	w.pending(n)
	asks.gets(has.uncacheable("ccnx:/many/99996"), has.uncacheable("ccnx:/many/Chunk=99999"))
	w.pass(30 * time.Second)
	w.f.pit.sound(t)
	if got := w.f.pit.len(); got < n/4 || got > n/2 {
		t.Errorf("%d pending after half the time", got)
	}
	w.pass(31 * time.Second)
	w.pending(0)
	w.f.pit.sound(t)
	if w.f.pit.index.used != 0 {
		t.Errorf("%d names are left", w.f.pit.index.used)
	}
}
