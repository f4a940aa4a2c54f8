package tlv

import (
	"encoding/binary"
	"iter"
)

// Vendor is the items of a vendor TLV with NICT's enterprise number (sheet c):
// two-byte flags, and TLVs whose type has its top bit set. It aliases the packet
// it came from; nil is an absent vendor TLV.
type Vendor []byte

// Flags of a message's vendor TLV (sheet c).
const (
	FlagSymbolic      = 0x0001 // every chunk until the Interest lapses
	FlagLongLife      = 0x0002 // not consumed by Data; looks in cefnetd's cache again
	FlagFromPublisher = 0x000D // past the caches; cefnetd 0.12.0 ignores it
	FlagReflexive     = 0x0013 // the answer comes by a symbolic Interest
)

// Vendor TLVs as Cefore's library sends them. Not to be written to.
var (
	VendorSymbolic      = Vendor{0, FlagSymbolic, 0, FlagLongLife}
	VendorLongLife      = Vendor{0, FlagLongLife}
	VendorFromPublisher = Vendor{0, FlagFromPublisher}
)

// VendorItem is a bare flag (Value nil) or a TLV.
type VendorItem struct {
	Type  uint16
	Value []byte
}

const vendorTLVBit = 0x8000

// Items ranges over the items.
func (v Vendor) Items() iter.Seq[VendorItem] {
	return func(yield func(VendorItem) bool) {
		for rest := v; len(rest) > 0; {
			it, r, ok := nextItem(rest)
			if !ok || !yield(it) {
				return
			}
			rest = r
		}
	}
}

func nextItem(b Vendor) (VendorItem, Vendor, bool) {
	if len(b) < 2 {
		return VendorItem{}, nil, false
	}
	typ := binary.BigEndian.Uint16(b)
	if typ&vendorTLVBit == 0 {
		return VendorItem{Type: typ}, b[2:], true
	}
	_, val, rest, ok := next(b)
	return VendorItem{typ, val}, rest, ok
}

// Has reports whether flag stands among the items.
func (v Vendor) Has(flag uint16) bool {
	for rest := v; len(rest) > 0; {
		it, r, ok := nextItem(rest)
		if !ok {
			return false
		}
		if it.Type == flag {
			return true
		}
		rest = r
	}
	return false
}

// vendorTLV reads the value of a vendor TLV. A foreign enterprise is no error:
// pen tells whose it is, and items are unread.
func vendorTLV(val []byte) (pen uint32, items Vendor, err error) {
	if len(val) < penLen {
		return 0, nil, bad("vendor TLV", ErrLength)
	}
	pen = uint32(val[0])<<16 | uint32(val[1])<<8 | uint32(val[2])
	items = Vendor(val[penLen:])
	if pen != penNICT {
		return pen, items, nil
	}
	for rest := items; len(rest) > 0; {
		_, r, ok := nextItem(rest)
		if !ok {
			return pen, nil, bad("vendor item", ErrLength)
		}
		rest = r
	}
	return pen, items, nil
}

func appendVendor(b []byte, typ uint16, pen uint32, items Vendor) []byte {
	b, at := open(b, typ)
	b = append(b, byte(pen>>16), byte(pen>>8), byte(pen))
	b = append(b, items...)
	shut(b, at)
	return b
}
