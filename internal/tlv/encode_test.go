package tlv

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
)

// TestEncode makes packets from values and wants the bytes of Cefore's programs.
func TestEncode(t *testing.T) {
	name := func(uri string) Name { return mustName(t, uri) }
	keyID := golden(t, "interest/libcefore/keyidrestr-1")
	keyID = keyID[len(keyID)-sha256.Size:]
	tests := []struct {
		vector string
		packet packet
	}{
		{"interest/cefgetfile/pipeline-1-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](2000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/tiny/Chunk=0"),
		}},
		{"interest/cefgetchunk/chunk-4294967295-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](10000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/big").WithChunk(4294967295),
		}},
		{"interest/cefpyco/lifetime-0-1", &Interest{
			HopByHop: HopByHop{Lifetime: CancelLifetime}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/py/Chunk=5"),
		}},
		{"interest/cefpyco/no-lifetime-tlv-1", &Interest{HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/py/Chunk=5")}},
		{"interest/cefpyco/symbolic-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](10000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/live"), MsgVendor: VendorSymbolic,
		}},
		{"interest/cefgetfile/from-publisher-interest-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](2000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/tiny/Chunk=0"), MsgVendor: VendorFromPublisher,
		}},
		{"interest/cefpyco/hdr-org-hw-flags-1", &Interest{
			HopByHop: HopByHop{Vendor: Vendor{5, 0x10}, Lifetime: Some[uint64](4000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/py/Chunk=1"),
		}},
		{"interest/libcefore/keyidrestr-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](4000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/rsa/Chunk=0"), KeyID: Hash{HashSHA256, keyID},
		}},
		{"interest/cefgetfile/crc-interest-1", &Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](2000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/crc/Chunk=0"), Validation: Validation{Alg: AlgCRC32C},
		}},
		{"interest-return/cefgetfile/no-route-2", &Return{Code: ReturnNoRoute, Interest: Interest{
			HopByHop: HopByHop{Lifetime: Some[uint64](2000)}, HopLimit: DefaultHopLimit, Name: name("ccnx:/gold/ir1/Chunk=0"),
		}}},
		{"data/cefputfile/one-chunk-1", &Object{
			HopByHop: HopByHop{CacheTime: Some[Timestamp](1795168127765)}, Name: name("ccnx:/gold/tiny/Chunk=0"),
			Expiry: Some[Timestamp](1795171427765), EndChunk: Some[uint64](0), Payload: []byte("hello world"),
		}},
		{"data/cefputfile/crc32c-data-1", &Object{
			HopByHop: HopByHop{CacheTime: Some[Timestamp](0x01a1f85bd556)}, Name: name("ccnx:/gold/crc/Chunk=0"),
			Expiry: Some[Timestamp](0x01a1f88e2ff6), EndChunk: Some[uint64](0), Payload: []byte("hello world"), Validation: Validation{Alg: AlgCRC32C},
		}},
		{"ccninfo-request/ccninfo/via-second-node-1", &Info{
			Type: PacketInfoRequest, HopLimit: 4, RequestID: 0xa0dd, Flags: InfoFlagPublisher,
			Name: name("ccnx:/far/x"), Request: InfoStamp{0x95bbc961, name("ccnx:/192.0.2.2")},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			got, err := tt.packet.AppendTo([]byte{0xff})
			if want := append([]byte{0xff}, golden(t, tt.vector)...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v\n got %x\nwant %x", err, got, want)
			}
		})
	}
}

func TestAppendCommand(t *testing.T) {
	tests := []struct {
		vector  string
		command Command
		name    string
	}{
		{"registration/libcefore/reg-1", CommandRegister, "ccnx:/gold/lib"},
		{"registration/libcefore/regp-1", CommandRegPrefix, "ccnx:/gold/lib"},
		{"registration/libcefore/dereg-1", CommandDeregister, "ccnx:/gold/lib"},
		{"registration/libcefore/pitreg-1", CommandPITReg, "ccnx:/gold/lib"},
		{"registration/libcefore/pitdereg-1", CommandPITDereg, "ccnx:/gold/lib"},
		{"registration/libcefore/radd-1", CommandRouteAdd, "ccnx:/gold/lib"},
		{"registration/libcefore/rdel-1", CommandRouteDel, "ccnx:/gold/lib"},
		{"registration/cefpyco/register-deregister-2", CommandRegPrefix, "ccnx:/gold/py"},
		{"registration/cefsubfile/push-sub-1", CommandRegister, "ccnx:/gold/push"},
	}
	for _, tt := range tests {
		got, err := AppendCommand([]byte("prefix"), tt.command, mustName(t, tt.name))
		if want := append([]byte("prefix"), golden(t, tt.vector)...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n got %x\nwant %x", tt.vector, err, got, want)
		}
	}
	got, err := AppendCommand([]byte("prefix"), CommandRegister, mustName(t, "ccnx:/a/Chunk=1"))
	if !errors.Is(err, ErrName) || string(got) != "prefix" {
		t.Errorf("with a chunk: %q, %v; want the prefix, %v", got, err, ErrName)
	}
}

// TestAppendReturn: cefnetd sends the Interest back byte for byte but for two.
func TestAppendReturn(t *testing.T) {
	tests := []struct {
		interest, ret string
		code          ReturnCode
	}{
		{"interest/cefgetfile/no-route-1", "interest-return/cefgetfile/no-route-2", ReturnNoRoute},
		{"interest/cefgetchunk/no-route-chunk-1", "interest-return/cefgetchunk/no-route-chunk-2", ReturnNoRoute},
		{"interest/cefgetstream/symbolic-1-2", "interest-return/cefgetstream/symbolic-2", ReturnNoRoute},
		{"interest/cefpyco/hop-limit-cefpyco-1", "interest-return/cefpyco/hop-limit-cefpyco-2", ReturnHopLimit},
	}
	for _, tt := range tests {
		pkt := golden(t, tt.interest)
		before := bytes.Clone(pkt)
		got := AppendReturn([]byte("prefix"), pkt, tt.code)
		if want := append([]byte("prefix"), golden(t, tt.ret)...); !bytes.Equal(got, want) || !bytes.Equal(pkt, before) {
			t.Errorf("%s:\n got %x\nwant %x", tt.interest, got, want)
		}
	}
}

// TestUnencodable: what fits no packet is refused, and the buffer left as it was.
func TestUnencodable(t *testing.T) {
	name := mustName(t, "ccnx:/a")
	long := make([]byte, MaxPacketLen+1)
	header := HopByHop{Vendor: make(Vendor, 241)}
	node := InfoStamp{Node: name}
	noNode := Some(InfoStamp{})
	tests := []struct {
		name string
		p    packet
		err  error
	}{
		{"Interest without a name", &Interest{}, ErrName},
		{"Object without a name", &Object{}, ErrName},
		{"Return without a name", &Return{}, ErrName},
		{"chunk without a name", &Interest{Name: Name{}.WithChunk(1)}, ErrName},
		{"Interest, long header", &Interest{Name: name, HopByHop: header}, ErrTooLarge},
		{"Object, long header", &Object{Name: name, HopByHop: header}, ErrTooLarge},
		{"Interest, long payload", &Interest{Name: name, Payload: long}, ErrTooLarge},
		{"Interest, long packet", &Interest{Name: name, Payload: long[:65535-8-4-9-4+1]}, ErrTooLarge},
		{"Object, long payload", &Object{Name: name, Payload: long}, ErrTooLarge},
		{"Object, long packet", &Object{Name: name, Payload: long[:65535-8-4-9-4+1]}, ErrTooLarge},
		{"Object, long version", &Object{Name: name, Version: long[:MaxVersionLen+1]}, ErrTooLarge},
		{"Object, long validation", &Object{Name: name, Validation: Validation{Alg: AlgHMACSHA256, Payload: long}}, ErrTooLarge},
		{"Info of no type", &Info{Name: name, Request: node}, ErrType},
		{"Info without a name", &Info{Type: PacketInfoRequest, Request: node}, ErrName},
		{"Info without a node", &Info{Type: PacketInfoRequest, Name: name}, ErrName},
		{"Info, report without a node", &Info{Type: PacketInfoReply, Name: name, Request: node, Reports: make([]InfoStamp, 1)}, ErrName},
		{"Info, reply without a node", &Info{Type: PacketInfoReply, Name: name, Request: node, Reply: noNode}, ErrName},
		{"Info, block without a name", &Info{Type: PacketInfoReply, Name: name, Request: node, Reply: Some(node), Blocks: make([]InfoBlock, 1)}, ErrName},
		{"Info, long header", &Info{Type: PacketInfoReply, Name: name, Request: node, Reports: slices.Repeat([]InfoStamp{node}, 15)}, ErrTooLarge},
	}
	for _, tt := range tests {
		b := append(make([]byte, 0, 100), "prefix"...)
		got, err := tt.p.AppendTo(b)
		if !errors.Is(err, tt.err) || string(got) != "prefix" {
			t.Errorf("%s: %q, %v; want the prefix, %v", tt.name, got[:min(len(got), 20)], err, tt.err)
		}
	}
	largest := &Object{Name: name, Payload: long[:65535-8-4-9-4]}
	pkt, err := largest.AppendTo(nil)
	if err != nil || len(pkt) != MaxPacketLen || new(Object).Decode(pkt) != nil {
		t.Errorf("largest Object: %d bytes, %v", len(pkt), err)
	}
}
