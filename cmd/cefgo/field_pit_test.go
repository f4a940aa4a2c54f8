//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// barPIT is how long after the end of a get the forwarder may still hold what it asked
// for, in seconds.
const barPIT = 3

// pit fetches more through a forwarder whose table of pending Interests is small.
func (f *field) pit(t *testing.T) {
	haveOnPath(t, "cefstatus")
	const setting = "PIT_SIZE=64"
	t.Run("cefnetd", func(t *testing.T) { f.pitOf(t, f.withCefnetd(t, "CS_MODE=0", setting)) })
	t.Run("cefgo-node", func(t *testing.T) { f.pitOf(t, f.withNode(t, setting)) })
}

func (f *field) pitOf(t *testing.T, g *ground) {
	c := writeContent(t, g.file("content"), f.size(200_000_000))
	const uri = "ccnx:/field/pit"
	g.serve(uri, c.path)
	b := mdTable{}
	b.row("MB/s by its own clock", "chunks", "Interests", "Interests / chunks", "sent again", "PIT empty after, s", "bar")
	most, times := 0.0, f.times(3)
	for range times {
		var empty time.Duration
		g.fresh()
		r := g.tryGet(t, uri, c, func(*os.Process) func() { return func() { empty = g.pitEmptyAfter(t) } })
		if !r.ok {
			t.Errorf("get: %v", r.ended)
			continue
		}
		each := float64(r.Interests) / float64(r.Chunks)
		b.row(figure(float64(c.size)/1e6/r.duration().Seconds()), fmt.Sprint(r.Chunks), fmt.Sprint(r.Interests), fmt.Sprintf("%.4f", each), fmt.Sprint(r.Retransmits),
			figure(empty.Seconds()), atMost(barPIT, empty.Seconds(), " s"))
		most = max(most, empty.Seconds())
	}
	f.bar(t, fmt.Sprintf("PIT empty after, most of %d", times), figure(most)+" s", atMost(barPIT, most, " s"))
	b.log(t)
}

// pitEmptyAfter waits until the forwarder tells that it waits for nothing.
func (g *ground) pitEmptyAfter(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	waitUntil(t, "an empty PIT", func() bool {
		e := g.run(t, "cefstatus", "-d", g.conf(), "-p", fmt.Sprint(g.port))
		empty, ok := emptyPIT(string(e.stdout))
		if !ok {
			t.Fatalf("cefstatus tells of no PIT: %v\n%s", e, e.stdout)
		}
		return empty
	})
	return time.Since(begun)
}

// emptyPIT finds the PIT in a status text, which ends with it (sheet j).
func emptyPIT(status string) (empty, ok bool) {
	_, pit, ok := strings.Cut(status, "\nPIT :")
	return strings.Contains(pit, "Entry is empty"), ok
}
