package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

func page1(t testing.TB) *Page {
	return &Page{
		Name: mustName(t, "ccnx:/a"), Issued: issued, Expires: expires, Version: []byte{9, 8}, Number: 1, Pages: 2,
		Entries: []Entry{
			{Status: Object, Size: 258, Modified: time.Unix(1_600_000_000, 5), Name: []byte("f")},
			{Status: Directory, Name: []byte("sub")},
		},
	}
}

const goldenPage = `
	cef3 006d ; page
	0002 0005 0001 0001 61 ; name /a
	0003 0008 0000018bcfe5687b ; issued
	0004 0008 0000018bcfee903b ; expires
	0005 0002 0908 ; version
	000e 0008 0000000000000002 ; pages
	000f 0008 0000000000000001 ; number
	0010 0012 01 0000000000000102 16345785d8a00005 66 ; an object of 258 bytes, f
	0010 0014 02 0000000000000000 0000000000000000 737562 ; a directory, sub
`

func TestGoldenPage(t *testing.T) {
	want := unhex(t, goldenPage)
	b, err := page1(t).Encode(nil)
	if err != nil || !bytes.Equal(b, want) {
		t.Fatalf("encoded\n%x, %v; want\n%x", b, err, want)
	}
	p, signed, s, err := DecodePage(want)
	if err != nil || s != nil || !bytes.Equal(signed, append([]byte("cefgo listing 1\r\n"), want...)) {
		t.Fatalf("signed %x, signature %v, %v", signed, s, err)
	}
	if again, err := p.Encode(nil); err != nil || !bytes.Equal(again, want) {
		t.Errorf("encoded again: %x, %v", again, err)
	}
	if !p.Follows([]byte("e")) || p.Follows([]byte("f")) || p.Follows([]byte("g")) {
		t.Error("what comes behind what")
	}
	for n := range len(want) {
		if _, _, _, err := DecodePage(want[:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, _, _, err := Decode(want); !errors.Is(err, ErrFormat) {
		t.Errorf("a page as a manifest: %v", err)
	}
}

func TestSignedPage(t *testing.T) {
	var asked []byte
	b, err := page1(t).Encode(func(msg []byte) (Signature, error) {
		asked = msg
		return Signature{2, digest("key"), []byte("signature")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, signed, s, err := DecodePage(b)
	if err != nil || s == nil || s.Algorithm != 2 || !bytes.Equal(signed, asked) {
		t.Errorf("signature %v over %x, want over %x; %v", s, signed, asked, err)
	}
}

func TestPageRefuses(t *testing.T) {
	for name, mar := range map[string]func(*Page){
		"no name":          func(p *Page) { p.Name = tlv.Name{} },
		"no version":       func(p *Page) { p.Version = nil },
		"behind the end":   func(p *Page) { p.Number = 2 },
		"negative number":  func(p *Page) { p.Number = -1 },
		"too many pages":   func(p *Page) { p.Pages = maxPages + 1 },
		"issued":           func(p *Page) { p.Issued = time.Unix(-1, 0) },
		"twice the same":   func(p *Page) { p.Entries[1].Name = []byte("f") },
		"out of order":     func(p *Page) { slices.Reverse(p.Entries) },
		"no name of entry": func(p *Page) { p.Entries[0].Name = nil },
		"long name":        func(p *Page) { p.Entries[1].Name = bytes.Repeat([]byte("x"), 1025) },
		"absent entry":     func(p *Page) { p.Entries[0].Status = Absent },
		"negative size":    func(p *Page) { p.Entries[0].Size = -1 },
		"large directory":  func(p *Page) { p.Entries[1].Size = 1 },
		"modified":         func(p *Page) { p.Entries[1].Modified = time.Unix(-1, 0) },
	} {
		p := page1(t)
		mar(p)
		if b, err := p.Encode(nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %x, %v; want %v", name, b, err, ErrFormat)
		}
	}
	sound := unhex(t, goldenPage)
	change := func(old, new string) []byte {
		b := bytes.Replace(bytes.Clone(sound), unhex(t, old), unhex(t, new), 1)
		b[2], b[3] = byte((len(b)-4)>>8), byte(len(b)-4)
		return b
	}
	for name, b := range map[string][]byte{
		"number twice":   change("000f 0008 0000000000000001", "000f 0008 0000000000000001 000f 0008 0000000000000001"),
		"no number":      change("000f 0008 0000000000000001", ""),
		"an object's":    change("000e 0008", "0006 0008 0000000000000001 000e 0008"),
		"entry too soon": change("000f 0008 0000000000000001", "0010 0012 01 0000000000000102 16345785d8a00005 65 000f 0008 0000000000000001"),
		"2^63 bytes":     change("01 0000000000000102", "01 8000000000000102"),
		"entry cut":      change("0010 0012 01 0000000000000102 16345785d8a00005 66", "0010 0011 01 0000000000000102 16345785d8a00005"),
		"critical field": change("737562", "737562 8000 0000"),
	} {
		if _, _, _, err := DecodePage(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want %v", name, err, ErrFormat)
		}
	}
	if _, _, _, err := DecodePage(change("737562", "737562 7000 0000")); err != nil {
		t.Errorf("an unknown field: %v", err)
	}
}

// What PageOverhead and EntryOverhead say is enough.
func TestPageOverhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Page{Name: drawManifest(t).Name, Issued: issued, Expires: expires, Version: make([]byte, rapid.IntRange(1, MaxVersionLen).Draw(t, "version")), Pages: 1}
		want := PageOverhead(p.Name)
		for i := range rapid.IntRange(0, 20).Draw(t, "entries") {
			e := Entry{Status: Object, Name: fmt.Appendf(nil, "%03d%s", i, rapid.StringN(0, 20, 40).Draw(t, "name"))}
			p.Entries = append(p.Entries, e)
			want += EntryOverhead + len(e.Name)
		}
		b, err := p.Encode(nil)
		if err != nil || len(b) > want || len(b) < want-MaxVersionLen-16 {
			t.Fatalf("%d bytes, %v; want a few less than %d", len(b), err, want)
		}
	})
}

func FuzzDecodePage(f *testing.F) {
	b := unhex(f, goldenPage)
	f.Add(b)
	f.Add(append(bytes.Clone(b), unhex(f, "cef2 0022 01 0000000000000000000000000000000000000000000000000000000000000000 07")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, _, s, err := DecodePage(b)
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
		again, err := p.Encode(sign)
		if err != nil {
			t.Fatalf("%x does not encode again: %v", b, err)
		}
		if len(again) == len(b) && !bytes.Equal(again, b) {
			t.Fatalf("%x encodes to %x", b, again)
		}
	})
}
