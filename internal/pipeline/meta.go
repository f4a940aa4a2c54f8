package pipeline

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// metaState is the search for cefapp's NAME/meta, whose one chunk holds the number
// of the content's chunks in decimal (sheet h).
type metaState struct {
	wanted  bool
	tries   int
	due     time.Time // when to ask (again); zero: not to be asked
	count   uint64    // chunks; 0: not answered
	version []byte    // of the meta's Data
}

func (m *metaState) answered() bool { return m.count > 0 }

// disown forgets an answer that the chunks contradict: it tells of another content.
func (m *metaState) disown() { m.count = 0 }

// retry asks once more where there was no answer: the producer has come.
func (m *metaState) retry(now time.Time) {
	if m.wanted && !m.answered() && m.due.IsZero() {
		m.tries, m.due = 0, now
	}
}

// metaEnd is the end that the meta tells. A meta of another version than the
// chunks is of another content.
func (s *state) metaEnd() (uint64, bool) {
	if !s.meta.answered() || !s.first && !bytes.Equal(s.meta.version, s.version) {
		return 0, false
	}
	return s.meta.count - 1, true
}

// askMeta reports whether the meta's Interest is to be sent at now.
func (s *state) askMeta(now time.Time) bool {
	m := &s.meta
	if m.due.IsZero() || m.due.After(now) {
		return false
	}
	if s.end.OK || m.answered() || m.tries >= metaTries {
		m.due = time.Time{}
		return false
	}
	m.tries++
	m.due = now.Add(s.rtt.rto(m.tries))
	s.stats.Interests++
	return true
}

// onMeta takes the meta's Data. What is no number of chunks is not taken for one:
// any object may carry that name.
func (s *state) onMeta(o *tlv.Object, now time.Time) {
	m := &s.meta
	n, ok := parseMeta(o.Payload)
	if !ok || !m.wanted || m.answered() || o.EndChunk.OK && o.EndChunk.V > 0 {
		return
	}
	m.count, m.version, m.due = n, bytes.Clone(o.Version), time.Time{}
	switch e, ok := s.metaEnd(); {
	case !ok:
	case s.first && s.o.First > e:
		s.fail(&PartialError{Missing: s.o.First, Reason: fmt.Sprintf("the content ends at chunk %d", e)})
	case s.high > e+1:
		m.disown()
	default:
		s.foundEnd(now)
	}
}

// parseMeta reads a number of chunks.
func parseMeta(payload []byte) (uint64, bool) {
	if len(payload) > len("4294967296") {
		return 0, false
	}
	n, err := strconv.ParseUint(string(payload), 10, 64)
	return n, err == nil && 0 < n && n <= maxChunk+1
}
