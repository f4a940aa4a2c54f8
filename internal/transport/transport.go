// Package transport carries whole CCNx packets over unix, TCP, UDP and in-memory
// connections behind one interface: it owns sockets, packet boundaries and the
// bounded queues between the goroutines that use them. It imports tlv and the
// operating system, knows no names and keeps no state about what it carries.
package transport

import (
	"errors"
	"fmt"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Conn carries packets both ways. Read and Write may run at the same time, each
// in one goroutine; Close may run at any time.
type Conn interface {
	// Read waits for at least one packet and exchanges what b holds for all whole
	// packets that have arrived. Packets have sound boundaries; whether they decode
	// is the caller's question. Where a socket's stream waits, b has no memory: so
	// many may wait. [Release] gives it back where b is not to be read into again.
	//
	// A *[TextError] leaves the Conn usable. Any other error ends it:
	// io.EOF after a clean end of the peer, io.ErrUnexpectedEOF inside a
	// packet, *[FramingError], [net.ErrClosed] after Close, or the socket's own.
	// With an error, b is empty.
	Read(b *tlv.Batch) error
	// Write sends all packets of b in order and waits until the socket has
	// taken them. A packet over MaxPacket fails with [ErrPacketTooLarge] before
	// anything is sent. Else what b holds afterwards is not to be used: its memory
	// may have been exchanged.
	Write(b *tlv.Batch) error
	// MaxPacket is the largest packet that fits, in bytes.
	MaxPacket() int
	// Close unblocks Read and Write and may be called more than once.
	Close() error
}

// ErrPacketTooLarge: the packet does not fit the transport.
var ErrPacketTooLarge = errors.New("packet too large for the transport")

// FramingError says that a stream has lost its packet boundaries: what follows
// cannot be told apart, so the connection is of no further use. cefnetd can cut
// a large packet for a slow reader (protocol sheet l).
type FramingError struct{ Reason string }

func (e *FramingError) Error() string { return "packet boundaries lost: " + e.Reason }

// TextError is text between packets: a control message of Cefore's tools, or
// cefnetd's word that it is busy (sheet b, j).
type TextError struct{ Text []byte }

func (e *TextError) Error() string { return fmt.Sprintf("text instead of a packet: %q", e.Text) }

// checkSizes refuses a batch with a packet over limit.
func checkSizes(b *tlv.Batch, limit int) error {
	for i := range b.Len() {
		if n := len(b.Packet(i)); n > limit {
			return fmt.Errorf("%w: %d bytes, at most %d", ErrPacketTooLarge, n, limit)
		}
	}
	return nil
}
