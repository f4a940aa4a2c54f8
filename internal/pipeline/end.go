package pipeline

import (
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// maxChunk is the highest number that a chunk can have: cefnetd keeps 32 bits of
// it (sheet c).
const maxChunk = 1<<32 - 1

// last is the last chunk to fetch, as far as it is known: the smaller of the
// content's end and the caller's.
func (s *state) last() (uint64, bool) {
	k, ok := s.contentEnd()
	if s.o.Last.OK && (!ok || s.o.Last.V < k) {
		return s.o.Last.V, true
	}
	return k, ok
}

// contentEnd is the content's last chunk: what the Data say, else the meta.
func (s *state) contentEnd() (uint64, bool) {
	if s.end.OK {
		return s.end.V, true
	}
	return s.metaEnd()
}

// learnEnd takes the end of the content, where it is told, from the Data of chunk
// k. A number that no chunk can have tells nothing.
func (s *state) learnEnd(k uint64, e tlv.Opt[uint64], now time.Time) {
	told := e.OK && e.V <= maxChunk
	switch m, ok := s.metaEnd(); {
	case told && !s.end.OK:
		s.end = e
		s.foundEnd(now)
	case told && e.V != s.end.V:
		s.fail(&ChangedError{fmt.Sprintf("its end was chunk %d and is chunk %d now", s.end.V, e.V)})
	case ok && !s.end.OK && k > m:
		s.meta.disown()
	}
	if s.end.OK && s.high > s.end.V+1 {
		s.fail(&ChangedError{fmt.Sprintf("chunk %d arrived, but its end is chunk %d", s.high-1, s.end.V)})
	}
}

// foundEnd forgets the Interests beyond an end that has become known; they are
// left to lapse, but for those that need to be cancelled.
func (s *state) foundEnd(now time.Time) {
	e, _ := s.contentEnd()
	for k := max(e+1, s.base); k < s.next; k++ {
		s.land(k, idle)
		s.cancel(k, now)
	}
	s.next = min(s.next, max(e+1, s.base))
}

// endsInSilence reports whether the content may be taken to end with what has been
// received: nobody told the end, nothing is missing before it, there has been no sign
// of a chunk behind it, and the silence is not of a forwarder that went away.
func (s *state) endsInSilence() bool {
	_, told := s.contentEnd()
	if !s.o.UntilSilence || told || s.base != s.high || s.broken {
		return false
	}
	for k := s.base; k < s.next; k++ {
		if s.slot(k).corrupt > 0 {
			return false
		}
	}
	return true
}

// endSource says where the end of the fetch is known from; "" where it is not.
func (s *state) endSource() EndSource {
	e, ok := s.contentEnd()
	switch {
	case s.silent:
		return EndSilence
	case s.o.Last.OK && (!ok || s.o.Last.V < e):
		return EndRange
	case s.end.OK:
		return EndChunkNumber
	case ok:
		return EndMeta
	}
	return ""
}
