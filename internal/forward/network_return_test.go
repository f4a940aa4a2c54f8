package forward

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// malformed is an Interest for ccnx:/a/x that does not decode, though its name does.
func malformed(t *testing.T) []byte {
	t.Helper()
	good := interest(t, "ccnx:/a/x", hash("x"))
	for k := range good {
		bad := bytes.Clone(good)
		bad[k] ^= 0xff
		var i tlv.Interest
		typ, name, err := tlv.PeekName(bad)
		if h, herr := tlv.ParseHeader(bad); err == nil && herr == nil && h.Type == tlv.PacketInterest && h.HopLimit == 32 &&
			typ == tlv.PacketInterest && name.Equal(mustName(t, "ccnx:/a/x")) && i.Decode(bad) != nil {
			return bad
		}
	}
	t.Fatal("every mutation decodes")
	return nil
}

// TestReturns: every reason to give an Interest back, and who hears of it: neighbours and
// marked applications, others if all shall; never for a symbolic Interest, nor for one that
// came by a group.
func TestReturns(t *testing.T) {
	sum := func(i *tlv.Interest) { i.KeyID = tlv.Hash{Type: tlv.HashSHA512, Sum: make([]byte, 64)} }
	none := func(*tlv.Interest) {}
	for _, c := range []struct {
		name  string
		o     Options
		code  tlv.ReturnCode
		opt   func(*tlv.Interest)
		setup func(w *world, up *app)
		drops control.Drops
	}{
		{name: "no route", code: tlv.ReturnNoRoute, opt: none, drops: control.Drops{NoRoute: 1}},
		{name: "no hop left", code: tlv.ReturnHopLimit, opt: hopLimit(0), drops: control.Drops{HopLimit: 1}},
		{name: "table full", o: Options{PITSize: 1, FaceQuota: 5}, code: tlv.ReturnNoResources, opt: none, drops: control.Drops{PITFull: 1},
			setup: func(w *world, _ *app) { w.app().interest("ccnx:/b", symbolic) }},
		{name: "quota", o: Options{FaceQuota: -1}, code: tlv.ReturnNoResources, opt: none, drops: control.Drops{FaceQuota: 1}},
		{name: "all down", code: tlv.ReturnPathError, opt: none, drops: control.Drops{NoRoute: 1},
			setup: func(w *world, up *app) {
				w.route("ccnx:/a", up, w.link())
				up.down(true)
				w.apps[len(w.apps)-1].down(true)
			}},
		{name: "all full", code: tlv.ReturnCongestion, opt: none,
			setup: func(w *world, up *app) { w.route("ccnx:/a", up); up.full = true }},
		{name: "unknown hash", code: tlv.ReturnUnsupportedHash, opt: sum,
			setup: func(w *world, up *app) { w.route("ccnx:/a", up) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, way := range []struct {
				name     string
				kind     Kind
				toAll    bool
				opt      func(*tlv.Interest)
				group    bool
				returned bool
			}{
				{"link", Link, false, none, false, true},
				{"marked link", Link, false, marked, false, true},
				{"marked app", App, false, marked, false, true},
				{"app", App, false, none, false, false},
				{"app, to all", App, true, none, false, true},
				{"symbolic of a link", Link, true, symbolic, false, false},
				{"symbolic of a marked app", App, true, func(i *tlv.Interest) { marked(i); symbolic(i) }, false, false},
				{"by a group", Link, true, marked, true, false},
			} {
				o := c.o
				o.ReturnToAll = way.toAll
				w := newWorld(t, o)
				from, up := w.face(FaceOptions{Kind: way.kind}), w.link()
				if c.setup != nil {
					c.setup(w, up)
				}
				w.f.drops, w.f.count = control.Drops{}, control.Packets{}
				before := w.f.pit.len()
				i := interest(t, "ccnx:/a/x", c.opt, way.opt)
				if way.group {
					from.multicasts(i)
				} else {
					from.sends(i)
				}
				sent := uint64(0)
				if way.returned {
					from.gets(returned(i, c.code))
					sent = 1
				}
				w.quiet(way.name)
				if w.f.count.TxReturns != sent {
					t.Errorf("%s: %d Returns counted, want %d", way.name, w.f.count.TxReturns, sent)
				}
				w.drops(c.drops)
				if way.returned || way.group {
					w.pending(before)
				}
			}
		})
	}
}

// TestReturnMalformed: only a neighbour hears of it; nobody knows what an application's
// Interest would have said of itself.
func TestReturnMalformed(t *testing.T) {
	w := newWorld(t, Options{ReturnToAll: true})
	peer, asks := w.link(), w.app()
	bad := malformed(t)
	peer.sends(bad)
	peer.gets(returned(bad, tlv.ReturnMalformed))
	peer.multicasts(bad)
	asks.sends(bad)
	peer.sends(bad[:len(bad)-1])
	peer.sends(append(bytes.Clone(bad), 0)) // no packet of its own length
	w.drops(control.Drops{Malformed: 5})
	w.quiet("malformed")
	w.pending(0)
}

// TestReturnOfTheLater: where an Interest gets nowhere, the others who wait for its name go
// on waiting, and so does its own face under another restriction.
func TestReturnOfTheLater(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, put := w.app(), w.link(), w.app()
	one.interest("ccnx:/a/x")
	i := two.interest("ccnx:/a/x")
	two.gets(returned(i, tlv.ReturnNoRoute))
	up := w.link()
	w.route("ccnx:/a", up)
	d := data(t, "ccnx:/a/x", expires(begin))
	up.gets(lower(two.interest("ccnx:/a/x", hashOf(d))))
	w.f.DelRoute(mustName(t, "ccnx:/a"), up.id)
	i = two.interest("ccnx:/a/x", hash("other"))
	two.gets(returned(i, tlv.ReturnNoRoute))
	put.sends(d)
	one.gets(d)
	two.gets(d)
	w.pending(0)
}

// TestFailover: what a next hop gives back goes to another one, byte for byte, until there
// is none; then all who want to know hear of it. A later Interest asks again.
func TestFailover(t *testing.T) {
	for _, s := range []Strategy{Best, All, RoundRobin, LowestRTT} {
		t.Run(s.String(), func(t *testing.T) {
			w := newWorld(t, Options{Strategy: s})
			peer, ours, theirs, lan := w.link(), w.app(), w.app(), w.link()
			ups := []*app{w.link(), w.link(), w.link(), w.link()}
			w.route("ccnx:/a", ups...)
			w.route("ccnx:/", w.link()) // no way out
			for range 3 {
				i := lower(peer.interest("ccnx:/a/x", hopLimit(40)))
				lan.multicasts(interest(t, "ccnx:/a/x", hopLimit(39)))
				ours.interest("ccnx:/a/x", hopLimit(39), marked)
				theirs.interest("ccnx:/a/x", hopLimit(39))
				var last []byte
				left := slices.Clone(ups)
				for len(left) > 0 {
					w.pending(1)
					k := slices.IndexFunc(left, func(a *app) bool { return len(a.got) > 0 })
					if k < 0 {
						t.Fatalf("%d have not refused and are not asked", len(left))
					}
					up := left[k]
					left = slices.Delete(left, k, k+1)
					up.gets(i)
					last = up.sends(returned(i, tlv.ReturnCode(len(left)+1)))
					if len(left) > 0 && len(peer.got)+len(ours.got) > 0 {
						t.Fatal("a Return before all have refused")
					}
				}
				peer.gets(last)
				ours.gets(last)
				w.quiet("refused by all")
				w.pending(1)
				ups[0].sends(last) // once more
				w.drops(control.Drops{Unexpected: 1})
				d := ups[1].data("ccnx:/a/x") // after all
				theirs.gets(d)
				lan.gets(d)
				w.pending(0)
			}
			if c := w.f.count; c.RxReturns != 15 || c.TxReturns != 6 || c.TxInterests != 12 {
				t.Errorf("counters %+v", c)
			}
		})
	}
}

// TestFailoverTo: the next one is none that is down, gone, or waits itself; and where the
// prefix that was asked by is a shorter one, it is of that.
func TestFailoverTo(t *testing.T) {
	w := newWorld(t, Options{})
	peer, one, down, gone, waits, full, last := w.link(), w.link(), w.link(), w.link(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", one, down, gone, waits, last)
	down.down(true)
	gone.leaves()
	i := lower(peer.interest("ccnx:/a/x"))
	one.gets(i)
	waits.interest("ccnx:/a/x")
	one.sends(returned(i, tlv.ReturnNoRoute))
	last.gets(i)
	r := last.sends(returned(i, tlv.ReturnNoRoute))
	peer.gets(r)
	waits.gets(r)
	w.pending(0)

	must(t, w.f.AddRoute(mustName(t, "ccnx:/s"), peer.id, 0)) // no way for peer's own
	w.route("ccnx:/", one, full, last)
	full.full = true
	i = lower(peer.interest("ccnx:/s/x"))
	one.gets(i)
	one.sends(returned(i, tlv.ReturnNoRoute)) // full is asked in vain
	peer.gets(returned(i, tlv.ReturnNoRoute))
	full.full = false
	i = lower(peer.interest("ccnx:/s/x"))
	one.gets(i)
	one.sends(returned(i, tlv.ReturnNoRoute))
	full.gets(i)

	// One that comes back without a hop left goes no further.
	i = lower(peer.interest("ccnx:/s/z"))
	one.gets(i)
	i[4] = 0
	peer.gets(one.sends(returned(i, tlv.ReturnHopLimit)))

	// A route that has gone meanwhile is no other's.
	i = lower(peer.interest("ccnx:/s/y"))
	one.gets(i)
	w.f.DelRoute(mustName(t, "ccnx:/"), one.id)
	peer.gets(one.sends(returned(i, tlv.ReturnNoRoute)))
}

// TestRefusalByTheNetwork: a Return counts from who was asked, once, and for the restriction
// that it names; who lapsed, or waits for anything that may come, hears nothing.
func TestRefusalByTheNetwork(t *testing.T) {
	w := newWorld(t, Options{})
	peer, up, other := w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	i := lower(peer.interest("ccnx:/a/x"))
	up.gets(i)
	other.sends(returned(i, tlv.ReturnNoRoute))
	peer.sends(returned(i, tlv.ReturnNoRoute))
	up.sends(returned(interest(t, "ccnx:/a/y"), tlv.ReturnNoRoute))
	up.multicasts(returned(i, tlv.ReturnNoRoute))
	w.drops(control.Drops{Unexpected: 4})
	w.quiet("of no concern")
	peer.gets(up.sends(returned(i, tlv.ReturnNoRoute)))
	w.pending(0)

	up.gets(lower(peer.interest("ccnx:/a", symbolic)))
	up.sends(returned(interest(t, "ccnx:/a", symbolic), tlv.ReturnNoRoute))
	up.gets(lower(peer.interest("ccnx:/a/Chunk=1", symbolic)), lower(other.interest("ccnx:/a/Chunk=1", hopLimit(40))))
	r := up.sends(returned(interest(t, "ccnx:/a/Chunk=1", hopLimit(40)), tlv.ReturnNoRoute))
	other.gets(r)
	peer.gets(up.data("ccnx:/a/Chunk=1"), up.data("ccnx:/a/Chunk=2"), up.data("ccnx:/a/Chunk=1"))

	short := other.interest("ccnx:/a/z", lifetime(time.Second))
	up.gets(lower(short), lower(peer.interest("ccnx:/a/z", hopLimit(40))))
	w.pass(time.Second)
	peer.gets(up.sends(returned(lower(short), tlv.ReturnNoRoute)))

	d := data(t, "ccnx:/a/r", payload("r"))
	one, two := lower(peer.interest("ccnx:/a/r", hash("none"))), lower(other.interest("ccnx:/a/r", hashOf(d)))
	up.gets(one, two)
	peer.gets(up.sends(returned(one, tlv.ReturnUnsupportedHash)))
	other.gets(up.sends(d))
	w.drops(control.Drops{})
}

// TestRefusedAgain: one that has refused is asked again by a later Interest, and may refuse
// again.
func TestRefusedAgain(t *testing.T) {
	w := newWorld(t, Options{})
	peer, theirs, up, other := w.link(), w.app(), w.link(), w.link()
	w.route("ccnx:/a", up)
	up.gets(theirs.interest("ccnx:/a/x", lifetime(5*time.Second))) // goes on waiting
	for range 3 {
		i := lower(peer.interest("ccnx:/a/x", hopLimit(40)))
		up.gets(i)
		peer.gets(up.sends(returned(i, tlv.ReturnNoRoute)))
		w.pending(1)
		w.drops(control.Drops{})
	}

	// One that waits itself does not get its own refusal.
	w.route("ccnx:/b", up, other)
	i := lower(peer.interest("ccnx:/b/x"))
	up.gets(i)
	j := lower(up.interest("ccnx:/b/x", hopLimit(40)))
	other.gets(j)
	other.sends(returned(j, tlv.ReturnNoRoute))
	w.quiet("up may still answer")
	peer.gets(up.sends(returned(i, tlv.ReturnNoRoute)))
	up.gets(other.data("ccnx:/b/x"))

	// What has lapsed is refused in vain, swept or not.
	for _, d := range []time.Duration{0, 2 * Tick} {
		i = lower(peer.interest("ccnx:/b/y"))
		up.gets(i)
		w.pass(tlv.DefaultLifetime + d)
		up.sends(returned(i, tlv.ReturnNoRoute))
		w.drops(control.Drops{Unexpected: 1})
		w.quiet("lapsed")
		w.next("ccnx:/b", up).silentSince = never
	}
}

// TestRefusedWhileGone: who was asked and has gone will never refuse.
func TestRefusedWhileGone(t *testing.T) {
	w := newWorld(t, Options{Strategy: All})
	peer, one, two := w.link(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	i := lower(peer.interest("ccnx:/a/x"))
	one.gets(i)
	two.gets(i)
	two.leaves()
	peer.gets(one.sends(returned(i, tlv.ReturnNoRoute)))
	// Nor is an Interest left to one who has gone.
	i = lower(peer.interest("ccnx:/a/y"))
	one.gets(i)
	one.leaves()
	three, far := w.link(), w.link()
	w.route("ccnx:/a", three)
	three.gets(lower(far.interest("ccnx:/a/y")))
	// Nor to one who has refused.
	three.sends(returned(i, tlv.ReturnNoRoute))
	peer.got, far.got = nil, nil
	theirs := w.app()
	three.gets(theirs.interest("ccnx:/a/z"))
	three.sends(returned(i, tlv.ReturnNoRoute))
	w.f.drops.Unexpected = 0
	three.sends(returned(interest(t, "ccnx:/a/z"), tlv.ReturnNoRoute))
	three.gets(lower(far.interest("ccnx:/a/z")))
}
