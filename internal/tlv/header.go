package tlv

import "encoding/binary"

// Header is the fixed header (RFC 8609 3.2).
type Header struct {
	Type       PacketType
	Length     int // of the whole packet, in bytes
	HopLimit   uint8
	ReturnCode ReturnCode // of an Interest Return; the code of a CCNinfo Reply
	HeaderLen  int        // fixed header and hop-by-hop TLVs, in bytes
}

// ParseHeader reads the fixed header at the start of b and checks that its two
// lengths can be true. It wants the eight bytes only, not the packet.
//
// Errors: [ErrVersion] as soon as there is a byte to tell, [ErrTruncated] for fewer
// than eight bytes, [ErrLength], and [ErrType] for a packet type that Cefore does
// not know (the lengths are valid and returned).
func ParseHeader(b []byte) (Header, error) {
	if len(b) > 0 && b[0] != Version {
		return Header{}, bad("fixed header", ErrVersion)
	}
	if len(b) < FixedHeaderLen {
		return Header{}, bad("fixed header", ErrTruncated)
	}
	h := Header{
		Type:       PacketType(b[1]),
		Length:     int(binary.BigEndian.Uint16(b[2:])),
		HopLimit:   b[4],
		ReturnCode: ReturnCode(b[5]),
		HeaderLen:  int(b[7]),
	}
	if h.HeaderLen < FixedHeaderLen || h.Length < h.HeaderLen+tlHeaderLen {
		return Header{}, bad("fixed header", ErrLength)
	}
	if h.Type > maxPacketType {
		return h, bad("fixed header", ErrType)
	}
	return h, nil
}

// appendHeader appends a fixed header whose lengths [finish] writes.
func appendHeader(b []byte, t PacketType, hopLimit uint8, code ReturnCode) []byte {
	return append(b, Version, byte(t), 0, 0, hopLimit, byte(code), 0, 0)
}

// endHeader writes the header length of the packet that starts at start: the
// hop-by-hop TLVs end here.
func endHeader(b []byte, start int) error {
	if len(b)-start > MaxHeaderLen {
		return bad("hop-by-hop TLVs", ErrTooLarge)
	}
	b[start+7] = byte(len(b) - start)
	return nil
}

// finish writes the length of the packet that starts at start.
func finish(b []byte, start int) ([]byte, error) {
	if len(b)-start > MaxPacketLen {
		return b[:start], bad("packet", ErrTooLarge)
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b, nil
}

// body splits a packet into its hop-by-hop TLVs, the value of its message TLV
// and its validation. The packet must be exactly one: its length is len(pkt).
func body(pkt []byte, want ...PacketType) (h Header, hop, msg []byte, val Validation, err error) {
	h, err = ParseHeader(pkt)
	if err != nil {
		return h, nil, nil, val, err
	}
	if len(pkt) < h.Length {
		return h, nil, nil, val, bad("packet", ErrTruncated)
	}
	if len(pkt) > h.Length {
		return h, nil, nil, val, bad("packet", ErrLength)
	}
	known := false
	for _, t := range want {
		known = known || t == h.Type
	}
	if !known {
		return h, nil, nil, val, bad("fixed header", ErrType)
	}
	typ, msg, rest, ok := next(pkt[h.HeaderLen:])
	if !ok {
		return h, nil, nil, val, bad("message", ErrLength)
	}
	if typ != messageType(h.Type) {
		return h, nil, nil, val, bad("message", ErrType)
	}
	covered := pkt[h.HeaderLen:]
	val, err = decodeValidation(covered, rest)
	return h, pkt[FixedHeaderLen:h.HeaderLen], msg, val, err
}
