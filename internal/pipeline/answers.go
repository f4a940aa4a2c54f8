package pipeline

import (
	"bytes"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// onData takes Data for chunk k with a sound checksum. o aliases its packet, whose
// length is size.
func (s *state) onData(k uint64, o *tlv.Object, size int, now time.Time) {
	if k < s.o.First || k >= s.asked {
		s.stats.Unasked++
		return
	}
	s.lastRx, s.noRouteSince = now, time.Time{}
	switch {
	case k < s.base || k < s.next && s.slot(k).phase == had:
		s.stats.Duplicates++
		return
	case s.first:
		s.first = false
		s.version = bytes.Clone(o.Version)
		s.meta.retry(now)
	case !bytes.Equal(s.version, o.Version):
		if e, ok := s.contentEnd(); ok && k > e {
			// An old, longer content still lies in a cache beyond this one's
			// end: it was asked for before the end was known.
			s.stats.Unasked++
			return
		}
		s.fail(&ChangedError{"chunks of two versions arrived"})
		return
	}
	s.high = max(s.high, k+1)
	s.learnEnd(k, o.EndChunk, now)
	if s.err != nil || k >= s.next {
		return
	}
	s.answered(k, len(o.Payload), size, now)
	s.cancel(k, now)
	c := s.slot(k)
	s.land(k, had)
	if c.lent = k == s.base; c.lent {
		c.payload = o.Payload // it is written before the packet's memory is used again
	} else {
		c.payload = s.keep(o.Payload)
	}
	s.largest = max(s.largest, len(o.Payload))
	s.summed = s.summed && o.Proves()
	s.have++
	s.progress, s.returned, s.broken = now, 0, false
}

// answered takes what the first Data for chunk k, a packet of size bytes, tells of
// the path.
func (s *state) answered(k uint64, payload, size int, now time.Time) {
	c := s.slot(k)
	took := now.Sub(c.sent)
	wasMute := s.mute.on
	if wasMute {
		s.hear(k, now)
	}
	if c.timed {
		s.rtt.sample(took)
		s.stats.RTT.add(took)
	}
	switch {
	case wasMute: // which of several probes was answered?
	case c.phase == lost, c.tries > 1 && !c.probed && took < s.rtt.min:
		// The answer is to the Interest that was taken for lost.
		s.stats.Spurious++
		s.order.wrong()
		s.path.cc.OnSpurious()
		s.event(trace.Spurious, k, now)
	}
	if c.phase != lost && (c.tries == 1 || s.rtt.count > 0 && took >= s.rtt.min) {
		s.order.answered(c.nth, took)
	}
	s.path.onData(size, c.sent, now, c.timed)
	if s.emit != nil {
		e := trace.Event{Type: trace.Data, Chunk: k, Size: payload}
		if c.timed {
			e.RTT = took
		}
		s.emit(e, now)
	}
}

// onCorrupt takes an answer for chunk k that is no good.
func (s *state) onCorrupt(k uint64, err error) {
	s.stats.Corrupt++
	if k < s.base || k >= s.next || s.slot(k).phase == had {
		return
	}
	s.corrupt = &IntegrityError{k, err}
	c := s.slot(k)
	if c.corrupt++; c.corrupt >= corruptLimit {
		s.fail(s.corrupt)
	}
}

// onReturn takes an Interest Return for chunk k.
func (s *state) onReturn(k uint64, code tlv.ReturnCode, now time.Time) {
	s.stats.Returns[uint8(code)]++
	if s.emit != nil {
		s.emit(trace.Event{Type: trace.Return, Chunk: k, Code: uint8(code)}, now)
	}
	if k < s.base || k >= s.next || s.slot(k).phase != flying && s.slot(k).phase != doubted {
		return
	}
	c := s.slot(k)
	s.returned, c.timed = code, false
	switch code {
	case tlv.ReturnNoRoute, tlv.ReturnPathError:
		// A hint at first: cefnetd says no route of aggregated Interests too, and a
		// neighbour that is down comes back.
		if s.first && s.noRouteSince.IsZero() {
			s.noRouteSince = now
		}
		if s.first && now.Sub(s.noRouteSince) >= noRouteLasts {
			s.fail(s.refused(code))
			return
		}
		if s.first {
			s.probeAt(now.Add(noRouteAgain), now)
			return
		}
		s.hold(k, now.Add(noRouteAgain))
	case tlv.ReturnCongestion, tlv.ReturnNoResources:
		s.path.onLoss(c.sent, now)
		s.hold(k, now.Add(s.rtt.rto(c.tries)))
	default:
		s.fail(s.refused(code))
	}
}

// onRelink takes everything in flight for lost: the connection was made anew.
func (s *state) onRelink(now time.Time) {
	s.stats.Relinks++
	if s.mute.on {
		s.path.onPause(s.mute.since, now)
	}
	s.lastRx, s.broken, s.mute.on = now, true, false
	for k := s.base; k < s.next; k++ {
		c := s.slot(k)
		c.longLife = false // went with the connection
		if c.phase == flying || c.phase == doubted {
			c.tries = max(c.tries-1, 1) // not its fault
			s.lose(k)
		}
	}
	s.event(trace.Relink, s.base, now)
}
