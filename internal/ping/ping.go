// Package ping measures round trips to a publisher, one Interest after another. It
// owns the figures and imports tlv only; the Interests go through the interface
// below.
package ping

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Reply is how one Interest ended.
type Reply struct {
	Seq  uint64
	Name tlv.Name
	RTT  time.Duration
	Size int // of the payload, in bytes
	Err  error
}

// Options of [Run].
type Options struct {
	// Count is how many Interests are sent; 0: until the context ends.
	Count uint64
	// Interval lies between two Interests, answered or not.
	Interval time.Duration
	// Name is what the Interest numbered seq asks for.
	Name func(seq uint64) tlv.Name
	// Ask sends one Interest and waits for its end; it returns the payload's size.
	Ask func(context.Context, tlv.Name) (size int, rtt time.Duration, err error)
	// GiveUp ends Run where no reply at all has come so long after the start; 0:
	// never.
	GiveUp time.Duration
}

// Run sends Interests at the interval and calls tell with each one's end, in the
// order of the ends, never twice at a time. It returns the figures when all have
// ended, when it gives up, or when the context ends. Interests in flight at that
// moment are not told; they count as lost where it gave up, and not at all where
// the context ended.
func Run(ctx context.Context, o Options, tell func(Reply)) Figures {
	r := run{Options: o, tell: tell, replies: make(chan Reply), start: time.Now()}
	ctx, r.cancel = context.WithCancel(ctx)
	defer r.cancel()
	r.drive(ctx)
	r.wg.Wait()
	r.fig.Duration = time.Since(r.start)
	return r.fig
}

// run is a Run under way; one goroutine owns it.
type run struct {
	Options
	tell    func(Reply)
	cancel  context.CancelFunc
	replies chan Reply
	wg      sync.WaitGroup // of Ask
	start   time.Time
	next    uint64 // the Interest to be sent next
	flying  int
	gaveUp  bool
	fig     Figures
}

func (r *run) drive(ctx context.Context) {
	tick := time.NewTicker(max(r.Interval, time.Microsecond))
	defer tick.Stop()
	var giveUp <-chan time.Time
	if r.GiveUp > 0 {
		t := time.NewTimer(r.GiveUp)
		defer t.Stop()
		giveUp = t.C
	}
	if r.more(ctx) {
		r.send(ctx)
	}
	for ended := ctx.Done(); r.flying > 0 || r.more(ctx); {
		ticks := tick.C
		if !r.more(ctx) {
			ticks = nil
		}
		select {
		case <-ticks:
			if r.more(ctx) {
				r.send(ctx)
			}
		case reply := <-r.replies:
			r.end(ctx, reply)
		case <-giveUp:
			if r.fig.Received == 0 && ctx.Err() == nil {
				r.gaveUp = true
				r.cancel()
			}
		case <-ended:
			ended = nil // what is in flight ends now
		}
	}
}

// more reports whether there are Interests to be sent.
func (r *run) more(ctx context.Context) bool {
	return ctx.Err() == nil && (r.Count == 0 || r.next < r.Count)
}

func (r *run) send(ctx context.Context) {
	seq, name := r.next, r.Name(r.next)
	r.next++
	r.flying++
	r.fig.Sent++
	r.wg.Go(func() {
		size, rtt, err := r.Ask(ctx, name)
		r.replies <- Reply{seq, name, rtt, size, err} // drive takes all
	})
}

// end takes the end of one Interest.
func (r *run) end(ctx context.Context, reply Reply) {
	r.flying--
	if reply.Err != nil && ctx.Err() != nil {
		if !r.gaveUp {
			r.fig.Sent-- // it was not waited for
		}
		return
	}
	r.fig.add(reply.RTT, reply.Err)
	r.tell(reply)
}

// Figures sum up a run.
type Figures struct {
	Sent, Received uint64
	Duration       time.Duration
	LastErr        error // of the Interests that got no reply

	rtts []time.Duration
}

// maxSamples bounds the round trips kept for percentiles; later ones replace
// earlier ones, so that they speak of the latest.
const maxSamples = 1 << 20

func (f *Figures) add(rtt time.Duration, err error) {
	if err != nil {
		f.LastErr = err
		return
	}
	if len(f.rtts) < maxSamples {
		f.rtts = append(f.rtts, rtt)
	} else {
		f.rtts[f.Received%maxSamples] = rtt
	}
	f.Received++
}

// Loss is the share of Interests that got no reply, 0 to 1.
func (f *Figures) Loss() float64 {
	if f.Sent == 0 {
		return 0
	}
	return 1 - float64(f.Received)/float64(f.Sent)
}

// RTTs are the round trips' figures.
type RTTs struct{ Min, Avg, Max, Mdev, P50, P90, P99 time.Duration }

// RTTs returns the figures; false where no reply came. Mdev is the standard
// deviation, as ping prints it.
func (f *Figures) RTTs() (r RTTs, ok bool) {
	if len(f.rtts) == 0 {
		return r, false
	}
	s := slices.Sorted(slices.Values(f.rtts))
	n := float64(len(s))
	var mean, squares float64
	for _, d := range s {
		mean += float64(d) / n
	}
	for _, d := range s {
		squares += (float64(d) - mean) * (float64(d) - mean)
	}
	at := func(q float64) time.Duration { return s[int(math.Ceil(q*n))-1] }
	return RTTs{
		Min: s[0], Max: s[len(s)-1], Avg: time.Duration(math.Round(mean)),
		Mdev: time.Duration(math.Round(math.Sqrt(squares / n))),
		P50:  at(0.5), P90: at(0.9), P99: at(0.99),
	}, true
}
