package congestion

import (
	"math"
	"time"
)

// Parameters of the delay-based control.
const (
	// queuePerRoot is the share of a queue that a flow of r Data a second wants:
	// queuePerRoot times the square root of r, in Interests. So a flow with less of
	// a path than another one wants a longer round trip than that one does, and
	// gains on it until both have the same: at 100 Data/s that are 12 (120 ms), at
	// 10 000/s 115 (12 ms).
	queuePerRoot = 1.15
	leastQueue   = 4
	// baseFor is how long the shortest round trip seen is believed to be the
	// path's own. After that the window is lowered for two rounds to see it again.
	baseFor = 10 * time.Second
	// farFrom is the shortest round trip of a path whose own can be told from a queue
	// without emptying it: on a shorter one a busy machine adds more than the path.
	farFrom = 4 * time.Millisecond
	// strayWindow is the share to which the window has to shrink for round trips that
	// do not shrink with it to be taken for the path's own.
	strayWindow = 0.5
	// steerShare is the share of the way to the window wanted that is gone at once.
	steerShare = 0.75
	// fullRounds is after how many rounds without more Data a second the path is
	// taken to be full, and fullGrowth what counts as more.
	fullRounds = 3
	fullGrowth = 1.25
)

// delay keeps as many Interests in flight as the path holds and a few more, which
// wait in a queue and so make the round trip longer than the path's own: by that it
// knows that the path is full (FAST TCP, Copa). Losses change the window only where a
// smaller one brings as much; see overflow.
type delay struct {
	window   float64
	use      usage
	train    train
	round    rounds
	overflow overflow
	opening  bool    // no queue has been seen yet: the window doubles
	expect   float64 // no further than to this; 0: not known

	base    time.Duration // the path's own round trip, as far as it is known
	seen    time.Time     // when it was seen last
	drain   int           // rounds left of looking for it
	before  float64       // the window before that
	rate    float64       // Data a second in the best of the latest rounds
	best    maxFilter     // of these
	plateau int           // rounds without more

	least   time.Duration // round trip in this round; 0: none known
	data    int           // in this round
	losses  int           // in this round
	paused  bool          // in this round
	settled bool          // the window is that of the round before
	stray   stray
	step    step
}

func newDelay(w float64) *delay { return &delay{window: w, opening: true} }

func (c *delay) Window() float64 { return c.window }

func (c *delay) Opening() bool { return c.opening }

func (c *delay) Expect(window float64) { c.expect = window }

func (c *delay) OnData(a Answer) {
	if began := c.round.began; c.round.ends(a) {
		c.endRound(began, a.Now)
	}
	c.use.note(a.InFlight)
	c.data++
	if a.RTT > 0 {
		c.sample(a.RTT, a.Now)
	}
	if c.opening {
		c.train.take(a, c.base)
		c.openFurther()
	}
}

func (c *delay) sample(rtt time.Duration, now time.Time) {
	if c.least == 0 || rtt < c.least {
		c.least = rtt
	}
	if c.base == 0 || rtt <= c.base {
		c.base, c.seen = rtt, now
	}
	if grown := c.step.take(rtt, c.base); grown > 0 && !c.opening && c.base >= farFrom {
		c.base, c.least = c.base+grown, rtt
		c.window = max(c.window, min(c.rate*c.base.Seconds()+c.wanted(), maxWindow))
	}
}

// wanted is the queue that this flow wants, in Interests.
func (c *delay) wanted() float64 {
	return max(queuePerRoot*math.Sqrt(c.rate), leastQueue)
}

// endRound adjusts the window by what the round showed. Before the first there was none.
func (c *delay) endRound(began, now time.Time) {
	defer c.nextRound()
	took := now.Sub(began)
	if began.IsZero() || took <= 0 || c.paused { // what queued up in a pause would count as fast
		return
	}
	c.learnRate(float64(c.data) / took.Seconds())
	c.learnLoss(took)
	if c.least == 0 {
		return
	}
	if c.drain > 0 {
		c.drained(now)
		return
	}
	if c.opening {
		c.open()
		return
	}
	if now.Sub(c.seen) >= baseFor {
		c.lookForBase()
		return
	}
	c.steer()
}

func (c *delay) nextRound() {
	c.use.nextRound()
	c.least, c.data, c.losses, c.paused = 0, 0, 0, false
}

func (c *delay) learnRate(r float64) {
	before := c.best.max() // c.rate may be that of a train, which no round has
	c.best.push(r)
	c.rate = c.best.max()
	if c.rate < before*fullGrowth {
		c.plateau++
	} else {
		c.plateau = 0
	}
}

// learnLoss takes back what is too much of the window by the losses of the round.
func (c *delay) learnLoss(took time.Duration) {
	if c.drain > 0 {
		return
	}
	c.window = c.overflow.round(c.data, c.losses, took, c.window, c.opening)
	if c.overflow.ceiling > 0 {
		c.opening = false
	}
}

// queue is how many of the Interests in flight wait in a queue.
func (c *delay) queue() float64 {
	return c.window * (1 - float64(c.base)/float64(c.least))
}

// openFurther doubles the window each round trip, until it holds what the path does.
func (c *delay) openFurther() {
	c.rate = max(c.rate, c.train.rate)
	queued := time.Duration(c.wanted() / max(c.rate, 1) * float64(time.Second))
	switch {
	case c.expect > 0 && c.window >= c.expect:
		c.opening = false
	case c.base > 0 && c.train.full(c.window, c.base, queued/2):
		c.opening = false
	case c.overflow.still():
	case c.use.limits(c.window, 0.5):
		c.window = min(c.window+1, maxWindow)
	}
}

// open ends the doubling once there is a queue, or no gain.
func (c *delay) open() {
	switch {
	case !c.use.limits(c.window, 0.5), c.overflow.still():
		c.plateau = 0 // nothing was tried
	case c.queue() >= c.wanted():
		c.opening = false
	case c.plateau >= fullRounds:
		c.opening = false
	}
}

// steer goes most of the way to the window that has the queue wanted, every second
// round: what a round shows is the effect of the window of the round before it.
func (c *delay) steer() {
	if c.settled = !c.settled; c.settled || c.overflow.still() {
		return
	}
	ratio := float64(c.base) / float64(c.least)
	// Half of all Interests lost on a full path take twice the window; more is waste.
	most := 2 * (c.rate*c.base.Seconds() + c.wanted())
	target := min(c.window*ratio+c.wanted(), 2*c.window, most, maxWindow)
	switch {
	case target < c.window:
		if c.isStray() {
			return
		}
	case !c.use.limits(c.window, 0.8):
		return // not made use of: no reason for more
	default:
		c.stray = stray{}
	}
	c.window = max(c.overflow.bound(c.window+(target-c.window)*steerShare), minWindow)
}

// stray is where a decline of the window began.
type stray struct {
	window float64 // 0: there is none
	rtt    time.Duration
}

// isStray takes round trips for the path's own that stay long though the window has
// become much smaller: the path has changed, or another flow fills it.
func (c *delay) isStray() bool {
	if c.base < farFrom {
		return false
	}
	if c.stray.window == 0 || c.least < c.stray.rtt*9/10 {
		c.stray = stray{c.window, c.least}
		return false
	}
	if c.window > strayWindow*c.stray.window {
		return false
	}
	c.stray = stray{}
	c.base = c.least
	c.window = max(c.window, min(c.rate*c.base.Seconds(), maxWindow))
	return true
}

// lookForBase lowers the window for two rounds, in which the queue empties.
func (c *delay) lookForBase() {
	c.before, c.drain, c.stray = c.window, 2, stray{}
	c.base = c.least
	c.window = max(c.window/2, minWindow)
}

// drained ends that.
func (c *delay) drained(now time.Time) {
	c.base = min(c.base, c.least)
	if c.drain--; c.drain == 0 {
		c.seen = now
		c.window = max(c.window, c.overflow.bound(min(c.before, c.rate*c.base.Seconds()+c.wanted())))
	}
}

func (c *delay) OnLoss(Loss) {
	c.losses++
}

func (c *delay) OnSpurious() { c.losses = max(c.losses-1, 0) }

func (c *delay) OnPause(d time.Duration) {
	if !c.round.began.IsZero() {
		c.seen = c.seen.Add(d)
		c.paused = true
	}
}

// maxFilter is the greatest of the latest values.
type maxFilter struct {
	values [8]float64
	next   int
}

func (f *maxFilter) push(v float64) {
	f.values[f.next%len(f.values)] = v
	f.next++
}

func (f *maxFilter) max() float64 {
	best := 0.0
	for _, w := range f.values {
		best = max(best, w)
	}
	return best
}
