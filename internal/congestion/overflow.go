package congestion

import "time"

// Parameters of overflow.
const (
	// enough is how many Interests have to be answered or lost to judge by.
	enough = 300
	// enoughLost is how many losses are enough without waiting for more.
	enoughLost = 40
	// tolerated is the share of losses that is let pass, besides the noise and half of
	// that again.
	// mostTolerated is always worth a test.
	tolerated     = 0.03
	mostTolerated = 0.6
	// noiseLasts is in how many looks the noise is forgotten, more or less.
	noiseLasts = 32
	// flood is how many losses in one round, and floodShare what share, are worth a
	// test at once.
	flood      = 8
	floodShare = 0.1
	// leastCut and mostCut bound to what share the window is cut for a test.
	// While the window doubles it is far from right, one way or the other.
	leastCut   = 0.95
	openingCut = 0.75
	mostCut    = 0.5
	// ceilingRise is by how much the window may exceed in the first round what was
	// found to be too much, in shares of it, and ceilingGrowth by how much more in
	// each further one.
	ceilingRise   = 0.01
	ceilingGrowth = 1.15
	// leastCalm and mostCalm bound the rounds before it is tried.
	leastCalm = 4
	mostCalm  = 512
)

// overflow finds out of which kind losses are: where fewer Interests in flight bring
// as many Data a second, there were too many of them, and no place for their Data to
// wait in that would have shown in the round trips; where they bring fewer, the path
// loses at random, and the window does not matter. It cuts the window a little to see.
type overflow struct {
	// Since the latest look: Data, losses, time, and the windows of so many rounds.
	data, lost int
	spent      time.Duration
	windows    float64
	rounds     int

	stage   stage
	skip    int     // rounds to pass over: they show the window of before
	noise   float64 // the share that is lost at random
	ceiling float64 // of the window; 0: none
	rise    float64 // of the ceiling in the next round
	// calm is how many rounds it stays, and patience how many it did the last time:
	// the more often it proves right, the longer.
	calm, patience int
	before         sight   // the cut
	restore        float64 // the window, if it was for nothing
}

// stage is how far a test is:
//
//	watching → holding → cut
//	    ↑_________|_______|
type stage uint8

const (
	watching stage = iota
	holding        // the window stays as it is, to be measured
	cut            // it is smaller
)

// sight is what some rounds showed.
type sight struct {
	rate   float64 // Data a second
	share  float64 // of losses
	window float64 // on average
}

// round takes what a round showed, and returns the window to go on with; opening says
// that the window doubles.
func (o *overflow) round(data, lost int, took time.Duration, window float64, opening bool) float64 {
	o.raise(window)
	if o.skip > 0 {
		o.skip--
		return window
	}
	if o.stage == watching && lost >= flood && float64(lost) > floodShare*float64(lost+data) {
		o.hold()
		return window
	}
	o.data, o.lost, o.spent = o.data+data, o.lost+lost, o.spent+took
	o.windows, o.rounds = o.windows+window, o.rounds+1
	if o.rounds < 2 || o.data+o.lost < enough && o.lost < enoughLost || o.spent <= 0 {
		return window
	}
	seen := sight{
		rate:   float64(o.data) / o.spent.Seconds(),
		share:  float64(o.lost) / float64(o.data+o.lost),
		window: o.windows / float64(o.rounds),
	}
	o.forget()
	if o.stage == cut {
		return o.judge(seen, window)
	}
	if seen.share <= min(tolerated+1.5*o.noise, mostTolerated) {
		o.noise -= o.noise / noiseLasts // so that it has to prove itself again
		o.stage = watching
		return window
	}
	if o.stage == watching {
		o.hold()
		return window
	}
	o.stage, o.skip, o.before, o.restore = cut, 2, seen, window
	least := leastCut
	if opening {
		least = openingCut
	}
	return max(window*max(mostCut, min(1-seen.share, least)), minWindow)
}

// hold keeps the window as it is, to be measured from the round after next on.
func (o *overflow) hold() {
	o.stage, o.skip = holding, 2
	o.forget()
}

// forget begins a new look.
func (o *overflow) forget() { o.data, o.lost, o.spent, o.windows, o.rounds = 0, 0, 0, 0, 0 }

// raise lets the window grow again beyond what was too much: after a while, and slowly
// at first, as that is likely still so, then ever faster.
func (o *overflow) raise(window float64) {
	if o.ceiling == 0 || o.still() {
		return
	}
	if o.calm > 0 {
		o.calm--
		return
	}
	o.ceiling += o.rise
	o.rise *= ceilingGrowth
	if o.ceiling > 3*window {
		o.ceiling, o.patience = 0, 0
	}
}

// still reports whether the window has to stay as it is, for a test.
func (o *overflow) still() bool { return o.stage != watching }

// judge ends a test, in which this was seen.
func (o *overflow) judge(seen sight, window float64) float64 {
	o.stage = watching
	part := seen.window / o.before.window
	if part < 1 && seen.rate >= o.before.rate*(1+part)/2 {
		o.ceiling, o.rise = window, max(window*ceilingRise, 0.5)
		o.patience = min(max(2*o.patience, leastCalm), mostCalm)
		o.calm = o.patience
		return window
	}
	o.noise, o.skip = max(seen.share, o.noise), 2
	return max(window, o.restore)
}

// bound is a window as far as it is known to be of use.
func (o *overflow) bound(window float64) float64 {
	if o.ceiling > 0 {
		return min(window, o.ceiling)
	}
	return window
}
