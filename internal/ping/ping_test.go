package ping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

var (
	errLost   = errors.New("no answer")
	errNoBody = errors.New("no route")
)

// answer is what one Interest meets: after a delay a payload of so many bytes, or
// an error.
type answer struct {
	after time.Duration
	size  int
	err   error
}

// publisher is the other end of a Run.
type publisher struct {
	t      *testing.T
	name   tlv.Name
	answer func(seq uint64) answer
	start  time.Time
	asked  []time.Duration // when
	told   []string
}

func newPublisher(t *testing.T, answer func(seq uint64) answer) *publisher {
	name, err := tlv.ParseName("ccnx:/demo/.cefgo/ping/x", tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return &publisher{t: t, name: name, answer: answer, start: time.Now()}
}

func (p *publisher) options(count uint64, interval time.Duration) Options {
	return Options{
		Count: count, Interval: interval,
		Name: func(seq uint64) tlv.Name {
			p.asked = append(p.asked, time.Since(p.start))
			return p.name.WithChunk(seq)
		},
		Ask: func(ctx context.Context, n tlv.Name) (int, time.Duration, error) {
			seq, _ := n.Chunk()
			a := p.answer(seq)
			select {
			case <-time.After(a.after):
				return a.size, a.after, a.err
			case <-ctx.Done():
				return 0, 0, context.Cause(ctx)
			}
		},
	}
}

func (p *publisher) tell(r Reply) {
	if !r.Name.Equal(p.name.WithChunk(r.Seq)) {
		p.t.Errorf("reply %d is about %s", r.Seq, r.Name)
	}
	line := fmt.Sprintf("%v: %d ", time.Since(p.start), r.Seq)
	if r.Err != nil {
		line += r.Err.Error()
	} else {
		line += fmt.Sprintf("%d bytes in %v", r.Size, r.RTT)
	}
	p.told = append(p.told, line)
}

func (p *publisher) checkTold(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.told, want) {
		p.t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(p.told, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (p *publisher) checkAsked(want ...time.Duration) {
	p.t.Helper()
	if !slices.Equal(p.asked, want) {
		p.t.Errorf("asked at %v, want %v", p.asked, want)
	}
}

func checkFigures(t *testing.T, f Figures, sent, received uint64, d time.Duration, last error) {
	t.Helper()
	if f.Sent != sent || f.Received != received || f.Duration != d || f.LastErr != last {
		t.Errorf("%d sent, %d received, %v, last error %v; want %d, %d, %v, %v", f.Sent, f.Received, f.Duration, f.LastErr, sent, received, d, last)
	}
}

const ms = time.Millisecond

func TestRunCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPublisher(t, func(seq uint64) answer { return answer{after: time.Duration(seq+1) * ms, size: int(seq)} })
		f := Run(t.Context(), p.options(4, 100*ms), p.tell)
		p.checkAsked(0, 100*ms, 200*ms, 300*ms)
		p.checkTold("1ms: 0 0 bytes in 1ms", "102ms: 1 1 bytes in 2ms", "203ms: 2 2 bytes in 3ms", "304ms: 3 3 bytes in 4ms")
		checkFigures(t, f, 4, 4, 304*ms, nil)
		if r, ok := f.RTTs(); !ok || r.Min != ms || r.Max != 4*ms || r.Avg != 2500*time.Microsecond {
			t.Errorf("%+v, %v", r, ok)
		}
	})
}

// The interval lies between two Interests, whatever the answers do; the ends are
// told in their order, not in that of the Interests.
func TestRunOverlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := []time.Duration{250 * ms, 30 * ms, 10 * ms}
		p := newPublisher(t, func(seq uint64) answer { return answer{after: after[seq]} })
		f := Run(t.Context(), p.options(3, 100*ms), p.tell)
		p.checkAsked(0, 100*ms, 200*ms)
		p.checkTold("130ms: 1 0 bytes in 30ms", "210ms: 2 0 bytes in 10ms", "250ms: 0 0 bytes in 250ms")
		checkFigures(t, f, 3, 3, 250*ms, nil)
	})
}

func TestRunLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPublisher(t, func(seq uint64) answer {
			switch seq {
			case 1:
				return answer{after: 2 * time.Second, err: errLost}
			case 2:
				return answer{after: 5 * ms, err: errNoBody}
			}
			return answer{after: 7 * ms}
		})
		f := Run(t.Context(), p.options(4, time.Second), p.tell)
		p.checkTold("7ms: 0 0 bytes in 7ms", "2.005s: 2 no route", "3s: 1 no answer", "3.007s: 3 0 bytes in 7ms")
		checkFigures(t, f, 4, 2, 3007*ms, errLost)
		if f.Loss() != 0.5 {
			t.Errorf("loss %v, want 0.5", f.Loss())
		}
	})
}

// tell may take its time: it is never called twice at once, and no end is lost.
func TestRunSlowTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPublisher(t, func(uint64) answer { return answer{after: 10 * ms} })
		in := 0
		f := Run(t.Context(), p.options(20, 10*ms), func(r Reply) {
			if in++; in > 1 {
				t.Error("told twice at once")
			}
			time.Sleep(35 * ms)
			in--
			p.tell(r)
		})
		if f.Sent != 20 || f.Received != 20 || len(p.told) != 20 {
			t.Errorf("%d sent, %d received, %d told; want 20", f.Sent, f.Received, len(p.told))
		}
		if r, _ := f.RTTs(); r.Max != 10*ms {
			t.Errorf("round trips up to %v, want 10ms: the teller's time is not the network's", r.Max)
		}
	})
}

func TestRunCancelled(t *testing.T) {
	for _, tt := range []struct {
		name           string
		cancel         time.Duration
		answer         answer
		sent, received uint64
		last           error
	}{
		{"before the start", 0, answer{after: 10 * ms}, 0, 0, nil},
		{"with the first in flight", 50 * ms, answer{after: 60 * ms}, 0, 0, nil},
		{"with one in flight", 250 * ms, answer{after: 60 * ms}, 2, 2, nil},
		{"with several in flight", 450 * ms, answer{after: 220 * ms}, 3, 3, nil},
		{"with none in flight", 250 * ms, answer{after: 10 * ms}, 3, 3, nil},
		{"with losses behind it", 450 * ms, answer{after: 220 * ms, err: errLost}, 3, 0, errLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p := newPublisher(t, func(uint64) answer { return tt.answer })
				if tt.cancel == 0 {
					cancel()
				} else {
					time.AfterFunc(tt.cancel, cancel)
				}
				f := Run(ctx, p.options(0, 100*ms), p.tell)
				checkFigures(t, f, tt.sent, tt.received, tt.cancel, tt.last)
				if len(p.told) != int(tt.sent) {
					t.Errorf("%d told, want %d", len(p.told), tt.sent)
				}
			})
		})
	}
}

// The teller may end it: what has come counts, what is in flight does not.
func TestRunCancelledByTeller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := newPublisher(t, func(uint64) answer { return answer{after: 150 * ms} })
		f := Run(ctx, p.options(0, 100*ms), func(r Reply) { p.tell(r); cancel() })
		p.checkTold("150ms: 0 0 bytes in 150ms")
		checkFigures(t, f, 1, 1, 150*ms, nil)
	})
}

// An answer that is there when the context ends counts.
func TestRunAnsweredAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*ms, cancel)
		p := newPublisher(t, nil)
		o := p.options(0, 100*ms)
		o.Ask = func(ctx context.Context, _ tlv.Name) (int, time.Duration, error) {
			<-ctx.Done()
			return 3, 50 * ms, nil
		}
		f := Run(ctx, o, p.tell)
		p.checkTold("50ms: 0 3 bytes in 50ms")
		checkFigures(t, f, 1, 1, 50*ms, nil)
	})
}

func TestRunGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name           string
		interval       time.Duration
		answer         func(seq uint64) answer
		sent, received uint64
		took           time.Duration
		told           int
		last           error
	}{
		{"silence", time.Second, func(uint64) answer { return answer{after: 2 * time.Second, err: errLost} }, 10, 0, 9500 * ms, 8, errLost},
		{"silence between two Interests", time.Minute, func(uint64) answer { return answer{after: 2 * time.Second, err: errLost} }, 1, 0, 9500 * ms, 1, errLost},
		{"silence of one Interest", time.Minute, func(uint64) answer { return answer{after: time.Minute} }, 1, 0, 9500 * ms, 0, nil},
		{"Interest Returns", time.Second, func(uint64) answer { return answer{err: errNoBody} }, 10, 0, 9500 * ms, 10, errNoBody},
		{"one reply", time.Second, func(seq uint64) answer {
			if seq == 3 {
				return answer{after: ms}
			}
			return answer{after: 100 * ms, err: errLost}
		}, 20, 1, 19100 * ms, 20, errLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPublisher(t, tt.answer)
				o := p.options(20, tt.interval)
				o.GiveUp = 9500 * ms
				f := Run(t.Context(), o, p.tell)
				checkFigures(t, f, tt.sent, tt.received, tt.took, tt.last)
				if len(p.told) != tt.told {
					t.Errorf("%d told, want %d", len(p.told), tt.told)
				}
			})
		})
	}
}

// With no interval at all, it still comes to its end.
func TestRunWithoutInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPublisher(t, func(uint64) answer { return answer{after: ms} })
		if f := Run(t.Context(), p.options(50, 0), p.tell); f.Sent != 50 || f.Received != 50 {
			t.Errorf("%d sent, %d received; want 50", f.Sent, f.Received)
		}
	})
}

func TestRTTs(t *testing.T) {
	upTo := func(n int) (d []time.Duration) {
		for i := n; i > 0; i-- { // not in order
			d = append(d, time.Duration(i)*ms)
		}
		return d
	}
	for _, tt := range []struct {
		name string
		rtts []time.Duration
		want RTTs
	}{
		{"one", []time.Duration{7}, RTTs{7, 7, 7, 0, 7, 7, 7}},
		{"two", []time.Duration{30, 10}, RTTs{10, 20, 30, 10, 10, 30, 30}},
		// mean 5, deviations -3 -1 -1 -1 0 0 2 4: squares sum to 32, variance 4.
		{"textbook", []time.Duration{2, 4, 4, 4, 5, 5, 7, 9}, RTTs{2, 5, 9, 2, 4, 9, 9}},
		{"ten", upTo(10), RTTs{1 * ms, 5500 * time.Microsecond, 10 * ms, 2872281, 5 * ms, 9 * ms, 10 * ms}},           // sqrt(99/12) ms
		{"hundred", upTo(100), RTTs{1 * ms, 50500 * time.Microsecond, 100 * ms, 28866070, 50 * ms, 90 * ms, 99 * ms}}, // sqrt(9999/12) ms
		{"alike and long", slices.Repeat([]time.Duration{3*time.Second + 1}, 1000), RTTs{3000000001, 3000000001, 3000000001, 0, 3000000001, 3000000001, 3000000001}},
		{"long with a little in it", []time.Duration{time.Hour, time.Hour + 2}, RTTs{time.Hour, time.Hour + 1, time.Hour + 2, 1, time.Hour, time.Hour + 2, time.Hour + 2}},
	} {
		var f Figures
		for _, d := range tt.rtts {
			f.Sent++
			f.add(d, nil)
		}
		got, ok := f.RTTs()
		if !ok || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, ok, tt.want)
		}
		if f.Loss() != 0 {
			t.Errorf("%s: loss %v", tt.name, f.Loss())
		}
	}
}

func TestFiguresOfNothing(t *testing.T) {
	var f Figures
	if r, ok := f.RTTs(); ok || f.Loss() != 0 {
		t.Errorf("%+v, loss %v; nothing was sent", r, f.Loss())
	}
	f.Sent = 3
	f.add(0, errLost)
	if r, ok := f.RTTs(); ok || f.Loss() != 1 || f.LastErr != errLost {
		t.Errorf("%+v, loss %v, last error %v; want 1 and %v", r, f.Loss(), f.LastErr, errLost)
	}
	f.add(ms, nil)
	f.add(ms, nil)
	if math.Abs(f.Loss()-1.0/3) > 1e-9 {
		t.Errorf("loss %v, want a third", f.Loss())
	}
}

// However long it runs, the round trips kept are bounded, and are the latest.
func TestFiguresBounded(t *testing.T) {
	f := Figures{Received: maxSamples - 1, rtts: make([]time.Duration, maxSamples-1)}
	for i := range time.Duration(4) {
		f.add(i+1, nil)
	}
	if len(f.rtts) != maxSamples || f.Received != maxSamples+3 {
		t.Fatalf("%d kept of %d, want %d", len(f.rtts), f.Received, maxSamples)
	}
	if got := []time.Duration{f.rtts[maxSamples-1], f.rtts[0], f.rtts[1], f.rtts[2], f.rtts[3]}; !slices.Equal(got, []time.Duration{1, 2, 3, 4, 0}) {
		t.Errorf("kept %v, want the latest in place of the first", got)
	}
}
