package tlv

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var goodURIs = []struct {
	uri    string
	wire   string // of the Name's value
	string string // where String differs from uri
}{
	// Sheet d, row by row.
	{"ccnx:/", "00010000", ""},
	{"ccnx:/a", "00010001 61", ""},
	{"ccnx:/0-9.?&_~AZaz", "0001000c 302d392e3f265f7e415a617a", ""},
	{`ccnx:/a"b"`, "00010002 6162", "ccnx:/ab"},
	{`ccnx:/0"x41`, "00010001 41", "ccnx:/A"},
	{"ccnx:/a%20b", "00010005 6125323062", ""},
	{"ccnx:/0xdeadbeef", "00010004 deadbeef", ""},
	{"ccnx:/0xDEADBEEF", "00010004 deadbeef", "ccnx:/0xdeadbeef"},
	{"ccnx:/0x61", "00010001 61", "ccnx:/a"},
	{"ccnx:/seg/0x0001=named", "00010003 736567 00010005 6e616d6564", "ccnx:/seg/named"},
	{"ccnx:/seg/0x0004=0x0102ff", "00010003 736567 00040003 0102ff", ""},
	{"ccnx:/seg/0x1005=appval", "00010003 736567 10050006 61707076616c", "ccnx:/seg/App:5=appval"},
	{"ccnx:/a/0x0005=7", "00010001 61 00050001 07", "ccnx:/a/Chunk=7"},
	{"ccnx:/0x0006=0xa7e1c9ec4eedbeb91a505a7085b9cccd", "00060010 a7e1c9ec4eedbeb91a505a7085b9cccd", ""},
	{"ccnx:/seg/App:12=xyz", "00010003 736567 100c0003 78797a", ""},
	{"ccnx:/aPP:0=", "10000000", "ccnx:/App:0="},
	{"ccnx:/APP:4095=0x00", "1fff0001 00", "ccnx:/App:4095=0x00"},
	{"ccnx:/App:0005=v", "10050001 76", "ccnx:/App:5=v"},
	{"ccnx:/a/Chunk=0", "00010001 61 00050001 00", ""},
	{"ccnx:/a/cHUNK=2147483647", "00010001 61 00050004 7fffffff", "ccnx:/a/Chunk=2147483647"},
	{"ccnx:/a/Chunk=3000000000", "00010001 61 00050004 b2d05e00", ""}, // Cefore: eight bytes
	{"ccnx:/a/Chunk=4294967295", "00010001 61 00050004 ffffffff", ""},
	{"ccnx:/a/b/NAME=zz", "00010001 61 00010001 62 00010002 7a7a", "ccnx:/a/b/zz"},
	{"ccnx:/a/name=0x41", "00010001 61 00010001 41", "ccnx:/a/A"},
	{"ccnx:/seg//empty", "00010003 736567 00010000 00010005 656d707479", ""},
	{"ccnx:/seg/trail/", "00010003 736567 00010005 747261696c 00010000", ""},
	{"ccnx:/seg/trail//Chunk=2", "00010003 736567 00010005 747261696c 00010000 00050001 02", ""},
	{"ccnx:/a/q?x&y", "00010001 61 00010005 713f782679", ""},
	// Cefore refuses these, or has no way to write them.
	{"ccnx:/0x0001=/a", "00010000 00010001 61", ""},
	{"ccnx:/0x0001=/Chunk=1", "00010000 00050001 01", ""},
	{"ccnx:/a b", "00010003 612062", "ccnx:/0x612062"},
	{"ccnx:/k=v", "00010003 6b3d76", "ccnx:/0x6b3d76"},
	{"ccnx:/a:b+c@d", "00010007 613a622b634064", "ccnx:/0x613a622b634064"},
	{"ccnx:/日本", "00010006 e697a5e69cac", "ccnx:/0xe697a5e69cac"},
}

func TestParseName(t *testing.T) {
	for _, tt := range goodURIs {
		n, err := ParseName(tt.uri, PercentLiteral)
		if err != nil {
			t.Errorf("%s: %v", tt.uri, err)
			continue
		}
		if got := n.AppendTo(nil)[tlHeaderLen:]; !bytes.Equal(got, unhex(t, tt.wire)) {
			t.Errorf("%s: %x, want %s", tt.uri, got, tt.wire)
		}
		want := tt.uri
		if tt.string != "" {
			want = tt.string
		}
		if n.String() != want {
			t.Errorf("%s: String %s, want %s", tt.uri, n, want)
		}
		if n.IsDefault() != (tt.uri == "ccnx:/") {
			t.Errorf("%s: IsDefault %v", tt.uri, n.IsDefault())
		}
	}
}

func TestParseNameErrors(t *testing.T) {
	for _, uri := range []string{
		"", "/a", "a", "ccnx:", "ccnx:a", "CCNX:/a", "ndn:/a", " ccnx:/a", "ccnx://", "ccnx://a", "http://a",
		"ccnx:/0x", "ccnx:/0x1", "ccnx:/0xabc", "ccnx:/0xzz", "ccnx:/a/0x 1",
		"ccnx:/0x0004=0x1", "ccnx:/0x0004=0x", "ccnx:/0x004=v", "ccnx:/0x00004=v", "ccnx:/0xzzzz=v", "ccnx:/0x=v", "ccnx:/0x+004=v",
		"ccnx:/App:=v", "ccnx:/App:4096=v", "ccnx:/App:-1=v", "ccnx:/App:+1=v", "ccnx:/App:1a=v", "ccnx:/App:1=0xa",
		"ccnx:/Chunk=1", "ccnx:/0x0005=1", "ccnx:/a/Chunk=", "ccnx:/a/Chunk=-1", "ccnx:/a/Chunk=+1", "ccnx:/a/Chunk=0x1", "ccnx:/a/Chunk=1 ",
		"ccnx:/a/Chunk=4294967296", // 0 in Cefore
		"ccnx:/a/Chunk=1/", "ccnx:/a/Chunk=1/b", "ccnx:/a/Chunk=1/Chunk=1", "ccnx:/a/0x0005=1/b",
		"ccnx:/" + strings.Repeat("n", 1021), "ccnx:/" + strings.Repeat("n", 70000),
	} {
		for _, mode := range []URIMode{PercentLiteral, PercentDecode} {
			n, err := ParseName(uri, mode)
			var ne *NameError
			if !errors.As(err, &ne) || ne.URI != uri || !n.IsZero() {
				t.Errorf("%.40q: %v, %v; want a NameError", uri, n, err)
			}
		}
	}
}

func TestParseNamePercentDecode(t *testing.T) {
	tests := []struct{ uri, want string }{ // want: String, or empty for an error
		{"ccnx:/a%62c", "ccnx:/abc"},
		{"ccnx:/a%20b", "ccnx:/0x612062"},
		{"ccnx:/%41%2f%42", "ccnx:/0x412f42"}, // "/" is not taken for a separator
		{"ccnx:/%22", "ccnx:/0x22"},           // nor is the quote dropped
		{"ccnx:/%25", "ccnx:/%"},
		{"ccnx:/%30x41", "ccnx:/0x30783431"}, // nor read as hexadecimal
		{"ccnx:/Chunk%3D1", "ccnx:/0x4368756e6b3d31"},
		{"ccnx:/0x2541", "ccnx:/%A"},
		{"ccnx:/App:5=%41", "ccnx:/App:5=A"},
		{"ccnx:/a/Chunk=1", "ccnx:/a/Chunk=1"},
		{"ccnx:/%", ""},
		{"ccnx:/a%4", ""},
		{"ccnx:/%zz", ""},
		{"ccnx:/%4/1", ""},
	}
	for _, tt := range tests {
		n, err := ParseName(tt.uri, PercentDecode)
		if (err == nil) != (tt.want != "") || n.String() != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.uri, n, err, tt.want)
		}
	}
}

func TestDisplay(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"ccnx:/a/b/Chunk=3", "ccnx:/a/b/Chunk=3"},
		{"ccnx:/a/東京", `ccnx:/a/0xe69db1e4baac ("/a/東京")`},
		{"ccnx:/a b/Chunk=3", `ccnx:/0x612062/Chunk=3 ("/a b")`},
		{"ccnx:/App:5=a b/0x0004=v", `ccnx:/App:5=0x612062/0x0004=v ("/a b/v")`},
		{"ccnx:/0x00ff", "ccnx:/0x00ff"},
		{"ccnx:/a b/0x00ff", "ccnx:/0x612062/0x00ff"},
		{"ccnx:/a/0x1b5b", "ccnx:/a/0x1b5b"}, // no control characters on a terminal
		{"ccnx:/", "ccnx:/"},
	}
	for _, tt := range tests {
		if got := mustName(t, tt.uri).Display(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.uri, got, tt.want)
		}
	}
	if got := (Name{}).Display() + (Name{}).String(); got != "" {
		t.Errorf("the zero Name: %q", got)
	}
}

// drawName draws any name with a chunk number that has a URI.
func drawName(t *rapid.T) Name {
	types := rapid.OneOf(
		rapid.Just(uint16(SegmentName)),
		rapid.Uint16Range(uint16(SegmentAppFirst), uint16(SegmentAppLast)),
		rapid.Uint16().Filter(func(u uint16) bool { return SegmentType(u) != SegmentChunk }),
	)
	values := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 40),
		rapid.SampledFrom([][]byte{
			{}, []byte("a"), []byte("0x"), []byte("0x41"), []byte("0X41"), []byte("%41"), []byte("App:1=b"), []byte("Chunk=1"),
			[]byte("NAME=c"), []byte("0x0004=d"), []byte(`"`), []byte("/"), []byte("0"), []byte("x"),
		}),
	)
	var n Name
	for range rapid.IntRange(1, 6).Draw(t, "segments") {
		var err error
		if n, err = n.Append(Segment{SegmentType(types.Draw(t, "type")), values.Draw(t, "value")}); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(t, "has chunk") {
		n = n.WithChunk(uint64(rapid.Uint32().Draw(t, "chunk")))
	}
	return n
}

// ceforeURI is what Cefore's parser takes: its characters, and "=" and ":" as it knows them.
var ceforeURI = func() *regexp.Regexp {
	const segment = `((0x[0-9a-f]{4}|App:[0-9]+)=)?[-0-9A-Za-z.?%&_~]*`
	return regexp.MustCompile(`^ccnx:/` + segment + `(/` + segment + `)*(/Chunk=[0-9]+)?$`)
}()

func TestStringRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawName(t)
		uri := n.String()
		back, err := ParseName(uri, PercentLiteral)
		if err != nil || !back.Equal(n) || !bytes.Equal(back.AppendTo(nil), n.AppendTo(nil)) {
			t.Errorf("%s: %v, %v", uri, back, err)
		}
		if !ceforeURI.MatchString(uri) {
			t.Errorf("%q is not for Cefore", uri)
		}
	})
}

// TestNameLaws holds the operations on names to each other.
func TestNameLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := drawName(t), drawName(t)
		wire := n.AppendTo(nil)
		if got, err := decodeName(wire[tlHeaderLen:]); err != nil || !got.Equal(n) {
			t.Errorf("%v decodes to %v, %v", n, got, err)
		}
		if n.Equal(m) != bytes.Equal(wire, m.AppendTo(nil)) {
			t.Errorf("%v, %v: Equal %v", n, m, n.Equal(m))
		}
		up, last, ok := n.Parent()
		rest, under := n.TrimPrefix(up)
		if !ok || !under || !bytes.Equal(rest.Bytes(), appendTLV(nil, uint16(last.Type), last.Value)) {
			t.Errorf("%v: parent %v, last %v, rest %x", n, up, last, rest.Bytes())
		}
		joined := n.WithoutChunk()
		for s := range m.Segments() {
			var err error
			if joined, err = joined.Append(s); err != nil {
				t.Fatal(err)
			}
		}
		if rest, ok := joined.TrimPrefix(n); !ok || !rest.Equal(m.WithoutChunk()) {
			t.Errorf("%v under %v: %v, %v", joined, n, rest, ok)
		}
	})
}
