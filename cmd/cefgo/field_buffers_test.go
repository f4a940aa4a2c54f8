//go:build linux

package main

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// barBuffers is how much of the rate of a client that knows the best window get finds by
// itself, with whatever buffers the system has.
const barBuffers = 0.8

// knownWindows are those of which the client that knows takes the best.
var knownWindows = []int{16, 32, 48, 64, 90, 128, 256, 512, 1024}

// buffersPatience ends a get whose window loses more than it gets.
const buffersPatience = 20 * time.Second

// buffers holds get against get -w N.
func (f *field) buffers(t *testing.T) {
	g := f.withCefnetd(t, "CS_MODE=0")
	c := writeContent(t, g.file("content"), f.size(50_000_000))
	const uri = "ccnx:/field/buffers"
	g.serve(uri, c.path, "-b", "1024")
	g.warm(t, uri, c)
	t.Logf("wmem_default %s, wmem_max %s", kernelValue("net/core/wmem_default"), kernelValue("net/core/wmem_max"))

	stalls := make(map[string]*series) // seconds
	get := func(name string, flags ...string) contestant {
		stalls[name] = new(series)
		return g.contestant(name, func() sample {
			g.fresh()
			watched := growth{path: g.file(gotPart)}
			r := g.tryGet(t, uri, c, func(*os.Process) func() { return watched.watch() }, append(flags, "--deadline", buffersPatience.String())...)
			if r.ok {
				*stalls[name] = append(*stalls[name], watched.longest.Seconds())
			} else if len(flags) == 0 {
				t.Errorf("get: %v", r.ended)
			}
			return ofGet(r, c.size)
		})
	}
	var sweep []contestant
	for _, w := range knownWindows {
		sweep = append(sweep, get(fmt.Sprintf("get -w %d", w), "-w", fmt.Sprint(w)))
	}
	known := inTurn(t, f.times(2), sweep)
	windows := stallTable(known, stalls)
	windows.log(t)

	all := inTurn(t, f.turns, []contestant{get("get"), contestantNamed(sweep, bestOf(known).name)})
	b := stallTable(all, stalls)
	f.compare(t, b, all[0], all[1], barBuffers)
	b.log(t)
	f.summary.row("buffers", "longest stall of get", stalls["get"].String()+" s", "")
}

// stallTable is the table of measured with a column for the longest time between two
// growths of the part file.
func stallTable(all []*measured, stalls map[string]*series) *mdTable {
	b := new(mdTable)
	b.row(append(measuredHead[:len(measuredHead):len(measuredHead)], "longest stall, s")...)
	for _, m := range all {
		b.row(append(m.row(), stalls[m.name].String())...)
	}
	return b
}
