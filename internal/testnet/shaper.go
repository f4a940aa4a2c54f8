package testnet

import (
	"math/bits"
	"math/rand/v2"
	"time"
)

// Shaper decides what becomes of the packets of one direction of a link. It has no
// clock, goroutine or lock: one goroutine at a time calls it and brings the time along,
// which does not go back. It holds no packets and allocates nothing for one.
type Shaper struct {
	is     Impairment
	rng    *rand.PCG
	origin time.Time // the first packet's; the times below count from it
	line   line
	last   time.Duration // when the last packet of those in order arrives
	bad    bool          // in a burst of loss
	count  Counters
}

// Loss says why no copy of a packet arrives.
type Loss uint8

// Losses. The zero Loss is none.
const (
	LossChance   Loss = iota + 1 // Impairment.Loss
	LossOverflow                 // Impairment.Queue
	LossOutage                   // Impairment.Down
)

// Copy is one arrival of a packet: how long after it was offered, and how many of its
// bytes.
type Copy struct {
	After time.Duration
	Len   int
}

// Verdict is what becomes of one packet: Copies[:N] arrive, and Loss says why where
// none does.
type Verdict struct {
	N      int // 0 to 2
	Copies [2]Copy
	Loss   Loss
}

// NewShaper returns a Shaper whose chance comes from seed.
func NewShaper(im Impairment, seed uint64) *Shaper {
	s := &Shaper{rng: rand.NewPCG(seed, 0x7e57_0e7)}
	s.Set(im)
	return s
}

// Set changes what happens to later packets. Those already taken keep their times, and
// later ones do not overtake them, except by Reorder.
func (s *Shaper) Set(im Impairment) {
	im.check()
	s.is = im
}

// Impairment returns what Set was given last.
func (s *Shaper) Impairment() Impairment { return s.is }

// Counters returns what Take decided so far; Delivered, Socket and Failed, which happen
// later, are 0.
func (s *Shaper) Counters() Counters {
	c := s.count
	c.PeakQueue = s.line.peak
	return c
}

// Clear forgets what is in the queue and under way: the next packet waits for none.
func (s *Shaper) Clear() {
	s.line.clear()
	s.last = 0
}

// Lose counts a packet that was offered while nothing passes at all.
func (s *Shaper) Lose() Verdict {
	s.count.Offered++
	s.count.Outage++
	return Verdict{Loss: LossOutage}
}

// Take decides what becomes of a packet of size bytes that is offered now.
func (s *Shaper) Take(now time.Time, size int) Verdict {
	if s.is.Down {
		return s.Lose()
	}
	s.count.Offered++
	if s.origin.IsZero() {
		s.origin = now
	}
	at := now.Sub(s.origin)
	sent, ok := s.line.take(at, size, s.is.Rate, s.is.Queue)
	if !ok {
		s.count.Overflow++
		return Verdict{Loss: LossOverflow}
	}
	if s.lost() {
		s.count.Lost++
		return Verdict{Loss: LossChance}
	}
	v := Verdict{N: 1}
	v.Copies[0] = s.copy(at, sent, size)
	if s.chance(s.is.Duplicate) {
		if sent, ok := s.line.take(at, size, s.is.Rate, s.is.Queue); ok {
			s.count.Duplicated++
			v.N, v.Copies[1] = 2, s.copy(at, sent, size)
		}
	}
	return v
}

// copy is the arrival of a packet that was offered at at and sent at sent.
func (s *Shaper) copy(at, sent time.Duration, size int) Copy {
	c := Copy{Len: size}
	if size > 1 && s.chance(s.is.Truncate) {
		s.count.Truncated++
		c.Len = 1 + int(s.below(uint64(size-1)))
	}
	arrives := sent + s.is.Delay + time.Duration(s.below(uint64(s.is.Jitter)))
	if s.chance(s.is.Reorder) {
		s.count.Reordered++
		arrives = max(arrives, s.last) + s.is.ReorderBy
	} else {
		arrives = max(arrives, s.last)
		s.last = arrives
	}
	c.After = arrives - at
	return c
}

// lost decides on the loss of one packet.
func (s *Shaper) lost() bool {
	p, burst := s.is.Loss, s.is.LossBurst
	if p <= 0 || p >= 1 || burst*(1-p) <= 1 {
		s.bad = false
		return s.chance(p)
	}
	// The chances to leave and to enter bad times; bad times are p of all.
	leave := 1 / burst
	if s.bad {
		s.bad = !s.chance(leave)
	} else {
		s.bad = s.chance(leave * p / (1 - p))
	}
	return s.bad
}

// chance is true with probability p.
func (s *Shaper) chance(p float64) bool {
	return p > 0 && float64(s.rng.Uint64()>>11)*0x1p-53 < p
}

// below is a random number from 0 to n-1, and 0 for n = 0.
func (s *Shaper) below(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	hi, _ := bits.Mul64(s.rng.Uint64(), n)
	return hi
}
