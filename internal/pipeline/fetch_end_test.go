package pipeline

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// sizeScenarios are contents of any size.
func sizeScenarios() []scenario {
	return []scenario{
		{name: "nothing, in one empty chunk", producer: split(nil, 10), end: EndChunkNumber, written: all,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Chunks != 1 || r.End != tlv.Some[uint64](0) {
					t.Errorf("%d chunks, end %v; want 1 and 0", r.Chunks, r.End)
				}
			}},
		{name: "one byte", producer: split([]byte("x"), 10), end: EndChunkNumber, written: all},
		{name: "one block", producer: chunked(1), end: EndChunkNumber, written: all},
		{name: "one block and a byte", producer: split(random(1, 11), 10), end: EndChunkNumber, written: all},
		{name: "many chunks", producer: chunked(5000), end: EndChunkNumber, written: all,
			check: func(t *testing.T, n *network, r Result, _ error) {
				if n.most != fixedWindow {
					t.Errorf("at most %d Interests in flight, want a full window of %d", n.most, fixedWindow)
				}
				if r.Stats.RTT.Min != 5*time.Millisecond || r.Stats.RTT.Max != r.Stats.RTT.Min || r.Stats.RTT.Mean() != r.Stats.RTT.Min {
					t.Errorf("round trips %v %v %v, want 5ms", r.Stats.RTT.Min, r.Stats.RTT.Mean(), r.Stats.RTT.Max)
				}
				if r.Stats.Interests != 5001 || !r.Checksummed || r.Version != nil {
					t.Errorf("%d Interests, checksummed %v, version %q", r.Stats.Interests, r.Checksummed, r.Version)
				}
			}},
		{name: "empty chunks", producer: producer{chunks: make([][]byte, 300)}, end: EndChunkNumber, written: all},
		{name: "a version, no checksum", producer: chunked(9).with(func(p *producer) { p.version, p.noCRC = v1, true }), end: EndChunkNumber, written: all,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Checksummed || !bytes.Equal(r.Version, v1) {
					t.Errorf("checksummed %v, version %q; want false and %q", r.Checksummed, r.Version, v1)
				}
			}},
		{name: "one chunk without a checksum", producer: chunked(9), end: EndChunkNumber, written: all,
			prepare: replaced(9, 3, func(n *network) []byte {
				return n.data(3, func(o *tlv.Object) { o.Validation = tlv.Validation{} })
			}),
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Checksummed {
					t.Error("Checksummed, but chunk 3 was not")
				}
			}},
		{name: "a signature that nobody can check", producer: chunked(2), end: EndChunkNumber, written: all,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return [][]byte{n.data(a.chunk, func(o *tlv.Object) { o.Validation = tlv.Validation{Alg: tlv.AlgHMACSHA256, Payload: []byte{1}} })}, !a.meta && a.chunk < 2
			}),
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Checksummed {
					t.Error("Checksummed, but nothing was checked")
				}
			}},
	}
}

// endScenarios tell the end in different places, or nowhere.
func endScenarios() []scenario {
	return []scenario{
		{name: "end in the last chunk only", producer: style(300, endInLast), end: EndChunkNumber, written: all},
		{name: "end in the last chunk only, another one late", producer: style(10, endInLast), end: EndChunkNumber, written: all,
			prepare: answered(func(_ *network, a ask) ([][]byte, bool) { return nil, a.chunk == 5 && a.nth < 6 })},
		{name: "end in the only chunk", producer: style(1, endInLast), end: EndChunkNumber, written: all},
		{name: "end in meta only", producer: cefapp(300, "300"), end: EndMeta, written: all},
		{name: "meta of one chunk", producer: cefapp(1, "1"), end: EndMeta, written: all},
		{name: "meta lost twice", producer: cefapp(300, "300"), end: EndMeta, written: all,
			prepare: func(n *network) {
				lost := 0
				n.script = func(a ask) ([][]byte, bool) {
					if a.meta {
						lost++
					}
					return nil, a.meta && lost < 3
				}
			},
			check: func(t *testing.T, n *network, _ Result, _ error) {
				var at []time.Duration
				for _, a := range n.asks {
					if a.meta {
						at = append(at, a.at)
					}
				}
				if len(at) != 3 || at[0] != 0 || at[1] != 200*time.Millisecond {
					t.Errorf("meta asked for at %v; want thrice, first at 0 and 200ms", at)
				}
			}},
		{name: "nobody tells the end", producer: style(100, endNowhere), written: all, as: &PartialError{},
			want: "nothing arrived for 30s; the content does not tell its end: 100 chunks received, chunk 100 is missing"},
		{name: "nobody tells the end, until silence", producer: style(100, endNowhere), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			written: all, end: EndSilence, took: 4 * time.Second,
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.End.OK {
					t.Errorf("End %v, but nobody told it", r.End)
				}
			}},
		{name: "until silence, though the end is told", producer: chunked(100), prepare: silentAfter(49), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			written: 500, as: &PartialError{}, want: "50 of 100 chunks"},
		{name: "until silence, though the meta tells the end", producer: cefapp(100, "100"), prepare: silentAfter(49), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			written: 500, as: &PartialError{}, want: "50 of 100 chunks"},
		{name: "until silence, but a chunk is missing before another", producer: style(100, endNowhere), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			prepare: answered(func(_ *network, a ask) ([][]byte, bool) { return nil, a.chunk == 50 }),
			written: 500, as: &PartialError{}, want: "chunk 50 is missing"},
		{name: "until silence, but a chunk came corrupt", producer: style(100, endNowhere), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk == 99 && a.nth == 1 {
					return [][]byte{n.spoiled(99)}, true
				}
				return nil, a.chunk == 99
			}), written: 990, as: &PartialError{}, want: "chunk 99 is missing"},
		{name: "until silence, but the forwarder went away", producer: style(100, endNowhere), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			prepare: func(n *network) {
				silentAfter(49)(n)
				time.AfterFunc(3*time.Second, n.relink)
			}, written: 500, as: &PartialError{}, want: "chunk 50 is missing"},
		{name: "until silence, after the forwarder was away", producer: style(100, endNowhere), options: Options{UntilSilence: true, Stall: 4 * time.Second},
			prepare: func(n *network) { time.AfterFunc(8*time.Millisecond, n.relink) }, written: all, end: EndSilence},
		{name: "until silence of nobody", producer: producer{}, options: Options{UntilSilence: true}, as: ErrTimeout, want: "nothing arrived"},
		{name: "the last chunk is the last that has a number", producer: chunked(3), as: &PartialError{}, written: all, want: "does not tell its end",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return [][]byte{n.data(a.chunk, changeEnd(math.MaxUint64))}, !a.meta && a.chunk < 3
			})},
	}
}

// metaScenarios have metas that are none, or tell of another content.
func metaScenarios() []scenario {
	return []scenario{
		{name: "meta is text", producer: cefapp(9, "nine"), as: &PartialError{}, written: all, want: "does not tell its end"},
		{name: "meta is nought", producer: cefapp(9, "0"), as: &PartialError{}, written: all, want: "does not tell its end"},
		{name: "meta too low, end in the last chunk", producer: style(9, endInLast).with(func(p *producer) { p.meta = "2" }), prepare: distrust,
			end: EndChunkNumber, written: all},
		{name: "meta too low, no end", producer: cefapp(9, "2"), prepare: distrust,
			as: &PartialError{}, written: all, want: "does not tell its end: 9 chunks received, chunk 9 is missing"},
		{name: "meta too low, and late", producer: cefapp(9, "2"), as: &PartialError{}, written: all, want: "does not tell its end",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				n.trusts = false
				return nil, a.meta && a.at == 0
			})},
		{name: "meta too low, the chunks behind it lost at first", producer: style(9, endInLast).with(func(p *producer) { p.meta = "2" }),
			end: EndChunkNumber, written: all,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				n.trusts = false
				return nil, a.chunk == 3 && a.nth == 1
			})},
		{name: "meta too low, three times", producer: cefapp(9, "2"), as: &PartialError{}, written: all, want: "does not tell its end",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				n.trusts = false
				m := n.encode(tlv.Object{Name: n.metaName().WithChunk(0), Payload: []byte("3")})
				switch {
				case a.meta:
					return [][]byte{m}, true
				case a.chunk == 3:
					return nil, a.nth == 1
				case a.chunk == 0:
					return [][]byte{m, n.data(3), m, n.data(0), n.data(1), n.data(2)}, a.nth == 1
				}
				return nil, false
			})},
		{name: "meta too high, end in the last chunk", producer: style(9, endInLast).with(func(p *producer) { p.meta = "20" }), prepare: distrust,
			end: EndChunkNumber, written: all},
		{name: "meta too high, no end", producer: cefapp(9, "20"), as: &PartialError{}, written: all, want: "9 of 20 chunks received, chunk 9 is missing"},
		{name: "meta of another version", producer: cefapp(9, "").with(func(p *producer) { p.version = v1 }),
			prepare: meta(tlv.Object{Payload: []byte("5"), Version: v2}), as: &PartialError{}, written: all, want: "does not tell its end"},
		{name: "meta without the chunks' version", producer: cefapp(9, "").with(func(p *producer) { p.version = v1 }),
			prepare: meta(tlv.Object{Payload: []byte("5")}), as: &PartialError{}, written: all, want: "does not tell its end"},
		{name: "meta of the same version", producer: cefapp(9, "").with(func(p *producer) { p.version = v1 }),
			prepare: meta(tlv.Object{Payload: []byte("9"), Version: v1}), end: EndMeta, written: all},
		{name: "meta is a file of digits in several chunks", producer: cefapp(9, ""),
			prepare: meta(tlv.Object{Payload: []byte("5"), EndChunk: tlv.Some[uint64](1)}), as: &PartialError{}, written: all, want: "does not tell its end"},
		{name: "meta in a chunk that was not asked for", producer: cefapp(9, ""), as: &PartialError{}, written: all, want: "does not tell its end",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return [][]byte{n.encode(tlv.Object{Name: n.metaName().WithChunk(1), Payload: []byte("5")})}, a.meta
			})},
		{name: "meta answers, the chunks do not", producer: producer{meta: "9"}, as: &PartialError{}, want: "chunks do not arrive, though its length is known: 0 of 9", took: 10 * time.Second},
		{name: "meta answers late, the chunks do not", producer: producer{meta: "9"}, as: &PartialError{}, want: "0 of 9", took: 10 * time.Second,
			prepare: answered(func(_ *network, a ask) ([][]byte, bool) { return nil, a.at < 4*time.Second })},
		{name: "meta answers, the chunks are refused", producer: producer{meta: "9"}, as: &PartialError{}, want: "hop limit",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.nth < 3 {
					return nil, !a.meta
				}
				return n.returned(a, tlv.ReturnHopLimit), !a.meta
			})},
		{name: "meta of a producer that comes late", producer: cefapp(9, "9"), end: EndMeta, written: all,
			prepare: answered(func(_ *network, a ask) ([][]byte, bool) { return nil, a.at < 7*time.Second })},
	}
}

// rangeScenarios fetch a part.
func rangeScenarios() []scenario {
	return []scenario{
		{name: "a range", producer: chunked(9), options: Options{First: 2, Last: tlv.Some[uint64](5)}, written: 40, end: EndRange,
			check: func(t *testing.T, n *network, r Result, _ error) {
				if r.Chunks != 4 || r.End != tlv.Some[uint64](8) || r.Stats.Interests != 4 {
					t.Errorf("%d chunks, end %v, %d Interests; want 4, 8, 4", r.Chunks, r.End, r.Stats.Interests)
				}
			}},
		{name: "a range of content that tells no end", producer: style(9, endNowhere), options: Options{First: 2, Last: tlv.Some[uint64](5)}, written: 40, end: EndRange},
		{name: "a range beyond the end", producer: chunked(9), options: Options{First: 2, Last: tlv.Some[uint64](50)}, written: 70, end: EndChunkNumber},
		{name: "a range up to the last number", producer: chunked(9), options: Options{First: 2, Last: tlv.Some[uint64](math.MaxUint64)}, written: 70, end: EndChunkNumber},
		{name: "a range up to the end", producer: chunked(9), options: Options{First: 2, Last: tlv.Some[uint64](8)}, written: 70, end: EndChunkNumber},
		{name: "from a chunk on", producer: chunked(9), options: Options{First: 2}, written: 70, end: EndChunkNumber},
		{name: "from a chunk on, half-way", producer: chunked(9), options: Options{First: 2}, prepare: silentAfter(4), written: 30, as: &PartialError{},
			want: "3 of 7 chunks received, chunk 5 is missing"},
		{name: "from the last chunk on", producer: chunked(9), options: Options{First: 8}, written: 10, end: EndChunkNumber},
		{name: "from a chunk on, end in meta", producer: cefapp(9, "9"), options: Options{First: 2}, written: 70, end: EndMeta},
		{name: "from beyond the end on", producer: chunked(9), options: Options{First: 9}, as: ErrTimeout, want: "nothing arrived"},
		{name: "from beyond the end on, no route", producer: chunked(9), options: Options{First: 9}, as: &ReturnError{}, want: "no route",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnNoRoute), true })},
		{name: "from beyond the end on, as meta tells", producer: cefapp(9, "9"), options: Options{First: 9}, as: &PartialError{},
			want: "the content ends at chunk 8: 0 chunks received, chunk 9 is missing"},
		{name: "one chunk", producer: chunked(9), options: Options{Last: tlv.Some[uint64](0)}, written: 10, end: EndRange},
		{name: "a range of nothing", producer: chunked(9), options: Options{First: 5, Last: tlv.Some[uint64](4)}, want: "no chunks from 5 to 4"},
		{name: "a range of numbers that no chunk has", producer: chunked(9), options: Options{First: math.MaxUint64 - 1}, want: "chunk"},
	}
}
