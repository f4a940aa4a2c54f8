// Package pipeline fetches contents' chunks: it keeps a window of Interests in
// flight, asks again for what is lost, finds the content's end and writes the
// payloads in order. What decides has no socket, clock or goroutine: state is one
// fetch, path the window that the fetches of a session share. [Session] drives them
// over any [Link]. It imports object, congestion, trace and tlv.
package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Link is a connection to a forwarder as a session needs it. One goroutine uses it.
type Link interface {
	// Want says for which names (whatever the chunk) Receive is to bring what
	// arrives, Forget for which no longer.
	Want(names ...tlv.Name)
	Forget(names ...tlv.Name)
	// TrySend queues whole packets. It does not wait: what finds no room is lost,
	// and asked for again like anything else that is.
	TrySend(b *tlv.Batch)
	// Ready yields a token when there may be something to receive.
	Ready() <-chan struct{}
	// Receive empties b and moves into it the first of the Data and Interest
	// Returns that have arrived for the wanted names, undecoded, perhaps nothing;
	// where there are more, Ready has a token, and nothing that is still out is late.
	// relinked is true once when what was in flight may be lost.
	Receive(b *tlv.Batch) (relinked bool, err error)
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
