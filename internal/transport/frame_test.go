package transport

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// script is a connection whose every Read brings one segment, as a system call
// would.
type script struct {
	net.Conn
	segments [][]byte
	wrote    func([]byte)
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.segments) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.segments[0])
	if s.segments[0] = s.segments[0][n:]; len(s.segments[0]) == 0 {
		s.segments = s.segments[1:]
	}
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.wrote(p)
	return len(p), nil
}

// scripted is a unix socket's Conn, though not on a socket.
func scripted(mode framing, segments ...[]byte) *stream {
	s := newStream(&script{segments: slices.Clone(segments)}, mode)
	s.checkCut = mode == strict
	return s
}

// drain reads to the end.
func drain(s *stream) (pkts [][]byte, texts []string, err error) {
	for b := new(tlv.Batch); ; {
		err := s.Read(b)
		pkts = append(pkts, clone(packets(b))...)
		var text *TextError
		switch {
		case errors.As(err, &text):
			texts = append(texts, string(text.Text))
		case err != nil:
			return pkts, texts, err
		}
	}
}

// eachByte is b in segments of one byte.
func eachByte(b []byte) (segments [][]byte) {
	for i := range b {
		segments = append(segments, b[i:i+1])
	}
	return segments
}

// bad is an entry of tlv's testdata/bad-packets.json.
type bad struct {
	ID     string
	Hex    string `json:"packet_hex"`
	Repeat int
	Length int
	Should string `json:"our_receiver_should"`
}

func (e bad) bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(e.Hex)
	must(t, err)
	if b = bytes.Repeat(b, max(e.Repeat, 1)); len(b) != e.Length {
		t.Fatalf("%s: %d bytes, want %d", e.ID, len(b), e.Length)
	}
	return b
}

func loadBad(t testing.TB) (entries []bad) {
	t.Helper()
	b, err := os.ReadFile("../tlv/testdata/bad-packets.json")
	must(t, err)
	must(t, json.Unmarshal(b, &entries))
	if len(entries) != 85 {
		t.Fatalf("%d bad packets, want 85", len(entries))
	}
	return entries
}

// What a bad packet is to a stream. Those that are in none of these lists have
// sound boundaries and are delivered; whether they decode is not asked here.
var (
	// badNoPacket are seen to start no packet, at once or with what follows them.
	badNoPacket = `ver-0 ver-2 len-too-big-by-8 len-too-small len-zero len-7 len-ffff-small-body
		hdrlen-0 hdrlen-7 hdrlen-gt-pktlen hdrlen-eq-pktlen hdrlen-misaligned truncated-fixed-header
		msg-type-0 msg-type-6 msg-len-too-big msg-len-too-small msg-len-zero msg-len-fffc msg-len-ffff
		trailer-garbage truncated-after-header garbage-00 garbage-ff garbage-01-small garbage-01-70000 garbage-random-4096
		from-cefnetd-truncated-ccninfo-reply`
	// badTruncated have a sound start and take what they lack from what follows.
	badTruncated = `truncated-mid-name truncated-last-byte from-cefnetd-cut-data`
	// badText starts like a text.
	badText = `half-close-message slash-only ctrl-unknown ctrl-short ctrl-route-truncated from-cefnetd-busy-text`
)

func listed(list, id string) bool { return slices.Contains(strings.Fields(list), id) }

// missing is how many bytes a truncated packet takes of the following.
func missing(b []byte) int { return (int(b[2])<<8 | int(b[3])) - len(b) }

// goodBehind returns good packets to send behind e, of 60 bytes each: enough to
// complete it if it is truncated.
func goodBehind(e bad) (pkts [][]byte) {
	n := 5
	if e.ID == "from-cefnetd-cut-data" {
		n = 1000
	}
	for i := range n {
		pkts = append(pkts, packet(60, i))
	}
	return pkts
}

// TestBadPacketsStrict: behind a bad packet a client gets the right packets or
// none.
func TestBadPacketsStrict(t *testing.T) {
	for _, e := range loadBad(t) {
		good := goodBehind(e)
		b := e.bytes(t)
		for name, segments := range map[string][][]byte{
			"apart":    append([][]byte{b}, good...),
			"together": {append(bytes.Clone(b), bytes.Join(good, nil)...)},
			"by byte":  eachByte(append(bytes.Clone(b), bytes.Join(good, nil)...)),
		} {
			if listed(badText, e.ID) && name != "apart" {
				continue // see TestText
			}
			pkts, texts, err := drain(scripted(strict, segments...))
			var framing *FramingError
			what := e.ID + " " + name
			switch {
			case listed(badNoPacket, e.ID):
				samePackets(t, what, pkts, nil)
				if !errors.As(err, &framing) {
					t.Errorf("%s: %v, want a FramingError", what, err)
				}
			case listed(badTruncated, e.ID):
				// The one chimera of bad and good bytes is as long as the bad packet
				// says. What follows it is inside a packet.
				if len(pkts) > 1 || len(pkts) == 1 && !bytes.HasPrefix(pkts[0], b) || !errors.As(err, &framing) {
					t.Errorf("%s: %d packets, %v, want one and a FramingError", what, len(pkts), err)
				}
			case listed(badText, e.ID):
				samePackets(t, what, pkts, good)
				if len(texts) != 1 || texts[0] != string(b) || err != io.EOF {
					t.Errorf("%s: texts %q, %v", what, texts, err)
				}
			default:
				samePackets(t, what, pkts, append([][]byte{b}, good...))
				if err != io.EOF {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	}
}

// TestBadPacketsResync: a bad packet costs a node's application that packet and,
// where it is truncated, the bytes that it lacks: one packet, unless it is long.
func TestBadPacketsResync(t *testing.T) {
	for _, e := range loadBad(t) {
		good := goodBehind(e)
		b := e.bytes(t)
		want := good
		switch {
		case listed(badTruncated, e.ID):
			lost := (missing(b) + len(good[0]) - 1) / len(good[0])
			if lost != 1 && e.ID != "from-cefnetd-cut-data" {
				t.Errorf("%s would cost %d packets", e.ID, lost)
			}
			want = append([][]byte{append(bytes.Clone(b), bytes.Join(good, nil)[:missing(b)]...)}, good[lost:]...)
		case !listed(badNoPacket, e.ID) && !listed(badText, e.ID):
			want = append([][]byte{b}, good...)
		}
		for name, segments := range map[string][][]byte{
			"apart":    append([][]byte{b}, good...),
			"together": {append(bytes.Clone(b), bytes.Join(good, nil)...)},
			"by byte":  eachByte(append(bytes.Clone(b), bytes.Join(good, nil)...)),
		} {
			if listed(badText, e.ID) && name != "apart" {
				continue
			}
			pkts, _, err := drain(scripted(resync, segments...))
			samePackets(t, e.ID+" "+name, pkts, want)
			if err != io.EOF {
				t.Errorf("%s %s: %v, want %v", e.ID, name, err, io.EOF)
			}
		}
	}
}

// TestBadPacketsToNode: the same on a real socket, the bad packet in a write of
// its own as it was sent to cefnetd.
func TestBadPacketsToNode(t *testing.T) {
	for _, e := range loadBad(t) {
		good := goodBehind(e)
		raw, c := rawPair(t, "unix", resync)
		written := make(chan error, 1)
		go func() {
			_, err := raw.Write(e.bytes(t))
			written <- err
		}()
		if listed(badText, e.ID) { // else the good packets may come with it
			if _, err := read(c); !errors.As(err, new(*TextError)) {
				t.Errorf("%s: %v, want a TextError", e.ID, err)
			}
		}
		go func() {
			defer raw.Close()
			if err := <-written; err == nil {
				_, _ = raw.Write(bytes.Join(good, nil))
			}
		}()
		pkts, _, err := drain(c)
		if err != io.EOF || len(pkts) == 0 || !bytes.Equal(pkts[len(pkts)-1], good[len(good)-1]) {
			t.Errorf("%s: %d packets, %v; want the last good one, %v", e.ID, len(pkts), err, io.EOF)
		}
	}
}

// TestBadPacketsLast: what a bad packet still lacks does not keep the connection
// from ending.
func TestBadPacketsLast(t *testing.T) {
	for _, e := range loadBad(t) {
		for _, mode := range []framing{strict, resync} {
			b := e.bytes(t)
			_, _, err := drain(scripted(mode, b[:min(len(b), 40)]))
			if err != io.EOF && err != io.ErrUnexpectedEOF && !(mode == strict && errors.As(err, new(*FramingError))) {
				t.Errorf("%s, mode %d: %v", e.ID, mode, err)
			}
		}
	}
}

// TestCutByCefnetd: of a packet to a slow reader only the first MaxAtomicLen
// bytes arrive, and other packets follow (sheet l).
func TestCutByCefnetd(t *testing.T) {
	raw, c := rawPair(t, "unix", strict)
	before, large := packet(100, 0), packet(50055, 1)
	stream := append(bytes.Clone(before), large[:tlv.MaxAtomicLen]...)
	for i := range 200 {
		stream = append(stream, packet(1000, 2+i)...)
	}
	go raw.Write(stream)
	pkts, _, err := drain(c)
	samePackets(t, "before the cut", pkts, [][]byte{before})
	if !errors.As(err, new(*FramingError)) {
		t.Errorf("%v, want a FramingError", err)
	}
}

// TestCutAnywhere: for every length of the packet that is cut, and headers of the
// next one that are longer than what the cut packet takes of it.
func TestCutAnywhere(t *testing.T) {
	before := packet(100, 0)
	lengths := []int{40000, 50055, 65534, 65535}
	headers := []int{tlv.FixedHeaderLen, 14, 100, tlv.MaxHeaderLen}
	for _, headerLen := range headers {
		for n := -10; n <= 10; n++ {
			lengths = append(lengths, tlv.MaxAtomicLen+max(1, headerLen+n))
		}
	}
	for _, n := range lengths {
		for _, headerLen := range headers {
			rest := packet(n, 1)[:tlv.MaxAtomicLen]
			for i := range 3 {
				rest = append(rest, packetWithHeader(300+tlv.MaxAtomicLen*(i%2), 2+i, headerLen)...)
			}
			pkts, _, err := drain(scripted(strict, before, rest))
			what := fmt.Sprintf("%d bytes, cut, header of %d bytes behind", n, headerLen)
			samePackets(t, what, pkts, [][]byte{before})
			if !errors.As(err, new(*FramingError)) {
				t.Errorf("%s: %v, want a FramingError", what, err)
			}
			if n-tlv.MaxAtomicLen < headerLen+4 {
				continue
			}
			// What the cut packet takes is enough to know it.
			pkts, _, err = drain(scripted(strict, before, rest[:n]))
			samePackets(t, what+", nothing more", pkts, [][]byte{before})
			if !errors.As(err, new(*FramingError)) {
				t.Errorf("%s, nothing more: %v, want a FramingError", what, err)
			}
		}
	}
}

// TestNotCut: packets that only cefnetd's limit makes suspicious.
func TestNotCut(t *testing.T) {
	var want [][]byte
	for i := range 500 {
		want = append(want, packet(tlv.MaxAtomicLen-5+i*57, i), packet(100, i))
	}
	for name, segments := range map[string][][]byte{
		"apart":    want,
		"together": {bytes.Join(want, nil)},
	} {
		pkts, _, err := drain(scripted(strict, segments...))
		samePackets(t, name, pkts, want)
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A packet inside a payload, right at the limit, costs the connection; anywhere
	// else, and without a cefnetd at the other end, it costs nothing.
	large := packet(50000, 0)
	copy(large[tlv.MaxAtomicLen+1:], packet(100, 1))
	pkts, _, err := drain(scripted(strict, large))
	samePackets(t, "inside, elsewhere", pkts, [][]byte{large})
	if err != io.EOF {
		t.Error(err)
	}
	large = packet(tlv.MaxAtomicLen+11, 0)
	copy(large[tlv.MaxAtomicLen:], packet(100, 1)) // too little to be taken for it
	pkts, _, err = drain(scripted(strict, large, packet(100, 2)))
	samePackets(t, "a part inside", pkts, [][]byte{large, packet(100, 2)})
	if err != io.EOF {
		t.Error(err)
	}
	large = packet(50000, 0)
	copy(large[tlv.MaxAtomicLen:], packet(100, 1))
	if _, _, err := drain(scripted(strict, large)); !errors.As(err, new(*FramingError)) {
		t.Errorf("inside, at the limit: %v, want a FramingError", err)
	}
	if pkts, _, err := drain(scripted(resync, large)); len(pkts) != 1 || err != io.EOF {
		t.Errorf("to a node: %d packets, %v", len(pkts), err)
	}
}

// TestShortRest: where one to three bytes are left behind the last TLV, no further
// bytes are needed to tell that this is no packet.
func TestShortRest(t *testing.T) {
	for n := 1; n < 4; n++ {
		p := append(packet(100, 0), make([]byte, n)...)
		p[3] += byte(n)
		if _, _, err := drain(scripted(strict, p)); !errors.As(err, new(*FramingError)) {
			t.Errorf("%d bytes: %v, want a FramingError", n, err)
		}
	}
}

// TestFramingErrorLasts: it comes behind the packets before it, and stays.
func TestFramingErrorLasts(t *testing.T) {
	good := packet(100, 0)
	s := scripted(strict, append(bytes.Clone(good), 0xff, 0xfe), packet(100, 1))
	pkts, err := read(s)
	must(t, err)
	samePackets(t, "before", pkts, [][]byte{good})
	for range 3 {
		pkts, err := read(s)
		if len(pkts) > 0 || !errors.As(err, new(*FramingError)) || !strings.Contains(err.Error(), "fffe") {
			t.Errorf("%d packets, %v; want a FramingError that shows fffe", len(pkts), err)
		}
	}
}

// TestText: a text that stands alone in what its sender wrote is a TextError and
// the connection goes on; glued to a packet, it is never one.
func TestText(t *testing.T) {
	good := [][]byte{packet(100, 0), packet(100, 1)}
	control := "/CTRLSTATUS" + strings.Repeat("\x00", 250)
	for _, text := range []string{control, tlv.CloseText, "/", tlv.BusyText + "cefnetd is resource busy, #14.\n"} {
		for _, mode := range []framing{strict, resync} {
			what := fmt.Sprintf("mode %d, %.12q", mode, text)
			pkts, texts, err := drain(scripted(mode, good[0], []byte(text), good[1], []byte(text)))
			samePackets(t, what, pkts, good)
			if len(texts) != 2 || texts[0] != text || texts[1] != text || err != io.EOF {
				t.Errorf("%s: texts %q, %v", what, texts, err)
			}
			glued := append(bytes.Clone(good[0]), text...)
			pkts, texts, err = drain(scripted(mode, glued, good[1]))
			if len(texts) > 0 {
				t.Errorf("%s behind a packet: texts %q", what, texts)
			}
			if mode == resync {
				samePackets(t, what+" behind a packet", pkts, good)
			} else if samePackets(t, what+" behind a packet", pkts, good[:1]); !errors.As(err, new(*FramingError)) {
				t.Errorf("%s behind a packet: %v, want a FramingError", what, err)
			}
			// Inside a packet it is that packet's.
			inside := packet(100, 0)
			copy(inside[50:], text)
			pkts, texts, _ = drain(scripted(mode, inside[:50], inside[50:]))
			samePackets(t, what+" inside a packet", pkts, [][]byte{inside})
			if len(texts) > 0 {
				t.Errorf("%s inside a packet: texts %q", what, texts)
			}
		}
	}
}

// TestTextOnSocket: as an application of a node sends it.
func TestTextOnSocket(t *testing.T) {
	raw, c := rawPair(t, "unix", resync)
	var b tlv.Batch
	for i := range 3 {
		_, err := raw.Write([]byte("/CTRLSTATUS"))
		must(t, err)
		err = c.Read(&b)
		var text *TextError
		if !errors.As(err, &text) || string(text.Text) != "/CTRLSTATUS" || b.Len() > 0 {
			t.Fatalf("Read: %v and %d packets, want the text", err, b.Len())
		}
		want := packet(100, i)
		_, err = raw.Write(append(bytes.Clone(want), tlv.CloseText...))
		must(t, err)
		must(t, c.Read(&b))
		samePackets(t, "behind the text", packets(&b), [][]byte{want})
		if string(text.Text) != "/CTRLSTATUS" { // it is not the batch's
			t.Errorf("the text has become %q", text.Text)
		}
	}
	raw.Close()
	if _, err := read(c); err != io.EOF {
		t.Errorf("Read: %v, want %v", err, io.EOF)
	}
}

// TestGarbageAllocates: garbage costs a node next to nothing.
func TestGarbageAllocates(t *testing.T) {
	s := &splitter{mode: resync}
	garbage := bytes.Repeat([]byte("\x00/E\xff"), 1000)
	var b tlv.Batch
	if n := testing.AllocsPerRun(100, func() {
		copy(s.room(&b), garbage)
		if err := s.split(&b, len(garbage)); b.Len() > 0 || err != nil {
			t.Fatal(b.Len(), err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for %d bytes of garbage", n, len(garbage))
	}
}
