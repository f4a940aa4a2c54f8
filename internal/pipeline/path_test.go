package pipeline

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
)

// The window is what the control says, but at least 1 and within all bounds: Max, the
// forwarder's room, what may wait out of order in memory, and the ring.
func TestPathWindow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		p      Path
		room   int // 0: no bound
		says   float64
		packet int
		want   int
	}{
		{"as it says", Path{}, 0, 77.4, 1000, 77},
		{"rounded", Path{}, 0, 77.5, 1000, 78},
		{"at least one", Path{}, 0, 0.2, 1000, 1},
		{"Max", Path{Max: 50}, 0, 77, 1000, 50},
		{"the forwarder's room", Path{}, 30, 77, 1000, 30},
		{"Max and room", Path{Max: 20}, 30, 77, 1000, 20},
		{"no room at all", Path{}, -5, 77, 1000, 1},
		{"large packets", Path{}, 0, 10000, 1 << 16, reorderBytes >> 16},
		{"the ring", Path{}, 0, 1e6, 100, reorderChunks / 2},
	} {
		if tt.room != 0 {
			tt.p.Room = func() int { return tt.room }
		}
		p := newPath(tt.p)
		p.cc = &spy{window: tt.says}
		p.onData(tt.packet, time.Unix(1, 0), time.Unix(2, 0), true)
		if got := p.window(); got != tt.want {
			t.Errorf("%s: window %d, want %d", tt.name, got, tt.want)
		}
	}
}

// By default a session begins with ten Interests, or has 64 all the time.
func TestPathDefaults(t *testing.T) {
	for _, tt := range []struct {
		p    Path
		cc   congestion.Kind
		want int
	}{
		{Path{}, congestion.Kinds[0], 10}, {Path{CC: congestion.AIMD}, congestion.AIMD, 10}, {Path{CC: congestion.Fixed}, congestion.Fixed, 64},
		{Path{CC: congestion.Fixed, Window: 7}, congestion.Fixed, 7}, {Path{CC: congestion.Cubic, Window: 30}, congestion.Cubic, 30},
	} {
		if p := newPath(tt.p); p.CC != tt.cc || p.window() != tt.want {
			t.Errorf("%+v: %s with a window of %d, want %s with %d", tt.p, p.CC, p.window(), tt.cc, tt.want)
		}
	}
}

// The losses of what was sent before anybody answered are not told to the control; it
// is told once what the forwarder holds, if the path is short.
func TestPathFirstData(t *testing.T) {
	asked := 0
	p := newPath(Path{Expect: func(size int) int { asked += size; return 40 }})
	cc := &spy{window: 10}
	p.cc = cc
	now := time.Unix(1000, 0)
	p.onLoss(now, now.Add(ms))
	p.onData(500, now, now.Add(3*ms), true)
	p.onLoss(now, now.Add(60*ms)) // sent before that
	p.onData(600, now, now.Add(70*ms), false)
	p.onLoss(now.Add(50*ms), now.Add(200*ms))
	if len(cc.losses) != 1 || asked != 500 {
		t.Errorf("%d losses told, asked for packets of %d bytes; want 1, 500", len(cc.losses), asked)
	}
	if len(cc.answers) != 2 || cc.answers[0].RTT != 3*ms || cc.answers[1].RTT != 0 {
		t.Errorf("answers told: %+v", cc.answers)
	}
}

func TestPathLong(t *testing.T) {
	p := newPath(Path{Expect: func(int) int { t.Error("asked what the forwarder holds"); return 40 }})
	now := time.Unix(1000, 0)
	p.onData(500, now, now.Add(5*ms), true)
	p.onData(500, now.Add(5*ms), now.Add(6*ms), true)
}

// The figures are of the window in its bounds, one for each Data.
func TestPathFigures(t *testing.T) {
	p := newPath(Path{Max: 100})
	cc := &shrinking{spy{window: 10}}
	p.cc = cc
	now := time.Unix(1000, 0)
	for _, w := range []float64{10, 20, 500, 40} {
		cc.window = w
		p.onData(100, now, now, true)
	}
	for range 3 {
		p.onLoss(now.Add(ms), now.Add(2*ms))
	}
	if most, mean, decreases := p.stats.figures(); most != 100 || mean != 42.5 || decreases != 2 {
		t.Errorf("at most %v, %v on average, %d decreases; want 100, 42.5, 2", most, mean, decreases)
	}
}

// shrinking halves its window at a loss, down to ten.
type shrinking struct{ spy }

func (c *shrinking) OnLoss(x congestion.Loss) {
	if c.window >= 15 {
		c.window /= 2
	}
}
