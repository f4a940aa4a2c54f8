package forward

import (
	"fmt"
	"testing"
	"time"
)

func TestSymbolic(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, has := w.app(), w.app(), w.app().registers("ccnx:/live")
	has.gets(one.interest("ccnx:/live", symbolic, lifetime(4*time.Second)), two.interest("ccnx:/live", symbolic, lifetime(4*time.Second)))
	w.pending(1)
	for k := range 300 { // every chunk, in whatever order within the window
		d := has.uncacheable(fmt.Sprintf("ccnx:/live/Chunk=%d", k^1))
		one.gets(d)
		two.gets(d)
	}
	has.uncacheable("ccnx:/live") // no chunk
	has.uncacheable("ccnx:/live/x/Chunk=300")
	one.uncacheable("ccnx:/live/Chunk=300") // not back to its sender
	two.gets(data(t, "ccnx:/live/Chunk=300", expires(begin)))
	has.gets(one.interest("ccnx:/live", symbolic, lifetime(4*time.Second))) // always forwarded
	w.pass(4*time.Second - 1)
	d := has.uncacheable("ccnx:/live/Chunk=301")
	one.gets(d)
	two.gets(d)
	w.pass(1)
	has.uncacheable("ccnx:/live/Chunk=302")
	w.quiet("lapsed")
	w.pass(2 * Tick)
	w.pending(0)
	if c := w.f.count; c.RxSymbolic != 3 || c.RxInterests != 3 {
		t.Errorf("counters %+v", c)
	}
}

// TestSymbolicWindow: a chunk up to 100 behind the newest is delivered, once the
// consumer is gone counting begins anew.
func TestSymbolicWindow(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	asks.interest("ccnx:/live", symbolic)
	asks.gets(has.uncacheable("ccnx:/live/Chunk=1000"), has.uncacheable("ccnx:/live/Chunk=900"))
	has.uncacheable("ccnx:/live/Chunk=899")
	w.quiet("behind the window")
	asks.interest("ccnx:/live", symbolic) // renews, and keeps its place
	has.uncacheable("ccnx:/live/Chunk=899")
	w.quiet("behind the window")
	has.interest("ccnx:/live/Chunk=5000") // of that name something else is pending
	asks.interest("ccnx:/live", symbolic, cancel)
	asks.interest("ccnx:/live", symbolic)
	asks.gets(has.uncacheable("ccnx:/live/Chunk=0"))
}

// TestSymbolicAndRegular: cefnetd starves the symbolic consumers of a chunk that
// somebody asks for by number (sheet m 11), and lets a symbolic and a chunkless
// Interest exclude each other.
func TestSymbolicAndRegular(t *testing.T) {
	w := newWorld(t, Options{})
	live, one, bare, has := w.app(), w.app(), w.app(), w.app()
	live.interest("ccnx:/live", symbolic)
	one.interest("ccnx:/live/Chunk=5")
	bare.interest("ccnx:/live")
	w.pending(3)
	d := has.uncacheable("ccnx:/live/Chunk=5")
	live.gets(d)
	one.gets(d)
	bare.gets(has.uncacheable("ccnx:/live"))
	live.gets(has.uncacheable("ccnx:/live/Chunk=6"))
	w.pending(1)
	bare.interest("ccnx:/live", cancel) // of the chunkless Interest alone
	live.gets(has.uncacheable("ccnx:/live/Chunk=7"))
}

// TestSymbolicPastTheStore: what is stored does not answer a symbolic Interest.
func TestSymbolicPastTheStore(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	d := has.data("ccnx:/live/Chunk=0")
	has.data("ccnx:/live")
	asks.interest("ccnx:/live", symbolic)
	w.quiet("symbolic")
	w.pending(1)
	asks.interest("ccnx:/live/Chunk=0")
	asks.gets(d)
}

// TestSymbolicChunk: with a chunk number, that one chunk may come again and again.
func TestSymbolicChunk(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	asks.interest("ccnx:/live/Chunk=3", symbolic)
	asks.gets(has.uncacheable("ccnx:/live/Chunk=3"), has.uncacheable("ccnx:/live/Chunk=3"))
	has.uncacheable("ccnx:/live/Chunk=4")
	w.quiet("another chunk")
}
