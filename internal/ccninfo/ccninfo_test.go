package ccninfo

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// packet is one of vectors.json or bad-packets.json.
func packet(t testing.TB, id string) []byte {
	t.Helper()
	for _, file := range []string{"../tlv/testdata/vectors.json", "../tlv/testdata/bad-packets.json"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all []struct {
			ID  string `json:"id"`
			Hex string `json:"packet_hex"`
		}
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			if v.ID == id {
				pkt, err := hex.DecodeString(v.Hex)
				if err != nil {
					t.Fatal(err)
				}
				return pkt
			}
		}
	}
	t.Fatalf("no packet %s", id)
	return nil
}

func name(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// asked is the Query that a captured Request holds, by its bytes.
func asked(t testing.TB, pkt []byte) Query {
	t.Helper()
	var i tlv.Info
	if err := i.Decode(pkt); err != nil {
		t.Fatal(err)
	}
	sec, frac := int64(i.Request.Arrival>>16), int64(i.Request.Arrival&0xffff)
	// up to the next nanosecond, as Stamp rounds down
	sent := time.Unix(sec+1<<16-epoch, (frac*int64(time.Second)+1<<16-1)>>16)
	return Query{Name: i.Name, Node: i.Request.Node, ID: i.RequestID, HopLimit: i.HopLimit, SkipHops: i.SkipHop, Flags: i.Flags, Sent: sent}
}

// TestRequestBytes: the very packets that ccninfo sends, for the same question.
func TestRequestBytes(t *testing.T) {
	for _, id := range []string{"cached-1", "c-1", "no-route-1", "via-second-node-1", "publisher-only-1"} {
		want := packet(t, "ccninfo-request/ccninfo/"+id)
		q := asked(t, want)
		if got, err := q.AppendTo([]byte("x")); err != nil || string(got[1:]) != string(want) {
			t.Errorf("%s: %v\n%x\n%x", id, err, got, want)
		}
	}
}

func opt(v uint32) tlv.Opt[uint32] { return tlv.Some(v) }

func TestReplies(t *testing.T) {
	const unit = 15258 // nanoseconds of a stamp's last bit
	for id, want := range map[string]Reply{
		"cached":   {Hops: []Hop{{name(t, "ccnx:/192.0.2.2"), 17 * unit}}},
		"no-route": {Code: tlv.InfoNoRoute, Hops: []Hop{{name(t, "ccnx:/192.0.2.2"), 16 * unit}}},
		"c": {Hops: []Hop{{name(t, "ccnx:/192.0.2.2"), 17 * unit}}, Contents: []Content{{
			Name: name(t, "ccnx:/gold/tiny"), SizeKB: opt(0), Objects: opt(1), Interests: opt(4), FirstChunk: opt(0), LastChunk: opt(0),
		}}},
		"via-second-node": {Fatal: true, Hops: []Hop{{name(t, "ccnx:/192.0.2.2"), 23 * unit}, {name(t, "ccnx:/192.0.2.2"), 30 * unit}}},
		"publisher-reply": {Hops: []Hop{{name(t, "ccnx:/node-b.example"), 17 * unit}, {name(t, "ccnx:/node-a.example/r1"), 17 * unit}}},
		"publisher-only": {Code: tlv.InfoNoRoute, Hops: []Hop{
			{name(t, "ccnx:/node-b.example"), 14 * unit}, {name(t, "ccnx:/node-a.example/r1"), 16 * unit},
		}},
	} {
		q := asked(t, packet(t, "ccninfo-request/ccninfo/"+id+"-1"))
		r, ok, err := q.Read(packet(t, "ccninfo-reply/ccninfo/"+id+"-2"))
		for i := range r.Hops {
			r.Hops[i].Delay = r.Hops[i].Delay / unit * unit // to the bit
		}
		if !ok || err != nil || !equal(r, want) {
			t.Errorf("%s: %v, %v\n%+v\n%+v", id, ok, err, r, want)
		}
	}
}

func equal(a, b Reply) bool {
	if len(a.Hops) != len(b.Hops) || len(a.Contents) != len(b.Contents) {
		return false
	}
	for i := range a.Hops {
		if !a.Hops[i].Node.Equal(b.Hops[i].Node) || a.Hops[i].Delay != b.Hops[i].Delay {
			return false
		}
	}
	for i := range a.Contents {
		x, y := a.Contents[i], b.Contents[i]
		if !x.Name.Equal(y.Name) {
			return false
		}
		x.Name, y.Name = tlv.Name{}, tlv.Name{}
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return a.Code == b.Code && a.Fatal == b.Fatal && a.Validated == b.Validated
}

// TestNotMine: what answers another question is passed over.
func TestNotMine(t *testing.T) {
	req := packet(t, "ccninfo-request/ccninfo/cached-1")
	reply := packet(t, "ccninfo-reply/ccninfo/cached-2")
	mine := asked(t, req)
	for what, change := range map[string]func(*Query){
		"id":   func(q *Query) { q.ID++ },
		"name": func(q *Query) { q.Name = name(t, "ccnx:/gold/tinz") },
		"node": func(q *Query) { q.Node = name(t, "ccnx:/192.0.2.3") },
	} {
		q := mine
		change(&q)
		if r, ok, err := q.Read(reply); ok || err != nil {
			t.Errorf("another %s: %+v, %v", what, r, err)
		}
	}
	for what, pkt := range map[string][]byte{"request": req, "link reply": []byte(tlv.LinkReply), "nothing": nil, "short": reply[:12]} {
		if r, ok, err := mine.Read(pkt); ok || err != nil {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
}

// TestCutReply: cefnetd's answer to a Request for validation is known, not read.
func TestCutReply(t *testing.T) {
	q := asked(t, packet(t, "ccninfo-request/ccninfo/v-v-crc32c-1"))
	cut := packet(t, "from-cefnetd-truncated-ccninfo-reply")
	if r, ok, err := q.Read(cut); !ok || !errors.Is(err, ErrUnreadable) || len(r.Hops) > 0 {
		t.Errorf("%+v, %v, %v", r, ok, err)
	}
	q.ID++
	if _, ok, err := q.Read(cut); ok || err != nil {
		t.Errorf("another's: %v, %v", ok, err)
	}
}

// TestProof: a crc32c is a proof where it holds, and none where it does not.
func TestProof(t *testing.T) {
	q := Query{Name: name(t, "ccnx:/a"), Node: name(t, "ccnx:/me"), ID: 7, HopLimit: 3, Flags: tlv.InfoFlagValidate, Sent: time.Unix(1e9, 0)}
	i := tlv.Info{
		Type: tlv.PacketInfoReply, HopLimit: 3, RequestID: q.id(), Flags: q.Flags, Name: q.Name,
		Request: tlv.InfoStamp{Arrival: Stamp(q.Sent), Node: q.Node}, Reply: tlv.Some(tlv.InfoStamp{Arrival: Stamp(q.Sent) + 1, Node: name(t, "ccnx:/n")}),
		Validation: tlv.Validation{Alg: tlv.AlgCRC32C},
	}
	pkt, err := i.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok, err := q.Read(pkt); !ok || err != nil || !r.Validated {
		t.Errorf("%+v, %v, %v", r, ok, err)
	}
	pkt[len(pkt)-1] ^= 1
	if r, ok, err := q.Read(pkt); !ok || !errors.Is(err, ErrProof) || r.Validated {
		t.Errorf("damaged: %+v, %v, %v", r, ok, err)
	}
}

// TestContent: what a node does not know, it says by all ones; cefnetd's cache says
// its times are both 0.
func TestContent(t *testing.T) {
	b := tlv.InfoBlock{Type: 1, Name: name(t, "ccnx:/a")}
	for i := range b.Counters {
		b.Counters[i] = unknownCounter
	}
	if c := content(b); !c.Publisher || c.SizeKB.OK || c.Objects.OK || c.Interests.OK || c.FirstChunk.OK || c.LastChunk.OK || c.ElapsedSec.OK || c.RemainingSec.OK {
		t.Errorf("%+v", c)
	}
	b.Type, b.Counters = 0, [7]uint32{1, 2, 3, 4, 5, 6, 7}
	if c := content(b); c.Publisher || c.SizeKB != opt(1) || c.Objects != opt(2) || c.Interests != opt(3) || c.FirstChunk != opt(4) || c.LastChunk != opt(5) || c.ElapsedSec != opt(6) || c.RemainingSec != opt(7) {
		t.Errorf("%+v", c)
	}
	b.Counters[5] = 0
	if c := content(b); c.ElapsedSec != opt(0) || c.RemainingSec != opt(7) {
		t.Errorf("%+v", c)
	}
	b.Counters[5], b.Counters[6] = 6, 0
	if c := content(b); c.ElapsedSec != opt(6) || c.RemainingSec != opt(0) {
		t.Errorf("%+v", c)
	}
	b.Counters[5] = 0
	if c := content(b); c.ElapsedSec.OK || c.RemainingSec.OK {
		t.Errorf("%+v", c)
	}
}

func TestStamp(t *testing.T) {
	for at, want := range map[time.Time]uint32{
		time.Unix(0, 0):                     32384 << 16,
		time.Unix(1<<16-epoch, 0):           0,
		time.Unix(1<<16-epoch, 500_000_000): 0x8000,
		time.Unix(1<<16-epoch, 999_999_999): 0xffff,
		time.Unix(1<<17-epoch-1, 15_259):    0xffff0001,
	} {
		if got := Stamp(at); got != want {
			t.Errorf("%v: %08x, want %08x", at, got, want)
		}
	}
	day := time.Unix(1_700_000_000, 123_456_789)
	for _, d := range []time.Duration{0, time.Millisecond, 3 * time.Hour, -time.Second, -8 * time.Hour} {
		if got := Between(Stamp(day), Stamp(day.Add(d))); (got - d).Abs() > 20*time.Microsecond {
			t.Errorf("%v became %v", d, got)
		}
	}
	// over the end of the 16 bits of seconds
	if got := Between(binary.BigEndian.Uint32([]byte{0xff, 0xff, 0xff, 0xff}), 0xffff); got < time.Second-16*time.Microsecond || got > time.Second+16*time.Microsecond {
		t.Errorf("%v", got)
	}
}

func TestReason(t *testing.T) {
	for c, want := range map[tlv.InfoCode]string{0: "no error", 3: "no route", 0x0e: "prohibited by the administrator", 0x55: "unknown code 0x55"} {
		if got := Reason(c); got != want {
			t.Errorf("%d: %s", c, got)
		}
	}
}

// FuzzRead: whatever arrives, a Reply is one of the Query's, and its own bytes bring it
// back.
func FuzzRead(f *testing.F) {
	for _, id := range []string{"cached-2", "c-2", "no-route-2", "via-second-node-2", "publisher-reply-2"} {
		f.Add(packet(f, "ccninfo-reply/ccninfo/"+id))
	}
	f.Add(packet(f, "from-cefnetd-truncated-ccninfo-reply"))
	f.Fuzz(func(t *testing.T, pkt []byte) {
		q := Query{ID: 0x8ace, HopLimit: 32, Name: name(t, "ccnx:/gold/tiny"), Node: name(t, "ccnx:/192.0.2.2")}
		var i tlv.Info
		if i.Decode(pkt) == nil && len(i.Name.Bytes()) > 0 {
			q.Name, q.Node, q.ID = i.Name.Clone(), i.Request.Node.Clone(), i.RequestID
		}
		r, ok, err := q.Read(pkt)
		if !ok && (err != nil || len(r.Hops) > 0) || err != nil && !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrProof) {
			t.Errorf("%+v, %v, %v", r, ok, err)
		}
		for _, h := range r.Hops {
			if h.Delay.Abs() > 10*time.Hour {
				t.Errorf("a hop of %v", h.Delay)
			}
		}
	})
}
