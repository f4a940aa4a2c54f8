package tlv

import (
	"encoding/binary"
	"hash/crc32"
)

// Object is a Content Object: a name, its payload, and how long both hold.
// Decoded, it aliases its packet.
type Object struct {
	HopByHop
	HopLimit uint8 // 0 from every Cefore program
	Name     Name
	// Expiry is the instant from which the Object must not be used; Cefore's
	// library writes 0 where it states none.
	Expiry Opt[Timestamp]
	// EndChunk is the number of the content's last chunk. Any chunk may tell it;
	// cefputfile tells it in the last only (sheet i).
	EndChunk Opt[uint64]
	// Version is cefgo's own: an opaque value of 1 to 32 bytes that is equal in
	// all chunks of one version of the content. cefnetd passes it on unread.
	Version []byte
	// CameWith is cefgo's own: the hop limit with which the Interest came to whoever
	// answers it. Where it is what was sent, no network lies between.
	CameWith  Opt[uint8]
	MsgVendor Vendor
	Payload   []byte // nil when absent, which reads as empty
	// Summed is cefgo's own: the message carries a crc32c of all its other bytes.
	// cefnetd passes it on unread, where a crc32c trailer costs it some 10 µs per
	// KiB; who fetches checks it. Encoding computes the checksum, [Object.Check]
	// checks it.
	Summed     bool
	Validation Validation

	sum           uint32 // of a decoded packet
	before, after []byte // the parts of the message that it covers
}

// MaxVersionLen bounds [Object.Version], in bytes.
const MaxVersionLen = 32

const checksumLen = 4

// Decode reads the one Content Object that pkt holds. It allocates nothing. On
// error *o is undefined.
func (o *Object) Decode(pkt []byte) error {
	h, hop, msg, val, err := body(pkt, PacketObject)
	if err != nil {
		return err
	}
	*o = Object{HopLimit: h.HopLimit, Validation: val}
	if _, err := o.HopByHop.decode(hop, nil); err != nil {
		return err
	}
	name, rest, err := leadingName(msg)
	if err != nil {
		return err
	}
	o.Name = name
	var seen seenTLVs
	for len(rest) > 0 {
		typ, v, r, ok := next(rest)
		if !ok {
			return bad("message TLV", ErrLength)
		}
		rest = r
		dup := false
		switch typ {
		case msgName:
			dup = true
		case msgPayload:
			dup = seen.twice(1)
			o.Payload = v
		case msgExpiry:
			dup = seen.twice(2)
			o.Expiry, ok = timestamp(v)
		case msgEndChunk:
			dup = seen.twice(4)
			o.EndChunk.V, ok = number(v)
			ok = ok && len(v) > 0 // an empty one must not end the content at chunk 0
			o.EndChunk.OK = true
		case msgContentVersion:
			dup = seen.twice(8)
			o.Version, ok = v, len(v) > 0 && len(v) <= MaxVersionLen
		case msgCameWith:
			dup = seen.twice(32)
			if ok = len(v) == 1; ok {
				o.CameWith = Some(v[0])
			}
		case msgVendor:
			dup, err = messageVendor(v, &o.MsgVendor)
		case msgChecksum:
			dup = seen.twice(16)
			if ok = len(v) == checksumLen; ok {
				o.Summed, o.sum = true, binary.BigEndian.Uint32(v)
				o.before, o.after = msg[:len(msg)-len(r)-checksumLen], r
			}
		}
		switch {
		case err != nil:
			return err
		case dup:
			return bad("message TLV "+hexType(typ), ErrDuplicate)
		case !ok:
			return bad("message TLV "+hexType(typ), ErrLength)
		}
	}
	return nil
}

// Check checks what a decoded Object can prove by itself: its own checksum and its
// validation, see [Validation.Check]. The error wraps [ErrChecksum].
func (o *Object) Check() error {
	if o.Summed && checksum(o.before, o.after) != o.sum {
		return bad("checksum of the message", ErrChecksum)
	}
	return o.Validation.Check()
}

func checksum(before, after []byte) uint32 {
	return crc32.Update(crc32.Checksum(before, castagnoli), castagnoli, after)
}

// Proves reports whether [Object.Check] had anything to check.
func (o *Object) Proves() bool { return o.Summed || o.Validation.Proves() }

// AppendTo appends the packet. Its errors are those of [Interest.AppendTo].
func (o *Object) AppendTo(b []byte) ([]byte, error) {
	if err := sendable(o.Name); err != nil {
		return b, err
	}
	if len(o.Version) > MaxVersionLen || len(o.Payload) > MaxPacketLen {
		return b, bad("Content Object", ErrTooLarge)
	}
	start := len(b)
	b = appendHeader(b, PacketObject, o.HopLimit, 0)
	b = o.HopByHop.appendTo(b)
	if err := endHeader(b, start); err != nil {
		return b[:start], err
	}
	covered := len(b)
	b, msg := open(b, typeObject)
	b = o.Name.AppendTo(b)
	sum := len(b) + tlHeaderLen
	if o.Summed {
		// Before the payload: were it behind, a payload whose length got 8 too large
		// would swallow it.
		b = append(b, msgChecksum>>8, msgChecksum&0xff, 0, checksumLen, 0, 0, 0, 0)
	}
	if o.Expiry.OK {
		b = appendTLV64(b, msgExpiry, uint64(o.Expiry.V))
	}
	if o.EndChunk.OK {
		b = appendNumber(b, msgEndChunk, o.EndChunk.V)
	}
	if len(o.Version) > 0 {
		b = appendTLV(b, msgContentVersion, o.Version)
	}
	if o.CameWith.OK {
		b = append(b, msgCameWith>>8, msgCameWith&0xff, 0, 1, o.CameWith.V)
	}
	if o.MsgVendor != nil {
		b = appendVendor(b, msgVendor, penNICT, o.MsgVendor)
	}
	if o.Payload != nil {
		b = appendTLV(b, msgPayload, o.Payload)
	}
	if o.Summed {
		binary.BigEndian.PutUint32(b[sum:], checksum(b[msg:sum], b[sum+checksumLen:]))
	}
	shut(b, msg)
	b = o.Validation.appendTo(b, covered)
	return finish(b, start)
}
