package testnet

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// epoch is when the tests of the Shaper, which has no clock, begin.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// offer is one packet that a test offers.
type offer struct {
	at   time.Duration // after epoch
	size int
}

// offers draws packets that come in bursts and with pauses.
func offers(t *rapid.T) []offer {
	at := time.Duration(0)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) offer {
		if rapid.IntRange(0, 3).Draw(t, "burst") == 0 {
			at += time.Duration(rapid.IntRange(0, 20_000_000).Draw(t, "gap"))
		}
		return offer{at, rapid.IntRange(1, 1500).Draw(t, "size")}
	}), 1, 60).Draw(t, "offers")
}

// impairments draws an Impairment that does a bit of everything but Down.
func impairments(t *rapid.T) Impairment {
	share := rapid.SampledFrom([]float64{0, 0, 0.1, 0.5, 1})
	wait := func(what string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 1, 1_000_000, 30_000_000}).Draw(t, what))
	}
	im := Impairment{
		Rate:      rapid.SampledFrom([]BitRate{0, 64 * Kbit, Mbit, 7_777_777, 10 * Gbit}).Draw(t, "rate"),
		Queue:     rapid.SampledFrom([]int{0, 1, 1500, 4000, 20000}).Draw(t, "queue"),
		Delay:     wait("delay"),
		Jitter:    wait("jitter"),
		Loss:      share.Draw(t, "loss"),
		LossBurst: rapid.SampledFrom([]float64{0, 1, 3.5}).Draw(t, "burst"),
		Duplicate: share.Draw(t, "duplicate"),
		Reorder:   share.Draw(t, "reorder"),
		Truncate:  share.Draw(t, "truncate"),
	}
	if im.Reorder > 0 {
		im.ReorderBy = 1 + wait("reorder by")
	}
	return im
}

// arrival is one Copy with the time that it arrives at.
type arrival struct {
	at time.Duration // after epoch
	Copy
}

// run offers all and returns what arrives, in the order of the offers.
func run(s *Shaper, offers []offer) (all []arrival) {
	for _, o := range offers {
		v := s.Take(epoch.Add(o.at), o.size)
		for _, c := range v.Copies[:v.N] {
			all = append(all, arrival{o.at + c.After, c})
		}
	}
	return all
}

// Without Reorder nothing overtakes, whatever else happens and changes on the way.
func TestShaperOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packets, change := offers(t), rapid.IntRange(0, 60).Draw(t, "change")
		im, then := impairments(t), impairments(t)
		im.Reorder, then.Reorder = 0, 0
		s := NewShaper(im, 1)
		change = min(change, len(packets))
		got := run(s, packets[:change])
		s.Set(then)
		got = append(got, run(s, packets[change:])...)
		if !slices.IsSortedFunc(got, func(a, b arrival) int { return int(a.at - b.at) }) {
			t.Fatalf("not in order: %v", got)
		}
	})
}

// In no interval does more arrive than the rate allows, but for the packet whose
// arrival begins it.
func TestShaperRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im := impairments(t)
		im.Rate = rapid.SampledFrom([]BitRate{64 * Kbit, Mbit, 7_777_777, 10 * Gbit}).Draw(t, "a rate")
		im.Jitter, im.Reorder = 0, 0 // these bunch packets up behind the line
		got := run(NewShaper(im, 1), offers(t))
		for i := range got {
			bytes := 0
			for _, a := range got[i+1:] {
				bytes += a.Len
				if allowed := (a.at - got[i].at).Seconds() * float64(im.Rate) / 8; float64(bytes) > allowed+1e-3 {
					t.Fatalf("%d bytes from %v to %v, %v is %.3f", bytes, got[i].at, a.at, im.Rate, allowed)
				}
			}
		}
	})
}

// A busy line sends without a pause: n packets at once take n times as long as one.
func TestShaperUsesTheRate(t *testing.T) {
	s := NewShaper(Impairment{Rate: 8 * Mbit, Delay: time.Second}, 1)
	for i := range 1000 {
		v := s.Take(epoch, 1000)
		if want := time.Second + time.Duration(i+1)*time.Millisecond; v.N != 1 || v.Copies[0] != (Copy{want, 1000}) {
			t.Fatalf("packet %d: %+v, want %v", i, v, want)
		}
	}
}

// A packet is dropped exactly when it finds the line busy and less than its size left
// of the queue, which a model that counts bytes decides.
func TestShaperQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rate = 8 * Mbit // a byte takes 1 µs
		queue := rapid.SampledFrom([]int{1, 1500, 4000, 20000}).Draw(t, "a queue")
		s := NewShaper(Impairment{Rate: rate, Queue: queue, Delay: 5 * time.Millisecond}, 1)
		var idle time.Duration // when the line has sent all, by the model
		peak := 0
		for i, o := range offers(t) {
			o.at = o.at.Round(time.Microsecond)
			backlog := int(max(idle-o.at, 0) / time.Microsecond)
			fits := backlog == 0 || backlog+o.size <= queue
			v := s.Take(epoch.Add(o.at), o.size)
			if fits != (v.N == 1) || !fits != (v.Loss == LossOverflow) {
				t.Fatalf("packet %d of %d bytes with %d of %d in the queue: %+v", i, o.size, backlog, queue, v)
			}
			if fits {
				idle = max(idle, o.at) + time.Duration(o.size)*time.Microsecond
				peak = max(peak, backlog+o.size)
			}
		}
		if got := s.Counters().PeakQueue; got != peak || peak > max(queue, 1500) {
			t.Fatalf("PeakQueue %d, want %d, queue %d", got, peak, queue)
		}
	})
}

// What is in the queue keeps its time and its room when the rate changes.
func TestShaperSetRate(t *testing.T) {
	im := Impairment{Rate: Mbit, Queue: 10000}
	s := NewShaper(im, 1)
	for range 10 { // 8 ms each
		s.Take(epoch, 1000)
	}
	im.Rate = 100 * Mbit
	s.Set(im)
	if v := s.Take(epoch, 1000); v.Loss != LossOverflow {
		t.Errorf("the queue is full: %+v", v)
	}
	v := s.Take(epoch.Add(8*time.Millisecond), 1000)
	if want := 72*time.Millisecond + 80*time.Microsecond; v.N != 1 || v.Copies[0].After != want {
		t.Errorf("behind the slow ones: %+v, want %v", v, want)
	}
	if v := s.Take(epoch.Add(8*time.Millisecond), 1); v.Loss != LossOverflow {
		t.Errorf("the queue is full again: %+v", v)
	}
	if v := s.Take(epoch.Add(16*time.Millisecond), 1000); v.N != 1 {
		t.Errorf("8000 slow bytes and 1000 fast ones are in the queue, 1000 fit: %+v", v)
	}
	if v := s.Take(epoch.Add(80*time.Millisecond+120*time.Microsecond), 9500); v.N != 1 {
		t.Errorf("500 bytes are in the queue and 9500 fit: %+v", v)
	}
	if v := s.Take(epoch.Add(80*time.Millisecond+120*time.Microsecond), 1); v.N != 0 {
		t.Errorf("10000 bytes are in the queue and 1 fits: %+v", v)
	}
}

// After Clear no packet waits, neither for the line nor for one that is under way.
func TestShaperClear(t *testing.T) {
	s := NewShaper(Impairment{Rate: Mbit, Delay: time.Second}, 1)
	for range 10 {
		s.Take(epoch, 1000)
	}
	s.Set(Impairment{Rate: Mbit})
	s.Clear()
	if v := s.Take(epoch, 1000); v.N != 1 || v.Copies[0].After != 8*time.Millisecond {
		t.Errorf("%+v", v)
	}
}

// share fails the test unless hits of n are about p of them: within 5 standard
// deviations, once for all as the seeds are fixed.
func share(t *testing.T, what string, hits, n int, p float64) {
	t.Helper()
	if d := math.Abs(float64(hits) - p*float64(n)); d > 5*math.Sqrt(p*(1-p)*float64(n)) {
		t.Errorf("%s: %d of %d, want %v of them", what, hits, n, p)
	}
}

func TestShaperLoss(t *testing.T) {
	const n = 100_000
	for _, p := range []float64{0, 0.001, 0.1, 0.5, 1} {
		s, lost := NewShaper(Impairment{Loss: p}, 7), 0
		for range n {
			if v := s.Take(epoch, 100); v.N == 0 && v.Loss == LossChance {
				lost++
			}
		}
		share(t, "lost", lost, n, p)
		if c := s.Counters(); c.Lost != uint64(lost) || c.Offered != n {
			t.Errorf("%d lost of %d, counted %+v", lost, n, c)
		}
	}
}

func TestShaperLossBurst(t *testing.T) {
	const n = 1_000_000
	for _, tt := range []struct{ loss, burst, mean float64 }{
		{0.05, 4, 4}, {0.3, 10, 10},
		{0.05, 0, 1 / 0.95}, {0.05, 1, 1 / 0.95}, {0.5, 1.5, 2}, // by chance alone
		{1, 4, n},
	} {
		s := NewShaper(Impairment{Loss: tt.loss, LossBurst: tt.burst}, 7)
		lost, bursts, before := 0, 0, false
		for range n {
			gone := s.Take(epoch, 100).N == 0
			if gone {
				lost++
				if !before {
					bursts++
				}
			}
			before = gone
		}
		if got := float64(lost) / n; math.Abs(got-tt.loss) > 0.03*tt.loss {
			t.Errorf("%+v: %v are lost", tt, got)
		}
		if mean := float64(lost) / float64(bursts); math.Abs(mean-tt.mean) > 0.03*tt.mean {
			t.Errorf("%+v: bursts of %v", tt, mean)
		}
	}
}

func TestShaperChances(t *testing.T) {
	const n, size = 100_000, 5
	s := NewShaper(Impairment{Duplicate: 0.2, Reorder: 0.1, ReorderBy: time.Second, Truncate: 0.3}, 7)
	twice, heldBack, copies := 0, 0, 0
	var lens [size + 1]int
	for range n {
		v := s.Take(epoch, size)
		for _, c := range v.Copies[:v.N] {
			copies++
			lens[c.Len]++
			switch c.After {
			case time.Second:
				heldBack++
			case 0:
			default:
				t.Fatalf("arrives after %v", c.After)
			}
		}
		if v.N == 2 {
			twice++
		}
	}
	share(t, "twice", twice, n, 0.2)
	share(t, "held back", heldBack, copies, 0.1)
	share(t, "whole", lens[size], copies, 0.7)
	for l := 1; l < size; l++ {
		share(t, "cut", lens[l], copies, 0.3/(size-1))
	}
	want := Counters{Offered: n, Duplicated: uint64(twice), Truncated: uint64(copies - lens[size]), Reordered: uint64(heldBack)}
	if c := s.Counters(); c != want {
		t.Errorf("counted %+v, want %+v", c, want)
	}
}

func TestShaperJitter(t *testing.T) {
	const n = 10_000
	s := NewShaper(Impairment{Delay: time.Second, Jitter: 100 * time.Millisecond}, 7)
	var sum, least, most time.Duration = 0, math.MaxInt64, 0
	for i := range n { // so far apart that none waits for the one before
		d := s.Take(epoch.Add(time.Duration(i)*time.Second), 100).Copies[0].After
		sum, least, most = sum+d, min(least, d), max(most, d)
	}
	if least < time.Second || least > time.Second+time.Millisecond {
		t.Errorf("least %v", least)
	}
	if most >= 1100*time.Millisecond || most < 1099*time.Millisecond {
		t.Errorf("most %v", most)
	}
	if mean := sum / n; mean < 1048*time.Millisecond || mean > 1052*time.Millisecond {
		t.Errorf("mean %v", mean)
	}
}

// Every packet is accounted for, whatever happens.
func TestShaperCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, packets := NewShaper(impairments(t), 1), offers(t)
		got := run(s, packets)
		im := s.Impairment()
		im.Down = true
		s.Set(im)
		if v := s.Take(epoch.Add(time.Hour), 1); v.N != 0 || v.Loss != LossOutage {
			t.Fatalf("down: %+v", v)
		}
		c := s.Counters()
		if c.Offered != uint64(len(packets))+1 || c.Outage != 1 ||
			c.Offered+c.Duplicated != uint64(len(got))+c.Lost+c.Overflow+c.Outage {
			t.Fatalf("%d offered, %d arrive: %+v", len(packets)+1, len(got), c)
		}
	})
}

// The same seed decides the same, another one differently.
func TestShaperRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		im, seed, packets := impairments(t), rapid.Uint64().Draw(t, "seed"), offers(t)
		one, two := run(NewShaper(im, seed), packets), run(NewShaper(im, seed), packets)
		if !slices.Equal(one, two) {
			t.Fatalf("the same seed: %v and %v", one, two)
		}
	})
	im := Impairment{Loss: 0.5, Jitter: time.Second}
	packets := make([]offer, 100)
	if slices.Equal(run(NewShaper(im, 1), packets), run(NewShaper(im, 2), packets)) {
		t.Error("another seed decides the same")
	}
}

func TestShaperAllocates(t *testing.T) {
	s := NewShaper(Impairment{
		Rate: Mbit, Queue: 5000, Delay: 1, Jitter: 1000, Loss: 0.1, LossBurst: 3,
		Duplicate: 0.1, Reorder: 0.1, ReorderBy: 5, Truncate: 0.1,
	}, 1)
	now := epoch
	if n := testing.AllocsPerRun(1, func() {
		for i := range 10_000 {
			s.Take(now, 1000)
			now = now.Add(7 * time.Millisecond)
			if i%10 == 9 {
				now = now.Add(time.Second) // idle
			}
		}
	}); n > 10 {
		t.Errorf("%v allocations for 10000 packets", n)
	}
}

func TestImpairmentCheck(t *testing.T) {
	for _, im := range []Impairment{
		{Rate: -1}, {Queue: -1}, {Delay: -1}, {Jitter: -1}, {Loss: -0.1}, {Loss: 1.1}, {Loss: math.NaN()},
		{Duplicate: 2}, {Reorder: 2, ReorderBy: 1}, {Reorder: 0.1}, {ReorderBy: -1}, {Truncate: 2}, {LossBurst: -1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is taken", im)
				}
			}()
			NewShaper(Impairment{}, 1).Set(im)
		}()
	}
}
