//go:build linux

package main

import (
	"fmt"
	"testing"
)

// Bars of what comes from a live publisher through a real cefnetd that caches nothing.
const (
	barGenerator = 0.9 // of what the path carries for a bare generator at its best window
	barCefapp    = 1.6 // times cefapp with a window of 100
	barDefaults  = 8   // times cefapp, nothing being set on either side
)

// generatorWindows are those of which the generator takes the best.
var generatorWindows = []int{32, 64, 90, 128, 256, 512, 1024}

// live compares what a live publisher and its consumer carry.
func (f *field) live(t *testing.T) {
	for _, block := range []int{1024, 2048} {
		t.Run(fmt.Sprintf("block=%d", block), func(t *testing.T) { f.liveGenerator(t, block) })
	}
	t.Run("cefapp-100", f.cefapp100)
	t.Run("defaults", f.defaults)
	t.Run("defaults-fresh", f.defaultsFresh)
}

// liveGenerator holds cefgo get against a generator that is served by a bare producer,
// and against one that is served by cefgo serve, as get is.
func (f *field) liveGenerator(t *testing.T, block int) {
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(40_000_000))
	chunks := int((c.size + int64(block) - 1) / int64(block))
	const served, bare = "ccnx:/field/served", "ccnx:/field/bare"
	g.serve(served, c.path, "-b", fmt.Sprint(block))
	g.produce(bare, chunks, block)
	g.warm(t, served, c)
	generator := func(by, uri string, window int) contestant {
		return g.contestant(fmt.Sprintf("generator, %s, W=%d", by, window), func() sample { return g.generate(t, uri, chunks, block, window) })
	}

	var sweep []contestant
	for _, w := range generatorWindows {
		sweep = append(sweep, generator("bare producer", bare, w), generator("cefgo serve", served, w))
	}
	all := inTurn(t, f.times(3), sweep)
	windows := mdTable{}
	windows.row(measuredHead...)
	var byBare, byServe []*measured
	for i, m := range all {
		windows.row(m.row()...)
		if i%2 == 0 {
			byBare = append(byBare, m)
		} else {
			byServe = append(byServe, m)
		}
	}
	windows.log(t)

	contestants := []contestant{
		g.contestant("cefgo get", func() sample { return ofGet(g.get(t, served, c), c.size) }),
		contestantNamed(sweep, bestOf(byBare).name),
		contestantNamed(sweep, bestOf(byServe).name),
	}
	b := mdTable{}
	b.row(measuredHead...)
	all = inTurn(t, f.turns, contestants)
	for _, m := range all {
		b.row(m.row()...)
	}
	for _, m := range all[1:] {
		f.compare(t, &b, all[0], m, barGenerator)
	}
	b.log(t)
}

func contestantNamed(all []contestant, name string) contestant {
	for _, c := range all {
		if c.name == name {
			return c
		}
	}
	panic("no contestant " + name)
}
