package cs

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Summary is what a store has of a name.
type Summary struct {
	Objects, Bytes int
	Hits           uint64    // Lookups that found one of them
	First, Last    uint64    // chunk numbers; 0 where none has one
	Oldest         time.Time // when the first of them came
	Until          time.Time // when the first of them lapses; zero: none does
}

// maxSummary is how many entries Summarize looks at.
const maxSummary = 4096

// Summarize tells what the store has of a name: of its chunk, where it names one, else
// of all chunks and of what has none. Of a name with more than a few thousand it looks
// at some only. It leaves no trace. ok is false where there is nothing.
func (s *Store) Summarize(name tlv.Name, now time.Time) (sum Summary, ok bool) {
	segs := string(name.Bytes())
	first := s.names[segs]
	chunk, hasChunk := name.Chunk()
	if hasChunk {
		first = s.entries[key{segs, chunk, true}]
	}
	chunks := 0
	for e, n := first, 0; e != nil && n < maxSummary; n++ {
		if !e.expired(now) {
			sum.add(e, &chunks)
		}
		if e = e.right; hasChunk || e == first {
			break
		}
	}
	return sum, sum.Objects > 0
}

// add adds e, of whose name that many chunks are in sum.
func (sum *Summary) add(e *entry, chunks *int) {
	if sum.Objects == 0 || e.since.Before(sum.Oldest) {
		sum.Oldest = e.since
	}
	if sum.Until.IsZero() || !e.until.IsZero() && e.until.Before(sum.Until) {
		sum.Until = e.until
	}
	if e.key.hasChunk {
		if *chunks == 0 {
			sum.First = e.key.chunk
		}
		sum.First, sum.Last = min(sum.First, e.key.chunk), max(sum.Last, e.key.chunk)
		*chunks++
	}
	sum.Objects++
	sum.Bytes += len(e.pkt)
	sum.Hits += e.hits
}
