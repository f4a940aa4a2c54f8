package forward

import (
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// waits wants that face to be counted as waiting in so many entries.
func (a *app) waits(want int) {
	a.w.t.Helper()
	if fc := a.w.f.faces[a.id]; fc.pending != want {
		a.w.t.Errorf("face %d waits in %d entries, want %d", a.id, fc.pending, want)
	}
	a.w.f.sound(a.w.t)
}

// TestFaceQuota: what one face asks for leaves room for the others; every way in which its
// waiting ends makes room for it again.
func TestFaceQuota(t *testing.T) {
	const quota = 3
	ends := map[string]func(w *world, peer, up *app){
		"data":   func(_ *world, _, up *app) { up.data("ccnx:/a/0") },
		"cancel": func(_ *world, peer, _ *app) { peer.interest("ccnx:/a/0", cancel) },
		"return": func(_ *world, _, up *app) { up.sends(returned(interest(up.w.t, "ccnx:/a/0"), tlv.ReturnNoRoute)) },
		"time":   func(w *world, _, _ *app) { w.pass(tlv.DefaultLifetime + 2*Tick) },
		"a long time": func(w *world, _, _ *app) {
			w.now = w.now.Add(time.Hour)
			w.f.Expire(w.now)
		},
		"too large": func(w *world, peer, up *app) {
			w.f.faces[peer.id].o.MaxPacket = 10
			up.data("ccnx:/a/0")
			w.f.faces[peer.id].o.MaxPacket = 0
		},
		"full": func(_ *world, peer, up *app) {
			peer.full = true
			up.data("ccnx:/a/0")
			peer.full = false
		},
		"nowhere": func(w *world, peer, up *app) {
			up.down(true)
			peer.interest("ccnx:/a/0")
			up.down(false)
		},
		"data of all": func(_ *world, _, up *app) {
			for k := range quota {
				up.data(fmt.Sprintf("ccnx:/a/%d", k))
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			for _, shared := range []bool{false, true} {
				w := newWorld(t, Options{FaceQuota: quota, PITSize: 10})
				peer, other, up := w.link(), w.link(), w.link()
				w.route("ccnx:/a", up)
				for k := range quota {
					peer.interest(fmt.Sprintf("ccnx:/a/%d", k))
					if shared {
						other.interest(fmt.Sprintf("ccnx:/a/%d", k), hopLimit(3))
					}
					peer.waits(k + 1)
				}
				up.got = nil
				i := peer.interest("ccnx:/a/more")
				peer.gets(returned(i, tlv.ReturnNoResources))
				peer.interest("ccnx:/a/more", symbolic)
				w.drops(control.Drops{FaceQuota: 2})
				w.quiet("beyond the quota")
				w.pending(quota)
				up.gets(lower(peer.interest("ccnx:/a/1"))) // again
				peer.waits(quota)
				w.app().interest("ccnx:/a/others")
				peer.interest("ccnx:/a/others") // what others ask for counts too
				w.drops(control.Drops{FaceQuota: 1})
				if shared {
					other.waits(quota)
				}
				for _, a := range w.apps {
					a.got = nil
				}
				end(w, peer, up)
				for _, a := range w.apps {
					a.got = nil
				}
				if n := w.f.faces[peer.id].pending; n >= quota {
					t.Errorf("waits in %d entries", n)
				}
				w.f.sound(t)
				up.gets(lower(peer.interest("ccnx:/a/more")))
				w.f.sound(t)
				peer.leaves()
				w.f.sound(t)
				w.pass(tlv.DefaultLifetime + 2*Tick)
				w.pending(0)
			}
		})
	}
}

// TestNetworkQuota: all neighbours together leave a quarter of the table to applications.
func TestNetworkQuota(t *testing.T) {
	for size, most := range map[int]int{1: 1, 2: 2, 4: 3, 8: 6, 10: 8} {
		w := newWorld(t, Options{PITSize: size})
		one, two, asks, has := w.link(), w.link(), w.app(), w.app().registers("ccnx:/a")
		for k := range most {
			has.gets([]*app{one, two}[k%2].interest(fmt.Sprintf("ccnx:/a/%d", k)))
		}
		if size == most {
			continue // there is no quarter
		}
		for _, a := range []*app{one, two} {
			i := a.interest("ccnx:/a/more")
			a.gets(returned(i, tlv.ReturnNoResources))
			a.interest("ccnx:/a/more", symbolic)
		}
		w.drops(control.Drops{FaceQuota: 4})
		w.quiet("beyond the quota")
		w.pending(most)
		has.gets(one.interest("ccnx:/a/0")) // again
		for k := range size - most {
			has.gets(asks.interest(fmt.Sprintf("ccnx:/a/ours%d", k)))
		}
		two.gets(returned(two.interest("ccnx:/a/ours0"), tlv.ReturnNoResources))
		w.drops(control.Drops{FaceQuota: 1})
		asks.gets(returned(asks.interest("ccnx:/a/more", marked), tlv.ReturnNoResources))
		w.drops(control.Drops{PITFull: 1})
		w.pending(size)

		one.gets(has.uncacheable("ccnx:/a/0"))
		has.gets(two.interest("ccnx:/a/more"))
		one.gets(returned(one.interest("ccnx:/a/0"), tlv.ReturnNoResources))
		w.f.drops = control.Drops{}
		one.leaves() // what it waits for lapses
		w.pass(tlv.DefaultLifetime + 2*Tick)
		w.pending(0)
		for k := range most {
			has.gets(two.interest(fmt.Sprintf("ccnx:/a/%d", k)))
		}
		w.drops(control.Drops{})
	}
}

// TestLinkLifetimes: a neighbour's Interests are pending no longer than they may be, and
// what is asked for them stands no longer; an application's are not concerned.
func TestLinkLifetimes(t *testing.T) {
	o := Options{LinkLifetime: 4 * time.Second, LinkSymbolicLifetime: 10 * time.Second}
	none := func(*tlv.Interest) {}
	for _, c := range []struct {
		o           Options
		kind        Kind
		opt         func(*tlv.Interest)
		asks, lasts time.Duration
	}{
		{o, Link, none, time.Minute, 4 * time.Second},
		{o, Link, none, 3 * time.Second, 3 * time.Second},
		{o, Link, longLife, time.Minute, 4 * time.Second},
		{o, Link, symbolic, time.Minute, 10 * time.Second},
		{o, Link, symbolic, 3 * time.Second, 3 * time.Second},
		{o, App, none, time.Minute, time.Minute},
		{o, App, symbolic, time.Minute, time.Minute},
		{Options{LinkLifetime: 4 * time.Second}, Link, symbolic, time.Hour, maxLifetime},
		{Options{LinkSymbolicLifetime: 4 * time.Second}, Link, none, time.Hour, maxLifetime},
	} {
		w := newWorld(t, c.o)
		asks, has := w.face(FaceOptions{Kind: c.kind}), w.app().registers("ccnx:/a")
		i := asks.interest("ccnx:/a/Chunk=1", c.opt, lifetime(c.asks))
		has.gets(i)
		w.pass(c.lasts - 1)
		w.pending(1)
		has.gets(asks.sends(i)) // renewed
		w.pass(c.lasts - 1)
		w.pending(1)
		w.pass(1 + 2*Tick)
		w.pending(0)
	}

	w := newWorld(t, o)
	one, two, three, asks, up := w.link(), w.link(), w.link(), w.app(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(one.interest("ccnx:/a/x", lifetime(time.Minute))))
	w.pass(2 * time.Second)
	two.interest("ccnx:/a/x", lifetime(time.Minute))
	w.quiet("for half the time")
	w.pass(time.Second)
	up.gets(lower(three.interest("ccnx:/a/x", lifetime(time.Minute))))
	up.gets(asks.interest("ccnx:/a/x", lifetime(10*time.Second)))
	asks.gets()
}

// TestQuotaOfLapsed: what has lapsed does not count for long, whether or not somebody else
// goes on waiting for it.
func TestQuotaOfLapsed(t *testing.T) {
	w := newWorld(t, Options{FaceQuota: 1})
	peer, other, up := w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	peer.interest("ccnx:/a/0", lifetime(time.Second))
	other.interest("ccnx:/a/0", lifetime(10*time.Second))
	up.got = nil
	w.pass(time.Second)
	up.gets(lower(peer.interest("ccnx:/a/0", lifetime(time.Second)))) // its own
	peer.waits(1)
	peer.interest("ccnx:/a/1")
	w.drops(control.Drops{FaceQuota: 1})
	peer.got = nil
	w.pass(10*time.Second + 2*Tick)
	peer.waits(0)
	other.waits(0)
	up.gets(lower(peer.interest("ccnx:/a/1")))

	// One that is asked for anew before it is swept is a new one.
	w.pass(tlv.DefaultLifetime)
	up.gets(lower(other.interest("ccnx:/a/1", hopLimit(3))))
	peer.waits(0)
	other.waits(1)
	w.pending(1)
	up.gets(lower(peer.interest("ccnx:/a/2", hopLimit(3))))
	w.pass(tlv.DefaultLifetime + 2*Tick)
	w.pending(0)
	if w.f.pit.expired != 4 {
		t.Errorf("%d expired, want 4", w.f.pit.expired)
	}
}

// TestFullTableRenews: that the table is full hinders nobody from asking for what is in it,
// lapsed or not.
func TestFullTableRenews(t *testing.T) {
	w := newWorld(t, Options{PITSize: 2, FaceQuota: 2})
	peer, other, up := w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(peer.interest("ccnx:/a/0")), lower(peer.interest("ccnx:/a/1")))
	i := other.interest("ccnx:/a/2")
	other.gets(returned(i, tlv.ReturnNoResources))
	w.drops(control.Drops{PITFull: 1})
	w.pass(tlv.DefaultLifetime)
	up.gets(lower(other.interest("ccnx:/a/1")))
	w.pending(2)
	other.gets(up.data("ccnx:/a/1"))
	w.quiet("peer has lapsed")
}
