package pipeline

import (
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
)

// promises holds each Interest against what a fetch promises: never more than the
// window in flight, never an Interest beyond an end that is known, never one more
// than a window past the highest chunk received. It knows of the fetch only what
// went over the link.
type promises struct {
	n       *network
	window  int
	first   uint64
	last    tlv.Opt[uint64]
	trusts  bool // that the meta, if any, is right
	off     bool // nothing is checked
	asked   map[uint64]bool
	pending map[uint64]bool // asked and not answered
	high    tlv.Opt[uint64] // highest chunk received
	end     tlv.Opt[uint64]
	most    int // pending at once

	lastAnswer time.Duration
}

func newPromises(n *network) promises {
	return promises{
		n: n, window: fixedWindow, trusts: true,
		asked: make(map[uint64]bool), pending: make(map[uint64]bool),
	}
}

// expect tells the options of the fetch to come.
func (p *promises) expect(o Options) {
	o = o.withDefaults()
	p.first, p.last = o.First, o.Last
	switch path := p.n.path; {
	case path.CC != congestion.Fixed:
		p.window = reorderChunks / 2
	case path.Window > 0:
		p.window = path.Window
	default:
		p.window = fixedWindow
	}
}

func (p *promises) sent(a ask) {
	if a.meta || p.off || p.n.t.Failed() {
		return
	}
	p.asked[a.chunk], p.pending[a.chunk] = true, true
	window := min(p.window, startWindow)
	limit := p.first + uint64(window) - 1
	if p.high.OK {
		window = p.window
		limit = p.high.V + uint64(window)
	}
	if p.end.OK {
		limit = p.end.V
	}
	if p.last.OK {
		limit = min(limit, p.last.V)
	}
	if a.chunk < p.first || a.chunk > limit {
		p.n.t.Errorf("%v: Interest for chunk %d; bounds are %d and %d", a.at, a.chunk, p.first, limit)
	}
	if len(p.pending) > window {
		p.n.t.Errorf("%v: %d Interests in flight with a window of %d", a.at, len(p.pending), window)
	}
	p.most = max(p.most, len(p.pending))
}

func (p *promises) received(pkt []byte) {
	var o tlv.Object
	if o.Decode(pkt) != nil || o.Validation.Check() != nil {
		return
	}
	p.lastAnswer = time.Since(p.n.start)
	k, ok := o.Name.Chunk()
	switch base := o.Name.WithoutChunk(); {
	case !ok:
	case base.Equal(p.n.name) && p.asked[k]:
		delete(p.pending, k)
		if !p.high.OK || k > p.high.V {
			p.high = tlv.Some(k)
		}
		if o.EndChunk.OK {
			p.know(o.EndChunk.V)
		}
	case base.Equal(p.n.metaName()) && k == 0:
		if n, ok := parseMeta(o.Payload); ok && p.trusts && !p.end.OK {
			p.know(n - 1)
		}
	}
}

// know forgets what is in flight beyond the end: that is left to lapse.
func (p *promises) know(end uint64) {
	p.end = tlv.Some(end)
	for k := range p.pending {
		if k > end {
			delete(p.pending, k)
		}
	}
}
