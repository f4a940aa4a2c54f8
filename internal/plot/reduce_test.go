package plot

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// all are the types of events.
var all = []trace.Type{trace.Start, trace.Data, trace.Lost, trace.Timeout, trace.Spurious, trace.Return, trace.Silence, trace.Relink, trace.End}

// random yields n events of all types within d, not quite in order.
func random(seed uint64, n int, d time.Duration) []trace.Event {
	rnd := rand.New(rand.NewPCG(seed, 0))
	events := make([]trace.Event, n)
	for i := range events {
		at := time.Duration(float64(d) * float64(i) / float64(n))
		events[i] = trace.Event{
			At: max(at-time.Duration(rnd.Int64N(int64(d)/100+1)), 0), Type: all[rnd.IntN(len(all))],
			Name: fmt.Sprint("ccnx:/", rnd.IntN(100)), CC: fmt.Sprint(rnd.IntN(100)),
			Size: rnd.IntN(5000), RTT: time.Duration(rnd.Int64N(1e9)), SRTT: time.Duration(rnd.Int64N(1e9)),
			Window: 1 + rnd.Float64()*100, InFlight: rnd.IntN(100), Code: uint8(rnd.IntN(256)),
		}
	}
	return events
}

func eventsOf(events []trace.Event) iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func reduced(t *testing.T, events []trace.Event) *reduction {
	t.Helper()
	r, err := reduce(eventsOf(events))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whatever the length of a run, the bins are few, and in them is all that was in the
// events, at its time.
func TestBinsHoldEverything(t *testing.T) {
	for d := time.Nanosecond; d < 1e9*time.Second; d *= 7 {
		for _, n := range []int{1, 10, 2000} {
			events := random(uint64(d)+uint64(n), n, d)
			r := reduced(t, events)
			if len(r.bin) > maxBins || n > 1 && d > maxBins*firstWidth && len(r.bin) < maxBins/4 {
				t.Fatalf("%d bins for %v", len(r.bin), d)
			}
			var want, got bin
			for i := range events {
				want.add(&events[i])
			}
			for i := range r.bin {
				got.merge(&r.bin[i])
			}
			if inexact(&got) != inexact(&want) || inexact(&r.total) != inexact(&want) {
				t.Fatalf("%d events in %v: the bins hold\n%+v, want\n%+v", n, d, got, want)
			}
			for _, e := range events {
				b := r.bin[int(e.At/r.width)]
				if e.Window < b.window.min || e.Window > b.window.max {
					t.Fatalf("a window of %v at %v is not in its bin", e.Window, e.At)
				}
			}
		}
	}
}

// inexact is b with its sums rounded and without what depends on the order.
func inexact(b *bin) string {
	c := *b
	text := ""
	for _, s := range []*spread{&c.window, &c.flight, &c.rtt, &c.srtt} {
		text += fmt.Sprintf("%d %v %v %.6g;", s.n, s.min, s.max, s.sum)
		*s = spread{}
	}
	return text + fmt.Sprintf("%+v", c)
}

func TestReductionIsBounded(t *testing.T) {
	const n = 50_000
	r := &reduction{bins: bins{width: firstWidth}}
	for i := range n {
		e := trace.Event{
			Type: all[i%len(all)], At: time.Duration(i) * time.Duration(i) * time.Microsecond,
			Name: fmt.Sprint("ccnx:/", i), CC: fmt.Sprint(i), Window: 1, Error: fmt.Sprint(i),
		}
		r.add(&e)
		if cap(r.bin) > 2*maxBins || len(r.names) > maxTold || len(r.ccs) > maxTold {
			t.Fatalf("after %d events: room for %d bins, %d names, %d kinds of congestion control", i, cap(r.bin), len(r.names), len(r.ccs))
		}
	}
	if r.events != n {
		t.Errorf("%d events", r.events)
	}
	// One that is far away is no reason to make all bins between.
	allocs := testing.AllocsPerRun(10, func() { r.at(31 * 365 * 24 * time.Hour) })
	if len(r.bin) > maxBins || allocs > 1 {
		t.Errorf("%d bins, %v allocations", len(r.bin), allocs)
	}
}

func TestReduceKnowsOnlyWhatIsTold(t *testing.T) {
	r := reduced(t, []trace.Event{{Type: trace.Start}, {Type: trace.Data, Size: 10}, {Type: trace.End}})
	if r.total.window.n != 0 || r.total.rtt.n != 0 || r.total.srtt.n != 0 {
		t.Errorf("what was not known is known: %+v", r.total)
	}
	if r.total.flight.n != 1 {
		t.Errorf("in flight was told %d times, want 1: start and end do not tell", r.total.flight.n)
	}
}

// Codes that RFC 8609 does not have are counted, too, and not as others.
func TestReturnsByCode(t *testing.T) {
	var events []trace.Event
	for code := range 256 {
		events = append(events, trace.Event{Type: trace.Return, Code: uint8(code)})
	}
	got := reduced(t, events).total.returns
	if want := [...]uint64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 246}; got != want {
		t.Errorf("returns by code: %v, want %v", got, want)
	}
	wantTexts(t, drawn(t, events, Options{}), "Interest Return 9: 1", "Interest Returns, other: 246")
}

func TestReduceError(t *testing.T) {
	broken := errors.New("broken")
	_, err := reduce(func(yield func(trace.Event, error) bool) {
		_ = yield(trace.Event{Type: trace.Data}, nil) && yield(trace.Event{}, broken)
	})
	if err != broken {
		t.Errorf("reduce: %v", err)
	}
	if _, err := reduce(eventsOf(nil)); err != ErrEmpty {
		t.Errorf("no events: %v", err)
	}
}

func TestSilences(t *testing.T) {
	at := func(us int, typ trace.Type) trace.Event {
		return trace.Event{At: time.Duration(us) * time.Microsecond, Type: typ}
	}
	r := reduced(t, []trace.Event{
		at(0, trace.Data), at(10, trace.Silence), at(20, trace.Timeout), at(30, trace.Silence), at(40, trace.Data),
		at(50, trace.Data), at(60, trace.Silence), at(70, trace.Data), at(70, trace.Silence), at(90, trace.End),
	})
	var got []int
	for _, s := range r.silences() {
		got = append(got, int(s.from/time.Microsecond), int(s.to/time.Microsecond))
	}
	if want := []int{10, 40, 60, 70, 70, 90}; !slices.Equal(got, want) {
		t.Errorf("silences %v, want %v", got, want)
	}
}

func BenchmarkReduce(b *testing.B) {
	events := random(1, 10_000, time.Minute)
	r := &reduction{bins: bins{width: firstWidth}}
	for i := 0; b.Loop(); i++ {
		r.add(&events[i%len(events)])
	}
}
