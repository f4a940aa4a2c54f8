package congestion

import (
	"math/rand/v2"
	"testing"
	"time"
)

// heavy is for tests with much of a model.
func heavy(t *testing.T) {
	if raced {
		t.Skip("slow with the race detector, which has nothing to see here")
	}
}

// model is a path without packets: a line that sends rate Data a second, a queue in
// front of it, and the round trip of an empty path. Interests take no room. What is
// lost is told of a quarter of a round trip after it should have come.
type model struct {
	rate  float64       // Data a second
	base  time.Duration // round trip without a queue
	room  float64       // Data that find room in the queue; 0: any number
	loss  float64       // the share that is lost by chance, behind the queue
	rng   *rand.Rand
	now   time.Time
	idle  time.Time // when the line has sent all that it has accepted
	flows []*flow
}

// flow is a control and what it has in flight.
type flow struct {
	Control
	extra time.Duration // its round trip is longer by that
	most  int           // it has no more than that to ask for at once; 0: it has
	off   bool          // it asks for nothing

	flying    []tiding // from next on, the first first
	next      int
	got, lost float64 // in the latest run
	queued    time.Duration
}

// tiding is what a flow will be told of one Interest.
type tiding struct {
	at, sent time.Time
	lost     bool
}

func newModel(rate float64, base time.Duration, controls ...Control) *model {
	m := &model{rate: rate, base: base, rng: rand.New(rand.NewPCG(1, 2)), now: t0, idle: t0}
	for _, c := range controls {
		m.flows = append(m.flows, &flow{Control: c})
	}
	return m
}

// inFlight is how many Interests f waits for.
func (f *flow) inFlight() int { return len(f.flying) - f.next }

// fly adds x to what f waits for.
func (f *flow) fly(x tiding) {
	if f.next > len(f.flying)/2 {
		f.flying = f.flying[:copy(f.flying, f.flying[f.next:])]
		f.next = 0
	}
	f.flying = append(f.flying, x)
	for i := len(f.flying) - 1; i > f.next && x.at.Before(f.flying[i-1].at); i-- {
		f.flying[i-1], f.flying[i] = x, f.flying[i-1]
	}
}

// soonest is the flow that is told of something next, nil where none is by end.
func (m *model) soonest(end time.Time) *flow {
	var first *flow
	for _, f := range m.flows {
		if f.inFlight() > 0 && !f.flying[f.next].at.After(end) {
			if first == nil || f.flying[f.next].at.Before(first.flying[first.next].at) {
				first = f
			}
		}
	}
	return first
}

// run lets d pass. each, where set, is called after each answer and loss.
func (m *model) run(d time.Duration, each ...func()) {
	for _, f := range m.flows {
		f.got, f.lost, f.queued = 0, 0, 0
		m.fill(f)
	}
	end := m.now.Add(d)
	for f := m.soonest(end); f != nil; f = m.soonest(end) {
		m.tell(f)
		for _, call := range each {
			call()
		}
		m.fill(f)
	}
	m.now = end
}

// fill lets f send what its window allows.
func (m *model) fill(f *flow) {
	for !f.off && f.inFlight() < int(f.Window()+0.5) && (f.most == 0 || f.inFlight() < f.most) {
		f.fly(m.send(f))
	}
}

// send puts an Interest of f on the way.
func (m *model) send(f *flow) tiding {
	x := tiding{sent: m.now, lost: m.rng.Float64() < m.loss}
	if m.idle.Before(m.now) {
		m.idle = m.now
	}
	if m.room > 0 && m.queue() >= m.room {
		x.lost = true
	} else {
		m.idle = m.idle.Add(time.Duration(1e9 / m.rate))
	}
	x.at = m.idle.Add(m.base + f.extra)
	if x.lost {
		x.at = x.at.Add(m.base / 4)
	}
	return x
}

// queue is how many Data wait for the line.
func (m *model) queue() float64 { return max(m.idle.Sub(m.now).Seconds(), 0) * m.rate }

// tell gives f the answer to an Interest, or the news that there is none.
func (m *model) tell(f *flow) {
	x, n := f.flying[f.next], f.inFlight()
	m.now = x.at
	if x.lost {
		f.lost++
		f.OnLoss(Loss{Now: m.now, Sent: x.sent, InFlight: n})
	} else {
		f.got++
		rtt := m.now.Sub(x.sent)
		f.queued += rtt - m.base - f.extra
		f.OnData(Answer{Now: m.now, Sent: x.sent, RTT: rtt, InFlight: n})
	}
	f.next++
}

// share is the share of the line that f had in the latest run, which lasted d.
func (m *model) share(f *flow, d time.Duration) float64 { return f.got / (m.rate * d.Seconds()) }

// meanQueue is how many Data, of all flows, f's own waited for in the latest run.
func (m *model) meanQueue(f *flow) float64 { return f.queued.Seconds() / max(f.got, 1) * m.rate }

// lossShare is the share of f's Interests that were lost in the latest run.
func (f *flow) lossShare() float64 { return f.lost / max(f.got+f.lost, 1) }
