package tlv

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// badPacket is an entry of testdata/bad-packets.json.
type badPacket struct {
	ID     string `json:"id"`
	Hex    string `json:"packet_hex"`
	Repeat int
	Length int
	Should string `json:"our_receiver_should"`
}

func (p badPacket) bytes(t testing.TB) []byte {
	b := bytes.Repeat(unhex(t, p.Hex), max(p.Repeat, 1))
	if len(b) != p.Length {
		t.Fatalf("%s: %d bytes, want %d", p.ID, len(b), p.Length)
	}
	return b
}

func loadBadPackets(t testing.TB) []badPacket {
	t.Helper()
	return load[badPacket](t, "testdata/bad-packets.json")
}

// badPacketErrors says what receiving each bad packet gives: nil accepts it.
var badPacketErrors = map[string]error{
	"ver-0":                                ErrVersion,
	"ver-2":                                ErrVersion,
	"type-5":                               ErrType, // with its lengths: see TestParseHeaderUnknownType
	"type-255":                             ErrType,
	"len-too-big-by-8":                     ErrTruncated,
	"len-too-small":                        ErrLength,
	"len-zero":                             ErrLength,
	"len-7":                                ErrLength,
	"len-ffff-small-body":                  ErrTruncated,
	"hdrlen-0":                             ErrLength,
	"hdrlen-7":                             ErrLength,
	"hdrlen-gt-pktlen":                     ErrLength,
	"hdrlen-eq-pktlen":                     ErrLength,
	"truncated-fixed-header":               ErrTruncated,
	"truncated-after-header":               ErrTruncated,
	"truncated-mid-name":                   ErrTruncated,
	"truncated-last-byte":                  ErrTruncated,
	"hdrlen-misaligned":                    ErrLength,
	"msg-type-0":                           ErrType,
	"msg-type-6":                           ErrType,
	"msg-type-mismatch":                    ErrType,
	"msg-len-too-big":                      ErrLength,
	"msg-len-too-small":                    ErrValidation,
	"msg-len-zero":                         ErrValidation,
	"msg-len-fffc":                         ErrLength,
	"msg-len-ffff":                         ErrLength,
	"name-missing":                         ErrName,
	"name-empty":                           ErrName,
	"name-not-first":                       ErrName,
	"name-seg-overflow":                    ErrLength,
	"name-seg-ffff":                        ErrLength,
	"name-trailing-3-bytes":                ErrLength,
	"name-len-lie-big":                     ErrLength,
	"name-only-chunk":                      ErrName,
	"name-1020":                            nil,
	"name-1025":                            ErrTooLarge,
	"name-too-long-2000":                   ErrTooLarge,
	"chunk-len-0":                          nil,
	"chunk-len-9":                          ErrLength,
	"chunk-len-300":                        ErrLength,
	"chunk-len-ffff":                       ErrLength,
	"chunk-in-middle":                      ErrName,
	"lifetime-len-1":                       nil,
	"lifetime-len-4":                       nil,
	"lifetime-len-0":                       nil,
	"opt-tlv-overrun":                      ErrLength,
	"opt-tlv-ffff":                         ErrLength,
	"opt-unknown":                          nil,
	"opt-org-short":                        ErrLength,
	"opt-org-inner-overrun":                ErrLength,
	"msg-org-foreign-pen":                  nil,
	"msg-org-short":                        ErrLength,
	"msg-org-inner-overrun":                ErrLength,
	"msg-unknown-tlv":                      nil,
	"msg-tlv-overrun":                      ErrLength,
	"keyidrestr-overrun":                   ErrLength,
	"objhashrestr-overrun":                 ErrLength,
	"interest-with-payload":                nil,
	"interest-with-payload-lie":            nil,
	"expiry-short":                         ErrLength,
	"data-payload-overrun":                 ErrLength,
	"data-endchunk-20":                     ErrLength,
	"data-rct-short":                       ErrLength,
	"data-msghash-overrun":                 ErrLength,
	"crc-wrong":                            ErrChecksum,
	"valid-alg-without-payload":            ErrValidation,
	"valid-payload-without-alg":            ErrValidation,
	"valid-hmac":                           nil,
	"valid-rsa-keyid-overrun":              ErrLength,
	"valid-unknown-alg":                    ErrValidation,
	"trailer-garbage":                      ErrValidation,
	"garbage-00":                           ErrVersion,
	"garbage-ff":                           ErrVersion,
	"garbage-01-small":                     ErrLength,
	"garbage-01-70000":                     ErrLength,
	"garbage-random-4096":                  ErrVersion,
	"half-close-message":                   ErrVersion,
	"slash-only":                           ErrVersion,
	"ctrl-unknown":                         ErrVersion,
	"ctrl-short":                           ErrVersion,
	"ctrl-route-truncated":                 ErrVersion,
	"from-cefnetd-busy-text":               ErrVersion,
	"from-cefnetd-truncated-ccninfo-reply": ErrLength,
	"from-cefnetd-cut-data":                ErrTruncated,
	"from-cefnetd-link-reply":              nil,
}

func TestBadPackets(t *testing.T) {
	entries := loadBadPackets(t)
	if len(entries) != 85 || len(badPacketErrors) != 85 {
		t.Errorf("%d entries, %d expected errors; want 85 each", len(entries), len(badPacketErrors))
	}
	for _, e := range entries {
		t.Run(e.ID, func(t *testing.T) {
			want, ok := badPacketErrors[e.ID]
			_, err := receive(e.bytes(t))
			if !ok || !errors.Is(err, want) {
				t.Fatalf("%v, want %v (%s)", err, want, e.Should)
			}
			if want != nil {
				checkTyped(t, err)
			}
			// The table must not drift away from the file's own verdict.
			switch verdict, _, _ := strings.Cut(e.Should, " "); verdict {
			case "accept", "accept,", "accept;":
				ok = want == nil
			case "wait":
				ok = want == ErrTruncated
			case "skip":
				ok = want == ErrType
			case "reject":
				ok = want != nil && want != ErrTruncated
			case "survive:":
				ok = true
			default:
				ok = false
			}
			if !ok {
				t.Errorf("expected error %v contradicts %q", want, e.Should)
			}
		})
	}
}

// TestBadPacketsAccepted: the odd packets that are received, and as what.
func TestBadPacketsAccepted(t *testing.T) {
	packets := map[string]badPacket{}
	for _, e := range loadBadPackets(t) {
		packets[e.ID] = e
	}
	interest := func(id string) (i Interest) {
		if err := i.Decode(packets[id].bytes(t)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		return i
	}
	for id, want := range map[string]uint64{"lifetime-len-0": 0, "lifetime-len-1": 5, "lifetime-len-4": 4096} {
		if i := interest(id); i.Lifetime != Some(want) {
			t.Errorf("%s: lifetime %v, want %d", id, i.Lifetime, want)
		}
	}
	if i := interest("chunk-len-0"); i.Name.String() != "ccnx:/bad/Chunk=0" {
		t.Errorf("chunk-len-0: name %v", i.Name)
	}
	if i := interest("name-1020"); i.Name.WireLen() != MaxNameLen {
		t.Errorf("name-1020: length %d, want %d", i.Name.WireLen(), MaxNameLen)
	}
	if i := interest("msg-org-foreign-pen"); i.MsgVendor != nil {
		t.Errorf("msg-org-foreign-pen: vendor items %x", i.MsgVendor)
	}
	if i := interest("interest-with-payload-lie"); !bytes.Equal(i.Payload, unhex(t, "0101ffff000000ff00020000")) {
		t.Errorf("interest-with-payload-lie: payload %x", i.Payload)
	}
	var o Object
	if err := o.Decode(packets["valid-hmac"].bytes(t)); err != nil || o.Validation.Alg != AlgHMACSHA256 || len(o.Validation.Payload) != 32 {
		t.Errorf("valid-hmac: %+v, %v", o.Validation, err)
	}
	if id, ok := o.Validation.KeyID(); !ok || len(id.Sum) != 32 {
		t.Errorf("valid-hmac: key id %x", id.Sum)
	}
}
