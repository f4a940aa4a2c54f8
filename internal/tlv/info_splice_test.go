package tlv

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestInfoArrival(t *testing.T) {
	for _, tt := range []struct {
		t    time.Time
		want uint32
	}{
		{time.Unix(0, 0), 0x7e80_0000}, // 1970 is 0x83aa7e80 in NTP seconds
		{time.Unix(0, 500_000_000), 0x7e80_8000},
		{time.Unix(0, 999_999_999), 0x7e80_ffff},
		{time.Unix(0x8180, 15_258), 0x0000_0000},
		{time.Unix(0x8180, 15_259), 0x0000_0001},
		{time.Unix(1_800_000_000, 250_000_000), 0x5080_4000},
	} {
		if got := InfoArrival(tt.t); got != tt.want {
			t.Errorf("%v: %08x, want %08x", tt.t, got, tt.want)
		}
	}
}

// splices are what makes something of a Request.
var splices = map[string]func(b, pkt []byte, node InfoStamp) ([]byte, error){
	"hop":   AppendInfoHop,
	"error": func(b, pkt []byte, s InfoStamp) ([]byte, error) { return AppendInfoError(b, pkt, InfoNoRoute, s) },
	"reply": func(b, pkt []byte, s InfoStamp) ([]byte, error) {
		return AppendInfoReply(b, pkt, s, []InfoBlock{{Type: InfoBlockPublisher, Name: s.Node}})
	},
}

// TestInfoSplice: what comes out decodes to the Request with what was added, behind
// what was in the buffer.
func TestInfoSplice(t *testing.T) {
	node := InfoStamp{0x01020304, mustName(t, "ccnx:/here/r1")}
	for _, tt := range []struct {
		name, splice string
		request      Info
		want         func(*Info)
	}{
		{"hop", "hop", Info{HopLimit: 1}, func(i *Info) { i.HopLimit, i.Reports = 0, append(i.Reports, node) }},
		{"hop, skipped", "hop", Info{HopLimit: 9, SkipHop: 15}, func(i *Info) { i.HopLimit, i.SkipHop = 8, 14 }},
		{"hop, signed", "hop", Info{HopLimit: 9, Flags: 9, Validation: Validation{Alg: AlgCRC32C}}, func(i *Info) { i.HopLimit, i.Reports = 8, append(i.Reports, node) }},
		{"error", "error", Info{HopLimit: 9, Validation: Validation{Alg: AlgCRC32C}}, func(i *Info) {
			i.Type, i.Code, i.Reports, i.Validation.Alg = PacketInfoReply, InfoNoRoute, append(i.Reports, node), AlgNone
		}},
		{"error, validated", "error", Info{Flags: InfoFlagValidate}, func(i *Info) {
			i.Type, i.Code, i.Reports, i.Validation.Alg = PacketInfoReply, InfoNoRoute, append(i.Reports, node), AlgCRC32C
		}},
		{"reply", "reply", Info{HopLimit: 9, Validation: Validation{Alg: AlgCRC32C}}, func(i *Info) {
			i.Type, i.Reply, i.Blocks, i.Validation.Alg = PacketInfoReply, Some(node), []InfoBlock{{Type: 1, Name: node.Node}}, AlgNone
		}},
		{"reply, validated", "reply", Info{HopLimit: 9, Flags: 0xff}, func(i *Info) {
			i.Type, i.Reply, i.Blocks, i.Validation.Alg = PacketInfoReply, Some(node), []InfoBlock{{Type: 1, Name: node.Node}}, AlgCRC32C
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := tt.request
			i.Type, i.RequestID, i.Name = PacketInfoRequest, 7, mustName(t, "ccnx:/a/Chunk=3")
			i.Request, i.Reports = InfoStamp{1, mustName(t, "ccnx:/client")}, []InfoStamp{{2, mustName(t, "ccnx:/b")}}
			pkt, err := i.AppendTo(nil)
			if err != nil {
				t.Fatal(err)
			}
			before := bytes.Clone(pkt)
			got, err := splices[tt.splice]([]byte("prefix"), pkt, node)
			tt.want(&i)
			want, wantErr := i.AppendTo([]byte("prefix"))
			if err != nil || wantErr != nil || !bytes.Equal(got, want) || !bytes.Equal(pkt, before) {
				t.Errorf("%v, %v\n got %x\nwant %x", err, wantErr, got, want)
			}
		})
	}
}

// TestInfoRequestReply: a Request that brings its Reply along is none.
func TestInfoRequestReply(t *testing.T) {
	reply := golden(t, "ccninfo-reply/ccninfo/c-2")
	reply[1] = byte(PacketInfoRequest)
	var i Info
	if err := i.Decode(reply); !errors.Is(err, ErrType) {
		t.Errorf("%v, want %v", err, ErrType)
	}
}

// TestInfoSpliceRefuses what is no whole Request, or has no room, and leaves the buffer
// as it was.
func TestInfoSpliceRefuses(t *testing.T) {
	request := golden(t, "ccninfo-request/ccninfo/crc32c-request-1")
	node := InfoStamp{1, mustName(t, "ccnx:/here")}
	refuses := func(what string, pkt []byte, node InfoStamp, want error, by ...string) {
		t.Helper()
		for _, name := range by {
			if got, err := splices[name]([]byte("prefix"), pkt, node); !errors.Is(err, want) || string(got) != "prefix" {
				t.Errorf("%s, %s: %q, %v, want %v", name, what, got, err, want)
			}
		}
	}
	for n := range request {
		refuses("cut", request[:n], node, ErrTruncated, "hop", "error", "reply")
	}
	refuses("Reply", golden(t, "ccninfo-reply/ccninfo/c-2"), node, ErrType, "hop", "error", "reply")
	headless := bytes.Clone(request)
	headless[9] = 0x77 // no request header
	refuses("no request header", headless, node, ErrLength, "hop", "error", "reply")
	headless = bytes.Clone(request)
	headless[11], headless[7] = 0, 12 // one of no length
	headless = append(headless[:12], headless[16:]...)
	headless[3] -= 4
	refuses("short request header", headless, node, ErrLength, "hop", "error", "reply")
	headless = bytes.Clone(request)
	headless[11] = 9 // a TLV beyond the header
	refuses("header cut", headless, node, ErrLength, "hop", "error", "reply")

	long := InfoStamp{1, mustName(t, "ccnx:/"+string(bytes.Repeat([]byte("x"), 256)))}
	refuses("header", request, long, ErrTooLarge, "hop", "error")
	i := Info{Type: PacketInfoRequest, HopLimit: 2, Name: node.Node, Request: node}
	pkt, err := i.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	fill := MaxPacketLen - len(pkt) - 4 // an unknown TLV makes it as long as can be
	pkt = append(pkt, 0x7a, 0xbc, byte(fill>>8), byte(fill))
	pkt = append(pkt, make([]byte, fill)...)
	pkt[2], pkt[3] = 0xff, 0xff
	shut(pkt, int(pkt[7])+4)
	refuses("long packet", pkt, node, ErrTooLarge, "hop", "error", "reply")
	pkt[7+1+4+3] = InfoFlagValidate
	if got, err := AppendInfoError([]byte("prefix"), pkt, InfoNoSpace, InfoStamp{}); !errors.Is(err, ErrTooLarge) || string(got) != "prefix" {
		t.Errorf("error, no room for a trailer: %d bytes, %v", len(got), err)
	}
}
