package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestGarbageBetween: packets close up where garbage was between them, whatever came
// together, and each is what it was.
func TestGarbageBetween(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	garbage := [][]byte{nil, {0}, {1}, {1, 1}, []byte(tlv.CloseText), bytes.Repeat([]byte{1}, 300), noise[:1000], packet(100, 0)[1:], packet(300, 0)[:8:8]}
	rounds := 200
	if raced {
		rounds = 20
	}
	for round := range rounds {
		var in []byte
		for i := range 1 + r.IntN(60) {
			g := garbage[r.IntN(len(garbage))]
			if len(g) == 8 { // a header whose first TLV is too long
				g = append(g, 0, 2, 0xff, 0xff)
			}
			n := minPacket + r.IntN(300)
			if r.IntN(40) == 0 {
				n = tlv.MaxPacketLen - r.IntN(3)
			}
			in = append(append(in, g...), packet(n, i)...)
		}
		in = append(in, garbage[r.IntN(len(garbage)-1)]...)
		for _, mode := range []framing{resync, deaf} {
			want, rest, _ := reference(in, mode)
			for _, segment := range []int{len(in), 1 + r.IntN(5000), streamBuffer} {
				s := &splitter{mode: mode}
				var got [][]byte
				texts := false
				for seg := range chunked(in, segment) {
					var b tlv.Batch
					copy(s.room(&b), seg)
					texts = texts || errors.As(s.split(&b, len(seg)), new(*TextError))
					pkts := clone(packets(&b))
					if whole := bytes.Join(pkts, nil); b.Size() != len(whole) || !bytes.Equal(b.Range(0, b.Len()), whole) {
						t.Fatalf("%d bytes of packets in %d", len(whole), b.Size())
					}
					got = append(got, pkts...)
					Release(&b)
				}
				if texts && mode == resync { // a cut right before a text
					continue
				}
				samePackets(t, fmt.Sprintf("round %d, mode %d, segments of %d", round, mode, segment), got, want)
				if !bytes.Equal(s.rest, rest) {
					t.Errorf("%d bytes are kept, want %d", len(s.rest), len(rest))
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// chunked yields b in segments of at most n bytes, and of what one read brings.
func chunked(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for n = min(n, streamBuffer); len(b) > 0; b = b[min(n, len(b)):] {
			if !yield(b[:min(n, len(b))]) {
				return
			}
		}
	}
}

// TestEveryCut: wherever two reads divide a stream, each brings all packets that are
// whole by then, and what is begun waits for the next.
func TestEveryCut(t *testing.T) {
	small := [][]byte{packet(minPacket, 0), packetWithHeader(300, 1, 255), packet(100, 2), packet(minPacket+1, 3)}
	large := [][]byte{packet(100, 0), packet(tlv.MaxPacketLen, 1), packet(50_000, 2), packet(100, 3)}
	for _, mode := range []framing{strict, resync, deaf} {
		for _, pkts := range [][][]byte{small, large} {
			in := bytes.Join(pkts, nil)
			step := 1
			if len(in) > 10_000 {
				step = 997
			}
			for at := 1; at < len(in); at += step {
				checkCuts(t, mode, pkts, in, at)
				checkCuts(t, mode, pkts, in, at, min(at+1, len(in)-1))
				checkCuts(t, mode, pkts, in, at/2, at, (at+len(in))/2)
			}
			for end, p := 0, 0; p < len(pkts); p++ { // right beside each packet's end
				end += len(pkts[p])
				for _, at := range []int{end - 1, end, end + 1, end + 7, end + 8, end + 9} {
					if at < len(in) {
						checkCuts(t, mode, pkts, in, at)
					}
				}
			}
		}
	}
}

// checkCuts gives a stream the segments of in that the cuts, in their order, make.
func checkCuts(t *testing.T, mode framing, pkts [][]byte, in []byte, cuts ...int) {
	t.Helper()
	s := newStream(&script{}, mode)
	conn := s.c.(*script)
	var b tlv.Batch
	from, next, start := 0, 0, 0 // of the segment, of the packet, where that starts
	for _, to := range append(cuts, len(in)) {
		if to <= from {
			continue
		}
		conn.segments = [][]byte{in[from:to]}
		from = to
		var want [][]byte
		for next < len(pkts) && start+len(pkts[next]) <= to {
			want = append(want, pkts[next])
			start += len(pkts[next])
			next++
		}
		b.Reset(2 * batchBytes)
		n, err := s.receive(&b)
		must(t, err)
		must(t, s.split(&b, n))
		samePackets(t, fmt.Sprintf("mode %d, cut at %v, up to %d", mode, cuts, to), packets(&b), want)
		if !bytes.Equal(s.rest, in[start:to]) {
			t.Errorf("mode %d, cut at %v: %d bytes are kept at %d, want %d", mode, cuts, len(s.rest), to, to-start)
		}
	}
	if err := s.Read(&b); err != io.EOF {
		t.Errorf("mode %d, cut at %v: %v at the end", mode, cuts, err)
	}
	Release(&b)
}

// TestGarbageIsLinear: what is no packet, and what is scattered among it, costs so much
// a byte, however much of it comes at once. Nothing of it is kept but what could begin
// a packet, as some of the random bytes do.
func TestGarbageIsLinear(t *testing.T) {
	const total, times = streamBuffer, 16
	var among []byte
	for i := 0; len(among) < total; i++ {
		among = append(append(among, packet(minPacket, i)...), 0xff)
	}
	for name, in := range map[string][]byte{
		"01": bytes.Repeat([]byte{1}, total), "00": make([]byte, total), "random": append(bytes.Clone(noise), noise...)[:total],
		"01 02": bytes.Repeat([]byte{1, 2}, total/2), "packets among it": among[:total],
		"packets that begin with it": append(bytes.Repeat([]byte{1}, 999), among[:total-999]...),
	} {
		cost := func(segment int) time.Duration {
			s := &splitter{mode: deaf}
			var b tlv.Batch
			defer Release(&b)
			start := time.Now()
			for seg := range chunked(in, segment) {
				b.Reset(2 * batchBytes)
				copy(s.room(&b), seg)
				must(t, s.split(&b, len(seg)))
				if len(s.rest) > minPacket && name != "random" {
					t.Fatalf("%s: %d bytes are kept", name, len(s.rest))
				}
			}
			return time.Since(start)
		}
		const most = times / 3 // by which a byte of a large segment may cost more
		ok := false
		for range 20 { // the machine may be busy with something else
			if ok = cost(total) < most*cost(total/times); ok {
				break
			}
		}
		if !ok {
			t.Errorf("%s: %v for %d bytes at once, %v for them in %d parts", name, cost(total), total, cost(total/times), times)
		}
	}
}
