package tlv

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// sameFields compares packets, but for their checksum and the bytes that it and their
// validation cover.
func sameFields(a, b packet) bool {
	va, vb := validation(a), validation(b)
	ca, cb := va.covered, vb.covered
	va.covered, vb.covered = nil, nil
	same := reflect.DeepEqual(unsummed(a), unsummed(b))
	va.covered, vb.covered = ca, cb
	return same
}

func unsummed(p packet) packet {
	if o, ok := p.(*Object); ok {
		c := *o
		c.sum, c.before, c.after = 0, nil, nil
		return &c
	}
	return p
}

// FuzzDecode holds the codec to its laws: it never panics and fails with typed
// errors; a decoded packet is encoded to one that decodes to equal fields and is
// encoded to the same bytes; neither way touches what it reads.
func FuzzDecode(f *testing.F) {
	for _, v := range load[vector](f, vectorsFile) {
		f.Add(unhex(f, v.Hex))
	}
	for _, e := range loadBadPackets(f) {
		if e.Repeat == 0 {
			f.Add(e.bytes(f))
		}
	}
	for _, p := range fullPackets(f) {
		pkt, err := p.AppendTo(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pkt)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		typ, name, peekErr := PeekName(b)
		if peekErr != nil {
			checkTyped(t, peekErr)
		}
		p, err := decode(b)
		if err != nil {
			checkTyped(t, err)
			return
		}
		if peekErr != nil || typ != PacketType(b[1]) || !reflect.DeepEqual(name, nameOf(p)) {
			t.Fatalf("PeekName: %v %v, %v; want %v", typ, name, peekErr, nameOf(p))
		}
		check := validation(p).Check
		if o, ok := p.(*Object); ok {
			check = o.Check
		}
		if err := check(); err != nil && !errors.Is(err, ErrChecksum) {
			t.Fatalf("Check: %v, want nil or %v", err, ErrChecksum)
		}
		prefix := []byte("prefix")
		out, err := p.AppendTo(prefix)
		if !bytes.Equal(b, before) || !bytes.HasPrefix(out, prefix) {
			t.Fatalf("changed what it read: %x, was %x; prefix %q", b, before, out[:len(prefix)])
		}
		if err != nil {
			checkGrown(t, b, err)
			return
		}
		canonical := out[len(prefix):]
		again, err := decode(canonical)
		if err != nil || !sameFields(p, again) {
			t.Fatalf("encoded to %x, which decodes to\n     %+v, %v\nwant %+v", canonical, again, err, p)
		}
		out, err = again.AppendTo(nil)
		if err != nil || !bytes.Equal(out, canonical) {
			t.Fatalf("encoded a second time: %v\n got %x\nwant %x", err, out, canonical)
		}
	})
}

// checkGrown: encoding a decoded packet fails only where the canonical form of a
// number is longer than what the packet had, and the packet was almost full.
func checkGrown(t *testing.T, pkt []byte, err error) {
	t.Helper()
	const slack = 64
	if !errors.Is(err, ErrTooLarge) || (int(pkt[7]) < MaxHeaderLen-slack && len(pkt) < MaxPacketLen-slack) {
		t.Fatalf("a packet of %d bytes, its header of %d, is decoded but not encoded: %v", len(pkt), pkt[7], err)
	}
}

// FuzzParseName: what parses prints to a URI that parses to the same name.
func FuzzParseName(f *testing.F) {
	for _, tt := range goodURIs {
		f.Add(tt.uri, false)
		f.Add(tt.uri, true)
	}
	f.Add("ccnx:/%41%2f%42/Chunk=1", true)
	f.Add("ccnx:/a/0x0005=4294967296", false)
	f.Fuzz(func(t *testing.T, uri string, decode bool) {
		n, err := ParseName(uri, URIMode(decode))
		if err != nil {
			var ne *NameError
			if !errors.As(err, &ne) || !n.IsZero() {
				t.Fatalf("%v, error %T %v, want a NameError", n, err, err)
			}
			return
		}
		if n.WireLen() > MaxNameLen || !ceforeURI.MatchString(n.String()) {
			t.Fatalf("%d bytes, %s", n.WireLen(), n)
		}
		again, err := ParseName(n.String(), PercentLiteral)
		if err != nil || !again.Equal(n) {
			t.Fatalf("%s parses to %v, %v", n, again, err)
		}
		if decoded, err := decodeName(n.AppendTo(nil)[tlHeaderLen:]); err != nil || !decoded.Equal(n) {
			t.Fatalf("%s decodes to %v, %v", n, decoded, err)
		}
		_ = n.Display()
	})
}

// FuzzVendor: a vendor TLV is its items, neither more nor less.
func FuzzVendor(f *testing.F) {
	f.Add([]byte(VendorSymbolic))
	f.Add([]byte{0x80, 5, 0, 4, 0, 0, 0, 9, 0, FlagReflexive})
	f.Add([]byte{0x80, 1, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		pen, v, err := vendorTLV(append([]byte{0x00, 0xc9, 0x6c}, b...))
		if err != nil {
			checkTyped(t, err)
			return
		}
		var back []byte
		for i := range v.Items() {
			if !v.Has(i.Type) || (i.Value == nil) != (i.Type < vendorTLVBit) {
				t.Fatalf("%x: Has(%#x) = %v, value %x", v, i.Type, v.Has(i.Type), i.Value)
			}
			if i.Value == nil {
				back = append(back, byte(i.Type>>8), byte(i.Type))
			} else {
				back = appendTLV(back, i.Type, i.Value)
			}
		}
		if pen != penNICT || !bytes.Equal(back, b) {
			t.Fatalf("pen %d, items %x, want %x", pen, back, b)
		}
	})
}
