package congestion

import "time"

// aimd adds one Interest a round trip and halves the window at a loss (RFC 5681).
type aimd struct{ lossWindow }

func newAIMD(w float64) *aimd { return &aimd{lossWindow{window: w}} }

func (c *aimd) OnData(a Answer) {
	newRound := c.begin(a)
	switch {
	case c.Opening():
		c.slowStarting(a, newRound)
	case c.use.limits(c.window, 0.8):
		c.window = min(c.window+1/c.window, maxWindow)
	}
}

func (c *aimd) OnLoss(x Loss) {
	if c.mayDecrease(x) {
		c.decrease(x, 0.5)
	}
}

func (c *aimd) OnSpurious()           { c.restore() }
func (c *aimd) OnPause(time.Duration) {}
