//go:build linux

package main

import (
	"fmt"
	"testing"
	"time"
)

// sample is one run of a contestant: how long it took for how many bytes.
type sample struct {
	bytes int64
	// own is by the program's own clock, from its first Interest to the last Data;
	// wall is the whole process. 0: not known.
	own, wall time.Duration
	cpu, fwd  time.Duration // processor time of the process, and of the forwarder meanwhile
	note      string        // why the run does not count; "" where it does
	extra     int64         // Interests beside one a chunk
}

// contestant is one of those that are compared.
type contestant struct {
	name string
	run  func() sample
}

// measured is what the turns of one contestant gave, in MB/s and seconds.
type measured struct {
	name      string
	own, wall series // MB/s
	cpu, fwd  series // seconds, of the process and of the forwarder
	extra     series
	failed    []string
}

// contestant makes one whose runs are at g.
func (g *ground) contestant(name string, run func() sample) contestant {
	return contestant{name, func() sample { return g.counted(run) }}
}

// counted adds the forwarder's processor time to a run.
func (g *ground) counted(run func() sample) sample {
	before := g.fwd.cpu()
	s := run()
	s.fwd = g.fwd.cpu() - before
	return s
}

// inTurn lets all contestants run n times: A, B, A, B ….
func inTurn(t *testing.T, n int, contestants []contestant) []*measured {
	t.Helper()
	all := make([]*measured, len(contestants))
	for i, c := range contestants {
		all[i] = &measured{name: c.name}
	}
	for turn := range n {
		for i, c := range contestants {
			s := c.run()
			m := all[i]
			if s.note != "" {
				t.Logf("turn %d, %s: %s", turn+1, c.name, s.note)
				m.failed = append(m.failed, s.note)
				continue
			}
			m.own.add(s.bytes, s.own)
			m.wall.add(s.bytes, s.wall)
			m.cpu = append(m.cpu, s.cpu.Seconds())
			m.fwd = append(m.fwd, s.fwd.Seconds())
			m.extra = append(m.extra, float64(s.extra))
			t.Logf("turn %d, %s: %s MB/s, the process %s MB/s", turn+1, c.name, latest(m.own), latest(m.wall))
		}
	}
	return all
}

// add appends a rate in MB/s.
func (s *series) add(bytes int64, d time.Duration) {
	if d > 0 {
		*s = append(*s, float64(bytes)/1e6/d.Seconds())
	}
}

func latest(s series) string {
	if len(s) == 0 {
		return "–"
	}
	return figure(s[len(s)-1])
}

// measuredHead heads the rows of measured.
var measuredHead = []string{"case", "MB/s by its own clock: median (least–most)", "MB/s of the whole process", "CPU s", "forwarder CPU s", "Interests beyond one a chunk", "runs"}

func (m *measured) row() []string {
	n := len(m.wall) + len(m.failed)
	return []string{m.name, m.own.String(), m.wall.String(), m.cpu.String(), m.fwd.String(), m.extra.String(), fmt.Sprintf("%d of %d", len(m.wall), n)}
}

// bestOf is the one of the highest median by its own clock.
func bestOf(all []*measured) *measured {
	b := all[0]
	for _, m := range all[1:] {
		if m.own.median() > b.own.median() {
			b = m
		}
	}
	return b
}

// ratioOf of two medians; 0 where one is not known.
func ratioOf(a, b series) float64 {
	if b.median() == 0 {
		return 0
	}
	return a.median() / b.median()
}

// compare adds the row of a comparison of medians, by their own clocks and by the whole
// processes, and holds both to the bar.
func (f *field) compare(t *testing.T, b *mdTable, a, other *measured, bar float64) {
	t.Helper()
	what := a.name + " / " + other.name
	cell := func(clock string, r float64) string {
		return figure(r) + " " + f.bar(t, what+", by "+clock, figure(r), atLeast(bar, r))
	}
	b.row(what, cell("its own clock", ratioOf(a.own, other.own)), cell("the process", ratioOf(a.wall, other.wall)))
}

// ofGet makes a sample of a run of get.
func ofGet(r *got, size int64) sample {
	if !r.ok {
		return sample{note: r.ended.String()}
	}
	return sample{bytes: size, own: r.duration(), wall: r.wall, cpu: r.cpu, extra: r.Interests - r.Chunks}
}
