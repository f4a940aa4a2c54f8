package congestion

import "time"

// lossWindow is what the controls share that answer to loss: slow start, one decrease
// a round trip, and the way back from one that was in error.
type lossWindow struct {
	window    float64
	threshold float64 // slow start ends here; 0: not known
	start     slowStart
	use       usage
	round     rounds

	decreased time.Time // the latest decrease
	undo      savedLoss // how it was before
}

type savedLoss struct {
	window, threshold float64
	losses            int // since, that have not proved none; 0: nothing to take back
}

func (l *lossWindow) Window() float64 { return l.window }

func (l *lossWindow) Expect(window float64) {
	if l.threshold == 0 {
		l.threshold = max(window, minWindow)
	}
}

func (l *lossWindow) Opening() bool { return l.threshold == 0 || l.window < l.threshold }

// slowStarting takes an answer during slow start.
func (l *lossWindow) slowStarting(a Answer, newRound bool) {
	by, over := l.start.grow(a, l.window, newRound)
	if over {
		l.threshold = l.window
		return
	}
	if l.use.limits(l.window, 0.5) {
		l.window = min(l.window+by, maxWindow)
	}
}

// begin takes note of an answer, and reports whether it began a round.
func (l *lossWindow) begin(a Answer) (newRound bool) {
	newRound = l.round.ends(a)
	if newRound {
		l.use.nextRound()
	}
	l.use.note(a.InFlight)
	return newRound
}

// mayDecrease reports whether a loss is the first of its round trip: of what was sent
// after the latest decrease.
func (l *lossWindow) mayDecrease(x Loss) bool {
	if x.Sent.Before(l.decreased) {
		if l.undo.losses > 0 {
			l.undo.losses++
		}
		return false
	}
	return true
}

// decrease sets the window to a share of what it was.
func (l *lossWindow) decrease(x Loss, share float64) {
	l.undo = savedLoss{l.window, l.threshold, 1}
	l.window = min(l.window, max(l.window*share, minWindow))
	l.threshold = l.window
	l.decreased = x.Now
}

// restore takes the latest decrease back once all losses since have proved none, and
// reports whether it did.
func (l *lossWindow) restore() bool {
	u := &l.undo
	if u.losses == 0 {
		return false
	}
	if u.losses--; u.losses > 0 {
		return false
	}
	l.window, l.threshold = max(l.window, u.window), u.threshold
	return true
}
