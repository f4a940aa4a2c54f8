package tlv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// vector is what Cefore's own programs sent, and what it means.
type vector struct {
	ID      string `json:"id"`
	Hex     string `json:"packet_hex"`
	Decoded struct {
		Kind  string
		Fixed struct {
			PacketType   PacketType `json:"packet_type"`
			PacketLength int        `json:"packet_length"`
			HopLimit     uint8      `json:"hop_limit"`
			ReturnCode   ReturnCode `json:"byte5_return_code"`
			HeaderLength int        `json:"header_length"`
		}
		HopByHop   []vectorTLV `json:"hop_by_hop"`
		Message    struct{ TLVs []vectorTLV }
		Validation *vectorValidation
	}
}

type vectorTLV struct {
	Name string
	vectorName
	Node     vectorName `json:"node_name"`
	Lifetime uint64     `json:"lifetime_ms"`
	RCT      uint64     `json:"rct_ms"`
	Expiry   uint64     `json:"expiry_ms"`
	EndChunk uint64     `json:"end_chunk_number"`
	Payload  struct{ Length, Hex any }
	PEN      int
	Items    []struct {
		Flag, Type uint16
		Hex        string `json:"value_hex"`
	}
	Sub       []struct{ Type uint16 }
	HashType  uint16 `json:"hash_type"`
	HashHex   string `json:"hash_hex"`
	RequestID int    `json:"request_id"`
	SkipHop   int    `json:"skip_hop"`
	Flags     int
	Arrival   uint32 `json:"arrival_time_ntp32"`
	Blocks    []struct {
		Type       int
		SizeKB     uint32 `json:"object_size_kb"`
		Objects    uint32 `json:"object_count"`
		Interests  uint32 `json:"received_interests"`
		First      uint32 `json:"first_seq"`
		Last       uint32 `json:"last_seq"`
		ElapsedS   uint32 `json:"elapsed_cache_time_s"`
		RemainingS uint32 `json:"remaining_lifetime_s"`
		Name       vectorName
	} `json:"reply_sub_blocks"`
}

type vectorName struct {
	Segments []struct {
		Type uint16
		Hex  string `json:"value_hex"`
	}
}

type vectorValidation struct {
	Alg   string
	KeyID *struct {
		Type uint16 `json:"hash_type"`
		Hex  string `json:"hash_hex"`
	}
	PublicKey *struct {
		Length int
		SHA256 string
	} `json:"public_key_der"`
	Covered   [2]int `json:"covered_bytes"`
	CRC       string `json:"crc32c_hex"`
	CRCValid  bool   `json:"crc32c_valid"`
	Signature string `json:"signature_hex"`
	Digest    string `json:"signed_digest_sha256"`
}

func (n vectorName) String() string {
	var s []string
	for _, seg := range n.Segments {
		s = append(s, fmt.Sprintf("%04x=%s", seg.Type, seg.Hex))
	}
	return strings.Join(s, "/")
}

// words joins its arguments by spaces.
func words(args ...any) string { return strings.TrimSpace(fmt.Sprintln(args...)) }

func (v vectorTLV) String() string {
	switch v.Name {
	case "T_INTLIFE":
		return words(v.Name, v.Lifetime)
	case "T_CACHETIME":
		return words(v.Name, v.RCT)
	case "T_EXPIRY":
		return words(v.Name, v.Expiry)
	case "T_ENDCHUNK":
		return words(v.Name, v.EndChunk)
	case "T_PAYLOAD":
		return words(v.Name, v.Payload.Length, v.Payload.Hex)
	case "T_NAME":
		return words(v.Name, v.vectorName)
	case "T_USER_TLV":
		return words(v.Name, v.Sub)
	case "T_KEYIDRESTR", "T_OBJHASHRESTR":
		return words(v.Name, v.HashType, v.HashHex)
	case "T_ORG":
		s := words(v.Name, v.PEN)
		for _, i := range v.Items {
			s += fmt.Sprintf(" %x=%s", i.Flag|i.Type, i.Hex)
		}
		return s
	case "T_DISC_REQHDR":
		return words(v.Name, v.RequestID, v.SkipHop, v.Flags)
	case "T_DISC_REPORT", "T_DISC_REQ", "T_DISC_REPLY":
		s := words(v.Name, v.Arrival, v.Node)
		for _, b := range v.Blocks {
			c := [infoCounters]uint32{b.SizeKB, b.Objects, b.Interests, b.First, b.Last, b.ElapsedS, b.RemainingS}
			s = words(s, b.Type, c, b.Name)
		}
		return s
	}
	return "unknown to this test: " + v.Name
}

// describe says of a decoded packet what vectorTLV.String says of a vector.
type describe []string

func (d *describe) add(args ...any) { *d = append(*d, words(args...)) }

func (d *describe) hash(name string, h Hash) {
	if h.Sum != nil {
		d.add(name, h.Type, hex.EncodeToString(h.Sum))
	}
}

func (d *describe) vendor(v Vendor) {
	if v == nil {
		return
	}
	s := words("T_ORG", penNICT)
	for i := range v.Items() {
		s += fmt.Sprintf(" %x=%x", i.Type, i.Value)
	}
	d.add(s)
}

func (d *describe) payload(b []byte) {
	if b != nil {
		d.add("T_PAYLOAD", len(b), hex.EncodeToString(b))
	}
}

func (d *describe) hopByHop(h *HopByHop) {
	d.vendor(h.Vendor)
	if h.Lifetime.OK {
		d.add("T_INTLIFE", h.Lifetime.V)
	}
	if h.CacheTime.OK {
		d.add("T_CACHETIME", h.CacheTime.V)
	}
	d.hash("T_MSGHASH", h.MessageHash)
	if h.Command != CommandNone {
		d.add("T_USER_TLV", []struct{ Type uint16 }{{uint16(h.Command)}})
	}
}

func describeName(n Name) string {
	var s []string
	for seg := range n.Segments() {
		s = append(s, fmt.Sprintf("%04x=%x", uint16(seg.Type), seg.Value))
	}
	if n.hasChunk { // the raw number: Chunk undoes Cefore's sign extension
		s = append(s, fmt.Sprintf("0005=%x", appendNumber(nil, 0, n.chunk)[tlHeaderLen:]))
	}
	return strings.Join(s, "/")
}

func (d *describe) stamp(name string, s InfoStamp, blocks []InfoBlock) {
	line := words(name, s.Arrival, describeName(s.Node))
	for _, b := range blocks {
		line = words(line, b.Type, b.Counters, describeName(b.Name))
	}
	d.add(line)
}

func describePacket(p packet) (hop, msg describe) {
	switch p := p.(type) {
	case *Return:
		return describePacket(&p.Interest)
	case *Interest:
		hop.hopByHop(&p.HopByHop)
		msg.add("T_NAME", describeName(p.Name))
		msg.payload(p.Payload)
		msg.hash("T_KEYIDRESTR", p.KeyID)
		msg.hash("T_OBJHASHRESTR", p.ObjectHash)
		msg.vendor(p.MsgVendor)
	case *Object:
		hop.hopByHop(&p.HopByHop)
		msg.add("T_NAME", describeName(p.Name))
		if p.Expiry.OK {
			msg.add("T_EXPIRY", p.Expiry.V)
		}
		if p.EndChunk.OK {
			msg.add("T_ENDCHUNK", p.EndChunk.V)
		}
		msg.vendor(p.MsgVendor)
		msg.payload(p.Payload)
	case *Info:
		hop.add("T_DISC_REQHDR", p.RequestID, p.SkipHop, p.Flags)
		for _, r := range p.Reports {
			hop.stamp("T_DISC_REPORT", r, nil)
		}
		hop.hopByHop(&p.HopByHop)
		msg.add("T_NAME", describeName(p.Name))
		msg.stamp("T_DISC_REQ", p.Request, nil)
		if p.Reply.OK {
			msg.stamp("T_DISC_REPLY", p.Reply.V, p.Blocks)
		}
	}
	return hop, msg
}

// checkTLVs compares what a packet was decoded to with what the vector says.
func checkTLVs(t *testing.T, part string, got describe, want []vectorTLV) {
	t.Helper()
	var lines describe
	for _, v := range want {
		lines = append(lines, v.String())
	}
	if !slices.Equal(got, lines) {
		t.Errorf("%s:\n got %q\nwant %q", part, got, lines)
	}
}

func checkValidation(t *testing.T, v *Validation, pkt []byte, want *vectorValidation) {
	t.Helper()
	if err := v.Check(); err != nil {
		t.Error(err)
	}
	if want == nil {
		if v.Alg != AlgNone || v.Payload != nil {
			t.Errorf("validation %d, want none", v.Alg)
		}
		return
	}
	if !bytes.Equal(v.covered, pkt[want.Covered[0]:want.Covered[1]]) {
		t.Errorf("covers %x, want bytes %d", v.covered, want.Covered)
	}
	id, hasID := v.KeyID()
	der := v.PublicKeyDER()
	switch want.Alg {
	case "crc32c":
		if v.Alg != AlgCRC32C || !want.CRCValid || hex.EncodeToString(v.Payload) != want.CRC || hasID || der != nil {
			t.Errorf("validation %d %x, want crc32c %s", v.Alg, v.Payload, want.CRC)
		}
	case "rsa-sha256":
		if v.Alg != AlgRSASHA256 || hex.EncodeToString(v.Payload) != want.Signature {
			t.Errorf("validation %d %x, want rsa-sha256 %s", v.Alg, v.Payload, want.Signature)
		}
		if sum := sha256.Sum256(v.covered); hex.EncodeToString(sum[:]) != want.Digest {
			t.Errorf("digest %x, want %s", sum, want.Digest)
		}
		if uint16(id.Type) != want.KeyID.Type || hex.EncodeToString(id.Sum) != want.KeyID.Hex {
			t.Errorf("key id %d %x, want %v", id.Type, id.Sum, *want.KeyID)
		}
		if sum := sha256.Sum256(der); len(der) != want.PublicKey.Length || hex.EncodeToString(sum[:]) != want.PublicKey.SHA256 {
			t.Errorf("public key of %d bytes, sum %x, want %v", len(der), sum, *want.PublicKey)
		}
	default:
		t.Errorf("algorithm %q unknown to this test", want.Alg)
	}
}

const vectorsFile = "testdata/vectors.json"

// packetVectors are the vectors that are packets.
func packetVectors(t testing.TB) []vector {
	t.Helper()
	return slices.DeleteFunc(load[vector](t, vectorsFile), func(v vector) bool { return v.Decoded.Kind != "packet" })
}

// golden is the packet of the vector of that id.
func golden(t testing.TB, id string) []byte {
	t.Helper()
	for _, v := range packetVectors(t) {
		if v.ID == id {
			return unhex(t, v.Hex)
		}
	}
	t.Fatalf("no packet vector %q", id)
	return nil
}

func TestVectors(t *testing.T) {
	for _, v := range packetVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			pkt := unhex(t, v.Hex)
			h, err := ParseHeader(pkt)
			if err != nil {
				t.Fatal(err)
			}
			f := v.Decoded.Fixed
			if want := (Header{f.PacketType, f.PacketLength, f.HopLimit, f.ReturnCode, f.HeaderLength}); h != want {
				t.Errorf("header %+v, want %+v", h, want)
			}
			p, err := decode(pkt)
			if err != nil {
				t.Fatal(err)
			}
			hop, msg := describePacket(p)
			checkTLVs(t, "hop-by-hop", hop, v.Decoded.HopByHop)
			checkTLVs(t, "message", msg, v.Decoded.Message.TLVs)
			checkValidation(t, validation(p), pkt, v.Decoded.Validation)
			got, err := p.AppendTo([]byte("prefix"))
			if want := append([]byte("prefix"), pkt...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("encoded again: %v\n got %x\nwant %x", err, got, want)
			}
		})
	}
}

// TestVectorsNotPackets: the texts of the control protocol are not taken for packets.
func TestVectorsNotPackets(t *testing.T) {
	all := load[vector](t, vectorsFile)
	texts := slices.DeleteFunc(slices.Clone(all), func(v vector) bool { return v.Decoded.Kind == "packet" })
	if len(all) != 166 || len(texts) != 20 {
		t.Errorf("%d vectors, %d of them not packets; want 166, 20", len(all), len(texts))
	}
	for _, v := range texts {
		if _, err := ParseHeader(unhex(t, v.Hex)); !errors.Is(err, ErrVersion) {
			t.Errorf("%s: %v, want %v", v.ID, err, ErrVersion)
		}
	}
}

// TestVectorsTruncated: a packet cut anywhere is refused; if its header owns up to
// the cut, then too, but for the one cut that takes exactly the validation away.
func TestVectorsTruncated(t *testing.T) {
	for _, v := range packetVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			pkt := unhex(t, v.Hex)
			msgEnd := v.Decoded.Fixed.HeaderLength + len(mustNext(t, pkt[v.Decoded.Fixed.HeaderLength:])) + tlHeaderLen
			for n := range pkt {
				if _, err := decode(pkt[:n:n]); !errors.Is(err, ErrTruncated) {
					t.Errorf("%d of %d bytes: %v, want %v", n, len(pkt), err, ErrTruncated)
				}
				if n < FixedHeaderLen || n == msgEnd {
					continue
				}
				b := bytes.Clone(pkt[:n])
				b[2], b[3] = byte(n>>8), byte(n)
				_, err := decode(b)
				checkTyped(t, err)
			}
		})
	}
}
