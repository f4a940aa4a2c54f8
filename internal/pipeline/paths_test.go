package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// simulated is a testnet.Consumer as a Link.
type simulated struct{ *testnet.Consumer }

func (simulated) Want(...tlv.Name)   {}
func (simulated) Forget(...tlv.Name) {}

// meter is a writer that knows how many of the right bytes came when.
type meter struct {
	*testnet.Verifier
	start time.Time
	bins  []int // bytes in each tick
	tick  time.Duration
}

func newMeter(c *testnet.Content, tick time.Duration) *meter {
	return &meter{Verifier: c.Verify(0), start: time.Now(), tick: tick}
}

func (m *meter) Write(p []byte) (int, error) {
	bin := int(time.Since(m.start) / m.tick)
	for len(m.bins) <= bin {
		m.bins = append(m.bins, 0)
	}
	n, err := m.Verifier.Write(p)
	m.bins[bin] += n
	return n, err
}

// rate is the bits a second written from one time to another.
func (m *meter) rate(from, to time.Duration) float64 {
	sum := 0
	for i := int(from / m.tick); i < min(int(to/m.tick), len(m.bins)); i++ {
		sum += m.bins[i]
	}
	return float64(sum) * 8 / (to - from).Seconds()
}

const mbit = testnet.Mbit

// longPath is 100 Mbit/s with a round trip of 50 ms and a queue for 50 ms.
func longPath() testnet.Config {
	return testnet.Config{
		Seed: 1,
		Up:   testnet.Impairment{Delay: 25 * time.Millisecond},
		Down: testnet.Impairment{Delay: 25 * time.Millisecond, Rate: 100 * mbit, Queue: 625000},
	}
}

const simBlock = 1024

// endless is a content that no test reaches the end of.
func endless(t testing.TB, name string) *testnet.Content {
	return testnet.NewContent(mustName(t, name), 1<<30, simBlock)
}

// wireShare is the share of a Data packet that is payload.
func wireShare(c *testnet.Content) float64 {
	return float64(c.Block) / float64(len(c.Data(1<<20)))
}

var errEnough = errors.New("measured")

// fetchFor fetches c over the network for a time.
func fetchFor(t *testing.T, n *testnet.Network, c *testnet.Content, p Path, d time.Duration) (*meter, Result) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errEnough)
	defer cancel()
	s := NewSession(simulated{n.Consumer(testnet.ConsumerConfig{})}, p)
	defer s.Close()
	m := newMeter(c, 10*time.Millisecond)
	r, err := s.Fetch(ctx, c.Name, m, Options{Last: tlv.Some[uint64](1<<30 - 2)})
	if err != errEnough {
		t.Errorf("%s: %v", p.CC, err)
	}
	return m, r
}

// TestLongPath fetches over a long path with random losses, and prints the share of
// the link that each control uses.
func TestLongPath(t *testing.T) {
	for _, cc := range congestion.Kinds[:3] {
		for _, loss := range []float64{0, 0.001, 0.01, 0.05} {
			t.Run(fmt.Sprintf("%s/loss=%v%%", cc, loss*100), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := endless(t, "ccnx:/demo/endless")
					cfg := longPath()
					cfg.Producer = c.Serve
					cfg.Down.Loss = loss
					n := testnet.NewNetwork(cfg)
					m, r := fetchFor(t, n, c, Path{CC: cc}, 60*time.Second)
					share := m.rate(5*time.Second, 60*time.Second) / (100e6 * (1 - loss) * wireShare(c))
					_, down := n.Counters()
					t.Logf("%.1f%% of the link; %d Interests, %d by order, %d by timer, %d spurious, %d silences, %d overflowed, window %.0f avg %.0f max, rtt %v", 100*share,
						r.Stats.Interests, r.Stats.Lost, r.Stats.Timeouts, r.Stats.Spurious, r.Stats.Silences, down.Overflow, r.Stats.WindowMean, r.Stats.WindowMax, r.Stats.RTT.Mean())
				})
			})
		}
	}
}

// TestFairness lets two fetches of one kind share a long path, the second of them two
// seconds later.
func TestFairness(t *testing.T) {
	for _, cc := range congestion.Kinds[:3] {
		for _, extra := range []time.Duration{0, 20 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s/%v more", cc, extra), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { shareLongPath(t, cc, extra) })
			})
		}
	}
}

func shareLongPath(t *testing.T, cc congestion.Kind, extra time.Duration) {
	cs := []*testnet.Content{endless(t, "ccnx:/demo/a"), endless(t, "ccnx:/demo/b")}
	cfg := longPath()
	cfg.Producer = func(r *testnet.Request) { cs[0].Serve(r); cs[1].Serve(r) }
	n := testnet.NewNetwork(cfg)
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errEnough)
	defer cancel()
	rates, results := make([]float64, 2), make([]Result, 2)
	var wg sync.WaitGroup
	for i, c := range cs {
		m := newMeter(c, 10*time.Millisecond)
		s := NewSession(simulated{n.Consumer(testnet.ConsumerConfig{Delay: time.Duration(i) * extra})}, Path{CC: cc})
		wg.Go(func() {
			defer s.Close()
			time.Sleep(time.Duration(i) * 2 * time.Second)
			r, err := s.Fetch(ctx, c.Name, m, Options{Last: tlv.Some[uint64](1<<30 - 2)})
			if err != errEnough {
				t.Errorf("%v", err)
			}
			rates[i], results[i] = m.rate(5*time.Second, time.Minute), r
		})
	}
	wg.Wait()
	a, b := rates[0], rates[1]
	_, down := n.Counters()
	t.Logf("Jain's index %.3f: %.1f and %.1f Mbit/s, together %.1f%%; windows %.0f and %.0f, rtt %v and %v, %d overflowed", (a+b)*(a+b)/(2*(a*a+b*b)), a/1e6, b/1e6,
		100*(a+b)/(100e6*wireShare(cs[0])), results[0].Stats.WindowMean, results[1].Stats.WindowMean,
		results[0].Stats.RTT.Mean(), results[1].Stats.RTT.Mean(), down.Overflow)
}

// TestPathChanges changes a path half-way, and measures how long after the change, or
// the end of an outage, a fetch has four fifths of the path's rate again.
func TestPathChanges(t *testing.T) {
	const at = 8 * time.Second
	down := func(change func(*testnet.Impairment)) func(n *testnet.Network) {
		return func(n *testnet.Network) {
			im := longPath().Down
			change(&im)
			n.SetDown(im)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*testnet.Network)
		rate   float64       // bits a second afterwards
		rtt    time.Duration // afterwards, without a queue
		gone   time.Duration // nothing passes
	}{
		{"rate halves", down(func(im *testnet.Impairment) { im.Rate = 50 * mbit }), 50e6, 50 * time.Millisecond, 0},
		{"rate doubles", down(func(im *testnet.Impairment) { im.Rate = 200 * mbit; im.Queue *= 2 }), 200e6, 50 * time.Millisecond, 0},
		{"delay doubles", down(func(im *testnet.Impairment) { im.Delay += 50 * time.Millisecond; im.Queue *= 2 }), 100e6, 100 * time.Millisecond, 0},
		{"delay halves", down(func(im *testnet.Impairment) { im.Delay = 0 }), 100e6, 25 * time.Millisecond, 0},
		{"outage of 2 s", down(func(im *testnet.Impairment) { im.Down = true }), 100e6, 50 * time.Millisecond, 2 * time.Second},
		{"producer moves", down(func(im *testnet.Impairment) { im.Down = true }), 60e6, 80 * time.Millisecond, 500 * time.Millisecond},
		{"forwarder restarts", func(n *testnet.Network) { n.Restart(time.Second) }, 100e6, 50 * time.Millisecond, time.Second},
	} {
		for _, cc := range congestion.Kinds[:3] {
			t.Run(tt.name+"/"+string(cc), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := endless(t, "ccnx:/demo/endless")
					cfg := longPath()
					cfg.Producer = c.Serve
					n := testnet.NewNetwork(cfg)
					time.AfterFunc(at, func() { tt.change(n) })
					if tt.gone > 0 {
						time.AfterFunc(at+tt.gone, func() {
							down(func(im *testnet.Impairment) {
								im.Rate = testnet.BitRate(tt.rate)
								im.Delay = tt.rtt - 25*time.Millisecond
							})(n)
						})
					}
					m, r := fetchFor(t, n, c, Path{CC: cc}, 25*time.Second)
					const window = 100 * time.Millisecond
					took := 10 * time.Second
					for d := time.Duration(0); d < took; d += m.tick {
						if m.rate(at+tt.gone+d, at+tt.gone+d+window) >= 0.8*tt.rate*wireShare(c) {
							took = d
						}
					}
					t.Logf("recovered after %v (%.1f RTT); then %.1f%% of the path; %d by order, %d by timer, %d spurious, %d silences", took, float64(took)/float64(tt.rtt),
						100*m.rate(20*time.Second, 25*time.Second)/(tt.rate*wireShare(c)), r.Stats.Lost, r.Stats.Timeouts, r.Stats.Spurious, r.Stats.Silences)
				})
			})
		}
	}
}
