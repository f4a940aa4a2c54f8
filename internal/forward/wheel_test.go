package forward

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// alarmsSet counts the alarms in the slots, and how many of them are good.
func (w *wheel) alarmsSet() (all, good int) {
	for _, slot := range w.slots {
		for ; slot != nil; slot = slot.next {
			all += slot.n
			for _, a := range slot.list[:slot.n] {
				if w.turns[a.number] == a.turn {
					good++
				}
			}
		}
	}
	return all, good
}

// TestWheelModel: a number comes once, at the tick that was set last and never before it,
// unless it is forgotten; time may jump.
func TestWheelModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const numbers = 600 // more than go into one piece
		w := new(wheel)
		w.room(numbers)
		due := make(map[uint32]int64)
		now := instant(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				end := now.add(time.Duration(rapid.Int64Range(-1, 60_000).Draw(t, "ms")) * time.Millisecond)
				first := rapid.Uint32Range(0, numbers-1).Draw(t, "number")
				last := min(numbers-1, first+rapid.Uint32Range(0, 300).Draw(t, "more"))
				for k := first; k <= last; k++ {
					due[k] = w.tickFor(end)
					if due[k] <= w.at || due[k] > w.at+wheelSlots {
						t.Fatalf("due at tick %d, now %d", due[k], w.at)
					}
					w.add(k, due[k])
				}
			case 1:
				k := rapid.Uint32Range(0, numbers-1).Draw(t, "number")
				w.forget(k)
				delete(due, k)
			default:
				now = now.add(time.Duration(rapid.Int64Range(0, 40_000).Draw(t, "pause")) * time.Millisecond)
				w.turn(now, func(number uint32) {
					at, ok := due[number]
					if !ok || at > tickOf(now) {
						t.Fatalf("number %d comes at tick %d, due %d, %v", number, tickOf(now), at, ok)
					}
					w.forget(number) // what use does where it ends an entry
					delete(due, number)
				})
				for k, at := range due {
					if at <= tickOf(now) {
						t.Fatalf("number %d, due at tick %d, has not come at %d", k, at, tickOf(now))
					}
				}
			}
			all, good := w.alarmsSet()
			if all != w.set || good != len(due) {
				t.Fatalf("%d alarms, %d counted; %d good, want %d", all, w.set, good, len(due))
			}
		}
	})
}

// TestWheelAgain: what comes may be set again at once, and is not brought twice.
func TestWheelAgain(t *testing.T) {
	w := new(wheel)
	w.room(1)
	w.add(0, 1)
	came := 0
	for tick := int64(1); tick <= 2*wheelSlots; tick++ {
		w.turn(instant(tick)*instant(Tick), func(uint32) {
			came++
			w.add(0, w.tickFor(instant(tick+2)*instant(Tick)))
		})
	}
	if want := 1 + (2*wheelSlots-1)/3; came != want {
		t.Errorf("came %d times, want %d", came, want)
	}
}

// TestWheelMemory: Interests that are answered at once leave no more alarms behind than
// the bound, however long they would have waited, and no memory is lost.
func TestWheelMemory(t *testing.T) {
	p := newPIT(10)
	fc := &face{}
	name := mustName(t, "ccnx:/a")
	for k := range uint64(3 * staleAlarms) {
		e, _ := p.obtain(name.WithChunk(k), kindChunk, 0)
		p.wait(e, downstream{face: fc, until: instant(time.Duration(1+k%20) * time.Second)})
		p.retain(e, func(*downstream) bool { return false })
	}
	pieces := 0
	count := func(of *alarms) {
		for ; of != nil; of = of.next {
			pieces++
		}
	}
	for _, slot := range p.wheel.slots {
		count(slot)
	}
	count(p.wheel.free)
	if most := staleAlarms/alarmsEach + wheelSlots; p.wheel.set > staleAlarms+2 || pieces > most {
		t.Errorf("%d alarms in %d pieces, at most %d in %d", p.wheel.set, pieces, staleAlarms+2, most)
	}
	if len(p.blocks) != 1 || p.len() != 0 {
		t.Errorf("%d blocks, %d entries", len(p.blocks), p.len())
	}
	// What has been made once is used again.
	now, k := instant(time.Hour), uint64(0)
	if n := testing.AllocsPerRun(20, func() {
		for range 2 * alarmsEach {
			k++
			e, _ := p.obtain(name.WithChunk(k), kindChunk, now)
			p.wait(e, downstream{face: fc, until: now.add(time.Second)})
			p.retain(e, func(*downstream) bool { return false })
		}
		now = now.add(wheelSlots * Tick)
		p.expire(now)
	}); n > 0 {
		t.Errorf("%v allocations for %d Interests", n, 2*alarmsEach)
	}
}

// TestEarlierEnd: an entry ends with the last who still waits, though one who has left
// would have waited longer.
func TestEarlierEnd(t *testing.T) {
	w := newWorld(t, Options{})
	long, short, has := w.app(), w.app(), w.app().registers("ccnx:/a")
	long.interest("ccnx:/a/x", lifetime(20*time.Second))
	short.interest("ccnx:/a/x", lifetime(time.Second))
	long.interest("ccnx:/a/x", cancel)
	w.pass(time.Second + 2*Tick)
	has.got = nil
	w.pending(0)
}
