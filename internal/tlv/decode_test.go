package tlv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestParseHeaderUnknownType(t *testing.T) {
	h, err := ParseHeader(unhex(t, "0105 0027 2001 000e"))
	if want := (Header{5, 39, 32, 1, 14}); h != want || !errors.Is(err, ErrType) {
		t.Errorf("%+v, %v; want %+v to skip it by, %v", h, err, want, ErrType)
	}
	h, err = ParseHeader(unhex(t, "0105 000b 2001 0008"))
	if h != (Header{}) || !errors.Is(err, ErrLength) {
		t.Errorf("with a wrong length: %+v, %v; want none, %v", h, err, ErrLength)
	}
}

// TestDecodeType: a packet of another type, or two in one, are refused.
func TestDecodeType(t *testing.T) {
	interest := golden(t, "interest/cefgetfile/no-route-1")
	ret := golden(t, "interest-return/cefgetfile/no-route-2")
	data := golden(t, "data/cefputfile/one-chunk-1")
	tests := []struct {
		name string
		p    packet
		pkt  []byte
		err  error
	}{
		{"Interest", &Interest{}, interest, nil},
		{"Return as Interest", &Interest{}, ret, ErrType},
		{"Interest as Return", &Return{}, interest, ErrType},
		{"Interest as Object", &Object{}, interest, ErrType},
		{"Object as Info", &Info{}, data, ErrType},
		{"Object as Interest", &Interest{}, data, ErrType},
		{"two Objects", &Object{}, append(bytes.Clone(data), data...), ErrLength},
	}
	for _, tt := range tests {
		if err := tt.p.Decode(tt.pkt); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
	}
}

// TestDecodeMalformed is what bad-packets.json leaves out.
func TestDecodeMalformed(t *testing.T) {
	const (
		name   = "0000 0005 0001 0001 61"
		header = "0008 0004 1234 0000"
		stamp  = "00000007" + name
		req    = "000d 000d" + stamp
		block  = "00000001 00000002 00000003 00000004 00000005 00000006 00000007"
		sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
	)
	tests := []struct {
		name              string
		typ               PacketType
		hop, msg, trailer string
		err               error
	}{
		{"plain", PacketInterest, "", name, "", nil},
		{"command with a value", PacketInterest, "1000 0005 1003 0001 00", name, "", ErrLength},
		{"two commands in one", PacketInterest, "1000 0008 1003 0000 1002 0000", name, "", ErrLength},
		{"command of nothing", PacketInterest, "1000 0000", name, "", ErrLength},
		{"command 0", PacketInterest, "1000 0004 0000 0000", name, "", ErrLength},
		{"lifetime of nine bytes", PacketInterest, "0001 0009 000000000000000001", name, "", ErrLength},
		{"odd byte in a vendor TLV", PacketInterest, "0fff 0004 00c96c 05", name, "", ErrLength},
		{"two marks", PacketInterest, "0fff 0008 007ed9 636566676f 0fff 0008 007ed9 636566676f", name, "", ErrDuplicate},
		{"CCNinfo header in an Interest", PacketInterest, header, name, "", nil},
		{"restriction, right", PacketInterest, "", name + "0002 0024 0001 0020" + sha256, "", nil},
		{"restriction, empty hash", PacketInterest, "", name + "0002 0004 0099 0000", "", ErrLength},
		{"restriction, SHA-256 of 31 bytes", PacketInterest, "", name + "0002 0023 0001 001f" + sha256[2:], "", ErrLength},
		{"restriction, SHA-512 of 32 bytes", PacketInterest, "", name + "0002 0024 0002 0020" + sha256, "", ErrLength},
		{"restriction, byte behind the hash", PacketInterest, "", name + "0002 0025 0001 0020" + sha256 + "00", "", ErrLength},
		{"restriction, unknown hash", PacketInterest, "", name + "0002 0005 0099 0001 00", "", nil},
		{"version, empty", PacketObject, "", name + "1cef 0000", "", ErrLength},
		{"version, 32 bytes", PacketObject, "", name + "1cef 0020" + sha256, "", nil},
		{"version, 33 bytes", PacketObject, "", name + "1cef 0021" + sha256 + "00", "", ErrLength},
		{"checksum", PacketObject, "", name + "1cf0 0004 00000000", "", nil},
		{"checksum of three bytes", PacketObject, "", name + "1cf0 0003 000000", "", ErrLength},
		{"checksum of five bytes", PacketObject, "", name + "1cf0 0005 0000000000", "", ErrLength},
		{"crc32c of three bytes", PacketObject, "", name, "0003 0004 0002 0000 0004 0003 000000", ErrLength},
		{"crc32c with data", PacketObject, "", name, "0003 0005 0002 0001 00 0004 0004 00000000", ErrLength},
		{"no algorithm", PacketObject, "", name, "0003 0000 0004 0000", ErrLength},
		{"two algorithms", PacketObject, "", name, "0003 0008 0002 0000 0002 0000 0004 0004 00000000", ErrLength},
		{"two payloads", PacketObject, "", name, "0003 0004 0004 0000 0004 0001 00 0004 0001 00", ErrValidation},
		{"two messages", PacketObject, "", name, "0002 0009" + name, ErrValidation},
		{"dependent data, half a TLV", PacketObject, "", name, "0003 0006 0005 0002 0009 0004 0000", ErrLength},
		{"request", PacketInfoRequest, header, name + req, "", nil},
		{"request without its header", PacketInfoRequest, "", name + req, "", ErrLength},
		{"request, header of five bytes", PacketInfoRequest, "0008 0005 1234 0000 00", name + req, "", ErrLength},
		{"request without its block", PacketInfoRequest, header, name, "", ErrLength},
		{"request, block of three bytes", PacketInfoRequest, header, name + "000d 0003 000000", "", ErrLength},
		{"request, block without a node", PacketInfoRequest, header, name + "000d 0004 00000000", "", ErrName},
		{"request, byte behind the block", PacketInfoRequest, header, name + "000d 000e" + stamp + "00", "", ErrLength},
		{"report, byte behind", PacketInfoReply, header + "0009 000e" + stamp + "00", name + req, "", ErrLength},
		{"reply", PacketInfoReply, header, name + req + "000e 0036" + stamp + "0000 0025" + block + name, "", nil},
		{"reply, short block", PacketInfoReply, header, name + req + "000e 002c" + stamp + "0000 001b" + block[2:], "", ErrLength},
		{"reply, byte behind the block", PacketInfoReply, header, name + req + "000e 0037" + stamp + "0000 0026" + block + name + "00", "", ErrLength},
	}
	for _, tt := range tests {
		_, err := decode(wrap(t, tt.typ, tt.hop, tt.msg, tt.trailer))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if err != nil {
			checkTyped(t, err)
		}
	}
}

// TestFullPackets: every field comes back from its packet.
func TestFullPackets(t *testing.T) {
	for _, p := range fullPackets(t) {
		pkt, err := p.AppendTo(nil)
		if err != nil {
			t.Errorf("%T: %v", p, err)
			continue
		}
		got, err := decode(pkt)
		if err != nil || !sameFields(got, p) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, p)
		}
	}
}

// TestDuplicates: every TLV that may stand once is refused when it stands twice.
func TestDuplicates(t *testing.T) {
	for _, p := range fullPackets(t) {
		pkt, err := p.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		hdr := int(pkt[7])
		msgEnd := hdr + tlHeaderLen + len(mustNext(t, pkt[hdr:]))
		for _, part := range []struct{ start, end int }{{FixedHeaderLen, hdr}, {hdr + tlHeaderLen, msgEnd}} {
			for at, n := part.start, 0; at < part.end; at += n {
				n = tlHeaderLen + len(mustNext(t, pkt[at:]))
				typ := binary.BigEndian.Uint16(pkt[at:])
				b := append(bytes.Clone(pkt[:part.end]), pkt[at:at+n]...)
				b = append(b, pkt[part.end:]...)
				binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
				if part.end == hdr {
					if hdr+n > MaxHeaderLen {
						t.Fatalf("%T: no room for two of %#x", p, typ)
					}
					b[7] += byte(n)
				} else {
					binary.BigEndian.PutUint16(b[hdr+2:], uint16(msgEnd+n-hdr-tlHeaderLen))
				}
				want := ErrDuplicate
				if part.end == hdr && typ == hopInfoReport {
					want = nil
				}
				if _, err := decode(b); !errors.Is(err, want) {
					t.Errorf("%T: two of %#x: %v, want %v", p, typ, err, want)
				}
			}
		}
	}
}

// TestDecodeResets: nothing of an earlier packet shows through.
func TestDecodeResets(t *testing.T) {
	for _, used := range fullPackets(t) {
		pkt, err := used.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		req := golden(t, "ccninfo-request/ccninfo/no-route-1")
		plain := map[PacketType][]byte{
			PacketInterest: golden(t, "registration/libcefore/radd-1"), PacketObject: golden(t, "data/cefapp/producer-3"),
			PacketReturn: golden(t, "interest-return/cefgetfile/no-route-2"), PacketInfoReply: req,
		}[PacketType(pkt[1])]
		want, err := decode(plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := used.Decode(plain); err != nil || !sameFields(used, want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, used, want)
		}
	}
}

// TestAliasing: fields point into the packet, yet an append to one cannot reach the
// bytes behind it.
func TestAliasing(t *testing.T) {
	pkt := golden(t, "data/cefputfile/crc32c-data-1")
	before := bytes.Clone(pkt)
	var o Object
	if err := o.Decode(pkt); err != nil {
		t.Fatal(err)
	}
	up, last, _ := o.Name.Parent()
	for _, b := range [][]byte{o.Payload, o.Name.Bytes(), up.Bytes(), last.Value, o.Validation.Dependent, o.Validation.Payload} {
		_ = append(b, 0xee)
	}
	if !bytes.Equal(pkt, before) {
		t.Errorf("an append to a field changed the packet:\n got %x\nwant %x", pkt, before)
	}
	o.Payload[0] = 'X'
	if bytes.Equal(pkt, before) {
		t.Error("the payload is a copy")
	}
}

// TestPeekName: what PeekName reads is what Decode reads, and it reads no further.
func TestPeekName(t *testing.T) {
	for _, v := range packetVectors(t) {
		pkt := unhex(t, v.Hex)
		p, err := decode(pkt)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{pkt, append(bytes.Clone(pkt), "next"...)} {
			typ, name, err := PeekName(b)
			if err != nil || typ != v.Decoded.Fixed.PacketType || !name.Equal(nameOf(p)) {
				t.Errorf("%s: %v %v, %v; want %v", v.ID, typ, name, err, nameOf(p))
			}
		}
		for n := range pkt {
			if _, _, err := PeekName(pkt[:n:n]); !errors.Is(err, ErrTruncated) {
				t.Errorf("%s, %d bytes: %v, want %v", v.ID, n, err, ErrTruncated)
			}
		}
	}
	const name = "0000 0005 0001 0001 61"
	tests := []struct {
		name string
		pkt  []byte
		err  error
	}{
		{"junk behind the name", wrap(t, PacketInterest, "ffff", name+"ff", "ff"), nil},
		{"no name", wrap(t, PacketInterest, "", "", ""), ErrName},
		{"another TLV first", wrap(t, PacketInterest, "", "0001 0000"+name, ""), ErrName},
		{"name too long", wrap(t, PacketInterest, "", "0000 0006 0001 0001 61", ""), ErrLength},
		{"message of another type", unhex(t, "0101 0015 0000 0008 0001 0009"+name), ErrType},
		{"message too long", unhex(t, "0100 0015 0000 0008 0001 000a"+name), ErrLength},
		{"unknown type", unhex(t, "0109 0015 0000 0008 0001 0009"+name), ErrType},
	}
	for _, tt := range tests {
		_, n, err := PeekName(tt.pkt)
		if !errors.Is(err, tt.err) || (err == nil) == n.IsZero() {
			t.Errorf("%s: %v, %v; want %v", tt.name, n, err, tt.err)
		}
	}
}

// TestLink: the link request and its reply are packets, the reply the one captured.
func TestLink(t *testing.T) {
	if _, err := receive([]byte(LinkRequest)); err != nil {
		t.Error(err)
	}
	for _, e := range loadBadPackets(t) {
		if e.ID == "from-cefnetd-link-reply" && string(e.bytes(t)) != LinkReply {
			t.Errorf("LinkReply %x, want %s", LinkReply, e.Hex)
		}
	}
	// Sheet a.
	if want := unhex(t, "0100001c01000008000100100000000c00010008c0c1cc0100ccc1c0"); string(want) != LinkRequest {
		t.Errorf("LinkRequest %x, want %x", LinkRequest, want)
	}
}
