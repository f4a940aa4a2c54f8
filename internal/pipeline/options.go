package pipeline

import (
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// Path says how many Interests a session may have in flight. The zero value works.
type Path struct {
	// CC is how the window is found. Default is delay.
	CC congestion.Kind
	// Window is the window of [congestion.Fixed], where its default is 64; other
	// controls begin with it, where their default is 10.
	Window int
	// Max bounds the window whatever the control says. Default is no bound.
	Max int
	// Room tells how many Interests may be in flight besides: what the forwarder's
	// PIT has room for. nil: no bound.
	Room func() int
	// Expect tells how many packets of that size, in bytes, the forwarder is sure to
	// hold for this process unread: over a short path the window grows fast up to
	// there, and no further. nil: it is not known.
	Expect func(packetSize int) int
	// Trace, where set, is told of each event, from the session's goroutine.
	Trace func(trace.Event)
}

// Options of a fetch. The zero value of each field works.
type Options struct {
	// Lifetime of the Interests. Default is 2 s, which is also what cefnetd
	// cuts it to (sheet f).
	Lifetime time.Duration
	// HopLimit of the Interests. Default is 32.
	HopLimit uint8
	// First and Last bound the chunks asked for, inclusively. Default is all.
	First uint64
	Last  tlv.Opt[uint64]
	// Timeout bounds the wait for the first Data, Stall the silence after it.
	// Defaults are 10 s and 30 s. Deadline bounds the whole; zero is none.
	Timeout, Stall, Deadline time.Duration
	// UntilSilence takes a silence of Stall for the end of a content that does
	// not tell its end.
	UntilSilence bool
	// LongLife sets the LONGLIFE flag on every re-send, not only on late ones:
	// for content that is on its way into cefnetd's cache (sheet g).
	LongLife bool
	// Begin, where set, is called once, before the first payload is written; its
	// error ends the fetch.
	Begin func(Beginning) error
	// Counters, where set, are kept up to date for others to read.
	Counters *Counters
}

const (
	fixedWindow   = 64
	initialWindow = 10 // RFC 6928
	// startWindow is the window of a fetch until its first Data tells the packets'
	// size and, most often, the content's end.
	startWindow = 10
	// reorderBytes bounds the payloads that wait for one before them, and what may
	// be in flight.
	reorderBytes = 16 << 20
	// reorderChunks bounds the chunks between the one that is written next and the
	// highest asked for.
	reorderChunks = 1 << 15

	defaultTimeout = 10 * time.Second
	defaultStall   = 30 * time.Second
	// noRouteLasts is how long Interest Returns "no route" have to go on before
	// they end a fetch that has no Data yet; see sheet m 9.
	noRouteLasts = time.Second
	// noRouteAgain is when to ask again after one.
	noRouteAgain = 100 * time.Millisecond
	// corruptLimit is how many bad answers for one chunk end the fetch.
	corruptLimit = 4
	// metaTries bounds the Interests for cefapp's NAME/meta.
	metaTries = 6
)

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&o.Timeout, defaultTimeout)
	set(&o.Stall, defaultStall)
	set(&o.Lifetime, tlv.DefaultLifetime)
	if o.Last.OK {
		o.Last.V = min(o.Last.V, maxChunk)
	}
	if o.HopLimit == 0 {
		o.HopLimit = tlv.DefaultHopLimit
	}
	if o.Counters == nil {
		o.Counters = new(Counters)
	}
	return o
}

// checkRange refuses a range of no chunks.
func (o *Options) checkRange() error {
	last := uint64(maxChunk)
	if o.Last.OK {
		last = o.Last.V
	}
	if o.First > last {
		return fmt.Errorf("there are no chunks from %d to %d", o.First, last)
	}
	return nil
}
