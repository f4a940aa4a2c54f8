package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// networkScenarios lose, delay and double.
func networkScenarios() []scenario {
	return []scenario{
		{name: "loss", producer: chunked(500), faults: faults{latency: 5 * time.Millisecond, loss: 0.2}, written: all, end: EndChunkNumber},
		{name: "reordering", producer: chunked(500), faults: faults{latency: 5 * time.Millisecond, jitter: 50 * time.Millisecond}, written: all, end: EndChunkNumber},
		{name: "duplication", producer: chunked(500), faults: faults{latency: 5 * time.Millisecond, duplicate: 1}, written: all, end: EndChunkNumber,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Duplicates < 400 || r.Stats.Unasked != 0 {
					t.Errorf("%d duplicates, %d unasked of 500 doubled", r.Stats.Duplicates, r.Stats.Unasked)
				}
			}},
		{name: "all at once, end in the last chunk", producer: style(500, endInLast), written: all, end: EndChunkNumber,
			faults: faults{latency: 5 * time.Millisecond, jitter: 50 * time.Millisecond, loss: 0.1, duplicate: 0.1, corrupt: 0.03}},
		{name: "a long way", producer: chunked(500), faults: faults{latency: 600 * time.Millisecond}, written: all, end: EndChunkNumber,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.RTT.Min != 600*time.Millisecond || r.Stats.Retransmits > 150 {
					t.Errorf("round trip %v, %d re-sends of 500: the estimate does not learn", r.Stats.RTT.Min, r.Stats.Retransmits)
				}
			}},
		{name: "a pause, after which all that was asked arrives", producer: chunked(500), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk < 100 || a.at > 5*time.Second {
					return nil, false
				}
				time.AfterFunc(5*time.Second-a.at, func() { n.later(n.data(a.chunk)) })
				return nil, true
			})},
		{name: "a small window", producer: style(50, endInLast), faults: faults{latency: 5 * time.Millisecond, loss: 0.2}, window: 1, written: all, end: EndChunkNumber},
		{name: "a window of two", producer: chunked(50), faults: faults{latency: 5 * time.Millisecond, loss: 0.2}, window: 2, written: all, end: EndChunkNumber},
	}
}

// badInputScenarios get nothing, too little, or what is no good.
func badInputScenarios() []scenario {
	return []scenario{
		// Bad input: a name that nobody answers, a producer that stops half-way.
		{name: "nobody answers", producer: producer{}, as: ErrTimeout, want: "nothing arrived", took: 10 * time.Second},
		{name: "nobody answers, own timeout", producer: producer{}, options: Options{Timeout: time.Second}, as: ErrTimeout, want: "nothing arrived", took: time.Second},
		{name: "nobody answers before the deadline", producer: producer{}, options: Options{Deadline: time.Second}, as: ErrTimeout, want: "nothing arrived", took: time.Second},
		{name: "the producer stops half-way", producer: chunked(500), prepare: silentAfter(249), written: 2500, as: &PartialError{},
			want: "nothing arrived for 30s: 250 of 500 chunks received, chunk 250 is missing"},
		{name: "the producer leaves one chunk out", producer: chunked(500), written: 2500, as: &PartialError{},
			prepare: answered(func(_ *network, a ask) ([][]byte, bool) { return nil, a.chunk == 250 }),
			want:    "of 500 chunks received, chunk 250 is missing"},
		{name: "half-way at the deadline", producer: chunked(500), prepare: silentAfter(249), options: Options{Deadline: 3 * time.Second}, written: 2500, as: &PartialError{},
			want: "the deadline has passed: 250 of 500", took: 3 * time.Second},

		// Bad input: a Data with a wrong checksum.
		{name: "one corrupt answer", producer: chunked(50), prepare: replaced(1, 20, corrupt(20)), written: all, end: EndChunkNumber,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Corrupt != 1 {
					t.Errorf("%d corrupt, want 1", r.Stats.Corrupt)
				}
			}},
		{name: "three corrupt answers", producer: chunked(50), prepare: replaced(3, 20, corrupt(20)), written: all, end: EndChunkNumber},
		{name: "the first chunk, corrupt three times", producer: chunked(50), prepare: replaced(3, 0, corrupt(0)), written: all, end: EndChunkNumber},
		{name: "four corrupt answers", producer: chunked(50), prepare: replaced(4, 20, corrupt(20)), written: 200, as: &IntegrityError{}, want: "chunk 20 is corrupt: crc32c"},
		{name: "every answer corrupt", producer: chunked(50), as: &IntegrityError{}, want: "is corrupt",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return [][]byte{n.spoiled(a.chunk % 50)}, !a.meta })},
		{name: "corrupt once, then silence", producer: chunked(50), as: &IntegrityError{}, want: "chunk 2 is corrupt: crc32c", took: 10 * time.Second,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk == 2 && a.nth == 1 {
					return [][]byte{n.spoiled(2)}, true
				}
				return nil, true
			})},
		{name: "a corrupt Data that nobody asked for, then silence", producer: chunked(50), as: ErrTimeout, want: "nothing arrived",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk == 2 && a.nth == 1 {
					return [][]byte{n.spoiled(40)}, true
				}
				return nil, true
			}),
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Corrupt != 1 {
					t.Errorf("%d corrupt, want 1", r.Stats.Corrupt)
				}
			}},
		{name: "Data that does not decode", producer: chunked(50), written: 200, as: &IntegrityError{}, want: "chunk 20 is corrupt: message TLV 0x0001: duplicate",
			prepare: replaced(4, 20, func(n *network) []byte {
				return twice(n.t, n.data(20, func(o *tlv.Object) { o.Validation = tlv.Validation{} }))
			})},
		{name: "corrupt meta", producer: cefapp(9, "9"), written: all, end: EndMeta,
			prepare: func(n *network) {
				first := true
				n.script = func(a ask) ([][]byte, bool) {
					if !a.meta || !first {
						return nil, false
					}
					first = false
					o := tlv.Object{Name: n.metaName().WithChunk(0), Payload: []byte("3"), Validation: tlv.Validation{Alg: tlv.AlgCRC32C, Payload: make([]byte, 4)}}
					return [][]byte{n.encode(o)}, true
				}
			},
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Corrupt != 1 {
					t.Errorf("%d corrupt, want 1", r.Stats.Corrupt)
				}
			}},

		// Bad input: a Data for a chunk never asked for, and other packets.
		{name: "Data for chunks never asked for", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: func(n *network) {
				n.script = once(0, func() [][]byte {
					return [][]byte{n.data(1000, changeEnd(2000)), n.data(0)}
				})
			},
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Unasked != 1 || r.Stats.Duplicates != 0 {
					t.Errorf("%d unasked, %d duplicates; want 1, 0", r.Stats.Unasked, r.Stats.Duplicates)
				}
			}},
		{name: "Data for a chunk before the first", producer: chunked(50), options: Options{First: 5}, written: 450, end: EndChunkNumber,
			prepare: func(n *network) { n.script = once(5, func() [][]byte { return [][]byte{n.data(4), n.data(5)} }) },
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Unasked != 1 || r.Stats.Duplicates != 0 {
					t.Errorf("%d unasked, %d duplicates; want 1, 0", r.Stats.Unasked, r.Stats.Duplicates)
				}
			}},
		{name: "Data never asked for, all the time", producer: producer{}, as: ErrTimeout, want: "nothing arrived", took: 10 * time.Second,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return [][]byte{n.data(1000)}, true })},
		{name: "Interests, strangers, and Data without a chunk number", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk != 0 || a.nth > 1 || a.meta {
					return nil, false
				}
				return [][]byte{
					a.pkt, []byte("garbage"), {}, []byte(tlv.LinkReply),
					n.data(0, func(o *tlv.Object) { o.Name = n.name }),
					n.data(1, func(o *tlv.Object) { o.Name = mustName(n.t, "ccnx:/demo/other").WithChunk(1) }),
					n.data(0),
				}, true
			}),
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Stats.Corrupt != 2 || r.Stats.Unasked != 3 {
					t.Errorf("%d corrupt, %d unasked; want 2, 3", r.Stats.Corrupt, r.Stats.Unasked)
				}
			}},
	}
}
