package pipeline

import (
	"sync/atomic"
	"time"
)

// Counters show a running fetch to other goroutines.
type Counters struct {
	Bytes, Chunks  atomic.Uint64 // written in order
	Total          atomic.Uint64 // chunks of the fetch; 0: not known yet
	Retransmits    atomic.Uint64
	InFlight       atomic.Int64
	SmoothedRTT    atomic.Int64 // nanoseconds
	LargestPayload atomic.Uint64
}

// Stats describe a fetch, complete or not.
type Stats struct {
	Interests   uint64 // sent, re-sends included
	Retransmits uint64 // of chunks
	Duplicates  uint64 // Data received again
	Unasked     uint64 // packets for chunks or names that were not asked for
	Corrupt     uint64 // packets that failed their checksum or did not decode
	Returns     map[uint8]uint64
	RTTMin      time.Duration
	RTTMean     time.Duration
	RTTMax      time.Duration
	Relinks     uint64 // times the connection was made anew
}
