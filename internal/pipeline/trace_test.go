package pipeline

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// The trace tells each fetch from its start to its end, in order, and of each thing as
// often as its Stats do.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []trace.Event
		cfg := slow()
		cfg.Down.Loss, cfg.Down.Reorder, cfg.Down.ReorderBy, cfg.Down.Duplicate = 0.02, 0.02, 30*ms, 0.01
		f := newFarm(t, cfg, Path{CC: congestion.Cubic, Trace: func(e trace.Event) { events = append(events, e) }}, 4000, 2000, 50000, 100)
		f.silent = func(i int, at time.Duration) bool { return i == 1 && at > 300*ms && at < 900*ms || i == 3 }
		ctx, cancel := context.WithTimeout(t.Context(), 1500*ms)
		defer cancel()
		fs := []*fetched{f.fetch(t.Context(), 0, Options{})}
		time.Sleep(ms) // so that they are numbered in this order
		fs = append(fs, f.fetch(t.Context(), 1, Options{}))
		time.Sleep(ms)
		fs = append(fs, f.fetch(ctx, 2, Options{}))
		time.Sleep(ms)
		fs = append(fs, f.fetch(t.Context(), 3, Options{}))
		time.AfterFunc(1200*ms, func() { f.net.Restart(100 * ms) })
		f.close()

		checkOrder(t, events)
		for i, x := range fs {
			var own []trace.Event
			for _, e := range events {
				if e.Fetch == i {
					own = append(own, e)
				}
			}
			checkFetch(t, x, own, f.contents[i].Name.String())
		}
		seen := map[trace.Type]bool{}
		for _, e := range events {
			seen[e.Type] = true
		}
		for _, want := range []trace.Type{trace.Lost, trace.Spurious, trace.Silence, trace.Relink} {
			if !seen[want] {
				t.Errorf("nothing is %s: the test shows too little", want)
			}
		}
	})
}

// checkOrder holds what is true of the events of a session.
func checkOrder(t *testing.T, events []trace.Event) {
	last := time.Duration(0)
	for _, e := range events {
		if e.At < last {
			t.Fatalf("%+v is earlier than the one before it, at %v", e, last)
		}
		last = e.At
		if e.Window < 1 || e.InFlight < 0 {
			t.Fatalf("window %v, %d in flight: %+v", e.Window, e.InFlight, e)
		}
	}
}

// checkFetch holds the events of one fetch against what came of it.
func checkFetch(t *testing.T, x *fetched, events []trace.Event, name string) {
	if len(events) < 2 {
		t.Fatalf("%s: %d events", name, len(events))
	}
	first, last := events[0], events[len(events)-1]
	if first.Type != trace.Start || first.Name != name || first.CC != "cubic" {
		t.Errorf("%s: it begins with %+v", name, first)
	}
	failed := ""
	if x.err != nil {
		failed = x.err.Error()
	}
	if last.Type != trace.End || last.Error != failed || last.At-first.At != x.Duration {
		t.Errorf("%s: it ends with %+v after %v; the error is %v after %v", name, last, last.At-first.At, x.err, x.Duration)
	}
	count, chunks, timed := map[trace.Type]uint64{}, map[uint64]bool{}, uint64(0)
	for _, e := range events {
		count[e.Type]++
		if e.Type != trace.Data {
			continue
		}
		if chunks[e.Chunk] || e.Size != 256 {
			t.Errorf("%s: %+v, again or of another size", name, e)
		}
		chunks[e.Chunk] = true
		if e.RTT > 0 {
			timed++
			if e.RTT < 20*ms || e.SRTT < 20*ms {
				t.Errorf("%s: too short for this path: %+v", name, e)
			}
		}
	}
	s := x.Stats
	want := map[trace.Type]uint64{
		trace.Start: 1, trace.End: 1, trace.Lost: s.Lost, trace.Timeout: s.Timeouts, trace.Spurious: s.Spurious,
		trace.Silence: s.Silences, trace.Relink: s.Relinks, trace.Data: uint64(len(chunks)),
	}
	for typ, n := range want {
		if count[typ] != n {
			t.Errorf("%s: %d events %s, the Stats say %d", name, count[typ], typ, n)
		}
	}
	for k := range x.Result.Chunks {
		if !chunks[k] {
			t.Errorf("%s: chunk %d was written, but there is no event for it", name, k)
		}
	}
	if timed != s.RTT.Count {
		t.Errorf("%s: %d round trips, the Stats have %d", name, timed, s.RTT.Count)
	}
}

// Returns are told with their code, those for chunks that were not asked for too.
func TestTraceReturns(t *testing.T) {
	r := steady(t, 4)
	r.wantSent(from(100, 104)...)
	for i, code := range []tlv.ReturnCode{tlv.ReturnNoRoute, tlv.ReturnCongestion, tlv.ReturnCongestion, tlv.ReturnNoResources} {
		r.onReturn(uint64(101+i), code, r.now)
	}
	told := ""
	for _, e := range r.events {
		told += fmt.Sprintf("%s %d %d, ", e.Type, e.Chunk, e.Code)
	}
	if want := "return 101 1, return 102 6, return 103 6, return 104 3, "; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}
