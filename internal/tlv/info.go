package tlv

import "encoding/binary"

// Info is a CCNinfo Request or Reply (RFC 9344; sheet k). Decoded, it aliases
// its packet, but for its slices of reports and sub-blocks.
type Info struct {
	HopByHop
	Type     PacketType // PacketInfoRequest or PacketInfoReply
	HopLimit uint8
	Code     InfoCode // of a Reply
	// RequestID, SkipHop and Flags are the request header block. SkipHop is
	// 0 to 15.
	RequestID  uint16
	SkipHop    uint8
	Flags      uint8
	Reports    []InfoStamp // one for each node that passed the request on
	Name       Name
	Request    InfoStamp
	Reply      Opt[InfoStamp]
	Blocks     []InfoBlock // of the Reply
	Validation Validation
}

// InfoCode is the return code of a CCNinfo Reply (RFC 9344 3).
type InfoCode uint8

// CCNinfo return codes.
const (
	InfoNoError   InfoCode = 0x00
	InfoNoRoute   InfoCode = 0x03
	InfoNoInfo    InfoCode = 0x04
	InfoNoSpace   InfoCode = 0x05
	InfoAdminProh InfoCode = 0x0E
	// InfoFatal is added where a node finds itself in the path already.
	InfoFatal InfoCode = 0x80
)

// CCNinfo request flags (sheet k).
const (
	InfoFlagCache         = 1
	InfoFlagPublisher     = 2
	InfoFlagFullDiscovery = 4
	InfoFlagValidate      = 8
)

// InfoStamp is a node's name and the time at which the request came to it, an
// [InfoArrival].
type InfoStamp struct {
	Arrival uint32
	Node    Name
}

// Types of an [InfoBlock].
const (
	InfoBlockCache     = 0
	InfoBlockPublisher = 1
)

// InfoBlock is a sub-block of a Reply: what a cache or a publisher has.
type InfoBlock struct {
	Type uint16 // InfoBlockCache or InfoBlockPublisher
	// SizeKB, Objects, Interests, First, Last, ElapsedSec, RemainingSec.
	Counters [infoCounters]uint32
	Name     Name
}

const infoCounters = 7

// Decode reads the one CCNinfo packet that pkt holds. A Request must have no reply
// block. On error *f is undefined.
func (f *Info) Decode(pkt []byte) error {
	h, hop, msg, val, err := body(pkt, PacketInfoRequest, PacketInfoReply)
	if err != nil {
		return err
	}
	*f = Info{Type: h.Type, HopLimit: h.HopLimit, Code: InfoCode(h.ReturnCode), Validation: val}
	hopSeen, err := f.HopByHop.decode(hop, f)
	if err != nil {
		return err
	}
	if hopSeen&seenInfoHeader == 0 {
		return bad("CCNinfo request header", ErrLength)
	}
	name, rest, err := leadingName(msg)
	if err != nil {
		return err
	}
	f.Name = name
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
		case msgInfoRequest:
			dup = seen.twice(1)
			f.Request, _, err = decodeStamp(v, true)
		case msgInfoReply:
			dup = seen.twice(2)
			err = f.decodeReply(v)
			if err == nil && f.Type == PacketInfoRequest {
				err = bad("CCNinfo reply block in a Request", ErrType)
			}
		}
		if err != nil {
			return err
		}
		if dup {
			return bad("message TLV "+hexType(typ), ErrDuplicate)
		}
	}
	if seen&1 == 0 {
		return bad("CCNinfo request block", ErrLength)
	}
	return nil
}

func (f *Info) decodeHeader(val []byte) bool {
	if len(val) != 4 {
		return false
	}
	f.RequestID = binary.BigEndian.Uint16(val)
	f.SkipHop, f.Flags = val[2]>>4, val[3]
	return true
}

func (f *Info) decodeReport(val []byte) error {
	s, _, err := decodeStamp(val, true)
	if err == nil {
		f.Reports = append(f.Reports, s)
	}
	return err
}

// decodeStamp reads an arrival time and a node's Name TLV; whole says that they
// fill val.
func decodeStamp(val []byte, whole bool) (s InfoStamp, rest []byte, err error) {
	if len(val) < 4 {
		return s, nil, bad("CCNinfo block", ErrLength)
	}
	s.Arrival = binary.BigEndian.Uint32(val)
	s.Node, rest, err = leadingName(val[4:])
	if err == nil && whole && len(rest) > 0 {
		err = bad("CCNinfo block", ErrLength)
	}
	return s, rest, err
}

func (f *Info) decodeReply(val []byte) error {
	s, rest, err := decodeStamp(val, false)
	if err != nil {
		return err
	}
	f.Reply = Some(s)
	for len(rest) > 0 {
		typ, v, r, ok := next(rest)
		if !ok || len(v) < 4*infoCounters {
			return bad("CCNinfo sub-block", ErrLength)
		}
		rest = r
		b := InfoBlock{Type: typ}
		for i := range b.Counters {
			b.Counters[i] = binary.BigEndian.Uint32(v[4*i:])
		}
		name, tail, err := leadingName(v[4*infoCounters:])
		if err != nil || len(tail) > 0 {
			return bad("CCNinfo sub-block", ErrLength)
		}
		b.Name = name
		f.Blocks = append(f.Blocks, b)
	}
	return nil
}

// AppendTo appends the packet. Its errors are those of [Interest.AppendTo], and
// [ErrType] where Type is neither of CCNinfo's.
func (f *Info) AppendTo(b []byte) ([]byte, error) {
	if f.Type != PacketInfoRequest && f.Type != PacketInfoReply {
		return b, bad("CCNinfo packet", ErrType)
	}
	if err := f.sendable(); err != nil {
		return b, err
	}
	start := len(b)
	b = appendHeader(b, f.Type, f.HopLimit, ReturnCode(f.Code))
	b = append(b, 0, hopInfoHeader, 0, 4, byte(f.RequestID>>8), byte(f.RequestID), f.SkipHop<<4, f.Flags)
	for _, s := range f.Reports {
		b = appendStamp(b, hopInfoReport, s, nil)
	}
	b = f.HopByHop.appendTo(b)
	if err := endHeader(b, start); err != nil {
		return b[:start], err
	}
	covered := len(b)
	b, msg := open(b, typeDiscovery)
	b = f.Name.AppendTo(b)
	b = appendStamp(b, msgInfoRequest, f.Request, nil)
	if f.Reply.OK {
		b = appendStamp(b, msgInfoReply, f.Reply.V, f.Blocks)
	}
	shut(b, msg)
	b = f.Validation.appendTo(b, covered)
	return finish(b, start)
}

// sendable checks that a packet may carry each of f's names.
func (f *Info) sendable() error {
	if err := sendable(f.Name); err != nil {
		return err
	}
	if err := sendable(f.Request.Node); err != nil {
		return err
	}
	for _, s := range f.Reports {
		if err := sendable(s.Node); err != nil {
			return err
		}
	}
	if !f.Reply.OK {
		return nil
	}
	for _, blk := range f.Blocks {
		if err := sendable(blk.Name); err != nil {
			return err
		}
	}
	return sendable(f.Reply.V.Node)
}

func appendStamp(b []byte, typ uint16, s InfoStamp, blocks []InfoBlock) []byte {
	b, at := open(b, typ)
	b = binary.BigEndian.AppendUint32(b, s.Arrival)
	b = s.Node.AppendTo(b)
	for _, blk := range blocks {
		var in int
		b, in = open(b, blk.Type)
		for _, c := range blk.Counters {
			b = binary.BigEndian.AppendUint32(b, c)
		}
		b = blk.Name.AppendTo(b)
		shut(b, in)
	}
	shut(b, at)
	return b
}
