package pipeline

import "time"

// Parameters of pacing.
const (
	// pacedFrom is the shortest round trip of a path on which Interests are spread
	// over it: on a shorter one the timers cost more than the bursts.
	pacedFrom = 4 * time.Millisecond
	// paceTick is how much may go at once, as the time that it stands for.
	paceTick = time.Millisecond
	// paceGain is how much faster than the window's worth a round trip Interests go,
	// so that the window and not the pace is what bounds them; in the beginning the
	// window itself doubles.
	paceGain, openingPaceGain = 1.25, 2.5
)

// pacer spreads Interests over the round trip: what the window allows at once, after a
// silence or where many Data come together, would be a burst that queues on the way
// have no room for.
type pacer struct {
	rtt            // of the path, whosever fetch
	free time.Time // when the next Interest may go
}

// ready reports whether an Interest may go at now.
func (p *pacer) ready(now time.Time) bool { return !p.free.After(now) }

// sent takes note of one that went, with that window.
func (p *pacer) sent(window, gain float64, now time.Time) {
	if p.min < pacedFrom {
		return
	}
	if since := now.Add(-paceTick); p.free.Before(since) {
		p.free = since
	}
	p.free = p.free.Add(time.Duration(float64(p.srtt) / (window * gain)))
}
