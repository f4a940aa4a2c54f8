package congestion

import (
	"math"
	"time"
)

// Parameters of RFC 9438 5.1, in Interests and seconds.
const (
	cubicC     = 0.4
	cubicBeta  = 0.7
	cubicAlpha = 3 * (1 - cubicBeta) / (1 + cubicBeta)
)

// cubic grows by the cube of the time since the latest decrease, so that it is slow
// where the path was full then (RFC 9438).
type cubic struct {
	lossWindow
	most  float64       // the window to come back to (W_max)
	prior float64       // the window before the latest decrease (cwnd_prior)
	k     float64       // seconds until the window is there again
	epoch time.Time     // when the present growth began; zero: it has not
	reno  float64       // what AIMD would have (W_est)
	rtt   time.Duration // of the latest answer
	shape cubicSaved
}

// cubicSaved is what restore does not know.
type cubicSaved struct {
	most, prior, k, reno float64
	epoch                time.Time
}

func newCubic(w float64) *cubic { return &cubic{lossWindow: lossWindow{window: w}} }

func (c *cubic) OnData(a Answer) {
	newRound := c.begin(a)
	if a.RTT > 0 {
		c.rtt = a.RTT
	}
	if c.Opening() {
		c.slowStarting(a, newRound)
		return
	}
	if c.epoch.IsZero() {
		c.beginEpoch(a.Now)
	}
	if !c.use.limits(c.window, 0.8) {
		c.beginEpoch(a.Now) // no growth is due for the time before
		return
	}
	c.grow(a.Now.Sub(c.epoch).Seconds())
}

// beginEpoch begins growth from the present window.
func (c *cubic) beginEpoch(now time.Time) {
	c.epoch, c.reno = now, c.window
	if c.most <= c.window {
		c.most, c.k = c.window, 0
		return
	}
	c.k = math.Cbrt((c.most - c.window) / cubicC)
}

// grow takes one answer t seconds after the epoch began (RFC 9438 4.2 to 4.5).
func (c *cubic) grow(t float64) {
	at := func(t float64) float64 { d := t - c.k; return cubicC*d*d*d + c.most }
	alpha := cubicAlpha
	if c.reno >= c.prior {
		alpha = 1
	}
	c.reno += alpha / c.window
	target := min(max(at(t+c.rtt.Seconds()), c.window), 1.5*c.window)
	c.window += (target - c.window) / c.window
	if at(t) < c.reno {
		c.window = max(c.window, c.reno)
	}
	c.window = min(c.window, maxWindow)
}

func (c *cubic) OnLoss(x Loss) {
	if !c.mayDecrease(x) {
		return
	}
	c.shape = cubicSaved{c.most, c.prior, c.k, c.reno, c.epoch}
	c.prior = c.window
	most := c.window
	if most < c.most {
		most *= (1 + cubicBeta) / 2 // make room for others (RFC 9438 4.7)
	}
	c.most = most
	c.decrease(x, cubicBeta)
	c.epoch = time.Time{}
}

func (c *cubic) OnSpurious() {
	if c.restore() {
		c.most, c.prior, c.k, c.reno, c.epoch = c.shape.most, c.shape.prior, c.shape.k, c.shape.reno, c.shape.epoch
	}
}

func (c *cubic) OnPause(d time.Duration) {
	if !c.epoch.IsZero() {
		c.epoch = c.epoch.Add(d)
	}
}
