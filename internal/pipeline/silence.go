package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// A fetch to which nothing comes any more does not know whether all that is in flight
// is lost, or late, or whether anybody is there. It stops sending but for one probe
// per round trip, and what was in flight is doubted meanwhile, and leaves the window
// to the other fetches. What comes then tells: the probe is the Interest that was sent
// last, so that an answer to another one means that the answers are late, and one to
// the probe before all others that these are lost.
type mute struct {
	on     bool
	since  time.Time
	due    time.Time // when to send the next probe
	probes int
	newest uint64 // the chunk asked for last before the silence
	// newestAt and baseAt are when probes asked first for that chunk, and for the
	// one to be written next; zero: none did.
	newestAt, baseAt time.Time
}

// probed reports whether an answer for chunk k at now is one to a probe, not to an
// Interest of before the silence, as far as one can tell: not before the first round
// trip is known.
func (m *mute) probed(k, base uint64, r *rtt, now time.Time) bool {
	long := func(at time.Time) bool { return !at.IsZero() && now.Sub(at) >= r.min }
	return r.count > 0 && (k == m.newest && long(m.newestAt) || k == base && long(m.baseAt))
}

// leastProbe is the shortest time between two probes.
const leastProbe = 50 * time.Millisecond

// quietAt is when it is a silence that nothing has come, as far as anything is in
// flight: zero where nothing is.
func (s *state) quietAt() time.Time {
	if s.flying == 0 || s.mute.on {
		return time.Time{}
	}
	since := s.lastRx
	if s.flightSince.After(since) {
		since = s.flightSince
	}
	return since.Add(s.rtt.rto(1))
}

// fallSilent begins a silence.
func (s *state) fallSilent(now time.Time) {
	s.mute = mute{on: true, since: now, due: now, newest: s.base}
	s.rtt.backOff()
	s.stats.Silences++
	latest := uint64(0)
	for k := s.base; k < s.next; k++ {
		if c := s.slot(k); c.phase == flying {
			s.land(k, doubted)
			if c.nth > latest {
				latest, s.mute.newest = c.nth, k
			}
		}
	}
	s.event(trace.Silence, s.base, now)
}

// probeAt begins a silence, where there is none, whose next probe is due at.
func (s *state) probeAt(at, now time.Time) {
	if !s.mute.on {
		s.fallSilent(now)
	}
	s.mute.due = at
}

// probe returns the probe that is due. Every other one asks for the chunk that is
// written next: the newest may be one that does not exist.
func (s *state) probe(now time.Time) (request, bool) {
	if now.Before(s.mute.due) || s.base >= s.next {
		return request{}, false
	}
	s.mute.due = now.Add(s.rtt.probeEvery())
	s.mute.probes++
	k, first := s.mute.newest, &s.mute.newestAt
	if s.mute.probes%2 == 0 || k < s.base || k >= s.next {
		k, first = s.base, &s.mute.baseAt
	}
	if first.IsZero() {
		*first = now
	}
	s.slot(k).probed = true
	return s.send(k, now), true
}

// hear ends a silence with the answer for chunk k, whose slot still is as it was.
func (s *state) hear(k uint64, now time.Time) {
	s.mute.on = false
	probed := s.mute.probed(k, s.base, &s.rtt, now)
	s.path.onPause(s.mute.since, now)
	if probed { // one loss, however many: it does not tell of how much was too much
		s.path.onLoss(s.mute.since, now)
	}
	for j := s.base; j < s.next; j++ {
		d := s.slot(j)
		switch {
		case d.phase != doubted:
		case j == k:
			d.phase = idle // about to be had
		case probed, d.held:
			s.lose(j)
		default:
			d.phase = flying
			s.takeOff(now)
			s.order.sent(j, d.nth)
		}
	}
}
