package pipeline

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
)

// together is how two fetches share a long path.
type together struct {
	name         string
	later, extra time.Duration // the second one begins later, and has a longer round trip
}

var pairs = []together{
	{"together", 0, 0},
	{"2 s apart", 2 * time.Second, 0},
	{"together, 50 and 70 ms", 0, 20 * ms},
	{"2 s apart, 50 and 70 ms", 2 * time.Second, 20 * ms},
}

// TestFairness lets two fetches of one kind share a long path: Jain's index, which is
// 1 where both have the same and 0.5 where one has all.
func TestFairness(t *testing.T) {
	rows := table{{"control"}}
	for _, how := range pairs {
		rows[0] = append(rows[0], how.name)
	}
	for _, cc := range []congestion.Kind{congestion.Cubic, congestion.Delay, congestion.AIMD} {
		row := []string{string(cc)}
		for _, how := range pairs {
			barred := how == pairs[0] && cc != congestion.AIMD
			if !barred && !benching {
				continue
			}
			bar := 0.95
			if raced {
				bar = 0.8 // it is for a faster path
			}
			t.Run(string(cc)+"/"+how.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := how.rates(t, cc)
					index := (a + b) * (a + b) / (2 * (a*a + b*b))
					row = append(row, fmt.Sprintf("%.3f (%.1f + %.1f)", index, a/1e6, b/1e6))
					if full := payloadRate(endless(t, "ccnx:/demo/a"), linkRate()); barred && index < bar || a+b < 0.9*full {
						t.Errorf("Jain's index %.3f: %.2f and %.2f Mbit/s of %.2f", index, a/1e6, b/1e6, full/1e6)
					}
				})
			})
		}
		rows.add(row...)
	}
	rows.log(t, "Jain's index of two fetches on 100 Mbit/s, 50 ms, and their Mbit/s, from second 5 to 60")
}

// rates returns the bits a second that each of two fetches has.
func (how together) rates(t *testing.T, cc congestion.Kind) (a, b float64) {
	from, to := 3*time.Second, 9*time.Second
	if benching {
		from, to = 5*time.Second, time.Minute
	}
	cs := []*testnet.Content{endless(t, "ccnx:/demo/a"), endless(t, "ccnx:/demo/b")}
	cfg := longPath()
	cfg.Producer = func(r *testnet.Request) { cs[0].Serve(r); cs[1].Serve(r) }
	n := testnet.NewNetwork(cfg)
	var rates [2]float64
	var wg sync.WaitGroup
	for i, c := range cs {
		link := simulated{n.Consumer(testnet.ConsumerConfig{Delay: time.Duration(i) * how.extra})}
		wg.Go(func() {
			later := time.Duration(i) * how.later
			time.Sleep(later)
			m, _ := fetchFor(t, link, c, Path{CC: cc}, to-later)
			rates[i] = m.rate(from-later, to-later)
		})
	}
	wg.Wait()
	return rates[0], rates[1]
}
