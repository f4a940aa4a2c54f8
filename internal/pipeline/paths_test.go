package pipeline

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
)

// lossBars are the least shares of what losses leave of the long path that a control
// is to have. What is not here is printed only.
var lossBars = map[congestion.Kind]map[float64]float64{
	congestion.Cubic: {0: 0.95},
	congestion.Delay: {0: 0.95, 0.001: 0.95, 0.01: 0.9, 0.05: 0.8},
	congestion.AIMD:  {0: 0.9},
}

// TestLongPath fetches over a long path with random losses: the share of the link
// that each control uses.
func TestLongPath(t *testing.T) {
	losses := []float64{0, 0.001, 0.01, 0.05}
	rows := table{{"control"}}
	for _, loss := range losses {
		rows[0] = append(rows[0], fmt.Sprintf("%v %% lost", 100*loss))
	}
	for _, cc := range []congestion.Kind{congestion.Cubic, congestion.Delay, congestion.AIMD} {
		row := []string{string(cc)}
		for _, loss := range losses {
			bar, ok := lossBars[cc][loss]
			if !benching && (!ok || cc == congestion.AIMD || loss == 0.001) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%v%%", cc, 100*loss), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					share, r := longPathShare(t, cc, loss)
					row = append(row, fmt.Sprintf("%.1f %%", 100*share))
					if share < bar {
						t.Errorf("%.3f of the link, want %v", share, bar)
					}
					if again := r.Stats.Retransmits; float64(again) > (loss+0.01)*float64(r.Stats.Interests)*1.2 {
						t.Errorf("%d of %d Interests sent again", again, r.Stats.Interests)
					}
					if s := r.Stats; s.Silences > 0 || s.Spurious > s.Lost/10 {
						t.Errorf("%d silences, %d of %d losses proved none", s.Silences, s.Spurious, s.Lost)
					}
				})
			})
		}
		rows.add(row...)
	}
	rows.log(t, "Share of what losses leave of 100 Mbit/s, 50 ms, from second 5 to 60")
}

// longPathShare fetches over a long path that loses so much, and returns the share of
// the rest that it had.
func longPathShare(t *testing.T, cc congestion.Kind, loss float64) (float64, Result) {
	from, to := 2*time.Second, 6*time.Second
	if benching {
		from, to = 5*time.Second, time.Minute
	}
	c := endless(t, "ccnx:/demo/endless")
	cfg := longPath()
	cfg.Producer, cfg.Down.Loss = c.Serve, loss
	n := testnet.NewNetwork(cfg)
	m, r := fetchFor(t, simulated{n.Consumer(testnet.ConsumerConfig{})}, c, Path{CC: cc}, to)
	return m.rate(from, to) / (payloadRate(c, linkRate()) * (1 - loss)), r
}
