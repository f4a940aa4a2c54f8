package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

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

// splitter finds the packets in a stream's bytes, in the memory that they were read
// into.
type splitter struct {
	mode     framing
	checkCut bool           // the peer may be a cefnetd on a unix socket
	rest     []byte         // the start of a packet that is not whole yet, of the latest bytes
	err      error          // what ended the stream behind the packets last returned
	garbage  *atomic.Uint64 // counts bytes that were skipped; nil: nobody counts them
}

// room returns where the next bytes of the stream go, behind those of a packet that is
// not whole yet. b is empty and holds the memory until the next split.
func (s *splitter) room(b *tlv.Batch) []byte {
	Borrow(b)
	room := b.Room(batchBytes)
	return room[copy(room, s.rest):]
}

// split makes packets of n more bytes, which one system call brought to b's room, as far
// as they are whole now. An error behind them is returned by the next call.
func (s *splitter) split(b *tlv.Batch, n int) error {
	in := b.Room(batchBytes)[:len(s.rest)+n]
	if s.mode != deaf && len(s.rest) == 0 && n > 0 && isText(in[0]) {
		// A text stands alone in what its sender wrote (sheet b).
		return &TextError{bytes.Clone(in)}
	}
	from, to := 0, 0 // in[:to] are packets, in[from:] is still to be looked at
	for whole := true; whole && s.err == nil && from < len(in); {
		p := in[from:]
		n, ok := frame(p)
		switch {
		case ok && n == 0:
			whole = false
		case ok && s.checkCut && cut(p[:n], p[n:]):
			s.err = &FramingError{fmt.Sprintf("a packet of %d bytes was cut at byte %d", n, tlv.MaxAtomicLen)}
		case ok:
			if to < from {
				copy(in[to:], p[:n])
			}
			b.Claim(n)
			to += n
			from += n
		case s.mode != strict:
			k := skip(p)
			from += k
			if s.garbage != nil {
				s.garbage.Add(uint64(k))
			}
		default:
			s.err = &FramingError{fmt.Sprintf("no packet starts with %x", p[:min(len(p), shownBytes)])}
		}
	}
	s.keep(in[from:])
	if b.Len() == 0 {
		return s.err
	}
	return nil
}

// keptRest is how much memory for the start of a packet a stream keeps, in bytes.
const keptRest = 8 << 10

// keep keeps what is not looked at yet.
func (s *splitter) keep(p []byte) {
	if len(p) <= keptRest && cap(s.rest) > keptRest {
		s.rest = nil
	}
	s.rest = append(s.rest[:0], p...)
}

// shownBytes is how much of what is no packet an error shows.
const shownBytes = 16

// isText reports whether c starts a text between packets. Packets start with
// byte 1, so one byte decides; cefnetd takes even a lone "/" for a close.
func isText(c byte) bool { return c == tlv.CloseText[0] || c == tlv.BusyText[0] }
