package tlv

import "encoding/binary"

// A link request asks whether a forwarder is there: cefnetd answers it on any
// connection with the link reply and never passes it on (sheet a). Both are whole
// packets.
const (
	LinkRequest = "\x01\x00\x00\x1c\x01\x00\x00\x08\x00\x01\x00\x10\x00\x00\x00\x0c\x00\x01\x00\x08\xc0\xc1\xcc\x01\x00\xcc\xc1\xc0"
	LinkReply   = "\x01\x01\x00\x1c\x01\x00\x00\x08\x00\x02\x00\x10\x00\x00\x00\x0c\x00\x01\x00\x08\xc0\xc1\xcc\x02\x00\xcc\xc1\xc0"
)

// nodeItems begins what a forwarder of cefgo says of itself in a hop-by-hop vendor
// TLV, under the number of cefgo's mark; its PIT's size follows, in 4 bytes.
const nodeItems = "cefgo node"

// AppendNodeReply appends the link reply of a forwarder of cefgo to a local
// application: it tells in a hop-by-hop TLV, which others pass over, how many pending
// Interests it holds at most.
func AppendNodeReply(b []byte, pitSize int) []byte {
	start := len(b)
	b = append(b, LinkReply[:FixedHeaderLen]...)
	items := binary.BigEndian.AppendUint32([]byte(nodeItems), uint32(pitSize))
	b = appendVendor(b, hopVendor, penMark, items)
	b[start+7] = byte(len(b) - start)
	b = append(b, LinkReply[FixedHeaderLen:]...)
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

// nodeReply is what the replies have in common, with a size of 0.
var nodeReply = AppendNodeReply(nil, 0)

// ParseNodeReply reads a packet of AppendNodeReply; ok is false where it is none.
func ParseNodeReply(pkt []byte) (pitSize int, ok bool) {
	const sizeLen = 4
	want := nodeReply
	at := len(want) - (len(LinkReply) - FixedHeaderLen) - sizeLen // of the size
	if len(pkt) != len(want) || string(pkt[:at]) != string(want[:at]) || string(pkt[at+sizeLen:]) != string(want[at+sizeLen:]) {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(pkt[at:])), true
}
