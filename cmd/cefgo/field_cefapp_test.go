//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

const (
	servedByCefgo  = "ccnx:/field/cefgo"
	servedByCefapp = "ccnx:/field/cefapp"
)

// defaultsSize is the content's where nothing is set; cefapp takes seconds for it.
const defaultsSize = 8_000_000

// withCefapp makes a place with a real cefnetd where cefgo serve and cefapp's producer,
// with the same flags, publish the same content.
func (f *field) withCefapp(t *testing.T, size int64, flags ...string) (*ground, content) {
	t.Helper()
	haveOnPath(t, "cefapp")
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(size))
	g.serve(servedByCefgo, c.path, flags...)
	g.cefapp(servedByCefapp, c.path, flags...)
	return g, c
}

// cefapp100 holds cefgo against cefapp with a window of 100, in blocks of 1024.
func (f *field) cefapp100(t *testing.T) {
	g, c := f.withCefapp(t, 40_000_000, "-b", "1024")
	g.warm(t, servedByCefgo, c)
	f.againstCefapp(t, barCefapp, func(run func(*ground, content) sample) sample { return run(g, c) }, "-s", "100")
}

// defaults holds cefgo against cefapp with no option on either side but where from and
// where to.
func (f *field) defaults(t *testing.T) {
	g, c := f.withCefapp(t, defaultsSize)
	g.warm(t, servedByCefgo, c)
	f.againstCefapp(t, barDefaults, func(run func(*ground, content) sample) sample { return run(g, c) })
}

// defaultsFresh does the same with a forwarder that has just started, for each run.
func (f *field) defaultsFresh(t *testing.T) {
	haveOnPath(t, "cefapp")
	f.againstCefapp(t, barDefaults, func(run func(*ground, content) sample) (s sample) {
		t.Run("run", func(t *testing.T) { s = run(f.withCefapp(t, defaultsSize)) })
		return s
	})
}

// againstCefapp holds cefgo get against cefapp's consumer with those flags, each run at
// a place that at chooses. The own clock of cefapp, which has none, is its process without
// what one takes for a content of one chunk: Python's start.
func (f *field) againstCefapp(t *testing.T, bar float64, at func(func(*ground, content) sample) sample, flags ...string) {
	start := f.cefappStart(t)
	all := inTurn(t, f.turns, []contestant{
		{"cefgo get", func() sample {
			return at(func(g *ground, c content) sample {
				return g.counted(func() sample { return ofGet(g.get(t, servedByCefgo, c), c.size) })
			})
		}},
		{strings.TrimSpace("cefapp " + strings.Join(flags, " ")), func() sample {
			s := at(func(g *ground, c content) sample {
				return g.counted(func() sample { return g.cefappConsumer(t, servedByCefapp, c, flags...) })
			})
			s.own = s.wall - start
			return s
		}},
	})
	b := mdTable{}
	b.row(measuredHead...)
	for _, m := range all {
		b.row(m.row()...)
	}
	f.compare(t, &b, all[0], all[1], bar)
	b.log(t)
	t.Logf("the own clock of cefapp is its process without the %v that it takes for one chunk", start.Round(time.Millisecond))
}

// cefappStart is the median time of a consumer for one chunk.
func (f *field) cefappStart(t *testing.T) time.Duration {
	var s series
	t.Run("start", func(t *testing.T) {
		g := f.withCefnetd(t, "CS_MODE=0")
		one := writeContent(t, g.file("one"), 1)
		g.cefapp(servedByCefapp, one.path)
		for range 3 {
			if r := g.cefappConsumer(t, servedByCefapp, one); r.note == "" {
				s = append(s, r.wall.Seconds())
			}
		}
	})
	return time.Duration(s.median() * float64(time.Second))
}

// cefapp publishes a file by cefapp's producer.
func (g *ground) cefapp(uri, file string, flags ...string) *beside {
	g.t.Helper()
	b := runBeside(g.t, g.env(), "", append([]string{"cefapp", "producer", uri, file, "-i", "file", "-t", "1000", "-q"}, flags...)...)
	g.fetchable(uri)
	return b
}

// cefappConsumer fetches uri by cefapp. It is patient: a window that is lost costs it
// four seconds.
func (g *ground) cefappConsumer(t *testing.T, uri string, want content, flags ...string) sample {
	t.Helper()
	g.fresh()
	args := append([]string{"cefapp", "consumer", uri, "-o", "file", "-f", g.file(gotFile), "-t", "100", "-q"}, flags...)
	e := g.run(t, args...)
	if e.code != 0 || !want.holds(g.file(gotFile)) {
		return sample{note: "other bytes, or " + e.String()}
	}
	return sample{bytes: want.size, wall: e.wall, cpu: e.cpu}
}
