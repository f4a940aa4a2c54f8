package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// phase is where a chunk stands:
//
//	idle → flying ⇄ lost → had
//	          └───────────→ had
type phase uint8

const (
	idle   phase = iota
	flying       // an Interest is out
	lost         // it is taken for lost and queued to be sent again
	had          // received; waits to be written
)

// slot is one chunk of the ring.
type slot struct {
	phase   phase
	timed   bool   // its answer tells the round trip
	tries   int    // Interests sent
	corrupt int    // bad answers
	gen     uint32 // of the timer that counts
	sent    time.Time
	payload []byte // owned; of a chunk that is had
}

// state is a fetch without its connection: it says which Interest to send next,
// takes what arrives, and knows when to wake up. Every call brings its time along.
type state struct {
	o     Options
	ring  []slot   // chunk k stands at k % len
	free  [][]byte // payloads that have been written: memory for the next
	base  uint64   // the next chunk to be written
	next  uint64   // the next chunk to be asked for the first time
	asked uint64   // one above the highest chunk ever asked for
	high  uint64   // one above the highest chunk received
	again []uint64
	timer timers
	gen   uint32
	rtt   rtt

	flying  int
	packet  int             // the largest Data packet, in bytes
	largest int             // the largest payload, in bytes
	end     tlv.Opt[uint64] // EndChunkNumber
	meta    metaState
	broken  bool // the connection was made anew since the latest chunk
	silent  bool // the end was taken from silence, see Options.UntilSilence
	version []byte
	first   bool // no Data yet: nothing above is known but the meta
	summed  bool // every chunk so far had a checksum that held

	start, progress, lastRx time.Time
	deadline                time.Time // zero: none
	noRouteSince            time.Time
	returned                tlv.ReturnCode  // the latest since the latest chunk; 0: none
	corrupt                 *IntegrityError // the latest bad answer
	have                    uint64          // chunks received
	stats                   Stats
	err                     error // what ended the fetch
}

// request is an Interest to be sent.
type request struct {
	chunk    uint64
	longLife bool
}

func newState(o Options, now time.Time) *state {
	size := 1
	for size < 2*o.Window {
		size *= 2
	}
	s := &state{
		o: o, ring: make([]slot, size), base: o.First, next: o.First, asked: o.First, high: o.First,
		first: true, summed: true, start: now, progress: now, lastRx: now,
		stats: Stats{Returns: make(map[uint8]uint64)},
	}
	if o.Deadline > 0 {
		s.deadline = now.Add(o.Deadline)
	}
	return s
}

func (s *state) slot(k uint64) *slot { return &s.ring[k%uint64(len(s.ring))] }

// fail ends the fetch; the first reason counts.
func (s *state) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// done reports whether the fetch is over, well or not.
func (s *state) done() bool {
	k, ok := s.last()
	return s.err != nil || ok && s.base > k
}

// window is how many Interests may be in flight.
func (s *state) window(now time.Time) int {
	w := s.o.Window
	if s.first {
		w = min(w, startWindow)
	} else if s.o.Backlog != nil {
		w = min(w, s.o.Backlog(s.packet))
	}
	if now.Sub(s.lastRx) > s.silenceAfter() {
		// Nothing comes: ask for one chunk at a time until something does.
		w = 1
	}
	return max(w, 1)
}

func (s *state) silenceAfter() time.Duration { return 4 * s.rtt.estimate() }

// bound is one above the highest chunk that may be asked for now: the end, as far
// as it is known, and no more than may wait for the chunk at base. The window
// alone keeps it to one window past the highest chunk received: all between are
// in flight, since what is lost is asked again first.
func (s *state) bound() uint64 {
	waiting := min(len(s.ring), max(reorderBytes/max(s.largest, 1), 1))
	end := uint64(maxChunk)
	if k, ok := s.last(); ok {
		end = k
	}
	return min(s.base+uint64(waiting), end+1)
}

// nextRequest returns the next Interest to send, and counts it as sent at now.
func (s *state) nextRequest(now time.Time) (request, bool) {
	if s.done() || s.flying >= s.window(now) {
		return request{}, false
	}
	for len(s.again) > 0 {
		k := s.again[0]
		s.again = s.again[1:]
		if s.slot(k).phase == lost {
			return s.send(k, now), true
		}
	}
	if s.next >= s.bound() {
		return request{}, false
	}
	k := s.next
	s.next++
	*s.slot(k) = slot{}
	if k < s.asked {
		s.slot(k).tries = 1 // before an end that proved false
	}
	s.asked = max(s.asked, s.next)
	return s.send(k, now), true
}

// lateTry is the sending from which a re-send carries LONGLIFE: a chunk that
// reached a cache of cefnetd only after it was first asked for is not found there
// otherwise (sheet g); the flag leaves a PIT entry that lapses with its lifetime.
const lateTry = 4

func (s *state) send(k uint64, now time.Time) request {
	c := s.slot(k)
	c.phase, c.sent = flying, now
	c.tries++
	c.timed = c.tries == 1
	s.flying++
	s.stats.Interests++
	if c.tries > 1 {
		s.stats.Retransmits++
	}
	s.arm(k, now.Add(s.rtt.rto(c.tries)))
	return request{k, c.tries > 1 && (s.o.LongLife || c.tries >= lateTry)}
}

// arm makes at the time to give up on chunk k's Interest.
func (s *state) arm(k uint64, at time.Time) {
	s.gen++
	s.slot(k).gen = s.gen
	s.timer.push(timer{at, k, s.gen})
}

// lose queues chunk k to be asked for again.
func (s *state) lose(k uint64) {
	s.slot(k).phase = lost
	s.flying--
	s.again = append(s.again, k)
}

// lapsed reports whether t no longer counts.
func (s *state) lapsed(t timer) bool {
	c := s.slot(t.chunk)
	return c.gen != t.gen || c.phase != flying
}

// onTime does what is due at now.
func (s *state) onTime(now time.Time) {
	for len(s.timer) > 0 && !s.timer[0].at.After(now) {
		t := s.timer.pop()
		if s.lapsed(t) {
			continue
		}
		if c := s.slot(t.chunk); c.timed {
			s.rtt.timeout(c.sent, now)
		}
		s.lose(t.chunk)
	}
	if !s.done() && !now.Before(s.patience()) {
		s.giveUp()
	}
}

// wake is the next time at which onTime has something to do.
func (s *state) wake() time.Time {
	for len(s.timer) > 0 && s.lapsed(s.timer[0]) {
		s.timer.pop()
	}
	at := s.patience()
	if len(s.timer) > 0 && s.timer[0].at.Before(at) {
		at = s.timer[0].at
	}
	if m := s.meta.due; !m.IsZero() && m.Before(at) {
		at = m
	}
	return at
}

// onBlocked takes note that the fetch itself was held up for d, by its writer: no
// silence of the network, and what arrived in the meantime does not tell its round
// trip.
func (s *state) onBlocked(d time.Duration) {
	s.progress, s.lastRx = s.progress.Add(d), s.lastRx.Add(d)
	for k := s.base; k < s.next; k++ {
		s.slot(k).timed = false
	}
}

// ready returns the payload of the next chunk to be written, if it is there. It is
// valid until written is called.
func (s *state) ready() ([]byte, bool) {
	if s.base >= s.next || s.slot(s.base).phase != had {
		return nil, false
	}
	return s.slot(s.base).payload, true
}

// written moves on to the next chunk.
func (s *state) written() {
	c := s.slot(s.base)
	s.free = append(s.free, c.payload)
	c.phase, c.payload = idle, nil
	s.base++
}

// keep returns a copy of payload, which goes back to free when it is written.
func (s *state) keep(payload []byte) []byte {
	var b []byte
	if n := len(s.free); n > 0 {
		b, s.free = s.free[n-1], s.free[:n-1]
	}
	return append(b[:0], payload...)
}
