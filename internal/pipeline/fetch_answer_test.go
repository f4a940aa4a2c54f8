package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// changeScenarios are of contents that do not stay the same.
func changeScenarios() []scenario {
	return []scenario{
		{name: "two versions", producer: chunked(500).with(func(p *producer) { p.version = v1 }), written: 2500, as: &ChangedError{}, want: "two versions",
			prepare: replaced(1, 250, func(n *network) []byte { return n.data(250, func(o *tlv.Object) { o.Version = v2 }) })},
		{name: "a version, then none", producer: chunked(500).with(func(p *producer) { p.version = v1 }), written: 2500, as: &ChangedError{}, want: "two versions",
			prepare: replaced(1, 250, func(n *network) []byte { return n.data(250, func(o *tlv.Object) { o.Version = nil }) })},
		{name: "two ends", producer: chunked(500), written: 2500, as: &ChangedError{}, want: "its end was chunk 499 and is chunk 600 now",
			prepare: replaced(1, 250, func(n *network) []byte { return n.data(250, changeEnd(600)) })},
		{name: "an end before what has arrived", producer: style(500, endNowhere), written: 2500, as: &ChangedError{}, want: "but its end is chunk 100",
			prepare: replaced(1, 250, func(n *network) []byte { return n.data(250, changeEnd(100)) })},
		{name: "a chunk beyond the end", producer: style(500, endNowhere), as: &ChangedError{}, want: "chunk 3 arrived, but its end is chunk 1", written: 10,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return [][]byte{n.data(0, changeEnd(1)), n.data(3)}, a.chunk == 0
			})},
		{name: "a chunk beyond its own end", producer: style(500, endNowhere), as: &ChangedError{}, want: "chunk 10 arrived, but its end is chunk 4", options: Options{First: 10},
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return [][]byte{n.data(10, changeEnd(4))}, !a.meta })},
	}
}

// returnScenarios get Interest Returns.
func returnScenarios() []scenario {
	return []scenario{
		{name: "no route", producer: producer{}, as: &ReturnError{}, want: "no route", took: time.Second,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnNoRoute), true }),
			check: func(t *testing.T, n *network, r Result, _ error) {
				if got := r.Stats.Returns[uint8(tlv.ReturnNoRoute)]; got == 0 || got > 60 {
					t.Errorf("%d Interest Returns in a second", got)
				}
			}},
		{name: "no route for a while", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnNoRoute), a.at < 800*time.Millisecond
			})},
		{name: "no route once, then silence", producer: producer{}, as: &ReturnError{}, want: "no route", took: 10 * time.Second,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnNoRoute), a.nth == 1 })},
		{name: "no route for one chunk, Data for another", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnNoRoute), a.chunk == 1 && a.at < 3*time.Second
			})},
		{name: "no route after the first Data", producer: chunked(500), written: 2500, as: &PartialError{},
			want: "nothing arrived for 30s but Interest Returns (no route): 250 of 500",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnNoRoute), a.chunk >= 250
			}),
			check: func(t *testing.T, _ *network, r Result, _ error) {
				if r.Duration < 30*time.Second {
					t.Errorf("ended after %v, before the silence of 30s", r.Duration)
				}
			}},
		{name: "no route for a while after the first Data, then silence", producer: chunked(500), written: 3000, as: &PartialError{},
			want: "nothing arrived for 30s: 300 of 500",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnNoRoute)[:min(1, max(0, 300-int(a.chunk)))], a.chunk >= 300 || a.chunk >= 250 && a.at < 5*time.Second
			})},
		{name: "no route for 20 seconds after the first Data", producer: chunked(500), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnNoRoute), a.chunk >= 250 && a.at < 20*time.Second
			})},
		{name: "path error for 20 seconds after the first Data", producer: chunked(500), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnPathError), a.chunk >= 250 && a.at < 20*time.Second
			})},
		{name: "hop limit", producer: producer{}, as: &ReturnError{}, want: "hop limit exceeded", took: 5 * time.Millisecond,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnHopLimit), true })},
		{name: "prohibited after the first Data", producer: chunked(500), written: 2500, as: &PartialError{}, want: "Interest Return: prohibited",
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, tlv.ReturnProhibited), a.chunk == 250
			})},
		{name: "congestion", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				return n.returned(a, []tlv.ReturnCode{tlv.ReturnCongestion, tlv.ReturnNoResources}[a.chunk%2]), a.nth <= 2 && !a.meta
			})},
		{name: "congestion for ever", producer: producer{}, as: &ReturnError{}, want: "congestion", took: 10 * time.Second,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnCongestion), true })},
		{name: "Returns for what was not asked", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk != 0 || a.nth > 1 || a.meta {
					return nil, false
				}
				i := tlv.Return{Interest: tlv.Interest{Name: n.name.WithChunk(777)}, Code: tlv.ReturnProhibited}
				pkt, err := i.AppendTo(nil)
				if err != nil {
					n.t.Fatal(err)
				}
				return [][]byte{pkt, n.data(0)}, true
			})},
		{name: "a Return for what has arrived", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) {
				if a.chunk == 1 {
					return append([][]byte{n.data(1)}, n.returned(a, tlv.ReturnProhibited)...), !a.meta
				}
				return nil, a.chunk == 0 && a.nth == 1
			})},
		{name: "the meta is refused", producer: chunked(50), written: all, end: EndChunkNumber,
			prepare: answered(func(n *network, a ask) ([][]byte, bool) { return n.returned(a, tlv.ReturnProhibited), a.meta })},
	}
}
