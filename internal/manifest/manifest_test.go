package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// unhex reads hexadecimal digits; what follows a ";" on a line is a label.
func unhex(t testing.TB, labelled string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(labelled) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digest(s string) Digest { return sha256.Sum256([]byte(s)) }

var (
	issued  = time.UnixMilli(1_700_000_000_123)
	expires = issued.Add(10 * time.Minute)
)

func object1(t testing.TB) *Manifest {
	return &Manifest{
		Status: Object, Name: mustName(t, "ccnx:/a/b"), Issued: issued, Expires: expires,
		Version: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Size: 3, Blocks: []int{4095, 16000},
		Modified: time.Unix(1_600_000_000, 5), MediaType: "text/plain",
		Digests: &Digests{Whole: digest("abc"), Runs: []Digest{digest("abc")}},
	}
}

const golden = `
	cef1 00ad ; manifest
	0001 0001 01 ; status: object
	0002 000a 0001 0001 61 0001 0001 62 ; name /a/b
	0003 0008 0000018bcfe5687b ; issued
	0004 0008 0000018bcfee903b ; expires
	0005 0008 0102030405060708 ; version
	0006 0008 0000000000000003 ; size
	0007 0004 0fff 3e80 ; block sizes
	0008 0008 16345785d8a00005 ; modified
	0009 000a 746578742f706c61696e ; media type
	000a 0020 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ; whole
	000b 0020 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ; runs
`

func TestGolden(t *testing.T) {
	b, err := object1(t).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, golden); !bytes.Equal(b, want) {
		t.Errorf("encoded\n%x, want\n%x", b, want)
	}
	m, signed, s, err := Decode(b)
	if err != nil || s != nil {
		t.Fatalf("decoded: signature %v, %v", s, err)
	}
	if !bytes.Equal(signed, append([]byte("cefgo manifest 1\r\n"), b...)) {
		t.Errorf("signed %x", signed)
	}
	checkSame(t, m, object1(t))
}

func checkSame(t testing.TB, got, want *Manifest) {
	t.Helper()
	gd, wd := got.Digests, want.Digests
	switch {
	case got.Status != want.Status || !got.Name.Equal(want.Name):
		t.Errorf("%v %s, want %v %s", got.Status, got.Name, want.Status, want.Name)
	case !got.Issued.Equal(want.Issued) || !got.Expires.Equal(want.Expires) || !got.Modified.Equal(want.Modified):
		t.Errorf("times %v %v %v, want %v %v %v", got.Issued, got.Expires, got.Modified, want.Issued, want.Expires, want.Modified)
	case !bytes.Equal(got.Version, want.Version) || got.Size != want.Size || got.Done != want.Done || got.Pages != want.Pages || got.PlainOnly != want.PlainOnly || got.MediaType != want.MediaType:
		t.Errorf("%+v, want %+v", got, want)
	case (gd == nil) != (wd == nil):
		t.Errorf("digests %v, want %v", gd, wd)
	case gd != nil && (gd.Whole != wd.Whole || gd.List != wd.List || len(gd.Runs) != len(wd.Runs)):
		t.Errorf("digests %x, want %x", gd, wd)
	}
}

func TestSigned(t *testing.T) {
	m := object1(t)
	plain, err := m.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Signature{1, digest("key"), []byte("signature")}
	var asked []byte
	b, err := m.Encode(func(msg []byte) (Signature, error) { asked = msg; return want, nil })
	if err != nil || !bytes.HasPrefix(b, plain) {
		t.Fatalf("%x, %v; want what begins as the unsigned one", b, err)
	}
	got, signed, s, err := Decode(b)
	if err != nil || s == nil || s.Algorithm != 1 || s.KeyID != want.KeyID || string(s.Bytes) != "signature" {
		t.Fatalf("signature %v, %v", s, err)
	}
	if !bytes.Equal(signed, asked) {
		t.Errorf("what is to be checked differs from what was signed:\n%x\n%x", signed, asked)
	}
	checkSame(t, got, m)
	for n := range len(b) {
		if _, _, s, err := Decode(b[:n]); err == nil && (n != len(plain) || s != nil) {
			t.Errorf("the first %d of %d bytes are a manifest", n, len(b))
		}
	}
	if _, _, _, err := Decode(append(b, 0)); !errors.Is(err, ErrFormat) {
		t.Errorf("a byte behind it: %v", err)
	}
	refusal := errors.New("no key")
	if _, err := m.Encode(func([]byte) (Signature, error) { return Signature{}, refusal }); err != refusal {
		t.Errorf("a signer that fails: %v", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, mar := range map[string]func(*Manifest){
		"no status":         func(m *Manifest) { m.Status = 0 },
		"unknown status":    func(m *Manifest) { m.Status = 4 },
		"no name":           func(m *Manifest) { m.Name = tlv.Name{} },
		"no version":        func(m *Manifest) { m.Version = nil },
		"long version":      func(m *Manifest) { m.Version = make([]byte, 17) },
		"negative size":     func(m *Manifest) { m.Size = -1 },
		"no block":          func(m *Manifest) { m.Blocks = nil },
		"small block":       func(m *Manifest) { m.Blocks = []int{4095, 59} },
		"large block":       func(m *Manifest) { m.Blocks = []int{57345} },
		"many blocks":       func(m *Manifest) { m.Blocks = make([]int, 9) },
		"runs missing":      func(m *Manifest) { m.Digests.Runs = nil },
		"too many runs":     func(m *Manifest) { m.Digests.Runs = make([]Digest, 2) },
		"run of nothing":    func(m *Manifest) { m.Size = 0 },
		"inline runs":       func(m *Manifest) { m.Size = 9 * object.RunSize; m.Digests.Runs = make([]Digest, 9) },
		"a list of few":     func(m *Manifest) { m.Digests.List = digest("x") },
		"hashed already":    func(m *Manifest) { m.Done = 1 },
		"media type":        func(m *Manifest) { m.MediaType = "text\n" },
		"long media type":   func(m *Manifest) { m.MediaType = strings.Repeat("a", 128) },
		"modified":          func(m *Manifest) { m.Modified = time.Unix(-1, 0) },
		"issued":            func(m *Manifest) { m.Issued = time.Unix(-1, 0) },
		"absent, with size": func(m *Manifest) { m.Status = Absent },
		"directory, plain": func(m *Manifest) {
			*m = Manifest{Status: Directory, Name: m.Name, Issued: issued, Expires: expires, PlainOnly: true}
		},
		"object with pages": func(m *Manifest) { m.Pages = 1 },
		"absent, with version": func(m *Manifest) {
			*m = Manifest{Status: Absent, Name: m.Name, Issued: issued, Expires: expires, Version: []byte{1}}
		},
		"list of no pages": func(m *Manifest) {
			*m = Manifest{Status: Directory, Name: m.Name, Issued: issued, Expires: expires, Version: []byte{1}}
		},
		"pages of no list": func(m *Manifest) {
			*m = Manifest{Status: Directory, Name: m.Name, Issued: issued, Expires: expires, Pages: 1}
		},
		"list, pending": func(m *Manifest) {
			*m = Manifest{Status: Directory, Name: m.Name, Issued: issued, Expires: expires, Version: []byte{1}, Pages: 1, Done: 1}
		},
	} {
		m := object1(t)
		mar(m)
		if b, err := m.Encode(nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %x, %v; want %v", name, b, err, ErrFormat)
		}
	}
	m := object1(t)
	long := func([]byte) (Signature, error) { return Signature{1, Digest{}, make([]byte, MaxLen)}, nil }
	if _, err := m.Encode(long); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a signature that does not fit: %v", err)
	}
}

// A field that is cut, doubled, out of place or unknown makes no manifest; one that is
// unknown and not critical is passed over.
func TestDecodeFields(t *testing.T) {
	sound := unhex(t, golden)
	with := func(fields []byte) []byte {
		b := append([]byte{0xce, 0xf1, byte(len(fields) >> 8), byte(len(fields))}, fields...)
		return b
	}
	fields := sound[4:]
	if _, _, _, err := Decode(with(append(bytes.Clone(fields), 0x7f, 0xff, 0, 1, 9))); err != nil {
		t.Errorf("an unknown field: %v", err)
	}
	for name, b := range map[string][]byte{
		"critical field": with(append(bytes.Clone(fields), 0x80, 0, 0, 0)),
		"twice":          with(append(bytes.Clone(fields), fields[len(fields)-36:]...)),
		"out of order":   with(append(bytes.Clone(fields[5:]), fields[:5]...)),
		"type zero":      with(append([]byte{0, 0, 0, 0}, fields...)),
		"no digests":     with(fields[:len(fields)-72]),
		"whole alone":    with(fields[:len(fields)-36]),
		"hashed besides": with(append(bytes.Clone(fields), unhex(t, "000d 0008 0000000000000000")...)),
		"2^63 bytes":     bytes.Replace(sound, unhex(t, "0006 0008 0000000000000003"), unhex(t, "0006 0008 8000000000000000"), 1),
		"odd blocks":     with(bytes.Replace(fields, unhex(t, "0007 0004 0fff 3e80"), unhex(t, "0007 0003 0fff 3e"), 1)),
		"no media type":  with(bytes.Replace(fields, unhex(t, "0009 000a 746578742f706c61696e"), unhex(t, "0009 0000"), 1)),
		"chunk in name":  with(bytes.Replace(fields, unhex(t, "0002 000a 0001 0001 61 0001 0001 62"), unhex(t, "0002 000a 0001 0001 61 0005 0001 62"), 1)),
		"another TLV":    append([]byte{0xce, 0xf3}, sound[2:]...),
		"nothing":        nil,
	} {
		if _, _, _, err := Decode(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want %v", name, err, ErrFormat)
		}
	}
}

func TestNewDigests(t *testing.T) {
	runs := make([]Digest, 9)
	runs[8][31] = 1
	if d := NewDigests(digest("w"), runs); d.Runs != nil || d.List != sha256.Sum256(append(make([]byte, 9*32-1), 1)) {
		t.Errorf("nine runs: %x", d)
	}
	if d := NewDigests(digest("w"), runs[:8]); len(d.Runs) != 8 || d.List != (Digest{}) {
		t.Errorf("eight runs: %x", d)
	}
}

// What is encoded is decoded as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawManifest(t)
		b, err := m.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _, err := Decode(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		again, err := got.Encode(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x, %v", b, again, err)
		}
	})
}

func drawManifest(t *rapid.T) *Manifest {
	name, err := tlv.NewName(rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 20), 1, 5).Draw(t, "name")...)
	if err != nil {
		t.Fatal(err)
	}
	m := &Manifest{Status: Status(rapid.IntRange(1, 3).Draw(t, "status")), Name: name, Issued: issued, Expires: expires}
	switch {
	case m.Status == Absent:
		return m
	case m.Status == Directory && rapid.Bool().Draw(t, "listed"):
		m.Version, m.Pages = []byte{1}, rapid.Int64Range(1, maxPages).Draw(t, "pages")
		return m
	case m.Status == Directory:
		m.Done = rapid.Int64Range(0, math.MaxInt64).Draw(t, "done")
		return m
	}
	m.Version = rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(t, "version")
	m.Size = rapid.Int64Range(0, math.MaxInt64).Draw(t, "size") >> rapid.IntRange(0, 63).Draw(t, "shift")
	m.Blocks = rapid.SliceOfN(rapid.IntRange(60, 57344), 1, 8).Draw(t, "blocks")
	m.PlainOnly = rapid.Bool().Draw(t, "plain only")
	m.MediaType = rapid.StringMatching(`[a-z/]{0,20}`).Draw(t, "type")
	if rapid.Bool().Draw(t, "modified") {
		m.Modified = time.Unix(0, rapid.Int64Range(1, math.MaxInt64-1).Draw(t, "at"))
	}
	switch n := object.Runs(m.Size); {
	case rapid.Bool().Draw(t, "pending"):
		m.Done = rapid.Int64Range(0, math.MaxInt64).Draw(t, "hashed")
	case n <= MaxInline:
		m.Digests = NewDigests(digest("whole"), make([]Digest, n))
	default:
		m.Digests = &Digests{Whole: digest("whole"), List: digest("list")}
	}
	return m
}

// What decodes without unknown fields encodes to the same bytes; nothing panics.
func FuzzDecode(f *testing.F) {
	b := unhex(f, golden)
	f.Add(b)
	f.Add(append(bytes.Clone(b), unhex(f, "cef2 0022 01"+strings.Repeat("00", 32)+"07")...))
	m := object1(f)
	m.Status, m.Version, m.Size, m.Blocks, m.Modified, m.MediaType, m.Digests = Absent, nil, 0, nil, time.Time{}, "", nil
	b, err := m.Encode(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, signed, s, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is not %v", err, ErrFormat)
			}
			return
		}
		var sign func([]byte) (Signature, error)
		if s != nil {
			sign = func([]byte) (Signature, error) { return *s, nil }
		}
		again, err := m.Encode(sign)
		if err != nil {
			t.Fatalf("%x does not encode again: %v", b, err)
		}
		m2, _, _, err := Decode(again)
		if err != nil {
			t.Fatalf("%x encoded again, %x, does not decode: %v", b, again, err)
		}
		checkSame(t, m2, m)
		if len(again) == len(b) && !bytes.Equal(again, b) {
			t.Fatalf("%x encodes to %x", b, again)
		}
		if !bytes.Contains(signed, b[:8]) {
			t.Fatal("what is signed is not of it")
		}
	})
}
