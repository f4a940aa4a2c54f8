package forward

import "time"

// The wheel: a number waits in the slot of the tick at which it is due.
const (
	wheelSlots = 512
	// Tick is the time between two calls of [Forwarder.Expire] while anything is
	// pending.
	Tick = 50 * time.Millisecond
)

func tickOf(t instant) int64 { return int64(t) / int64(Tick) }

// wheel brings numbers when they are due. What is due earlier than it was, or not at all
// any more, leaves its old alarm behind, which is known by its turn and goes when its slot
// comes by, or when there are too many.
type wheel struct {
	slots [wheelSlots]*alarms
	at    int64    // the tick last swept
	turns []uint32 // of each number: of its alarm, if it has one, the latest
	set   int      // alarms in all slots
	free  *alarms
}

// alarm is good as long as its turn is the number's.
type alarm struct{ number, turn uint32 }

// alarms are some of a slot's.
type alarms struct {
	next *alarms
	n    int
	list [alarmsEach]alarm
}

const (
	// alarmsEach makes alarms 2 KiB.
	alarmsEach = 254
	// staleAlarms is how many alarms there may be of numbers that have none, beside as
	// many as there are of those that have.
	staleAlarms = 1 << 16
)

// room makes room for numbers less than n.
func (w *wheel) room(n int) {
	for len(w.turns) < n {
		w.turns = append(w.turns, 0)
	}
}

// tickFor is the tick at which what ends at that time is due: the first one after it, or
// the latest that the wheel has.
func (w *wheel) tickFor(end instant) int64 {
	return min(max(tickOf(end), w.at)+1, w.at+wheelSlots)
}

// add sets the alarm of a number, in place of the one that it may have.
func (w *wheel) add(number uint32, due int64) {
	w.turns[number]++
	w.put(&w.slots[due%wheelSlots], alarm{number, w.turns[number]})
}

func (w *wheel) put(slot **alarms, a alarm) {
	if *slot == nil || (*slot).n == alarmsEach {
		more := w.free
		if more == nil {
			more = new(alarms)
		} else {
			w.free = more.next
		}
		more.next, more.n = *slot, 0
		*slot = more
	}
	(*slot).list[(*slot).n] = a
	(*slot).n++
	w.set++
}

// forget ends the alarm of a number.
func (w *wheel) forget(number uint32) { w.turns[number]++ }

// take empties a slot: it calls use with the alarms that are good.
func (w *wheel) take(slot **alarms, use func(a alarm)) {
	for from := *slot; from != nil; {
		*slot = from.next
		for _, a := range from.list[:from.n] {
			if w.turns[a.number] == a.turn {
				use(a)
			}
		}
		w.set -= from.n
		from.next, w.free = w.free, from
		from = *slot
	}
}

// tidy drops the alarms that are not good where there are too many of them, count being
// how many numbers have one.
func (w *wheel) tidy(count int) {
	if w.set <= 2*count+staleAlarms {
		return
	}
	for i := range w.slots {
		var good *alarms
		w.take(&w.slots[i], func(a alarm) { w.put(&good, a) })
		w.slots[i] = good
	}
}

// turn calls use with the numbers that are due by now and have no alarm any more. It may
// set and forget alarms.
func (w *wheel) turn(now instant, use func(number uint32)) {
	to := tickOf(now)
	w.at = max(w.at, to-wheelSlots) // after a long pause, each slot once
	for ; w.at < to; w.at++ {
		w.take(&w.slots[(w.at+1)%wheelSlots], func(a alarm) { use(a.number) })
	}
}
