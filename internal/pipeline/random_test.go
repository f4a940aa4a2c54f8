package pipeline

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/congestion"
)

// A case of any content, in any style, over any network.
type anyFetch struct {
	producer
	faults
	seed    uint64
	relinks []time.Duration
	stop    int // the first chunk that the producer no longer answers; -1: none
	o       Options
	path    Path
}

func drawFetch(t *rapid.T) anyFetch {
	ms := func(label string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Millisecond
	}
	often := func(label string, most float64) float64 {
		if !rapid.Bool().Draw(t, label+"?") {
			return 0
		}
		return rapid.Float64Range(0, most).Draw(t, label)
	}
	c := anyFetch{seed: rapid.Uint64().Draw(t, "seed"), stop: -1}
	block := rapid.IntRange(1, 50).Draw(t, "block")
	c.producer = split(random(c.seed, rapid.IntRange(0, 4000).Draw(t, "size")), block)
	c.end = endStyle(rapid.IntRange(0, 2).Draw(t, "end"))
	if rapid.Bool().Draw(t, "meta") {
		c.meta = fmt.Sprint(len(c.chunks))
	}
	if rapid.Bool().Draw(t, "version") {
		c.version = []byte("v1")
	}
	c.faults = faults{
		latency: ms("latency", 400), jitter: ms("jitter", 200),
		loss: often("loss", 0.4), duplicate: often("duplicate", 0.5), corrupt: often("corrupt", 0.3),
	}
	for range rapid.IntRange(0, 2).Draw(t, "relinks") {
		c.relinks = append(c.relinks, ms("relink", 3000))
	}
	if rapid.IntRange(0, 4).Draw(t, "stops") == 0 {
		c.stop = rapid.IntRange(0, len(c.chunks)).Draw(t, "stop")
	}
	c.path.CC = rapid.SampledFrom(congestion.Kinds).Draw(t, "control")
	c.path.Window = rapid.IntRange(0, 100).Draw(t, "window")
	if rapid.IntRange(0, 3).Draw(t, "range") == 0 {
		c.o.First = rapid.Uint64Range(0, uint64(len(c.chunks)+1)).Draw(t, "first")
	}
	if rapid.IntRange(0, 3).Draw(t, "range end") == 0 {
		c.o.Last.OK = true
		c.o.Last.V = c.o.First + rapid.Uint64Range(0, 100).Draw(t, "last")
	}
	return c
}

// recorder keeps the errors of a property's one case to itself.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Failed() bool { return len(r.errors) > 0 }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// run fetches once, with the promises and laws of [run].
func (c *anyFetch) run(t *testing.T) (out []byte, r Result, n *network, broken []string, err error) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{TB: t}
		n = newNetwork(rec, c.producer)
		n.path = c.path
		n.faults, n.rng = c.faults, rand.New(rand.NewPCG(c.seed, 1))
		if c.stop >= 0 {
			n.script = func(a ask) ([][]byte, bool) { return nil, !a.meta && a.chunk >= uint64(c.stop) }
		}
		for _, at := range c.relinks {
			time.AfterFunc(at, n.relink)
		}
		out, r, err = run(t.Context(), n, c.o, nil)
		broken = rec.errors
	})
	return
}

// Whatever the network does to whatever content, a fetch ends with all of it, byte
// for byte, or with an error and a first part of it. On a network that only delays,
// doubles and reorders, and a content that tells its end, it ends with all.
func TestFetchAny(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawFetch(rt)
		out, r, n, broken, err := c.run(t)
		for _, b := range broken {
			rt.Errorf("%s", b)
		}
		want := n.wanted(c.o)
		if err == nil && !bytes.Equal(out, want) || !bytes.HasPrefix(want, out) {
			rt.Fatalf("%d bytes of %d, error %v", len(out), len(want), err)
		}
		if err != nil && c.mustEndWell() {
			rt.Fatalf("nothing was lost for good, and the end told; but: %v", err)
		}
		if err == nil && (r.EndSource == "" || r.EndSource == EndSilence) {
			rt.Fatalf("complete, but the end is from %q", r.EndSource)
		}
	})
}

// mustEndWell reports whether nothing can keep the fetch from its end.
func (c *anyFetch) mustEndWell() bool {
	n := uint64(len(c.chunks))
	told := c.end != endNowhere || c.meta != "" && !c.o.Last.OK || c.o.Last.OK && c.o.Last.V < n
	return told && c.loss == 0 && c.corrupt == 0 && c.stop < 0 && c.o.First < n
}
