package client

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// quiet is a client to which nothing comes but what a test dispatches.
func quiet(t testing.TB, cfg Config) *Client {
	t.Helper()
	cfg.Dial = func(context.Context) (transport.Conn, error) {
		ours, theirs := transport.Pipe()
		t.Cleanup(func() { theirs.Close() })
		return ours, nil
	}
	c, err := New(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// together is packets as one Read brings them.
func together(pkts ...[]byte) *tlv.Batch {
	var b tlv.Batch
	for _, p := range pkts {
		b.Append(p)
	}
	return &b
}

// TestDispatchWhole: what all goes to one feed, or one registration, is handed over in the
// memory that it came in, also where others wait there.
func TestDispatchWhole(t *testing.T) {
	c := quiet(t, Config{})
	feed := c.Open(mustName(t, "ccnx:/a"))
	defer feed.Close()
	r, err := c.Register(t.Context(), mustName(t, "ccnx:/r"), Prefix)
	must(t, err)
	payload := string(make([]byte, 1000))
	for _, tt := range []struct {
		to      string
		receive func(*tlv.Batch) error
		packet  func(uri string) []byte
	}{
		{"ccnx:/a", feed.receive, func(uri string) []byte { return data(t, uri, payload) }},
		{"ccnx:/r", r.Receive, func(uri string) []byte {
			return encode(t, interest(t, uri, func(i *tlv.Interest) { i.Payload = []byte(payload) }))
		}},
	} {
		var want [][]byte
		var memory []*byte
		for range 3 {
			var pkts [][]byte
			for k := range 40 {
				pkts = append(pkts, tt.packet(fmt.Sprintf("%s/Chunk=%d", tt.to, k+len(want))))
			}
			b := together(pkts...)
			memory, want = append(memory, &b.Packet(0)[0]), append(want, pkts...)
			if c.dispatch(nil, b); b.Len() > 0 {
				t.Errorf("%s: %d packets are left in the batch", tt.to, b.Len())
			}
		}
		// A small one is copied behind them.
		small := tt.packet(tt.to + "/Chunk=999")
		c.dispatch(nil, together(small))
		want = append(want, small)
		var got [][]byte
		for i := 0; ; i++ {
			var b tlv.Batch
			must(t, tt.receive(&b))
			if b.Len() == 0 {
				break
			}
			if i < len(memory) && &b.Packet(0)[0] != memory[i] {
				t.Errorf("%s: batch %d was copied", tt.to, i)
			}
			for k := range b.Len() {
				got = append(got, b.Packet(k))
			}
		}
		samePackets(t, tt.to, got, want)
	}
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("%+v", st)
	}
}

// TestDispatchMixed: of a batch for several, each gets all that is for it, in order, the
// last packet too; link replies, and what is nobody's, may stand anywhere.
func TestDispatchMixed(t *testing.T) {
	peers := 0
	c := quiet(t, Config{OnPeer: func(p Peer) { peers++ }})
	one := c.Open(mustName(t, "ccnx:/one"), mustName(t, "ccnx:/both"))
	two := c.Open(mustName(t, "ccnx:/two"), mustName(t, "ccnx:/both"), mustName(t, "ccnx:/also"))
	three := c.Open(mustName(t, "ccnx:/also"))
	feeds := []*Feed{one, two, three}
	r, err := c.Register(t.Context(), mustName(t, "ccnx:/r"), Prefix)
	must(t, err)
	large := string(make([]byte, 3000))
	kinds := map[string]struct {
		pkt func(k int, payload string) []byte
		to  []int // feeds
	}{
		"one":  {func(k int, p string) []byte { return data(t, fmt.Sprintf("ccnx:/one/Chunk=%d", k), p) }, []int{0}},
		"two":  {func(k int, p string) []byte { return data(t, fmt.Sprintf("ccnx:/two/Chunk=%d", k), p) }, []int{1}},
		"both": {func(k int, p string) []byte { return data(t, fmt.Sprintf("ccnx:/both/Chunk=%d", k), p) }, []int{0, 1}},
		"also": {func(k int, p string) []byte { return data(t, fmt.Sprintf("ccnx:/also/Chunk=%d", k), p) }, []int{1, 2}},
		"return": {func(k int, p string) []byte {
			return tlv.AppendReturn(nil, encode(t, interest(t, fmt.Sprintf("ccnx:/one/Chunk=%d", k))), tlv.ReturnNoRoute)
		}, []int{0}},
		"nobody's":   {func(k int, p string) []byte { return data(t, fmt.Sprintf("ccnx:/three/Chunk=%d", k), p) }, nil},
		"link reply": {func(int, string) []byte { return []byte(tlv.LinkReply) }, nil},
		"node reply": {func(k int, _ string) []byte { return tlv.AppendNodeReply(nil, k) }, nil},
		"malformed":  {func(int, string) []byte { return []byte("\x01\x00\x00\x0c\x01\x00\x00\x08\x00\x01\x00\x00") }, nil},
		"Interest":   {func(k int, _ string) []byte { return encode(t, interest(t, fmt.Sprintf("ccnx:/r/Chunk=%d", k))) }, nil},
		"to nobody":  {func(k int, _ string) []byte { return encode(t, interest(t, fmt.Sprintf("ccnx:/none/Chunk=%d", k))) }, nil},
		"other reply": {func(int, string) []byte {
			return tlv.AppendReturn(nil, encode(t, interest(t, "ccnx:/three")), tlv.ReturnNoRoute)
		}, nil},
	}
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	seq := 0
	rapid.Check(t, func(rt *rapid.T) {
		// A few kinds at a time, so that there are runs of one.
		some := rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(rt, "kinds")
		before := c.Stats()
		want := make([][][]byte, len(feeds))
		var interests [][]byte
		replies, unsolicited, malformed := 0, 0, 0
		peers = 0
		for range rapid.IntRange(1, 3).Draw(rt, "batches") {
			var pkts [][]byte
			for range rapid.IntRange(1, 12).Draw(rt, "packets") {
				kind := rapid.SampledFrom(some).Draw(rt, "kind")
				payload := ""
				if rapid.Bool().Draw(rt, "large") {
					payload = large
				}
				seq++
				pkt := kinds[kind].pkt(seq, payload)
				pkts = append(pkts, pkt)
				for _, f := range kinds[kind].to {
					want[f] = append(want[f], pkt)
				}
				switch kind {
				case "nobody's", "to nobody", "other reply":
					unsolicited++
				case "link reply", "node reply":
					replies++
				case "malformed":
					malformed++
				case "Interest":
					interests = append(interests, pkt)
				}
			}
			c.dispatch(nil, together(pkts...))
		}
		for i, f := range feeds {
			samePackets(t, fmt.Sprintf("feed %d", i), all(t, f.receive), want[i])
		}
		samePackets(t, "the registration", all(t, r.Receive), interests)
		after := c.Stats()
		if int(after.Unsolicited-before.Unsolicited) != unsolicited || int(after.Malformed-before.Malformed) != malformed || peers != replies {
			t.Errorf("%d unsolicited, %d malformed, %d replies; want %d, %d, %d", after.Unsolicited-before.Unsolicited, after.Malformed-before.Malformed, peers, unsolicited, malformed, replies)
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
	for _, f := range feeds {
		f.Close()
	}
	must(t, r.Deregister(t.Context()))
}
