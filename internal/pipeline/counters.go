package pipeline

import "sync/atomic"

// Counters show a running fetch to other goroutines.
type Counters struct {
	Bytes, Chunks  atomic.Uint64 // written in order
	Total          atomic.Uint64 // chunks of the fetch; 0: not known yet
	Retransmits    atomic.Uint64
	InFlight       atomic.Int64
	Window         atomic.Int64 // of the session
	SmoothedRTT    atomic.Int64 // nanoseconds
	LargestPayload atomic.Uint64
}

// Stats describe a fetch, complete or not.
type Stats struct {
	Interests   uint64 // sent, re-sends included, and no cancels
	Retransmits uint64 // of chunks
	Lost        uint64 // taken for lost as later ones were answered
	Timeouts    uint64 // taken for lost by their timer
	Spurious    uint64 // taken for lost and answered all the same
	Silences    uint64 // times that nothing came any more
	Duplicates  uint64 // Data received again
	Unasked     uint64 // packets for chunks or names that were not asked for
	Corrupt     uint64 // packets that failed their checksum or did not decode
	Returns     map[uint8]uint64
	RTT         Latencies
	Relinks     uint64 // times the connection was made anew
	// WindowMax and WindowMean are those of the session's window, the mean over
	// the Data received; Decreases counts how often it was made smaller.
	WindowMax, WindowMean float64
	Decreases             uint64
}
