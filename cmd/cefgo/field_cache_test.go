//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// barCache is how much faster than cefgetfile at its best window get is, from the cache
// of a real cefnetd.
const barCache = 1.5

// cefgetfileWindows are those of which cefgetfile takes the best: 8 is its default, and it
// takes anything above 256 for 256.
var cefgetfileWindows = []int{4, 8, 16, 32, 64, 128, 256}

// cefgetfileSleep is how long cefgetfile sleeps before it ends, whatever it has done:
// usleep(1000000) at the end of its post_process (cefgetfile.c 924), when the file has
// been written and closed. Its process is taken without it; its own clock runs from the
// first Data to the last, before that.
const cefgetfileSleep = time.Second

// cefgetfilePatience ends a cefgetfile that loses a window again and again, of which each
// costs it 1.5 s.
const cefgetfilePatience = 12 * time.Second

func (f *field) cache(t *testing.T) {
	for _, block := range []int{1024, 8192, 32000} {
		t.Run(fmt.Sprintf("block=%d", block), func(t *testing.T) { f.cacheBlock(t, block) })
	}
}

func (f *field) cacheBlock(t *testing.T, block int) {
	haveOnPath(t, "cefgetfile")
	g := f.withCefnetd(t, "CS_MODE=1", "LOCAL_CACHE_CAPACITY=1000000")
	c := writeContent(t, g.file("content"), f.size(40_000_000))
	const uri = "ccnx:/field/cached"
	begun := time.Now()
	e := g.run(t, f.cefgo, "put", "-q", "-d", g.conf(), uri, c.path, "-b", fmt.Sprint(block), "-t", "3600", "-e", "7200")
	if e.code != 0 {
		t.Fatalf("put: %v", e)
	}
	t.Logf("pushed and read back in %.1f s", time.Since(begun).Seconds())
	g.warm(t, uri, c)

	var sweep []contestant
	for _, w := range cefgetfileWindows {
		sweep = append(sweep, g.contestant(fmt.Sprintf("cefgetfile -s %d", w), func() sample { return g.cefgetfile(t, uri, c, w) }))
	}
	windows := mdTable{}
	windows.row(measuredHead...)
	all := inTurn(t, f.times(2), sweep)
	for _, m := range all {
		windows.row(m.row()...)
	}
	windows.log(t)

	all = inTurn(t, f.turns, []contestant{
		g.contestant("cefgo get", func() sample { return ofGet(g.get(t, uri, c), c.size) }),
		contestantNamed(sweep, bestOf(all).name),
	})
	b := mdTable{}
	b.row(measuredHead...)
	for _, m := range all {
		b.row(m.row()...)
	}
	f.compare(t, &b, all[0], all[1], barCache)
	b.log(t)
}

// cefgetfile fetches uri by Cefore's own program.
func (g *ground) cefgetfile(t *testing.T, uri string, want content, window int) sample {
	t.Helper()
	g.fresh()
	args := []string{"cefgetfile", uri, "-f", g.file(gotFile), "-s", fmt.Sprint(window), "-d", g.conf(), "-p", fmt.Sprint(g.port)}
	e := program{env: g.env(), args: args, within: cefgetfilePatience}.run(t)
	if e.code != 0 || !want.holds(g.file(gotFile)) {
		return sample{note: "other bytes, or " + e.String()}
	}
	return sample{bytes: want.size, own: cefgetfileDuration(e.stdout), wall: e.wall - cefgetfileSleep, cpu: e.cpu}
}

// cefgetfileDuration reads "[cefgetfile] Duration = 1.234 sec"; 0 where it does not say.
func cefgetfileDuration(said []byte) time.Duration {
	for line := range bytes.Lines(said) {
		_, rest, ok := strings.Cut(string(line), "Duration")
		rest, _ = strings.CutSuffix(strings.TrimSpace(rest), " sec")
		if secs, err := strconv.ParseFloat(strings.TrimLeft(rest, " ="), 64); ok && err == nil {
			return time.Duration(secs * float64(time.Second))
		}
	}
	return 0
}
