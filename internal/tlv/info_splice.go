package tlv

import "time"

// InfoArrival is t as CCNinfo states it: the low 16 bits of its NTP seconds, then 16
// bits of fraction (sheet k; 32384 are the low 16 bits of the seconds from 1900 to 1970).
func InfoArrival(t time.Time) uint32 {
	return uint32(t.Unix()+32384)<<16 + uint32(t.Nanosecond()<<7/1953125)
}

// The functions below make of a Request, which has been decoded without error, what
// leaves the next node. They splice: whatever they do not name stays as it is, byte for
// byte, unknown TLVs included, and what they add stands where cefnetd puts it. They
// append to b and return it unchanged with an error, [ErrTooLarge] where the header or
// the packet has no room.

// infoParts is where a Request's parts are.
type infoParts struct {
	reqHeader int // value of the request header block
	message   int // the message TLV; the header ends here
	end       int // of the message TLV
}

func splitInfo(pkt []byte) (p infoParts, err error) {
	h, hop, msg, _, err := body(pkt, PacketInfoRequest)
	if err != nil {
		return p, err
	}
	p.message = h.HeaderLen
	p.end = p.message + tlHeaderLen + len(msg)
	for len(hop) > 0 {
		typ, val, rest, ok := next(hop)
		if !ok {
			break
		}
		hop = rest
		if typ == hopInfoHeader && len(val) == 4 {
			p.reqHeader = h.HeaderLen - len(rest) - len(val)
			return p, nil
		}
	}
	return p, bad("CCNinfo request header", ErrLength)
}

// AppendInfoHop appends the Request pkt as it goes on to the next node: with a hop
// limit, which must not be 0, lower by one, and with report at the end of its header.
// A node that is to be skipped adds no report but lowers the skip hop count; nor does
// one whose report has no node. No validation covers the header, so that the trailer
// stays good.
func AppendInfoHop(b, pkt []byte, report InfoStamp) ([]byte, error) {
	p, err := splitInfo(pkt)
	if err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, pkt[:p.message]...)
	b[start+4]--
	if skip := &b[start+p.reqHeader+2]; *skip>>4 > 0 {
		*skip -= 1 << 4
		report.Node = Name{}
	}
	return endInfo(b, start, pkt[p.message:], report)
}

// endInfo appends to a header, which begins at start, a report, where it has a node,
// and the rest of the packet.
func endInfo(b []byte, start int, rest []byte, report InfoStamp) ([]byte, error) {
	if !report.Node.IsZero() {
		b = appendStamp(b, hopInfoReport, report, nil)
	}
	if err := endHeader(b, start); err != nil {
		return b[:start], err
	}
	return finish(append(b, rest...), start)
}

// AppendInfoError appends the Reply by which a node refuses the Request pkt; its
// report, unless it has no node, tells who refused. The trailer goes, but for one as
// in [AppendInfoReply].
func AppendInfoError(b, pkt []byte, code InfoCode, report InfoStamp) ([]byte, error) {
	p, err := splitInfo(pkt)
	if err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, pkt[:p.message]...)
	b[start+1], b[start+5] = byte(PacketInfoReply), byte(code)
	if b, err = endInfo(b, start, pkt[p.message:p.end], report); err != nil {
		return b, err
	}
	return endInfoReply(b, start, p)
}

// AppendInfoReply appends the Reply without error to the Request pkt: what the node
// reply has of the name. The Request's own trailer goes. Where the Request asks for
// validation there is a new one, a crc32c, which is what cefnetd is set to by default;
// it proves nothing but that the Reply is whole. (cefnetd 0.12.0 states a wrong length
// in such a Reply, so that ccninfo -V prints nothing; this one is right.)
func AppendInfoReply(b, pkt []byte, reply InfoStamp, blocks []InfoBlock) ([]byte, error) {
	p, err := splitInfo(pkt)
	if err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, pkt[:p.end]...)
	b[start+1], b[start+5] = byte(PacketInfoReply), byte(InfoNoError)
	b = appendStamp(b, msgInfoReply, reply, blocks)
	shut(b, start+p.message+tlHeaderLen)
	return endInfoReply(b, start, p)
}

// endInfoReply appends the trailer that a Reply is to have.
func endInfoReply(b []byte, start int, p infoParts) ([]byte, error) {
	if b[start+p.reqHeader+3]&InfoFlagValidate != 0 {
		v := Validation{Alg: AlgCRC32C}
		b = v.appendTo(b, start+int(b[start+7]))
	}
	return finish(b, start)
}
