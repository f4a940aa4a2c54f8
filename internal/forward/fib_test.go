package forward

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestNetworkRoutes: an Interest goes by the longest prefix of its name, segment by
// segment; ccnx:/ is above all.
func TestNetworkRoutes(t *testing.T) {
	w := newWorld(t, Options{})
	asks := w.link()
	to := make(map[string]*app)
	for _, uri := range []string{"ccnx:/", "ccnx:/a", "ccnx:/a/b/c", "ccnx:/a/", "ccnx:/a//b", "ccnx:/0x0004=a"} {
		to[uri] = w.link()
		w.route(uri, to[uri])
	}
	for uri, by := range map[string]string{
		"ccnx:/": "ccnx:/", "ccnx:/z": "ccnx:/", "ccnx:/aa": "ccnx:/", "ccnx:/0x0001=/": "ccnx:/", "ccnx:/0x0004=b": "ccnx:/", "ccnx:/z/Chunk=3": "ccnx:/",
		"ccnx:/a": "ccnx:/a", "ccnx:/a/Chunk=0": "ccnx:/a", "ccnx:/a/b": "ccnx:/a", "ccnx:/a/bb/c": "ccnx:/a",
		"ccnx:/a/b/c": "ccnx:/a/b/c", "ccnx:/a/b/c/d/e/f": "ccnx:/a/b/c",
		"ccnx:/a/": "ccnx:/a/", "ccnx:/a//": "ccnx:/a/", "ccnx:/a//c": "ccnx:/a/", "ccnx:/a//b/x": "ccnx:/a//b",
		"ccnx:/0x0004=a/x": "ccnx:/0x0004=a",
	} {
		i := asks.interest(uri)
		to[by].gets(lower(i))
		w.quiet(uri)
	}
	for uri := range to {
		to[uri].leaves()
		w.f.sound(t)
	}
	if w.f.fib.len() != 0 || w.f.fib.count != 0 {
		t.Errorf("%d prefixes are left", w.f.fib.len())
	}
	i := asks.interest("ccnx:/a/b/c/x")
	asks.gets(returned(i, tlv.ReturnNoRoute))
}

// TestRouteBackToTheAsker is none: its Interests go by a shorter prefix; with another next
// hop it is one.
func TestRouteBackToTheAsker(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, three := w.link(), w.link(), w.link()
	w.route("ccnx:/a/b", one)
	i := one.interest("ccnx:/a/b/x")
	one.gets(returned(i, tlv.ReturnNoRoute))
	w.route("ccnx:/", two)
	two.gets(lower(one.interest("ccnx:/a/b/x")))
	w.route("ccnx:/a", three)
	three.gets(lower(one.interest("ccnx:/a/b/y")))
	one.gets(lower(two.interest("ccnx:/a/b/z")))
	w.route("ccnx:/a/b", one, two)
	two.gets(lower(one.interest("ccnx:/a/b/w")))
	two.down(true)
	i = one.interest("ccnx:/a/b/v")
	one.gets(returned(i, tlv.ReturnPathError))
}

func TestAddRoute(t *testing.T) {
	w := newWorld(t, Options{FIBSize: 3})
	a, b := w.link(), w.app()
	name := mustName(t, "ccnx:/a")
	hops := func(want ...FaceID) {
		t.Helper()
		if got := w.f.NextHops(name); !slices.Equal(got, want) {
			t.Errorf("next hops %v, want %v", got, want)
		}
		w.f.sound(t)
	}
	hops()
	must(t, w.f.AddRoute(name, a.id, 5))
	hops(a.id)
	must(t, w.f.AddRoute(name.WithChunk(3), b.id, 5))
	hops(a.id, b.id)
	if err := w.f.AddRoute(name, 99, 0); err == nil || errors.Is(err, ErrFIBFull) {
		t.Errorf("no such face: %v", err)
	}
	must(t, w.f.AddRoute(mustName(t, "ccnx:/b"), a.id, 5))
	for _, uri := range []string{"ccnx:/c", "ccnx:/b"} {
		if err := w.f.AddRoute(mustName(t, uri), b.id, 0); !errors.Is(err, ErrFIBFull) {
			t.Errorf("%s: %v, want %v", uri, err, ErrFIBFull)
		}
	}
	must(t, w.f.AddRoute(name, a.id, 1)) // there is always room for another cost
	if h := w.f.fib.byName[keyOf(name)].hops[0]; h.cost != 1 {
		t.Errorf("cost %d, want 1", h.cost)
	}
	hops(a.id, b.id)
	b.command(tlv.CommandRouteAdd, "ccnx:/d")
	w.drops(control.Drops{Rejected: 1})
	if w.f.DelRoute(name, 99) || w.f.DelRoute(mustName(t, "ccnx:/c"), a.id) || w.f.DelRoute(mustName(t, "ccnx:/b"), b.id) {
		t.Error("a route that was not there is deleted")
	}
	if !w.f.DelRoute(name, a.id) || w.f.DelRoute(name, a.id) {
		t.Error("a route cannot be deleted, or twice")
	}
	hops(b.id)
	b.command(tlv.CommandRouteAdd, "ccnx:/d") // there is room again
	w.drops(control.Drops{})
	b.leaves()
	hops()
	if got := w.f.fib.count; got != 1 {
		t.Errorf("%d next hops, want 1", got)
	}
}

// TestFIBDefaults: the bounds without any options.
func TestFIBDefaults(t *testing.T) {
	f := New(Options{}, begin)
	if f.fib.max != 1<<20 || f.pit.max != 65535 || f.o.FaceQuota != 49152 || f.store.Stats().Capacity != 64<<20 || f.store.Stats().Policy != "lru" {
		t.Errorf("%d next hops, %d entries, %d of one face, %+v", f.fib.max, f.pit.max, f.o.FaceQuota, f.store.Stats())
	}
	if f = New(Options{PITSize: 1}, begin); f.o.FaceQuota != 1 {
		t.Errorf("quota %d of 1 entry", f.o.FaceQuota)
	}
}

// TestRemoveOneOfManyRoutes leaves the others'.
func TestRemoveOneOfManyRoutes(t *testing.T) {
	w := newWorld(t, Options{})
	a, b, asks := w.link(), w.link(), w.app()
	for k := range 100 {
		w.route(fmt.Sprintf("ccnx:/r/%d", k), a, b)
		w.route(fmt.Sprintf("ccnx:/s/%d", k), a)
	}
	a.leaves()
	w.f.sound(t)
	if w.f.fib.len() != 100 || w.f.fib.count != 100 {
		t.Errorf("%d prefixes, %d next hops are left, want 100", w.f.fib.len(), w.f.fib.count)
	}
	b.gets(asks.interest("ccnx:/r/7/x"))
	asks.interest("ccnx:/s/7/x")
	w.quiet("gone")
}
