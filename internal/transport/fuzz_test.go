package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// segmented cuts b where cuts says: each byte is the length of a segment, 0 of
// one of 5000 bytes, and the last one is good for the rest.
func segmented(b, cuts []byte) (segments [][]byte) {
	for len(b) > 0 {
		n := len(b)
		if len(cuts) > 0 {
			if n = int(cuts[0]); n == 0 {
				n = 5000
			}
			if len(cuts) > 1 {
				cuts = cuts[1:]
			}
		}
		n = min(n, len(b))
		segments, b = append(segments, b[:n]), b[n:]
	}
	return segments
}

// sound says by the RFC's own words, not by the code under test, whether a whole
// packet stands at the start of b: 0 for no, -1 if b is too short to tell.
func sound(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != 1:
		return 0
	case len(b) < 8:
		return -1
	}
	length, header := int(b[2])<<8|int(b[3]), int(b[7])
	if header < 8 || header+4 > length {
		return 0
	}
	for at := header; at != length; {
		if at+4 > length {
			return 0
		}
		if at+4 > len(b) {
			return -1
		}
		if b[at] != 0 || b[at+1] < 1 || b[at+1] > 5 {
			return 0
		}
		if at += 4 + int(b[at+2])<<8 + int(b[at+3]); at > length {
			return 0
		}
	}
	if length > len(b) {
		return -1
	}
	return length
}

// reference finds the packets of b, and what is left in the end.
func reference(b []byte, mode framing) (pkts [][]byte, rest []byte, lost bool) {
	for len(b) > 0 {
		n := sound(b)
		switch {
		case n < 0:
			return pkts, b, false
		case n > 0:
			pkts, b = append(pkts, b[:n]), b[n:]
		case mode == strict:
			return pkts, b, true
		default:
			b = b[1:]
		}
	}
	return pkts, nil, false
}

// splitAll gives a splitter one segment after the other, as Read does, each into one of
// two batches in turn. It checks what holds for any bytes, and that what came out into
// one batch stays there while the other is used, and returns what came out.
func splitAll(t *testing.T, mode framing, segments [][]byte) (pkts [][]byte, text bool, s *splitter, err error) {
	s = &splitter{mode: mode}
	b, last := new(tlv.Batch), new(tlv.Batch)
	defer Release(b)
	defer Release(last)
	var before [][]byte // of last
	for _, seg := range segments {
		for len(seg) > 0 && err == nil {
			b.Reset(2 * batchBytes)
			room := s.room(b)
			if len(room) < streamBuffer || b.Len() > 0 {
				t.Fatalf("room for %d bytes behind %d packets", len(room), b.Len())
			}
			if len(s.rest) > 0 && len(seg) > 1 { // the system may write there, and bring nothing
				room[0] ^= 0xff
				if Release(b); b.Cap() > 0 {
					t.Fatalf("memory for %d bytes after Release", b.Cap())
				}
				room = s.room(b)
			}
			n := copy(room, seg)
			seg = seg[n:]
			err = s.split(b, n)
			if err != nil && b.Len() > 0 {
				t.Fatalf("%d packets and %v", b.Len(), err)
			}
			if errors.As(err, new(*TextError)) {
				text, err = true, nil
			}
			got := clone(packets(b))
			if b.Size() != len(bytes.Join(got, nil)) || b.Cap() < batchBytes {
				t.Fatalf("%d bytes in memory for %d", b.Size(), b.Cap())
			}
			pkts = append(pkts, got...)
			if now := packets(last); len(now) != len(before) || !bytes.Equal(bytes.Join(now, nil), bytes.Join(before, nil)) {
				t.Fatalf("what was split before is %x now, and was %x", now, before)
			}
			b, last, before = last, b, got
			if err == nil {
				err = s.err // Read returns it next
			}
		}
	}
	return pkts, text, s, err
}

// FuzzSplitter holds the splitter to its laws: for any bytes in any segments it
// does not panic, finds what a plain scan finds, each of it a sound packet, and
// keeps back less than a packet; good packets come out as they went in.
func FuzzSplitter(f *testing.F) {
	for _, e := range loadBad(f) {
		if e.Repeat == 0 {
			b := append(append(packet(40, 0), e.bytes(f)...), bytes.Repeat(packet(30, 1), 4)...)
			f.Add(b, []byte{7, 1, 200})
			f.Add(b, []byte{})
		}
	}
	f.Add(packetWithHeader(400, 0, 255), []byte{1})
	f.Add(bytes.Repeat([]byte{1}, 3000), []byte{100})
	f.Add([]byte("/CTRLSTATUS\x01\x01\x00\x0c\x00\x00\x00\x08\x00\x02\x00\x00ERROR:"), []byte{11, 12})
	f.Fuzz(func(t *testing.T, b, cuts []byte) {
		for _, mode := range []framing{strict, resync, deaf} {
			pkts, text, s, err := splitAll(t, mode, segmented(b, cuts))
			if mode == deaf && text {
				t.Fatal("a text to the deaf")
			}
			for _, p := range pkts {
				if sound(p) != len(p) {
					t.Fatalf("mode %d: no packet: %x", mode, p)
				}
			}
			if mode != strict && err != nil {
				t.Fatal(err)
			}
			if err == nil && len(s.rest) >= tlv.MaxPacketLen {
				t.Fatalf("mode %d: %d bytes kept back", mode, len(s.rest))
			}
			if text { // what a text is depends on the segments
				continue
			}
			want, rest, lost := reference(b, mode)
			if len(want) != len(pkts) || !bytes.Equal(bytes.Join(want, nil), bytes.Join(pkts, nil)) {
				t.Fatalf("mode %d: %x\nwant %x", mode, pkts, want)
			}
			if lost != (err != nil) || !lost && !bytes.Equal(s.rest, rest) {
				t.Fatalf("mode %d: error %v, rest %x; want lost %v, %x", mode, err, s.rest, lost, rest)
			}
		}
		checkGood(t, b, cuts)
	})
}

// checkGood makes good packets of b, whose lengths are b's bytes too, and expects
// them back. One of them may be large; more would only make it slow.
func checkGood(t *testing.T, b, cuts []byte) {
	var want [][]byte
	large := false
	for i := 0; len(b) >= 2 && i < 50; i++ {
		n := int(binary.BigEndian.Uint16(b))
		if n >= 0xff00 && !large {
			n, large = tlv.MaxPacketLen-n%4096, true
		} else {
			n = minPacket + n%300
		}
		p := packet(n, i)
		copy(p[minPacket:], b[2:]) // anything may be in a payload
		want, b = append(want, p), b[2:]
	}
	for _, mode := range []framing{strict, resync, deaf} {
		pkts, text, s, err := splitAll(t, mode, segmented(bytes.Join(want, nil), cuts))
		if text || err != nil || len(s.rest) > 0 || len(pkts) != len(want) || !bytes.Equal(bytes.Join(pkts, nil), bytes.Join(want, nil)) {
			t.Fatalf("mode %d: %d good packets, text %v, error %v, %d bytes left; want %d packets", mode, len(pkts), text, err, len(s.rest), len(want))
		}
	}
}

// FuzzDatagram: for any bytes, what comes out is sound packets from the datagram's
// start on, and what is left out starts with no whole packet.
func FuzzDatagram(f *testing.F) {
	for _, e := range loadBad(f) {
		if e.Repeat == 0 {
			f.Add(e.bytes(f))
			f.Add(append(packet(40, 0), e.bytes(f)...))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at := 0
		for _, p := range appendDatagram(nil, b) {
			if sound(p) != len(p) || &p[0] != &b[at] || cap(p) != len(p) {
				t.Fatalf("at %d: no packet, or not this one: %x", at, p)
			}
			at += len(p)
		}
		if at < len(b) && sound(b[at:]) > 0 {
			t.Fatalf("a packet at %d is left out", at)
		}
	})
}
