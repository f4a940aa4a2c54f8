package tlv

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// packet is what the four packet types have in common.
type packet interface {
	Decode(pkt []byte) error
	AppendTo(b []byte) ([]byte, error)
}

// decode decodes b as the packet that its fixed header says it is.
func decode(b []byte) (packet, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	p := [...]packet{&Interest{}, &Object{}, &Return{}, &Info{}, &Info{}}[h.Type]
	return p, p.Decode(b)
}

// receive is all that this package does for a receiver.
func receive(b []byte) (packet, error) {
	p, err := decode(b)
	if err != nil {
		return nil, err
	}
	return p, validation(p).Check()
}

func validation(p packet) *Validation {
	switch p := p.(type) {
	case *Interest:
		return &p.Validation
	case *Return:
		return &p.Validation
	case *Object:
		return &p.Validation
	default:
		return &p.(*Info).Validation
	}
}

// nameOf is the name that p was decoded to.
func nameOf(p packet) Name {
	switch p := p.(type) {
	case *Interest:
		return p.Name
	case *Return:
		return p.Name
	case *Object:
		return p.Name
	default:
		return p.(*Info).Name
	}
}

// checkTyped wants a *DecodeError around a sentinel error of this package.
func checkTyped(t *testing.T, err error) {
	t.Helper()
	var de *DecodeError
	sentinels := []error{
		ErrTruncated, ErrLength, ErrVersion, ErrType, ErrName,
		ErrDuplicate, ErrValidation, ErrChecksum, ErrTooLarge,
	}
	if !errors.As(err, &de) || !slices.Contains(sentinels, de.Err) {
		t.Fatalf("error %T %v, want a DecodeError around a sentinel error", err, err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load[T any](t testing.TB, file string) []T {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v []T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func mustNext(t *testing.T, b []byte) []byte {
	t.Helper()
	_, val, _, ok := next(b)
	if !ok {
		t.Fatal("no TLV")
	}
	return val
}

// mustName parses a URI as Cefore does.
func mustName(t testing.TB, uri string) Name {
	t.Helper()
	n, err := ParseName(uri, PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wrap makes a packet of its parts in hexadecimal: hop-by-hop TLVs, the value of
// the message TLV, and what stands behind it.
func wrap(t *testing.T, typ PacketType, hop, msg, trailer string) []byte {
	b := append(appendHeader(nil, typ, 1, 0), unhex(t, hop)...)
	if err := endHeader(b, 0); err != nil {
		t.Fatal(err)
	}
	b = append(appendTLV(b, messageType(typ), unhex(t, msg)), unhex(t, trailer)...)
	b, err := finish(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fullPackets are packets with every field that their type has.
func fullPackets(t testing.TB) []packet {
	name := mustName(t, "ccnx:/full/App:7=x/Chunk=70000")
	hash := func(c byte) Hash { return Hash{HashSHA256, bytes.Repeat([]byte{c}, 32)} }
	hop := HopByHop{
		Vendor: Vendor{5, 0x11, 0x80, 5, 0, 4, 0, 0, 0, 9}, Lifetime: Some[uint64](70000), CacheTime: Some(TimestampOf(time.Unix(1800000000, 0))),
		MessageHash: Hash{HashSHA512, bytes.Repeat([]byte{'m'}, 64)}, Command: CommandRegister, Mark: true,
	}
	infoHop := hop
	infoHop.MessageHash = Hash{} // for want of room in 255 bytes
	interest := Interest{
		HopByHop: hop, HopLimit: 255, Name: name, Payload: []byte("payload"), KeyID: hash('k'), ObjectHash: hash('o'),
		MsgVendor: VendorSymbolic, Validation: Validation{Alg: AlgHMACSHA256, Dependent: appendHash(nil, depKeyID, hash('v')), Payload: []byte("mac")},
	}
	stamp := func(node string) InfoStamp { return InfoStamp{0x12345678, mustName(t, node)} }
	return []packet{
		&interest,
		&Return{Interest: interest, Code: ReturnMalformed},
		&Object{
			HopByHop: hop, HopLimit: 1, Name: name, Expiry: Some[Timestamp](1), EndChunk: Some[uint64](math.MaxUint64),
			Version: bytes.Repeat([]byte{'v'}, MaxVersionLen), CameWith: Some[uint8](31), MsgVendor: VendorLongLife, Payload: []byte{}, Summed: true, Validation: Validation{Alg: AlgEC256K1, Dependent: []byte{}, Payload: []byte{1}},
		},
		&Info{
			HopByHop: infoHop, Type: PacketInfoReply, HopLimit: 3, Code: InfoFatal, RequestID: 0x8081, SkipHop: 15, Flags: 0xff,
			Reports: []InfoStamp{stamp("ccnx:/r1"), stamp("ccnx:/r2")}, Name: name, Request: stamp("ccnx:/me"), Reply: Some(stamp("ccnx:/you")),
			Blocks:     []InfoBlock{{0, [infoCounters]uint32{1, 2, 3, 4, 5, 6, 7}, name}, {1, [infoCounters]uint32{7, 6, 5, 4, 3, 2, 1}, name}},
			Validation: Validation{Alg: AlgEC384R1, Dependent: []byte{}, Payload: []byte{}},
		},
	}
}
