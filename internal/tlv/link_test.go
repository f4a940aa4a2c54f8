package tlv

import (
	"bytes"
	"testing"
)

func TestNodeReply(t *testing.T) {
	for _, size := range []int{0, 1, 64, 65535, 1 << 24} {
		pkt := AppendNodeReply([]byte("before"), size)[len("before"):]
		if got, ok := ParseNodeReply(pkt); !ok || got != size {
			t.Errorf("size %d: %x read as %d, %v", size, pkt, got, ok)
		}
		var o Object
		if err := o.Decode(pkt); err != nil {
			t.Errorf("%x is no Data for others: %v", pkt, err)
		}
		// To others it is the link reply.
		_, name, err := PeekName(pkt)
		_, want, _ := PeekName([]byte(LinkReply))
		if err != nil || !name.Equal(want) {
			t.Errorf("name %v, %v; want that of the link reply", name, err)
		}
		for i := range pkt {
			at := bytes.Index(pkt, []byte(nodeItems)) + len(nodeItems)
			if i >= at && i < at+4 {
				continue
			}
			bad := bytes.Clone(pkt)
			bad[i] ^= 1
			if _, ok := ParseNodeReply(bad); ok {
				t.Errorf("read with byte %d changed", i)
			}
		}
		for n := range pkt {
			if _, ok := ParseNodeReply(pkt[:n]); ok {
				t.Errorf("read with %d of %d bytes", n, len(pkt))
			}
		}
	}
	if _, ok := ParseNodeReply([]byte(LinkReply)); ok {
		t.Error("cefnetd's link reply taken for a node's")
	}
}
