package pipeline

import (
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// spy is a window that a test sets, and remembers what it was told.
type spy struct {
	window   float64
	answers  []congestion.Answer
	losses   []congestion.Loss
	spurious int
	paused   time.Duration
}

func (c *spy) Window() float64            { return c.window }
func (c *spy) Opening() bool              { return false }
func (c *spy) Expect(float64)             {}
func (c *spy) OnData(a congestion.Answer) { c.answers = append(c.answers, a) }
func (c *spy) OnLoss(x congestion.Loss)   { c.losses = append(c.losses, x) }
func (c *spy) OnSpurious()                { c.spurious++ }
func (c *spy) OnPause(d time.Duration)    { c.paused += d }

// spied is a path with a spy for its control.
func spied(window int) (*path, *spy) {
	p, cc := newPath(Path{}), &spy{window: float64(window)}
	p.cc = cc
	return p, cc
}

// rig is a fetch's state without a session, on a time that the test tells.
type rig struct {
	*state
	t      *testing.T
	cc     *spy
	start  time.Time
	now    time.Time
	events []trace.Event
}

func newRig(t *testing.T, window int, o Options) *rig {
	p, cc := spied(window)
	return rigOn(t, p, cc, o)
}

// rigOn is a rig on a path that it may share with others.
func rigOn(t *testing.T, p *path, cc *spy, o Options) *rig {
	start := time.Unix(1_000_000, 0)
	r := &rig{state: newState(o.withDefaults(), p, start), t: t, cc: cc, start: start, now: start}
	r.emit = func(e trace.Event, now time.Time) {
		e.At = now.Sub(start)
		r.events = append(r.events, e)
	}
	return r
}

// at goes on to so long after the start.
func (r *rig) at(d time.Duration) { r.now = r.start.Add(d) }

// send sends what may be sent now, and returns the chunks.
func (r *rig) send() (chunks []uint64) {
	for q, ok := r.nextRequest(r.now); ok; q, ok = r.nextRequest(r.now) {
		chunks = append(chunks, q.chunk)
	}
	return chunks
}

// take lets Data arrive for chunk k, whose payload is the byte k, and returns what is
// written for it.
func (r *rig) take(k uint64) (written []byte) {
	r.onData(k, &tlv.Object{Payload: []byte{byte(k)}}, 100, r.now)
	for p, ok := r.ready(); ok; p, ok = r.ready() {
		written = append(written, p...)
		r.written()
	}
	return written
}

// data lets Data arrive for those chunks, one after the other.
func (r *rig) data(chunks ...uint64) {
	for _, k := range chunks {
		r.take(k)
	}
}

// warm makes the state one that has had n chunks, each of them with the round trip
// rtt, and stops at the arrival of the last. Its window is the spy's from then on, and
// its Interests go as fast as that allows.
func (r *rig) warm(n int, rtt time.Duration) {
	window := r.cc.window
	r.cc.window = 1
	r.path.pace = pacer{}
	r.path.pace.srtt, r.path.pace.count = 1, 1 // of a path too short for pacing
	for k := range uint64(n) {
		r.wantSent(k)
		r.now = r.now.Add(rtt)
		r.data(k)
	}
	r.cc.window = window
	r.start, r.events, r.cc.answers = r.now, nil, nil
}

// tick does what is due now.
func (r *rig) tick() { r.onTime(r.now) }

// wantSent sends what may be sent, which are to be these.
func (r *rig) wantSent(want ...uint64) {
	r.t.Helper()
	if got := r.send(); !slices.Equal(got, want) {
		r.t.Errorf("at %v sent are %v, want %v", r.now.Sub(r.start), got, want)
	}
}

// wantPhases holds the phases of the chunks from first on against want, a letter each:
// idle, flying, doubted, lost, had, written.
func (r *rig) wantPhases(first uint64, want string) {
	r.t.Helper()
	got := ""
	for k := range uint64(len(want)) {
		letter := "ifdlh"[r.slot(first+k).phase]
		if first+k < r.base {
			letter = 'w'
		}
		got += string(letter)
	}
	if got != want {
		r.t.Errorf("at %v the chunks from %d on are %s, want %s", r.now.Sub(r.start), first, got, want)
	}
}

// wantWake holds the time at which the state wants to be woken against want.
func (r *rig) wantWake(want time.Duration) {
	r.t.Helper()
	if got := r.wake().Sub(r.start); got != want {
		r.t.Errorf("at %v: to be woken at %v, want %v", r.now.Sub(r.start), got, want)
	}
}

// count is how many events of that type there were.
func (r *rig) count(e trace.Type) (n int) {
	for _, x := range r.events {
		if x.Type == e {
			n++
		}
	}
	return n
}

// from is the chunks from one to before another.
func from(a, b uint64) (chunks []uint64) {
	for k := a; k < b; k++ {
		chunks = append(chunks, k)
	}
	return chunks
}
