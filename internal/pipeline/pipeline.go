// Package pipeline fetches a content's chunks: it keeps a window of Interests in
// flight, asks again for what is lost, finds the content's end and writes the
// payloads in order. What decides (state, rtt, timers) has no socket, clock or
// goroutine; [Fetch] drives it over any [Link]. It imports object and tlv.
package pipeline

import (
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Link is a connection to a forwarder as a fetch needs it. One goroutine uses it.
type Link interface {
	// TrySend queues whole packets. It does not wait: what finds no room is lost,
	// and asked for again like anything else that is.
	TrySend(b *tlv.Batch)
	// Ready yields a token when there may be something to receive.
	Ready() <-chan struct{}
	// Receive empties b and moves into it the Data and Interest Returns that
	// have arrived for the fetch's names, undecoded, perhaps nothing. relinked is true once when
	// what was in flight may be lost.
	Receive(b *tlv.Batch) (relinked bool, err error)
}

// Options of a fetch. The zero value of each field works.
type Options struct {
	// Window is the most Interests in flight. Default is 64.
	Window int
	// Backlog tells how many packets of that size (bytes) the forwarder can
	// hold for this process unread; the window stays within it. nil: no bound.
	Backlog func(packetSize int) int
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
	defaultWindow = 64
	// windowCap bounds the window whatever is asked for: the ring of chunks
	// that it needs is made at the start.
	windowCap = 1 << 14
	// startWindow is the window until the first Data tells the packets' size
	// and, most often, the content's end.
	startWindow = 4
	// reorderBytes bounds the payloads that wait for one before them.
	reorderBytes = 16 << 20

	defaultTimeout = 10 * time.Second
	defaultStall   = 30 * time.Second
	// noRouteLasts is how long Interest Returns "no route" have to go on before
	// they end a fetch that has no Data yet; see sheet m 9.
	noRouteLasts = time.Second
	// corruptLimit is how many bad answers for one chunk end the fetch.
	corruptLimit = 4
	// metaTries bounds the Interests for cefapp's NAME/meta.
	metaTries = 5
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
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	o.Window = min(o.Window, windowCap)
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

// EndSource says how the end of the content was found.
type EndSource string

// Sources of the end.
const (
	EndChunkNumber EndSource = "end_chunk_number" // in the Data
	EndMeta        EndSource = "meta"             // cefapp's NAME/meta
	EndRange       EndSource = "range"            // the caller's Last
	EndSilence     EndSource = "silence"
)

// Result is what a complete fetch got.
type Result struct {
	Bytes  uint64 // written
	Chunks uint64 // written
	// End is the number of the content's last chunk, where it was told.
	End       tlv.Opt[uint64]
	EndSource EndSource // "": not known
	// Checksummed: every chunk carried a checksum or signature that held.
	Checksummed bool
	// Version is what all chunks carried as tlv.Object.Version; nil: nothing.
	Version  []byte
	Duration time.Duration
	Stats    Stats
}

// Errors that end a fetch. Each has at most the chunks before the failing one
// written.
var (
	// ErrTimeout: nothing at all arrived within Options.Timeout.
	ErrTimeout = errors.New("nothing arrived")
)

// ReturnError: nothing arrived but Interest Returns.
type ReturnError struct{ Code tlv.ReturnCode }

func (e *ReturnError) Error() string { return "Interest Return: " + e.Code.String() }

// PartialError: something arrived, but not all.
type PartialError struct {
	Have    uint64          // chunks received
	Want    tlv.Opt[uint64] // chunks of the fetch, where its end is known
	Missing uint64          // the first chunk that is missing
	Reason  string
}

func (e *PartialError) Error() string {
	if e.Want.OK {
		return fmt.Sprintf("%s: %d of %d chunks received, chunk %d is missing", e.Reason, e.Have, e.Want.V, e.Missing)
	}
	return fmt.Sprintf("%s: %d chunks received, chunk %d is missing", e.Reason, e.Have, e.Missing)
}

// ChangedError: the chunks do not belong to one version of one content.
type ChangedError struct{ What string }

func (e *ChangedError) Error() string { return "the content changed during the fetch: " + e.What }

// IntegrityError: a chunk's answers were all corrupt.
type IntegrityError struct {
	Chunk uint64
	Err   error // wraps one of tlv's errors
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("chunk %d is corrupt: %v", e.Chunk, e.Err)
}

// Unwrap returns what was wrong with the last answer.
func (e *IntegrityError) Unwrap() error { return e.Err }

// WriteError: the payloads could not be written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

// Unwrap returns the writer's error.
func (e *WriteError) Unwrap() error { return e.Err }
