package tlv

import "fmt"

// Sizes and limits of a packet, in bytes.
const (
	FixedHeaderLen = 8     // RFC 8609 3.2
	MaxPacketLen   = 65535 // 16-bit packet length
	MaxHeaderLen   = 255   // 8-bit header length
	// MaxNameLen bounds the value of a Name TLV with its chunk segment counted
	// as eight bytes, as cefnetd normalises it (protocol sheet d, limits).
	MaxNameLen = 1024
	// MaxAtomicLen is the largest packet that cefnetd puts on a local socket in
	// one piece; a larger one can be cut when the reader is slow (sheet l).
	MaxAtomicLen = 36544

	tlHeaderLen        = 4
	normalizedChunkLen = 8
)

// Version is the only packet version (RFC 8609 3.2).
const Version = 1

// PacketType is byte 1 of the fixed header.
type PacketType uint8

// Packet types (RFC 8609 3.2, RFC 9344 3).
const (
	PacketInterest      PacketType = 0
	PacketObject        PacketType = 1
	PacketReturn        PacketType = 2
	PacketInfoRequest   PacketType = 3
	PacketInfoReply     PacketType = 4
	maxPacketType                  = PacketInfoReply
	packetTypeNameCount            = 5
)

func (t PacketType) String() string {
	names := [packetTypeNameCount]string{"Interest", "Content Object", "Interest Return", "CCNinfo Request", "CCNinfo Reply"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("packet type %d", uint8(t))
}

// Top-level TLV types (RFC 8609 3.5, RFC 9344 3).
const (
	typeInterest          = 0x0001
	typeObject            = 0x0002
	typeValidationAlg     = 0x0003
	typeValidationPayload = 0x0004
	typeDiscovery         = 0x0005
)

// messageType is the message TLV that a packet of type t carries.
func messageType(t PacketType) uint16 {
	switch t {
	case PacketInterest, PacketReturn:
		return typeInterest
	case PacketObject:
		return typeObject
	default:
		return typeDiscovery
	}
}

// Hop-by-hop TLV types (RFC 8609 3.4, RFC 9344 3; sheet c).
const (
	hopLifetime    = 0x0001
	hopCacheTime   = 0x0002
	hopMessageHash = 0x0003
	hopInfoHeader  = 0x0008
	hopInfoReport  = 0x0009
	hopVendor      = 0x0FFF
	hopCommand     = 0x1000
)

// Message TLV types (RFC 8609 3.6, RFC 9344 3; sheet c).
const (
	msgName        = 0x0000
	msgPayload     = 0x0001
	msgKeyIDRestr  = 0x0002
	msgObjectHash  = 0x0003
	msgExpiry      = 0x0006
	msgEndChunk    = 0x0008
	msgInfoRequest = 0x000D
	msgInfoReply   = 0x000E
	msgVendor      = 0x0FFF
	// cefgo's own, in the range for experiments, 0x1000 to 0x1FFF.
	msgContentVersion = 0x1CEF
	msgChecksum       = 0x1CF0
	msgCameWith       = 0x1CF1
)

// SegmentType is the type of a name segment.
type SegmentType uint16

// Name segment types (RFC 8609 3.6.1; sheet c).
const (
	SegmentName      SegmentType = 0x0001
	SegmentPayloadID SegmentType = 0x0002
	SegmentNonce     SegmentType = 0x0003
	SegmentVersion   SegmentType = 0x0004
	SegmentChunk     SegmentType = 0x0005
	SegmentReflexive SegmentType = 0x0006
	SegmentAppFirst  SegmentType = 0x1000
	SegmentAppLast   SegmentType = 0x1FFF
)

// Enterprise numbers of vendor TLVs.
const (
	penNICT = 51564 // Cefore's
	// penMark is the number that RFC 5612 sets aside for examples. Under it the
	// hop-by-hop vendor TLV carries cefgo's mark; cefnetd ignores any hop-by-hop
	// vendor TLV whose number is not its own.
	penMark = 32473
	penLen  = 3
)

// ReturnCode says why an Interest came back (RFC 8569 10.2; byte 5 of an
// Interest Return).
type ReturnCode uint8

// Interest Return codes (RFC 8609 3.2.3.3).
const (
	ReturnNoRoute         ReturnCode = 1
	ReturnHopLimit        ReturnCode = 2
	ReturnNoResources     ReturnCode = 3
	ReturnPathError       ReturnCode = 4
	ReturnProhibited      ReturnCode = 5
	ReturnCongestion      ReturnCode = 6
	ReturnMTU             ReturnCode = 7
	ReturnUnsupportedHash ReturnCode = 8
	ReturnMalformed       ReturnCode = 9
)

func (c ReturnCode) String() string {
	switch c {
	case ReturnNoRoute:
		return "no route"
	case ReturnHopLimit:
		return "hop limit exceeded"
	case ReturnNoResources:
		return "no resources"
	case ReturnPathError:
		return "path error"
	case ReturnProhibited:
		return "prohibited"
	case ReturnCongestion:
		return "congestion"
	case ReturnMTU:
		return "MTU too large"
	case ReturnUnsupportedHash:
		return "unsupported content object hash restriction"
	case ReturnMalformed:
		return "malformed Interest"
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// Opt is an optional field: the zero value is an absent one.
type Opt[T any] struct {
	V  T
	OK bool
}

// Some is a present field.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }
