package tlv

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What is wrong with a packet. [DecodeError] wraps one of these.
var (
	// ErrTruncated: the bytes end before the packet does; more may follow.
	ErrTruncated = errors.New("truncated")
	// ErrLength: a length does not fit what encloses it, or a field of fixed size.
	ErrLength = errors.New("wrong length")
	// ErrVersion: not a CCNx 1.0 packet.
	ErrVersion = errors.New("unknown version")
	// ErrType: a packet or message type that has no place here.
	ErrType = errors.New("unexpected type")
	// ErrName: no Name where one has to stand, or one that breaks a rule of names.
	ErrName = errors.New("bad name")
	// ErrDuplicate: a TLV that may stand once stands twice.
	ErrDuplicate = errors.New("duplicate TLV")
	// ErrValidation: a validation part that is incomplete or of an unknown algorithm.
	ErrValidation = errors.New("bad validation part")
	// ErrChecksum: the checksum or signature does not match the packet.
	ErrChecksum = errors.New("checksum or signature mismatch")
	// ErrTooLarge: a name is over MaxNameLen, or what is to be encoded does not fit
	// a packet.
	ErrTooLarge = errors.New("too large")
)

// DecodeError says which element of a packet could not be decoded and why.
type DecodeError struct {
	Element string
	Err     error
}

func (e *DecodeError) Error() string { return e.Element + ": " + e.Err.Error() }

// Unwrap returns one of this package's sentinel errors.
func (e *DecodeError) Unwrap() error { return e.Err }

func bad(element string, err error) error { return &DecodeError{element, err} }

// next splits the first TLV off b. val aliases b.
func next(b []byte) (typ uint16, val, rest []byte, ok bool) {
	if len(b) < tlHeaderLen {
		return 0, nil, nil, false
	}
	n := tlHeaderLen + int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < n {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), b[tlHeaderLen:n:n], b[n:], true
}

// open appends a TLV header of length 0 and returns where its value starts.
func open(b []byte, typ uint16) ([]byte, int) {
	b = append(b, byte(typ>>8), byte(typ), 0, 0)
	return b, len(b)
}

// shut writes the length of the TLV whose value starts at start. A value over
// 65535 bytes makes the packet too large, which the packet's encoder refuses.
func shut(b []byte, start int) {
	binary.BigEndian.PutUint16(b[start-2:], uint16(len(b)-start))
}

func appendTLV(b []byte, typ uint16, val []byte) []byte {
	b = append(b, byte(typ>>8), byte(typ), byte(len(val)>>8), byte(len(val)))
	return append(b, val...)
}

func appendTLV64(b []byte, typ uint16, v uint64) []byte {
	b = append(b, byte(typ>>8), byte(typ), 0, 8)
	return binary.BigEndian.AppendUint64(b, v)
}

// appendNumber appends a TLV whose value is the shortest big-endian form of v;
// 0 takes one byte (sheet c, chunk numbers).
func appendNumber(b []byte, typ uint16, v uint64) []byte {
	n := numberLen(v)
	b = append(b, byte(typ>>8), byte(typ), 0, byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

func numberLen(v uint64) int {
	n := 1
	for v > 0xff {
		v >>= 8
		n++
	}
	return n
}

// number reads a big-endian number of 0 to 8 bytes; no bytes are 0.
func number(val []byte) (uint64, bool) {
	if len(val) > 8 {
		return 0, false
	}
	var v uint64
	for _, c := range val {
		v = v<<8 | uint64(c)
	}
	return v, true
}

func hexType(typ uint16) string { return fmt.Sprintf("0x%04x", typ) }
