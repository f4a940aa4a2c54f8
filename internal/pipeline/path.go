package pipeline

import (
	"math"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
)

// path is what the fetches of a session share: the window, and how much of it is
// used.
type path struct {
	Path
	cc     congestion.Control
	flying int // Interests in flight
	packet int // the largest Data packet, in bytes
	bound  int // of the window, whatever cc says; see refresh
	stats  windowStats
}

// windowStats describe the window over a session.
type windowStats struct {
	max       float64
	sum       float64 // over the Data received
	count     uint64
	decreases uint64
}

func newPath(o Path) *path {
	p := &path{Path: o}
	if p.CC == "" {
		p.CC = congestion.Kinds[0]
	}
	if p.Window <= 0 {
		p.Window = initialWindow
		if p.CC == congestion.Fixed {
			p.Window = fixedWindow
		}
	}
	p.cc = congestion.New(p.CC, p.Window)
	p.refresh()
	return p
}

// refresh works out the bound of the window anew.
func (p *path) refresh() {
	p.bound = reorderChunks / 2
	if p.Max > 0 {
		p.bound = min(p.bound, p.Max)
	}
	if p.packet > 0 {
		p.bound = min(p.bound, reorderBytes/p.packet)
	}
	if p.Room != nil {
		p.bound = min(p.bound, p.Room())
	}
	p.bound = max(p.bound, 1)
}

// window is how many Interests may be in flight.
func (p *path) window() int {
	return min(max(int(math.Round(p.cc.Window())), 1), p.bound)
}

func (p *path) full() bool { return p.flying >= p.window() }

// onData takes note of Data of size bytes in answer to the Interest sent at sent;
// timed tells whether no other could have been answered. The Interest still counts as
// flying.
func (p *path) onData(size int, sent, now time.Time, timed bool) {
	if p.packet == 0 && p.Expect != nil {
		p.cc.Expect(float64(p.Expect(size)))
	}
	if size > p.packet {
		p.packet = size
		p.refresh()
	}
	a := congestion.Answer{Now: now, Sent: sent, InFlight: p.flying}
	if timed {
		a.RTT = now.Sub(sent)
	}
	p.cc.OnData(a)
	w := min(p.cc.Window(), float64(p.bound))
	p.stats.max = max(p.stats.max, w)
	p.stats.sum += w
	p.stats.count++
}

func (p *path) onLoss(sent, now time.Time) {
	before := p.cc.Window()
	p.cc.OnLoss(congestion.Loss{Now: now, Sent: sent, InFlight: p.flying})
	if p.cc.Window() < before {
		p.stats.decreases++
	}
}

// figures are the window's maximum, its mean over the Data received, and how often
// it was made smaller.
func (w *windowStats) figures() (most, mean float64, decreases uint64) {
	return w.max, w.sum / float64(max(w.count, 1)), w.decreases
}
