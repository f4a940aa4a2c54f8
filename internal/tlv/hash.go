package tlv

import "encoding/binary"

// HashType names a hash function (RFC 8609 3.3.3).
type HashType uint16

// Hash functions.
const (
	HashSHA256 HashType = 1
	HashSHA512 HashType = 2
)

// Hash is a typed digest: a restriction of an Interest, a message hash, a key
// id. Sum aliases the packet; a nil Sum is an absent hash.
type Hash struct {
	Type HashType
	Sum  []byte
}

// decodeHash reads a hash that fills val. cefnetd copies by the inner length
// whatever encloses it and dies of it (sheet m 2); here the two must agree.
func decodeHash(element string, val []byte) (Hash, error) {
	typ, sum, rest, ok := next(val)
	if !ok || len(rest) > 0 || len(sum) == 0 {
		return Hash{}, bad(element, ErrLength)
	}
	h := Hash{HashType(typ), sum}
	if (h.Type == HashSHA256 && len(sum) != 32) || (h.Type == HashSHA512 && len(sum) != 64) {
		return Hash{}, bad(element, ErrLength)
	}
	return h, nil
}

func appendHash(b []byte, typ uint16, h Hash) []byte {
	b = append(b, byte(typ>>8), byte(typ))
	b = binary.BigEndian.AppendUint16(b, uint16(tlHeaderLen+len(h.Sum)))
	return appendTLV(b, uint16(h.Type), h.Sum)
}
