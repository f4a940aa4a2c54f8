package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cefgo/cefgo/internal/tlv"
)

// framing says what to do where a stream's bytes are no packet.
type framing uint8

const (
	// strict gives up: a client must not guess what its forwarder meant.
	strict framing = iota
	// resync scans for the next plausible packet, as cefnetd does (sheet b): one
	// application's garbage must not cost it its connection.
	resync
	// deaf is resync where texts are garbage too.
	deaf
)

// Top-level TLV types that a packet may hold (RFC 8609 4.3, RFC 9344).
const (
	firstTopType = 1
	lastTopType  = 5
)

// frame looks at the packet at the start of b and returns its length, or 0 where
// more bytes are needed to tell. Where no packet starts here, ok is false. It
// checks the fixed header and that the top-level TLVs add up to the packet as far
// as they have arrived. It allocates nothing for bytes without a packet's version:
// a stream of garbage asks it at every byte.
func frame(b []byte) (n int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != tlv.Version {
		return 0, false
	}
	if len(b) < tlv.FixedHeaderLen {
		return 0, true
	}
	h, err := tlv.ParseHeader(b)
	if err != nil && !errors.Is(err, tlv.ErrType) {
		return 0, false
	}
	for at := h.HeaderLen; at < h.Length; {
		if h.Length-at < 4 {
			return 0, false
		}
		if len(b) < at+4 {
			return 0, true
		}
		typ := binary.BigEndian.Uint16(b[at:])
		at += 4 + int(binary.BigEndian.Uint16(b[at+2:]))
		if typ < firstTopType || typ > lastTopType || at > h.Length {
			return 0, false
		}
	}
	if len(b) < h.Length {
		return 0, true
	}
	return h.Length, true
}

// skip returns how far behind b[0] the next packet may start.
func skip(b []byte) int {
	if i := bytes.IndexByte(b[1:], tlv.Version); i >= 0 {
		return 1 + i
	}
	return len(b)
}

// cut reports whether pkt, a complete packet by its length, was cut by cefnetd:
// then its first MaxAtomicLen bytes are its own and the next packet's header
// follows them (sheet l). A payload that happens to hold a packet at that very
// place is taken for a cut too, which costs an error and no wrong byte. Where too
// little of the next packet is in pkt to know it by, the rest of that packet, which
// has arrived with it, is no packet's start.
func cut(pkt, rest []byte) bool {
	if len(pkt) <= tlv.MaxAtomicLen {
		return false
	}
	if _, ok := frame(rest); !ok {
		return true
	}
	tail := pkt[tlv.MaxAtomicLen:]
	h, err := tlv.ParseHeader(tail)
	if err != nil || len(tail) < h.HeaderLen+4 {
		return false
	}
	_, ok := frame(tail)
	return ok
}

// splitter finds the packets in a stream's bytes.
type splitter struct {
	mode        framing
	checkCut    bool  // the peer may be a cefnetd on a unix socket
	*readBuffer       // nil where there is nothing to hold
	r, w        int   // buf[r:w] is not yet consumed
	err         error // what ended the stream behind the packets last returned
}

// streamBuffer is what one Read can bring; at least twice the largest packet, so
// that a packet always fits behind the rest of another.
const streamBuffer = 256 << 10

// readBuffer is the memory of a stream that has something to read: with that of
// its packets, a third of a megabyte.
type readBuffer struct {
	buf  [streamBuffer]byte
	pkts [][]byte
}

// readBuffers are those that no stream needs at the moment.
var readBuffers = sync.Pool{New: func() any { return new(readBuffer) }}

// release gives the memory back unless the start of a packet is in it. Packets
// returned before are gone.
func (s *splitter) release() {
	if s.readBuffer != nil && s.r == s.w {
		readBuffers.Put(s.readBuffer)
		s.readBuffer, s.r, s.w = nil, 0, 0
	}
}

// room returns where the next bytes of the stream go: always at least
// MaxPacketLen bytes. Packets returned before are overwritten.
func (s *splitter) room() []byte {
	if s.readBuffer == nil {
		s.readBuffer = readBuffers.Get().(*readBuffer)
	}
	if s.r > 0 {
		s.w = copy(s.buf[:], s.buf[s.r:s.w])
		s.r = 0
	}
	return s.buf[s.w:]
}

// split consumes n more bytes, which one system call brought, and returns the
// packets that are whole now. An error behind them is returned by the next call.
func (s *splitter) split(n int) ([][]byte, error) {
	if s.mode != deaf && s.r == s.w && n > 0 && isText(s.buf[s.w]) {
		// A text stands alone in what its sender wrote (sheet b).
		return nil, &TextError{bytes.Clone(s.buf[s.w : s.w+n])}
	}
	s.w += n
	s.pkts = s.pkts[:0]
	for s.err == nil && s.r < s.w {
		b := s.buf[s.r:s.w]
		n, ok := frame(b)
		switch {
		case ok && n == 0:
			return s.pkts, nil
		case ok && s.checkCut && cut(b[:n], b[n:]):
			s.err = &FramingError{fmt.Sprintf("a packet of %d bytes was cut at byte %d", n, tlv.MaxAtomicLen)}
		case ok:
			s.pkts = append(s.pkts, b[:n:n])
			s.r += n
		case s.mode != strict:
			s.r += skip(b)
		default:
			s.err = &FramingError{fmt.Sprintf("no packet starts with %x", b[:min(len(b), shownBytes)])}
		}
	}
	if len(s.pkts) == 0 {
		return nil, s.err
	}
	return s.pkts, nil
}

// shownBytes is how much of what is no packet an error shows.
const shownBytes = 16

// isText reports whether c starts a text between packets. Packets start with
// byte 1, so one byte decides; cefnetd takes even a lone "/" for a close.
func isText(c byte) bool { return c == tlv.CloseText[0] || c == tlv.BusyText[0] }
