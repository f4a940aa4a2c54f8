package tlv

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestNameBuild(t *testing.T) {
	n, err := NewName([]byte("a"), nil, []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err = n.Append(Segment{SegmentVersion, []byte{1, 2}}); err != nil {
		t.Fatal(err)
	}
	if n, err = n.Child("text"); err != nil {
		t.Fatal(err)
	}
	got := n.WithChunk(256).AppendTo([]byte("prefix"))
	want := append([]byte("prefix"), unhex(t, `0000 0022
		0001 0001 61  0001 0000  0001 0001 62
		0004 0002 0102  0001 0004 74657874
		0005 0002 0100`)...)
	if !bytes.Equal(got, want) {
		t.Errorf("\n got %x\nwant %x", got, want)
	}
	if _, err := n.WithChunk(1).Child("x"); !errors.Is(err, ErrName) {
		t.Errorf("a child of a chunk: %v, want %v", err, ErrName)
	}
	if _, err := n.Append(Segment{SegmentChunk, []byte{1}}); !errors.Is(err, ErrName) {
		t.Errorf("a chunk segment: %v, want %v", err, ErrName)
	}
}

// TestNameAppendCopies: two children of one name do not share memory.
func TestNameAppendCopies(t *testing.T) {
	p := mustName(t, "ccnx:/p")
	a, errA := p.Child("a")
	b, errB := p.Child("b")
	if errA != nil || errB != nil || a.String() != "ccnx:/p/a" || b.String() != "ccnx:/p/b" || p.String() != "ccnx:/p" {
		t.Errorf("%v, %v, %v, %v, %v", p, a, b, errA, errB)
	}
	up, _, _ := a.Parent()
	if c, err := up.Child("c"); err != nil || c.String() != "ccnx:/p/c" || a.String() != "ccnx:/p/a" {
		t.Errorf("%v, %v, %v", a, c, err)
	}
}

// TestNameLimits is sheet d: 1024 bytes, of which a chunk takes eight.
func TestNameLimits(t *testing.T) {
	tests := []struct {
		segments int // bytes of the name's segments
		chunk    bool
		err      error
	}{
		{1016, true, nil},
		{1017, true, ErrTooLarge},
		{1024, false, nil},
		{1025, false, ErrTooLarge},
		{1025, true, ErrTooLarge},
	}
	for _, tt := range tests {
		segs := appendTLV(nil, uint16(SegmentName), bytes.Repeat([]byte{'n'}, tt.segments-tlHeaderLen))
		wire := segs
		uri := "ccnx:/" + string(segs[tlHeaderLen:])
		if tt.chunk {
			wire = append(segs, 0, 5, 0, 1, 7)
			uri += "/Chunk=7"
		}
		n, err := decodeName(wire)
		if !errors.Is(err, tt.err) {
			t.Errorf("%+v: decoded: %v", tt, err)
		}
		if err == nil && n.CanChunk() != (tt.segments <= 1016) {
			t.Errorf("%+v: CanChunk %v", tt, n.CanChunk())
		}
		if _, err := ParseName(uri, PercentLiteral); (err == nil) != (tt.err == nil) {
			t.Errorf("%+v: parsed: %v", tt, err)
		}
		built, err := NewName(segs[tlHeaderLen:])
		if tt.chunk && err == nil {
			_, err = (&Interest{Name: built.WithChunk(7)}).AppendTo(nil)
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%+v: encoded: %v", tt, err)
		}
	}
}

func TestNameDecodeErrors(t *testing.T) {
	tests := []struct {
		name, wire string
		err        error
	}{
		{"empty", "", ErrName},
		{"chunk alone", "0005 0001 07", ErrName},
		{"chunk in front", "0005 0001 07 0001 0001 61", ErrName},
		{"two chunks", "0001 0001 61 0005 0001 07 0005 0001 08", ErrName},
		{"chunk of nine bytes", "0001 0001 61 0005 0009 000000000000000001", ErrLength},
		{"segment too long", "0001 0002 61", ErrLength},
		{"half a header", "0001 0001 61 0001", ErrLength},
	}
	for _, tt := range tests {
		if n, err := decodeName(unhex(t, tt.wire)); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v; want %v", tt.name, n, err, tt.err)
		}
	}
}

func TestNameChunk(t *testing.T) {
	tests := []struct {
		wire string // of the chunk segment; none if empty
		want uint64
	}{
		{"0005 0000", 0},
		{"0005 0001 00", 0},
		{"0005 0002 0007", 7},
		{"0005 0004 ffffffff", 4294967295},
		{"0005 0004 b2d05e00", 3000000000},
		{"0005 0008 0000000000000007", 7},
		{"0005 0008 ffffffffb2d05e00", 3000000000}, // sign-extended by Cefore's URI parser
		{"0005 0008 ffffffff80000000", 2147483648},
		{"0005 0008 ffffffffffffffff", 4294967295},
		{"0005 0008 ffffffff7fffffff", 0xffffffff7fffffff}, // not the extension of any 32-bit number
		{"0005 0005 0100000000", 1 << 32},
	}
	for _, tt := range tests {
		wire := unhex(t, "0001 0001 61"+tt.wire)
		n, err := decodeName(wire)
		if k, ok := n.Chunk(); err != nil || !ok || k != tt.want {
			t.Errorf("%s: %d, %v, %v; want %d", tt.wire, k, ok, err, tt.want)
		}
		if same := mustName(t, "ccnx:/a").WithChunk(tt.want); !n.Equal(same) || !same.Equal(n) {
			t.Errorf("%s: not equal to %v", tt.wire, same)
		}
	}
	n := mustName(t, "ccnx:/a")
	if k, ok := n.Chunk(); ok || k != 0 {
		t.Errorf("without a chunk: %d, %v", k, ok)
	}
	if n.Equal(n.WithChunk(0)) || n.WithChunk(0).Equal(n) || n.WithChunk(0).Equal(n.WithChunk(1)) || n.WithChunk(1).Equal(n.WithChunk(0)) {
		t.Error("names that differ in their chunk are equal")
	}
	if !n.WithChunk(9).WithoutChunk().Equal(n) || !bytes.Equal(n.WithChunk(9).Bytes(), n.Bytes()) {
		t.Error("WithoutChunk or Bytes keeps the chunk")
	}
}

func TestNamePrefix(t *testing.T) {
	tests := []struct {
		name, prefix string
		rest         string // wire form of the rest's segments; "no" if prefix is none
	}{
		{"ccnx:/a/b", "ccnx:/a/b", ""},
		{"ccnx:/a/b", "ccnx:/a", "00010001 62"},
		{"ccnx:/a/b/", "ccnx:/a", "00010001 62 00010000"},
		{"ccnx:/a", "ccnx:/a/b", "no"},
		{"ccnx:/ab", "ccnx:/a", "no"},
		{"ccnx:/a/bc", "ccnx:/a/b", "no"},
		{"ccnx:/a/0x0004=v", "ccnx:/a", "00040001 76"},
		{"ccnx:/0x0004=a/b", "ccnx:/a", "no"},
		{"ccnx:/a", "ccnx:/", "no"}, // ccnx:/ is one empty segment
		{"ccnx:/0x0001=/a", "ccnx:/", "00010001 61"},
	}
	for _, tt := range tests {
		n, p := mustName(t, tt.name), mustName(t, tt.prefix)
		for _, n := range []Name{n, n.WithChunk(3)} {
			rest, ok := n.TrimPrefix(p)
			if want := tt.rest != "no"; ok != want || n.HasPrefix(p) != want {
				t.Errorf("%v under %v: %v, HasPrefix %v; want %v", n, p, ok, n.HasPrefix(p), want)
				continue
			}
			if ok && (!bytes.Equal(rest.Bytes(), unhex(t, tt.rest)) || rest.hasChunk != n.hasChunk) {
				t.Errorf("%v under %v: rest %x, want %s", n, p, rest.Bytes(), tt.rest)
			}
		}
	}
	if !mustName(t, "ccnx:/a").HasPrefix(Name{}) {
		t.Error("the zero Name is not a prefix of every name")
	}
}

func TestNameParent(t *testing.T) {
	n := mustName(t, "ccnx:/a/App:5=b//Chunk=7")
	var walk []string
	for {
		up, last, ok := n.Parent()
		if !ok {
			break
		}
		if got, err := up.Append(last); err != nil || !got.Equal(n.WithoutChunk()) {
			t.Errorf("parent of %v and its last segment make %v, %v", n, got, err)
		}
		walk = append(walk, up.String())
		n = up
	}
	if got, want := strings.Join(walk, " "), "ccnx:/a/App:5=b ccnx:/a "; got != want {
		t.Errorf("parents %q, want %q", got, want)
	}
	if !n.IsZero() {
		t.Errorf("the last parent is %v, want the zero Name", n)
	}
}

func TestNameClone(t *testing.T) {
	wire := unhex(t, "0001 0001 61 0005 0001 07")
	n, err := decodeName(wire)
	if err != nil {
		t.Fatal(err)
	}
	c := n.Clone()
	wire[4] = 'z'
	if n.String() != "ccnx:/z/Chunk=7" || c.String() != "ccnx:/a/Chunk=7" {
		t.Errorf("decoded name %v aliases its packet, clone %v does not", n, c)
	}
}
