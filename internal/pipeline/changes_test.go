package pipeline

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
)

// change is what becomes of a long path half-way.
type change struct {
	name string
	do   func(*testnet.Network)
	gone time.Duration // nothing passes for so long
	// What the path is afterwards: as a share of its rate before, and with that round
	// trip.
	rate float64
	rtt  time.Duration
	bars map[congestion.Kind]float64 // recovered within so many round trips
}

// down changes what happens to Data.
func down(f func(*testnet.Impairment)) func(*testnet.Network) {
	return func(n *testnet.Network) {
		im := longPath().Down
		f(&im)
		n.SetDown(im)
	}
}

var out = down(func(im *testnet.Impairment) { im.Down = true })

var changes = []change{
	{name: "rate halves", rate: 0.5, rtt: 50 * ms, bars: map[congestion.Kind]float64{congestion.Cubic: 3, congestion.Delay: 3}},
	{name: "rate doubles", rate: 2, rtt: 50 * ms},
	{name: "delay doubles", rate: 1, rtt: 100 * ms, bars: map[congestion.Kind]float64{congestion.Delay: 3}},
	{name: "delay halves", rate: 1, rtt: 25 * ms, bars: map[congestion.Kind]float64{congestion.Cubic: 3, congestion.Delay: 3}},
	{name: "outage of 2 s", do: out, gone: 2 * time.Second, rate: 1, rtt: 50 * ms, bars: map[congestion.Kind]float64{congestion.Cubic: 3, congestion.Delay: 3}},
	{name: "producer moves", do: out, gone: 500 * ms, rate: 0.6, rtt: 80 * ms, bars: map[congestion.Kind]float64{congestion.Cubic: 3, congestion.Delay: 3}},
	{name: "forwarder restarts", do: func(n *testnet.Network) { n.Restart(time.Second) }, gone: time.Second, rate: 1, rtt: 50 * ms, bars: map[congestion.Kind]float64{congestion.Cubic: 3, congestion.Delay: 3}},
}

// quickChanges are those that are always simulated.
var quickChanges = []string{"rate halves", "delay doubles", "outage of 2 s", "producer moves"}

// after is the path afterwards. Its queue has room for what it holds.
func (c change) after(im *testnet.Impairment) {
	im.Rate = testnet.BitRate(c.rate * float64(im.Rate))
	im.Queue = int(float64(im.Queue) * max(c.rate*float64(c.rtt)/float64(50*ms), 1))
	im.Delay = c.rtt - 25*ms
}

// TestPathChanges changes a path half-way, and measures how long after the change, or
// the end of an outage, a fetch has four fifths of the path's rate again.
func TestPathChanges(t *testing.T) {
	kinds := []congestion.Kind{congestion.Cubic, congestion.Delay, congestion.AIMD}
	rows := table{{"change", "cubic", "delay", "aimd"}}
	for _, tt := range changes {
		row := []string{tt.name}
		for _, cc := range kinds {
			bar, ok := tt.bars[cc]
			if !benching && (!ok || !slices.Contains(quickChanges, tt.name) || cc == congestion.Cubic && tt.gone == 0) {
				continue
			}
			t.Run(tt.name+"/"+string(cc), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					took, later := tt.recovers(t, cc)
					rtts := float64(took) / float64(tt.rtt)
					row = append(row, fmt.Sprintf("%.1f; then %.0f %%", rtts, 100*later))
					if raced {
						bar *= 3 // it is for a faster path
					}
					if ok && rtts > bar {
						t.Errorf("recovered after %v, %.1f round trips, want %v", took, rtts, bar)
					}
				})
			})
		}
		rows.add(row...)
	}
	rows.log(t, "Round trips until a fetch has 80 % of the changed path again (200 or more: not within 10 s), and its share from 12 to 17 s after the change")
}

// recovers changes a path, and returns how long it took a fetch to have most of it
// again, and its share later.
func (tt change) recovers(t *testing.T, cc congestion.Kind) (took time.Duration, later float64) {
	at, watch, end := 6*time.Second, 2*time.Second, 6*time.Second+tt.gone+2200*ms
	if benching {
		at, watch, end = 8*time.Second, 10*time.Second, 25*time.Second
	}
	c := endless(t, "ccnx:/demo/endless")
	cfg := longPath()
	cfg.Producer = c.Serve
	n := testnet.NewNetwork(cfg)
	if tt.do != nil {
		time.AfterFunc(at, func() { tt.do(n) })
	}
	time.AfterFunc(at+tt.gone, func() { down(tt.after)(n) })
	m, _ := fetchFor(t, simulated{n.Consumer(testnet.ConsumerConfig{})}, c, Path{CC: cc}, end)
	full := tt.rate * payloadRate(c, linkRate())
	for took < watch && m.rate(at+tt.gone+took, at+tt.gone+took+100*ms) < 0.8*full {
		took += m.tick
	}
	return took, m.rate(max(end-5*time.Second, at), end) / full
}
