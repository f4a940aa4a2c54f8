package pipeline

import (
	"context"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// heavyTests says that what takes minutes of processor time is wanted (make bench).
func heavyTests(t *testing.T) {
	if os.Getenv("CEFGO_BENCH") == "" {
		t.Skip("set CEFGO_BENCH=1 (make bench) for the tables of simulated paths")
	}
}

// TestMix lets two controls share a long path.
func TestMix(t *testing.T) {
	heavyTests(t)
	for _, order := range [][2]congestion.Kind{{"delay", "cubic"}, {"cubic", "delay"}} {
		synctest.Test(t, func(t *testing.T) {
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
				s := NewSession(simulated{n.Consumer(testnet.ConsumerConfig{})}, Path{CC: order[i]})
				wg.Go(func() {
					defer s.Close()
					time.Sleep(time.Duration(i) * 2 * time.Second)
					r, _ := s.Fetch(ctx, c.Name, m, Options{Last: tlv.Some[uint64](1<<30 - 2)})
					rates[i], results[i] = m.rate(5*time.Second, time.Minute), r
				})
			}
			wg.Wait()
			t.Logf("%v: %.1f and %.1f Mbit/s rtt %v lost %d %d", order, rates[0]/1e6, rates[1]/1e6, results[0].Stats.RTT.Mean(), results[0].Stats.Lost, results[1].Stats.Lost)
		})
	}
}

// TestShapes prints how the controls do on paths of many shapes.
func TestShapes(t *testing.T) {
	heavyTests(t)
	type shape struct {
		name         string
		rate         testnet.BitRate
		rtt, jitter  time.Duration
		queue, block int
		loss, burst  float64
		socket       int
	}
	for _, s := range []shape{
		{"shallow queue 20 pkts", 100 * mbit, 50 * time.Millisecond, 0, 22000, 1024, 0, 0, 0},
		{"10 Mbit", 10 * mbit, 50 * time.Millisecond, 0, 62500, 1024, 0, 0, 0},
		{"1 Mbit", 1 * mbit, 50 * time.Millisecond, 0, 62500, 1024, 0, 0, 0},
		{"1 Gbit 10ms", 1000 * mbit, 10 * time.Millisecond, 0, 1250000, 1024, 0, 0, 0},
		{"400ms", 100 * mbit, 400 * time.Millisecond, 0, 5000000, 1024, 0, 0, 0},
		{"jitter 20", 100 * mbit, 50 * time.Millisecond, 20 * time.Millisecond, 625000, 1024, 0, 0, 0},
		{"jitter 20 loss 2%", 100 * mbit, 50 * time.Millisecond, 20 * time.Millisecond, 625000, 1024, 0.02, 0, 0},
		{"burst loss 2%x10", 100 * mbit, 50 * time.Millisecond, 0, 625000, 1024, 0.02, 10, 0},
		{"32K blocks", 100 * mbit, 50 * time.Millisecond, 0, 625000, 32000, 0, 0, 0},
		{"LAN 0.3ms 1G", 1000 * mbit, 300 * time.Microsecond, 0, 250000, 1024, 0, 0, 0},
		{"deep buffer 1s", 10 * mbit, 50 * time.Millisecond, 0, 1250000, 1024, 0, 0, 0},
		{"20% loss", 100 * mbit, 50 * time.Millisecond, 0, 625000, 1024, 0.2, 0, 0},
		{"36% loss", 100 * mbit, 50 * time.Millisecond, 0, 625000, 1024, 0.36, 0, 0},
		{"no rate, socket 93", 0, 1 * time.Millisecond, 0, 0, 1024, 0, 0, 93},
	} {
		for _, cc := range []congestion.Kind{"cubic", "delay"} {
			synctest.Test(t, func(t *testing.T) {
				c := testnet.NewContent(mustName(t, "ccnx:/x"), 1<<30, s.block)
				cfg := testnet.Config{Seed: 1, Up: testnet.Impairment{Delay: s.rtt / 2}, Down: testnet.Impairment{Delay: s.rtt / 2, Rate: s.rate, Queue: s.queue, Jitter: s.jitter, Loss: s.loss, LossBurst: s.burst}, Producer: c.Serve}
				n := testnet.NewNetwork(cfg)
				d := 20 * time.Second
				if s.rate >= 1000*mbit || s.rate == 0 {
					d = 4 * time.Second
				}
				ctx, cancel := context.WithTimeoutCause(t.Context(), d, errEnough)
				defer cancel()
				sess := NewSession(simulated{n.Consumer(testnet.ConsumerConfig{Socket: s.socket})}, Path{CC: cc})
				m := newMeter(c, 10*time.Millisecond)
				r, err := sess.Fetch(ctx, c.Name, m, Options{Last: tlv.Some[uint64](1<<30 - 2)})
				sess.Close()
				_, down := n.Counters()
				share := 0.0
				if s.rate > 0 {
					share = m.rate(d/10, d) / (float64(s.rate) * (1 - s.loss) * wireShare(c))
				} else {
					share = m.rate(d/10, d) / 1e6
				}
				t.Logf("%-22s %-6s share %5.1f%% first %.1f%% over %d lost %d to %d spur %d sil %d w %.0f/%.0f rtt %v sent/got %.3f %v", s.name, cc, 100*share, 100*m.rate(0, d/10)/(float64(s.rate)*wireShare(c)+1), down.Overflow, r.Stats.Lost, r.Stats.Timeouts, r.Stats.Spurious, r.Stats.Silences, r.Stats.WindowMean, r.Stats.WindowMax, r.Stats.RTT.Mean().Round(time.Millisecond), float64(r.Stats.Interests)/float64(r.Chunks+1), err)
			})
		}
	}
}
