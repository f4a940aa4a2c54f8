package testnet

import (
	"fmt"
	"time"
)

// BitRate is a rate in bits per second; a packet's bits are those of its own bytes.
type BitRate int64

// Units of BitRate.
const (
	Kbit BitRate = 1000
	Mbit         = 1000 * Kbit
	Gbit         = 1000 * Mbit
)

// perByte is a byte's time on the line, in nanoseconds.
func (r BitRate) perByte() float64 { return 8e9 / float64(r) }

// Impairment is what one direction of a link does to packets. The zero value is a
// perfect link: everything arrives, at once and in order. Probabilities are from 0 to
// 1, times and sizes not negative.
//
// A packet meets them in this order: Down, Queue, Rate, Loss, Truncate, Delay, Jitter
// and Reorder, Duplicate. So what is lost by chance has taken its time on the line.
type Impairment struct {
	// Rate is how fast the line sends; 0 is without limit.
	Rate BitRate
	// Queue bounds the bytes that the line has accepted and not wholly sent; a packet
	// that would exceed it is dropped, unless the line is idle. 0 is no bound. It
	// means nothing without Rate.
	Queue int
	// Delay is how long a packet travels once it is sent.
	Delay time.Duration
	// Jitter adds from 0 to just under Jitter to each Delay, with no reordering: a
	// packet arrives no sooner than the one before it.
	Jitter time.Duration
	// Loss is the probability that a packet is lost.
	Loss float64
	// LossBurst is the mean number of packets lost in a row (Gilbert and Elliott's
	// model: good or bad, all lost in bad times); Loss stays the share of all packets
	// that is lost. Up to 1/(1-Loss), which is what chance alone gives, each packet is
	// lost independently.
	LossBurst float64
	// Duplicate is the probability that a packet arrives twice. The copy goes over
	// the line right behind it and is not made where the queue has no room.
	Duplicate float64
	// Reorder is the probability that a packet is held back by ReorderBy, so that
	// later ones overtake it.
	Reorder   float64
	ReorderBy time.Duration
	// Truncate is the probability that a packet is cut short: from one byte to all but
	// one are left.
	Truncate float64
	// Down loses everything.
	Down bool
}

// check panics on values that mean nothing: a test that has them is wrong.
func (im *Impairment) check() {
	probability := func(what string, p float64) {
		if !(p >= 0 && p <= 1) { // NaN too
			panic(fmt.Sprintf("testnet: %s of %v", what, p))
		}
	}
	probability("Loss", im.Loss)
	probability("Duplicate", im.Duplicate)
	probability("Reorder", im.Reorder)
	probability("Truncate", im.Truncate)
	switch {
	case im.Rate < 0 || im.Queue < 0 || im.Delay < 0 || im.Jitter < 0 || im.ReorderBy < 0 || !(im.LossBurst >= 0):
		panic(fmt.Sprintf("testnet: negative value in %+v", *im))
	case im.Reorder > 0 && im.ReorderBy == 0:
		panic("testnet: Reorder without ReorderBy")
	}
}
