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
	flying int       // Interests in flight
	packet int       // the largest Data packet, in bytes
	since  time.Time // of the first Data
	heard  time.Time // when the latest Data came, or a pause ended
	bound  int       // of the window, whatever cc says; see refresh
	pace   pacer
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

// sent takes note of an Interest that goes at now.
func (p *path) sent(now time.Time) {
	if p.CC == congestion.Fixed {
		return // whoever chose it wants that many at once
	}
	gain := paceGain
	if p.cc.Opening() {
		gain = openingPaceGain
	}
	p.pace.sent(p.cc.Window(), gain, now)
}

func (p *path) full() bool { return p.flying >= p.window() }

// onData takes note of Data of size bytes in answer to the Interest sent at sent;
// timed tells whether no other could have been answered. The Interest still counts as
// flying.
func (p *path) onData(size int, sent, now time.Time, timed bool) {
	p.heard = now
	if p.since.IsZero() {
		p.since = now
	}
	if size > p.packet {
		p.packet = size
		p.refresh()
	}
	a := congestion.Answer{Now: now, Sent: sent, InFlight: p.flying}
	if timed {
		a.RTT = now.Sub(sent)
		if p.pace.count == 0 && a.RTT < pacedFrom && p.Expect != nil {
			// Over a longer path the Data do not come all at once.
			p.cc.Expect(float64(p.Expect(size)))
		}
		p.pace.sample(a.RTT)
	}
	p.cc.OnData(a)
	w := min(p.cc.Window(), float64(p.bound))
	p.stats.max = max(p.stats.max, w)
	p.stats.sum += w
	p.stats.count++
}

// onBlocked tells cc that the session itself was held up for d. A silence goes on
// meanwhile, of which d is not to be told again.
func (p *path) onBlocked(d time.Duration) {
	p.cc.OnPause(d)
	p.heard = p.heard.Add(d)
}

// onPause tells cc of a silence of one fetch, as far as it was one of all.
func (p *path) onPause(since, now time.Time) {
	if p.heard.After(since) {
		since = p.heard
	}
	if now.After(since) {
		p.cc.OnPause(now.Sub(since))
	}
	p.heard = now
}

// onLoss takes an Interest for lost. One that was sent before any Data came tells
// nothing of how many are too many: nobody may have been there.
func (p *path) onLoss(sent, now time.Time) {
	if p.since.IsZero() || sent.Before(p.since) {
		return
	}
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
