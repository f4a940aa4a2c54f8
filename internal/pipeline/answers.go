package pipeline

import (
	"bytes"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
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
	s.learnEnd(k, o.EndChunk)
	if s.err != nil || k >= s.next {
		return
	}
	c := s.slot(k)
	if c.timed {
		s.rtt.sample(now.Sub(c.sent))
	}
	if c.phase == flying {
		s.flying--
	}
	c.phase, c.payload = had, s.keep(o.Payload)
	s.packet = max(s.packet, size)
	s.largest = max(s.largest, len(o.Payload))
	s.summed = s.summed && proven(&o.Validation)
	s.have++
	s.progress, s.returned, s.broken = now, 0, false
}

// proven reports whether v, which passed its check, had anything to check: others
// are carried only, see [tlv.Validation.Check].
func proven(v *tlv.Validation) bool {
	return v.Alg == tlv.AlgCRC32C || v.Alg == tlv.AlgRSASHA256 && v.PublicKeyDER() != nil
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
	if k < s.base || k >= s.next || s.slot(k).phase != flying {
		return
	}
	c := s.slot(k)
	s.returned, c.timed = code, false
	switch code {
	case tlv.ReturnNoRoute:
		// A hint at first: cefnetd says it of aggregated Interests too.
		if s.first && s.noRouteSince.IsZero() {
			s.noRouteSince = now
		}
		if s.first && now.Sub(s.noRouteSince) >= noRouteLasts {
			s.fail(s.refused(code))
			return
		}
		s.arm(k, now.Add(minRTO))
	case tlv.ReturnCongestion, tlv.ReturnNoResources:
		s.arm(k, now.Add(s.rtt.rto(c.tries)))
	default:
		s.fail(s.refused(code))
	}
}

// onRelink takes everything in flight for lost: the connection was made anew.
func (s *state) onRelink(now time.Time) {
	s.stats.Relinks++
	s.lastRx, s.broken = now, true
	for k := s.base; k < s.next; k++ {
		if c := s.slot(k); c.phase == flying {
			c.tries = max(c.tries-1, 1) // not its fault
			s.lose(k)
		}
	}
}
