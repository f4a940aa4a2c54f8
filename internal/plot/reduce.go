package plot

import (
	"iter"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

const (
	// maxBins is how many pieces the time of a run is cut into at most; two or
	// three fall on a pixel.
	maxBins = 2048
	// firstWidth is the bins' width until a run proves too long for it.
	firstWidth = time.Microsecond
	// maxTold is how many names, and how many kinds of congestion control, are kept.
	maxTold = 3
	// knownCodes is how many codes of Interest Returns are told apart (RFC 8609 has
	// 1 to 9); the others are counted together.
	knownCodes = 10
)

// reduction is what is kept of a trace.
type reduction struct {
	bins
	total   bin // of the whole
	events  uint64
	end     time.Duration // the latest event
	names   []string      // the first maxTold
	ccs     []string
	fetches int // started
	failed  int // ended with an error
	err     string
}

// reduce reads events to their end.
func reduce(events iter.Seq2[trace.Event, error]) (*reduction, error) {
	r := &reduction{bins: bins{width: firstWidth}}
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		r.add(&e)
	}
	if r.events == 0 {
		return nil, ErrEmpty
	}
	return r, nil
}

func (r *reduction) add(e *trace.Event) {
	r.events++
	r.end = max(r.end, e.At)
	r.at(e.At).add(e)
	r.total.add(e)
	switch e.Type {
	case trace.Start:
		r.fetches++
		r.names = tell(r.names, e.Name)
		r.ccs = tell(r.ccs, e.CC)
	case trace.End:
		if e.Error != "" {
			r.failed++
			r.err = e.Error
		}
	}
}

// tell adds s to the few strings that are kept, each once.
func tell(kept []string, s string) []string {
	if s == "" || len(kept) == maxTold || slices.Contains(kept, s) {
		return kept
	}
	return append(kept, s)
}

// bins are a run's time in equal pieces, as many as are needed.
type bins struct {
	width time.Duration
	bin   []bin
}

// at returns the bin of time t. Where maxBins do not reach that far each takes in
// its neighbour until they do.
func (b *bins) at(t time.Duration) *bin {
	t = max(t, 0)
	for t/b.width >= maxBins {
		b.halve()
	}
	i := int(t / b.width)
	if i >= len(b.bin) {
		b.bin = append(b.bin, make([]bin, i+1-len(b.bin))...)
	}
	return &b.bin[i]
}

// halve makes of each two bins one of twice the width.
func (b *bins) halve() {
	b.width *= 2
	n := 0
	for i := 0; i < len(b.bin); i += 2 {
		one := b.bin[i]
		if i+1 < len(b.bin) {
			one.merge(&b.bin[i+1])
		}
		b.bin[n] = one
		n++
	}
	b.bin = b.bin[:n]
}

// middle is the time that bin i stands for.
func (b *bins) middle(i int) time.Duration { return time.Duration(i)*b.width + b.width/2 }

// bin is what happened in a piece of time.
type bin struct {
	window spread // Interests
	flight spread // Interests
	rtt    spread // seconds
	srtt   spread // seconds

	bytes, data, lost, timeout, spurious uint64
	silence, relink                      uint64
	returns                              [knownCodes + 1]uint64 // the last: all other codes
}

func (b *bin) add(e *trace.Event) {
	if e.Window > 0 {
		b.window.add(e.Window)
	}
	if e.SRTT > 0 {
		b.srtt.add(e.SRTT.Seconds())
	}
	if e.Type != trace.Start && e.Type != trace.End {
		b.flight.add(float64(e.InFlight))
	}
	switch e.Type {
	case trace.Data:
		b.data++
		b.bytes += uint64(e.Size)
		if e.RTT > 0 {
			b.rtt.add(e.RTT.Seconds())
		}
	case trace.Lost:
		b.lost++
	case trace.Timeout:
		b.timeout++
	case trace.Spurious:
		b.spurious++
	case trace.Return:
		b.returns[min(e.Code, knownCodes)]++
	case trace.Silence:
		b.silence++
	case trace.Relink:
		b.relink++
	}
}

// merge adds what happened in the next piece of time.
func (b *bin) merge(next *bin) {
	b.window.merge(&next.window)
	b.flight.merge(&next.flight)
	b.rtt.merge(&next.rtt)
	b.srtt.merge(&next.srtt)
	b.bytes += next.bytes
	b.data += next.data
	b.lost += next.lost
	b.timeout += next.timeout
	b.spurious += next.spurious
	b.silence += next.silence
	b.relink += next.relink
	for i, n := range next.returns {
		b.returns[i] += n
	}
}

// spread is how a value varied.
type spread struct {
	n                   uint64
	min, max, sum, last float64
}

func (s *spread) add(v float64) { s.merge(&spread{1, v, v, v, v}) }

func (s *spread) merge(next *spread) {
	switch {
	case next.n == 0:
	case s.n == 0:
		*s = *next
	default:
		*s = spread{s.n + next.n, min(s.min, next.min), max(s.max, next.max), s.sum + next.sum, next.last}
	}
}

func (s *spread) mean() float64 { return s.sum / float64(max(s.n, 1)) }
