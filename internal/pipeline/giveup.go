package pipeline

import (
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// patience is when the fetch gives up unless something arrives.
func (s *state) patience() time.Time {
	at := s.progress.Add(s.o.Stall)
	if s.first { // a meta alone is no Data: it may be another content's
		at = s.start.Add(s.o.Timeout)
	}
	if !s.deadline.IsZero() && s.deadline.Before(at) {
		return s.deadline
	}
	return at
}

// giveUp ends the fetch for its patience is over.
func (s *state) giveUp() {
	switch {
	case s.first:
		s.fail(s.nothing())
	case s.patience().Equal(s.deadline):
		s.fail(s.partial("the deadline has passed"))
	case s.endsInSilence():
		s.end, s.silent = tlv.Some(s.high-1), true
	case s.returned != 0:
		s.fail(s.partial(fmt.Sprintf("nothing arrived for %v but Interest Returns (%s)", s.o.Stall, s.returned)))
	default:
		s.fail(s.partial(fmt.Sprintf("nothing arrived for %v", s.o.Stall)))
	}
}

// nothing is the error of a fetch that got no Data.
func (s *state) nothing() error {
	switch {
	case s.corrupt != nil:
		return s.corrupt
	case s.meta.answered():
		return s.partial("its chunks do not arrive, though its length is known")
	case s.returned != 0:
		return &ReturnError{s.returned}
	}
	return ErrTimeout
}

// refused is the error of a fetch that an Interest Return ends.
func (s *state) refused(code tlv.ReturnCode) error {
	if s.first && !s.meta.answered() {
		return &ReturnError{code}
	}
	return s.partial("Interest Return: " + code.String())
}

func (s *state) partial(reason string) *PartialError {
	p := &PartialError{Have: s.have, Missing: s.base, Reason: reason}
	if k, ok := s.last(); ok {
		p.Want = tlv.Some(k - s.o.First + 1)
	} else {
		p.Reason += "; the content does not tell its end"
	}
	return p
}
