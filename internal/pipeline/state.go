package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// phase is where a chunk stands:
//
//	idle → flying ⇄ lost → had
//	        │  ⇅      └───→ had
//	        │ doubted ────→ had
//	        └─────────────→ had
type phase uint8

const (
	idle    phase = iota
	flying        // an Interest is out
	doubted       // an Interest is out, in a silence; see silence.go
	lost          // it is taken for lost and queued to be sent again
	had           // received; waits to be written
)

// slot is one chunk of the ring.
type slot struct {
	phase    phase
	timed    bool   // its answer tells the round trip
	held     bool   // it came back, and waits for its timer to be sent again
	probed   bool   // it was sent again as a probe, and not for it was lost
	longLife bool   // an Interest with LONGLIFE is out; see cancel.go
	tries    int    // Interests sent
	corrupt  int    // bad answers
	gen      uint32 // of the timer that counts
	nth      uint64 // the latest sending, counted over the fetch
	sent     time.Time
	payload  []byte // of a chunk that is had; owned, or:
	lent     bool   // it is the packet's, and written before that is gone
}

// state is a fetch without its connection: it says which Interest to send next,
// takes what arrives, and knows when to wake up. Every call brings its time along.
type state struct {
	o       Options
	path    *path
	emit    func(trace.Event, time.Time) // nil: nobody wants to know
	ring    []slot                       // chunk k stands at k % len, a power of two
	free    [][]byte                     // payloads that have been written: memory for the next
	base    uint64                       // the next chunk to be written
	next    uint64                       // the next chunk to be asked for the first time
	asked   uint64                       // one above the highest chunk ever asked for
	high    uint64                       // one above the highest chunk received
	again   fifo[uint64]
	cancels []uint64 // chunks whose Interests are to be cancelled
	timer   timers
	gen     uint32
	rtt     rtt
	order   order
	mute    mute

	flying  int             // of path.flying
	largest int             // the largest payload, in bytes
	end     tlv.Opt[uint64] // EndChunkNumber
	meta    metaState
	broken  bool // the connection was made anew since the latest chunk
	silent  bool // the end was taken from silence, see Options.UntilSilence
	version []byte
	first   bool // no Data yet: nothing above is known but the meta
	summed  bool // every chunk so far had a checksum that held

	start, progress, lastRx time.Time
	flightSince             time.Time // when flying became more than 0
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

// firstRing is the ring's length at first; it grows as needed.
const firstRing = 64

func newState(o Options, p *path, now time.Time) *state {
	s := &state{
		o: o, path: p, ring: make([]slot, firstRing), base: o.First, next: o.First, asked: o.First, high: o.First,
		first: true, summed: true, start: now, progress: now, lastRx: now,
		stats: Stats{Returns: make(map[uint8]uint64)},
	}
	if o.Deadline > 0 {
		s.deadline = now.Add(o.Deadline)
	}
	return s
}

func (s *state) slot(k uint64) *slot { return &s.ring[k&uint64(len(s.ring)-1)] }

// grow makes room for chunk s.next.
func (s *state) grow() {
	old := s.ring
	s.ring = make([]slot, 2*len(old))
	for k := s.base; k < s.next; k++ {
		*s.slot(k) = old[k&uint64(len(old)-1)]
	}
}

// event tells the trace, if there is one.
func (s *state) event(t trace.Type, chunk uint64, now time.Time) {
	if s.emit != nil {
		s.emit(trace.Event{Type: t, Chunk: chunk}, now)
	}
}

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

// bound is one above the highest chunk that may be asked for now: the end, as far
// as it is known, and no more than may wait for the chunk at base. The window
// alone keeps it to one window past the highest chunk received: all between are
// in flight, since what is lost is asked again first.
func (s *state) bound() uint64 {
	waiting := min(reorderChunks, max(reorderBytes/max(s.largest, 1), 1))
	end := uint64(maxChunk)
	if k, ok := s.last(); ok {
		end = k
	}
	return min(s.base+uint64(waiting), end+1)
}

// nextRequest returns the next Interest to send, and counts it as sent at now.
func (s *state) nextRequest(now time.Time) (request, bool) {
	switch {
	case s.done():
		return request{}, false
	case s.mute.on:
		return s.probe(now)
	case s.path.full(), !s.path.pace.ready(now), s.first && s.flying >= startWindow:
		return request{}, false
	}
	for s.again.len() > 0 {
		k := s.again.front()
		s.again.pop()
		if k >= s.base && k < s.next && s.slot(k).phase == lost {
			return s.fly(k, now), true
		}
	}
	if s.next >= s.bound() {
		return request{}, false
	}
	k := s.next
	if k-s.base >= uint64(len(s.ring)) {
		s.grow()
	}
	s.next++
	*s.slot(k) = slot{}
	if k < s.asked {
		s.slot(k).tries = 1 // before an end that proved false
	}
	s.asked = max(s.asked, s.next)
	return s.fly(k, now), true
}

// lateTry is the sending from which a re-send carries LONGLIFE: a chunk that
// reached a cache of cefnetd only after it was first asked for is not found there
// otherwise (sheet g); what the flag leaves pending is cancelled.
const lateTry = 4

// fly sends chunk k's Interest, which is in flight from now on.
func (s *state) fly(k uint64, now time.Time) request {
	s.slot(k).phase, s.slot(k).probed = flying, false
	s.takeOff(now)
	r := s.send(k, now)
	s.path.sent(now)
	s.order.sent(k, s.slot(k).nth)
	return r
}

func (s *state) send(k uint64, now time.Time) request {
	c := s.slot(k)
	c.sent, c.held = now, false
	c.tries++
	c.timed = c.tries == 1
	s.stats.Interests++
	c.nth = s.stats.Interests
	if c.tries > 1 {
		s.stats.Retransmits++
	}
	long := c.tries > 1 && (s.o.LongLife || c.tries >= lateTry)
	c.longLife = c.longLife || long
	return request{k, long}
}

// takeOff counts one more Interest in flight.
func (s *state) takeOff(now time.Time) {
	if s.flying == 0 {
		s.flightSince = now
	}
	s.flying++
	s.path.flying++
}

// land takes chunk k out of flight, to be what p says.
func (s *state) land(k uint64, p phase) {
	c := s.slot(k)
	if c.phase == flying {
		s.flying--
		s.path.flying--
	}
	c.phase = p
}

// hold makes at the time to send chunk k's Interest, which came back, again.
func (s *state) hold(k uint64, at time.Time) {
	s.gen++
	s.slot(k).gen, s.slot(k).held = s.gen, true
	s.timer.push(timer{at, k, s.gen})
}

// lose queues chunk k to be asked for again.
func (s *state) lose(k uint64) {
	s.land(k, lost)
	s.again.push(k)
}

// lapsed reports whether t no longer counts.
func (s *state) lapsed(t timer) bool {
	c := s.slot(t.chunk)
	return c.gen != t.gen || !c.held || c.phase != flying
}

// onTime does what is due at now.
func (s *state) onTime(now time.Time) {
	s.loseOverdue(now)
	if at := s.quietAt(); !at.IsZero() && !now.Before(at) {
		s.fallSilent(now)
	}
	for !s.mute.on && len(s.timer) > 0 && !s.timer[0].at.After(now) {
		if t := s.timer.pop(); !s.lapsed(t) {
			s.lose(t.chunk)
		}
	}
	if !s.done() && !now.Before(s.patience()) {
		s.giveUp()
	}
}

// wake is the next time at which onTime, or nextRequest, has something to do.
func (s *state) wake() time.Time {
	for len(s.timer) > 0 && s.lapsed(s.timer[0]) {
		s.timer.pop()
	}
	at := s.patience()
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if len(s.timer) > 0 {
		sooner(s.timer[0].at)
	}
	sooner(s.order.due)
	sooner(s.quietAt())
	sooner(s.meta.due)
	if s.mute.on {
		sooner(s.mute.due)
	}
	return at
}

// onBlocked takes note that the fetch itself was held up for d, by its writer: no
// silence of the network, and what arrived in the meantime does not tell its round
// trip.
func (s *state) onBlocked(d time.Duration) {
	for _, t := range []*time.Time{&s.progress, &s.lastRx, &s.flightSince, &s.mute.since} {
		*t = t.Add(d)
	}
	for k := s.base; k < s.next; k++ {
		s.slot(k).timed = false
	}
}

// ready returns the payload of the next chunk to be written, if it is there. It is
// valid until written is called, and no longer than the packet that brought it.
func (s *state) ready() ([]byte, bool) {
	if s.base >= s.next || s.slot(s.base).phase != had {
		return nil, false
	}
	return s.slot(s.base).payload, true
}

// written moves on to the next chunk.
func (s *state) written() {
	c := s.slot(s.base)
	if !c.lent {
		s.free = append(s.free, c.payload)
	}
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

// leave gives back what the fetch holds of the shared window.
func (s *state) leave() {
	s.path.flying -= s.flying
	s.flying = 0
}
