package tlv

import (
	"math"
	"time"
)

// HopByHop is the hop-by-hop part of an Interest or a Content Object (sheet c).
type HopByHop struct {
	Vendor Vendor
	// Lifetime of an Interest in milliseconds. 0 cancels the request; absent
	// means [DefaultLifetime]. cefnetd reads 0 to 65535 only.
	Lifetime Opt[uint64]
	// CacheTime is the recommended cache time (RCT), the instant until which a
	// cache should keep the Object.
	CacheTime   Opt[Timestamp]
	MessageHash Hash // carried, not checked
	Command     Command
	// Mark is cefgo's own: its sender understands an Interest Return at any
	// time and checks what it receives. A vendor TLV that cefnetd ignores.
	Mark bool
}

// DefaultLifetime is the lifetime of an Interest that states none (sheet f).
const DefaultLifetime = 2 * time.Second

// Lifetime is d as the lifetime field, rounded up to a millisecond and held
// within the 1 to 65535 ms that cefnetd reads.
func Lifetime(d time.Duration) Opt[uint64] {
	d = min(max(d, time.Millisecond), math.MaxUint16*time.Millisecond)
	return Some(uint64((d + time.Millisecond - 1) / time.Millisecond))
}

// CancelLifetime is the lifetime that ends a request (sheet f).
var CancelLifetime = Some[uint64](0)

// LifetimeOf is the lifetime that h states, or the default.
func (h *HopByHop) LifetimeOf() time.Duration {
	if !h.Lifetime.OK {
		return DefaultLifetime
	}
	return time.Duration(min(h.Lifetime.V, math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond
}

// Timestamp is an instant as packets carry it: milliseconds since 1970 UTC. At or
// above 978274800000000 it counts as microseconds, as Cefore reads it (sheet c).
type Timestamp uint64

const microsecondsFrom = 978274800000000

// TimestampOf is t in milliseconds; an instant before 1970 is 0.
func TimestampOf(t time.Time) Timestamp { return Timestamp(max(t.UnixMilli(), 0)) }

// Time is the instant of ts.
func (ts Timestamp) Time() time.Time {
	if ts >= microsecondsFrom {
		return time.UnixMicro(int64(min(ts, math.MaxInt64)))
	}
	return time.UnixMilli(int64(ts))
}

// Command is what an Interest asks of the forwarder itself (sheet e).
type Command uint16

// Commands.
const (
	CommandNone       Command = 0
	CommandRegister   Command = 0x1001 // the name itself, with or without chunk
	CommandDeregister Command = 0x1002
	CommandRegPrefix  Command = 0x1003 // the name and all below it
	CommandPITReg     Command = 0x1004
	CommandPITDereg   Command = 0x1005
	CommandBulkPIT    Command = 0x1006
	CommandRouteAdd   Command = 0x1007
	CommandRouteDel   Command = 0x1008
)

var markItems = Vendor("cefgo")

// seenTLVs is a set of TLVs already read, one bit for each that may stand once.
type seenTLVs uint8

func (s *seenTLVs) twice(bit seenTLVs) bool {
	was := *s&bit != 0
	*s |= bit
	return was
}

// seenInfoHeader stands for a hopInfoHeader among the hop-by-hop TLVs read.
const seenInfoHeader seenTLVs = 32

// decode reads hop-by-hop TLVs and says which it has seen. What only CCNinfo
// carries goes to info, which may be nil.
func (h *HopByHop) decode(b []byte, info *Info) (seen seenTLVs, err error) {
	for len(b) > 0 {
		typ, val, rest, ok := next(b)
		if !ok {
			return seen, bad("hop-by-hop TLV", ErrLength)
		}
		b = rest
		if err := h.decodeTLV(typ, val, info, &seen); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

func (h *HopByHop) decodeTLV(typ uint16, val []byte, info *Info, seen *seenTLVs) (err error) {
	dup, ok := false, true
	switch typ {
	case hopLifetime:
		dup = seen.twice(1)
		h.Lifetime.V, ok = number(val)
		h.Lifetime.OK = true
	case hopCacheTime:
		dup = seen.twice(2)
		h.CacheTime, ok = timestamp(val)
	case hopMessageHash:
		dup = seen.twice(4)
		h.MessageHash, err = decodeHash("message hash", val)
	case hopCommand:
		dup = seen.twice(8)
		h.Command, ok = command(val)
	case hopVendor:
		var pen uint32
		var items Vendor
		pen, items, err = vendorTLV(val)
		switch {
		case err != nil:
		case pen == penNICT:
			dup = seen.twice(16)
			h.Vendor = items
		case pen == penMark && string(items) == string(markItems):
			dup, h.Mark = h.Mark, true
		}
	case hopInfoHeader:
		dup = seen.twice(seenInfoHeader)
		if info != nil {
			ok = info.decodeHeader(val)
		}
	case hopInfoReport:
		if info != nil {
			err = info.decodeReport(val)
		}
	}
	switch {
	case err != nil:
		return err
	case dup:
		return bad("hop-by-hop TLV "+hexType(typ), ErrDuplicate)
	case !ok:
		return bad("hop-by-hop TLV "+hexType(typ), ErrLength)
	}
	return nil
}

func timestamp(val []byte) (Opt[Timestamp], bool) {
	if len(val) != 8 {
		return Opt[Timestamp]{}, false
	}
	v, _ := number(val)
	return Some(Timestamp(v)), true
}

// command reads the value of a command container: one TLV without value.
func command(val []byte) (Command, bool) {
	typ, v, rest, ok := next(val)
	return Command(typ), ok && len(v) == 0 && len(rest) == 0 && typ != 0
}

// appendTo appends the hop-by-hop TLVs in the order of Cefore's library.
func (h *HopByHop) appendTo(b []byte) []byte {
	if h.Vendor != nil {
		b = appendVendor(b, hopVendor, penNICT, h.Vendor)
	}
	if h.Lifetime.OK {
		b = appendLifetime(b, h.Lifetime.V)
	}
	if h.CacheTime.OK {
		b = appendTLV64(b, hopCacheTime, uint64(h.CacheTime.V))
	}
	if h.MessageHash.Sum != nil {
		b = appendHash(b, hopMessageHash, h.MessageHash)
	}
	if h.Command != CommandNone {
		b = append(b, byte(hopCommand>>8), byte(hopCommand&0xff), 0, tlHeaderLen, byte(h.Command>>8), byte(h.Command), 0, 0)
	}
	if h.Mark {
		b = appendVendor(b, hopVendor, penMark, markItems)
	}
	return b
}

// appendLifetime writes 0 as one byte and up to 65535 as two, the only forms
// that cefnetd reads.
func appendLifetime(b []byte, ms uint64) []byte {
	switch {
	case ms == 0:
		return append(b, 0, hopLifetime, 0, 1, 0)
	case ms <= math.MaxUint16:
		return append(b, 0, hopLifetime, 0, 2, byte(ms>>8), byte(ms))
	}
	return appendTLV64(b, hopLifetime, ms)
}
