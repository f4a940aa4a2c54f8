//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
	t.Run("cefapp-100", func(t *testing.T) { f.liveCefapp(t) })
	t.Run("defaults", func(t *testing.T) { f.liveDefaults(t) })
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
		return contestant{
			name: fmt.Sprintf("generator, %s, W=%d", by, window),
			run:  func() sample { return g.generate(t, uri, chunks, block, window) },
		}
	}

	var sweep []contestant
	for _, w := range generatorWindows {
		sweep = append(sweep, generator("bare producer", bare, w), generator("cefgo serve", served, w))
	}
	all := g.inTurn(t, f.times(3), sweep)
	windows := table{}
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
		{"cefgo get", func() sample { return ofGet(g.get(t, served, c), c.size) }},
		find(sweep, best(byBare).name),
		find(sweep, best(byServe).name),
	}
	b := table{}
	b.row(measuredHead...)
	all = g.inTurn(t, f.turns, contestants)
	for _, m := range all {
		b.row(m.row()...)
	}
	for _, m := range all[1:] {
		f.compare(t, &b, all[0], m, barGenerator)
	}
	b.log(t)
}

func find(all []contestant, name string) contestant {
	for _, c := range all {
		if c.name == name {
			return c
		}
	}
	panic("no contestant " + name)
}

// liveCefapp holds cefgo against cefapp with a window of 100, each with its own
// publisher and blocks of 1024.
func (f *field) liveCefapp(t *testing.T) {
	have(t, "cefapp")
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(40_000_000))
	g.serve(servedByCefgo, c.path, "-b", "1024")
	g.cefapp(servedByCefapp, c.path, "-b", "1024")
	f.againstCefapp(t, g, c, barCefapp, "-s", "100")
}

// liveDefaults does the same with no option on either side but where from and where to.
func (f *field) liveDefaults(t *testing.T) {
	have(t, "cefapp")
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(8_000_000))
	g.serve(servedByCefgo, c.path)
	g.cefapp(servedByCefapp, c.path)
	f.againstCefapp(t, g, c, barDefaults)
}

const (
	servedByCefgo  = "ccnx:/field/cefgo"
	servedByCefapp = "ccnx:/field/cefapp"
)

// againstCefapp holds cefgo get against cefapp's consumer with those flags. The own
// clock of cefapp, which has none, is its process without what one takes for a content
// of one chunk: Python's start.
func (f *field) againstCefapp(t *testing.T, g *ground, c content, bar float64, flags ...string) {
	one := writeContent(t, g.file("one"), 1)
	g.cefapp(servedByCefapp+"-one", one.path)
	start := cefappStart(t, g, one)
	g.warm(t, servedByCefgo, c)
	name := strings.TrimSpace("cefapp " + strings.Join(flags, " "))
	all := g.inTurn(t, f.turns, []contestant{
		{"cefgo get", func() sample { return ofGet(g.get(t, servedByCefgo, c), c.size) }},
		{name, func() sample {
			s := g.cefappConsumer(t, servedByCefapp, c, flags...)
			s.own = s.wall - start
			return s
		}},
	})
	b := table{}
	b.row(measuredHead...)
	for _, m := range all {
		b.row(m.row()...)
	}
	f.compare(t, &b, all[0], all[1], bar)
	b.log(t)
	t.Logf("the own clock of cefapp is its process without the %v that it takes for one chunk", start.Round(time.Millisecond))
}

// cefappStart is the median time of a consumer for one chunk.
func cefappStart(t *testing.T, g *ground, one content) time.Duration {
	var s series
	for range 3 {
		if r := g.cefappConsumer(t, servedByCefapp+"-one", one); r.note == "" {
			s = append(s, r.wall.Seconds())
		}
	}
	return time.Duration(s.median() * float64(time.Second))
}

// cefappConsumer fetches uri by cefapp. It is patient: a window that is lost costs it
// four seconds.
func (g *ground) cefappConsumer(t *testing.T, uri string, want content, flags ...string) sample {
	t.Helper()
	g.fresh()
	args := append([]string{"cefapp", "consumer", uri, "-o", "file", "-f", g.file(out), "-t", "100", "-q"}, flags...)
	e := g.run(t, args...)
	if e.code != 0 || !want.holds(g.file(out)) {
		return sample{note: "other bytes, or " + e.String()}
	}
	return sample{bytes: want.size, wall: e.wall, cpu: e.cpu}
}
