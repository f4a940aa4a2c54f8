//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/object"
)

const (
	// barResume is how much of the content, in percent, a get that was killed at half of
	// it moves again at most.
	barResume = 60
	// barRandom is how much more than what was missing a get moves again at most, in
	// percent of the content, wherever it was killed: as above.
	barRandom = 10
	resumeURI = "ccnx:/field/resume"
)

// resume kills gets by SIGKILL and goes on by --resume.
func (f *field) resume(t *testing.T) {
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(64<<20))
	g.serve(resumeURI, c.path)
	b := &mdTable{}
	b.row("killed at", "left, MB", "moved again, MB: by the result", "by Interests", "of the content, %", "beyond what was missing, %", "bar")
	t.Run("half", func(t *testing.T) {
		most := 0.0
		for range f.turns {
			r := g.killAndResume(t, c, atHalf(g, c))
			b.row(r.row(c, atMost(barResume, r.share(c), " %"))...)
			most = max(most, r.share(c))
		}
		f.bar(t, fmt.Sprintf("moved again, most of %d", f.turns), figure(most)+" %", atMost(barResume, most, " %"))
	})
	t.Run("random", func(t *testing.T) {
		g.warm(t, resumeURI, c)
		whole := g.get(t, resumeURI, c).wall
		rng := rand.New(rand.NewPCG(1, 1))
		most, times := 0.0, f.times(20)
		for range times {
			r := g.killAndResume(t, c, atTime(time.Duration(rng.Float64()*float64(whole))))
			b.row(r.row(c, atMost(barRandom, r.beyond(c), " %"))...)
			most = max(most, r.beyond(c))
		}
		f.bar(t, fmt.Sprintf("moved beyond what was missing, most of %d", times), figure(most)+" %", atMost(barRandom, most, " %"))
	})
	b.log(t)
}

// resumed is a get that was killed, and what the one that went on moved.
type resumed struct {
	when     string
	left     int64 // bytes in the part file after the kill
	byResult int64 // bytes that the second one says it has fetched
	byAsking int64 // and by its Interests, of which each may have brought a block
}

// share is how much was moved again, in percent of the content.
func (r resumed) share(c content) float64 { return percentOf(r.byAsking, c.size) }

// beyond is how much of that was there already, in percent of the content.
func (r resumed) beyond(c content) float64 { return percentOf(r.byAsking-(c.size-r.left), c.size) }

func percentOf(n, of int64) float64 { return 100 * float64(n) / float64(of) }

func (r resumed) row(c content, bar string) []string {
	mb := func(n int64) string { return fmt.Sprintf("%.2f", float64(n)/1e6) }
	return []string{r.when, mb(r.left), mb(r.byResult), mb(r.byAsking), fmt.Sprintf("%.1f", r.share(c)), fmt.Sprintf("%.1f", r.beyond(c)), bar}
}

// moment kills a running process when it has come, and returns what ends the waiting for
// it. when is its text.
type moment struct {
	when  string
	start func(*os.Process) (end func())
}

// atHalf comes when half of the content is in the part file.
func atHalf(g *ground, c content) moment {
	return moment{"half", func(p *os.Process) func() {
		watched := growth{path: g.file(gotPart), reach: c.size / 2, at: func() { _ = p.Kill() }}
		return watched.watch()
	}}
}

// atTime comes so long after the process was started.
func atTime(d time.Duration) moment {
	return moment{fmt.Sprintf("%d ms", d.Milliseconds()), func(p *os.Process) func() {
		timer := time.AfterFunc(d, func() { _ = p.Kill() })
		return func() { timer.Stop() }
	}}
}

// killAndResume kills a get and goes on with --resume, which must get all of it. A get
// that is faster than the moment leaves nothing to go on from, and the second one fetches
// all of it.
func (g *ground) killAndResume(t *testing.T, c content, m moment) resumed {
	t.Helper()
	g.fresh()
	first := g.tryGet(t, resumeURI, c, m.start)
	r := resumed{when: m.when}
	switch {
	case first.ok:
		r.when += " (had ended)"
		g.fresh()
	case first.code != -1:
		t.Errorf("get: %v", first.ended)
	}
	if info, err := os.Stat(g.file(gotPart)); err == nil {
		r.left = info.Size()
	}
	second := g.tryGet(t, resumeURI, c, nil, "--resume")
	if !second.ok {
		t.Errorf("killed at %s, %d bytes left: get --resume: %v", r.when, r.left, second.ended)
		return r
	}
	r.byResult, r.byAsking = second.Fetched, second.Interests*object.DefaultBlock
	return r
}
