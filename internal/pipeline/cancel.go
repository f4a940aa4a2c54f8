package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Data does not end an Interest with LONGLIFE: cefnetd keeps it pending, and its cache
// shut to others who ask for that chunk, for its lifetime and up to 2 s more (sheet g).
// So it is cancelled once its chunk is here or the fetch over, which leaves the 2 s.
//
// For an Interest that no longer pends cefnetd makes an entry, which answers the cancel
// from its cache or lingers for those 2 s. So nothing else is cancelled; but where one
// without the flag was pending when that with it was sent, the Data has ended both, and
// nothing tells.

// cancel queues the cancelling of chunk k's Interest, if there is one that pends still.
func (s *state) cancel(k uint64, now time.Time) {
	c := s.slot(k)
	if c.longLife && now.Sub(c.sent) < s.o.Lifetime {
		s.cancels = append(s.cancels, k)
	}
	c.longLife = false
}

// cancelRest does so for all chunks that have not come.
func (s *state) cancelRest(now time.Time) {
	for k := s.base; k < s.next; k++ {
		s.cancel(k, now)
	}
}

// cancelAll ends what a fetch that is about to end has left pending. Another fetch of its
// name may wait for the same chunks.
func (s *Session) cancelAll(f *fetch) {
	if s.failed != nil {
		return
	}
	if len(s.owners[string(f.name.Bytes())]) == 1 {
		f.cancelRest(time.Now())
	}
	s.out.Reset(1 << 20)
	s.encodeCancels(f)
	s.flush()
}

// encodeCancels encodes what the fetch has queued to be cancelled.
func (s *Session) encodeCancels(f *fetch) {
	for _, k := range f.cancels {
		s.interest = tlv.Interest{HopLimit: f.o.HopLimit, Name: f.name.WithChunk(k)}
		s.interest.Lifetime = tlv.CancelLifetime
		s.encode()
	}
	f.cancels = f.cancels[:0]
}
