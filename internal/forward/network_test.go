package forward

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// lower is an Interest as it goes from one neighbour to the next.
func lower(pkt []byte) []byte {
	pkt = bytes.Clone(pkt)
	pkt[4]--
	return pkt
}

func hash(sum string) func(*tlv.Interest) {
	h := sha256.Sum256([]byte(sum))
	return func(i *tlv.Interest) { i.ObjectHash = tlv.Hash{Type: tlv.HashSHA256, Sum: h[:]} }
}

// keyInstead turns the demand for one packet into one for a key.
func keyInstead(i *tlv.Interest) { i.KeyID, i.ObjectHash = i.ObjectHash, tlv.Hash{} }

// hashOf makes an Interest demand that one packet.
func hashOf(pkt []byte) func(*tlv.Interest) { return hash(string(pkt[tlv.FixedHeaderLen:])) }

// TestHopLimit: it goes down from one neighbour to the next, not from an application nor
// to one (sheet f).
func TestHopLimit(t *testing.T) {
	for _, c := range []struct {
		name         string
		from, to     Kind
		registered   bool
		limit, after uint8 // after 0: it does not get there
	}{
		{"app to app", App, App, true, 32, 32},
		{"app to app, the last hop", App, App, true, 1, 1},
		{"app to app's route", App, App, false, 1, 1},
		{"app to link", App, Link, false, 32, 32},
		{"app to link, the last hop", App, Link, false, 1, 1},
		{"app to group", App, Group, false, 1, 1},
		{"link to app", Link, App, true, 32, 32},
		{"link to app, the last hop", Link, App, true, 1, 1},
		{"link to app's route", Link, App, false, 32, 32},
		{"link to app's route, the last hop", Link, App, false, 1, 1},
		{"link to link", Link, Link, false, 32, 31},
		{"link to link, the highest", Link, Link, false, 255, 254},
		{"link to link, one left", Link, Link, false, 2, 1},
		{"link to link, none left", Link, Link, false, 1, 0},
		{"link to group", Link, Group, false, 7, 6},
		{"link to group, none left", Link, Group, false, 1, 0},
		{"link to a registered link", Link, Link, true, 32, 31},
		{"link to a registered link, none left", Link, Link, true, 1, 0},
		{"app to a registered link", App, Link, true, 32, 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []func(*tlv.Interest){func(*tlv.Interest) {}, symbolic, cancel} {
				w := newWorld(t, Options{AllowRemoteApps: true})
				from, to := w.face(FaceOptions{Kind: c.from}), w.face(FaceOptions{Kind: c.to})
				if c.registered {
					to.registers("ccnx:/a")
				} else {
					w.route("ccnx:/a", to)
				}
				if probe := interest(t, "ccnx:/a/x", kind, marked); bytes.Equal(probe, interest(t, "ccnx:/a/x", cancel, marked)) {
					if c.limit == 1 && c.after == 0 {
						continue // there was nothing to cancel
					}
					from.interest("ccnx:/a/x", marked)
					to.got = nil
				}
				i := from.interest("ccnx:/a/x", kind, marked, hopLimit(c.limit))
				if c.after > 0 {
					i = bytes.Clone(i)
					i[4] = c.after
					to.gets(i)
				} else if !bytes.Equal(i, interest(t, "ccnx:/a/x", symbolic, marked, hopLimit(c.limit))) {
					from.gets(returned(i, tlv.ReturnHopLimit))
					w.drops(control.Drops{HopLimit: 1})
					w.pending(0)
				}
			}
		})
	}
}

// TestNoHopLeft: 0 goes nowhere, not even to the store; 1 from a neighbour still finds
// what is here.
func TestNoHopLeft(t *testing.T) {
	w := newWorld(t, Options{})
	from, up, put := w.link(), w.link(), w.app()
	w.route("ccnx:/", up)
	d := put.data("ccnx:/a/stored")
	i := from.interest("ccnx:/a/stored", hopLimit(0))
	from.gets(returned(i, tlv.ReturnHopLimit))
	from.interest("ccnx:/a/stored", hopLimit(0), symbolic)
	from.multicasts(i)
	w.drops(control.Drops{HopLimit: 3})
	w.pending(0)
	from.interest("ccnx:/a/stored", hopLimit(1))
	from.gets(d)
	from.interest("ccnx:/a/x", hopLimit(1), symbolic)
	w.pending(1) // an application may push it
	w.drops(control.Drops{HopLimit: 1})

	// What goes on to the others of a route goes to its applications unchanged.
	app, far := w.app(), w.link()
	w.route("ccnx:/all", app, far)
	w.strategy("ccnx:/all", All)
	i = from.interest("ccnx:/all/x")
	app.gets(i)
	far.gets(lower(i))
	app.gets(from.interest("ccnx:/all/y", hopLimit(1)))
}

// TestSpentRegistration: where nobody but registered neighbours has a name, an Interest
// without a hop left goes nowhere, by no route either, and ends there.
func TestSpentRegistration(t *testing.T) {
	w := newWorld(t, Options{AllowRemoteApps: true})
	asks, has, also, up := w.link(), w.link(), w.link(), w.app()
	has.registers("ccnx:/a")
	also.registers("ccnx:/a")
	up.command(tlv.CommandRouteAdd, "ccnx:/a")
	i := asks.interest("ccnx:/a/x", hopLimit(1))
	asks.gets(returned(i, tlv.ReturnHopLimit))
	asks.multicasts(i)
	w.pending(0)
	w.drops(control.Drops{HopLimit: 2})
	asks.interest("ccnx:/a/x", hopLimit(1), symbolic)
	w.pending(1)
	w.drops(control.Drops{HopLimit: 1})
	w.quiet("spent")

	// Another goes on waiting, and so does who asked before under a restriction.
	j := lower(asks.interest("ccnx:/a/y", hash("a")))
	has.gets(j)
	also.gets(j)
	asks.gets(returned(asks.interest("ccnx:/a/y", hopLimit(1)), tlv.ReturnHopLimit))
	w.drops(control.Drops{HopLimit: 1})
	w.pending(2)

	// An application of this machine takes it.
	here := w.app().registers("ccnx:/a")
	here.gets(asks.interest("ccnx:/a/z", hopLimit(1)))
	w.pending(3)
	w.drops(control.Drops{})
	// And a neighbour is not sent its own.
	here.gets(has.interest("ccnx:/a/z", hopLimit(1)))
}

// TestSuppression is the table of sheet f, and RFC 8569 2.4.2: what another face's
// pending Interest will answer is not sent again.
func TestSuppression(t *testing.T) {
	type send struct {
		face  int
		limit uint8
		after time.Duration
		sent  bool
		opts  []func(*tlv.Interest)
	}
	with := func(o ...func(*tlv.Interest)) []func(*tlv.Interest) { return o }
	const lapsed = tlv.DefaultLifetime
	for name, sends := range map[string][]send{
		"the same face again":                     {{0, 32, 0, true, nil}, {0, 32, 0, true, nil}, {0, 32, time.Second, true, nil}},
		"another face":                            {{0, 32, 0, true, nil}, {1, 32, 0, false, nil}},
		"another face, lower":                     {{0, 32, 0, true, nil}, {1, 31, 0, false, nil}},
		"another face, higher":                    {{0, 31, 0, true, nil}, {1, 32, 0, true, nil}},
		"a third, between":                        {{0, 10, 0, true, nil}, {1, 30, 0, true, nil}, {2, 20, 0, false, nil}, {2, 30, 0, true, nil}},
		"the other face again":                    {{0, 32, 0, true, nil}, {1, 32, 0, false, nil}, {1, 32, 0, true, nil}},
		"lapsed":                                  {{0, 32, 0, true, nil}, {1, 32, lapsed, true, nil}, {2, 32, 0, false, nil}},
		"lapsed, lower":                           {{0, 32, 0, true, nil}, {1, 20, lapsed, true, nil}, {2, 21, 0, true, nil}},
		"lapsed, and long gone":                   {{0, 32, 0, true, nil}, {1, 2, lapsed + 2*Tick, true, nil}},
		"half over":                               {{0, 32, 0, true, nil}, {1, 32, lapsed / 2, false, nil}},
		"more than half over":                     {{0, 32, 0, true, nil}, {1, 32, lapsed/2 + 1, true, nil}, {2, 32, lapsed / 2, false, nil}},
		"the first has lapsed":                    {{0, 32, 0, true, nil}, {1, 32, lapsed / 2, false, nil}, {2, 32, lapsed / 2, true, nil}},
		"the first has lapsed, not the second":    {{0, 32, 0, true, nil}, {1, 32, lapsed - 1, true, nil}, {2, 32, 1, false, nil}},
		"twice as long":                           {{0, 32, 0, true, with(lifetime(time.Second))}, {1, 32, 0, false, with(lifetime(2 * time.Second))}},
		"more than twice as long":                 {{0, 32, 0, true, with(lifetime(time.Second))}, {1, 32, 0, true, with(lifetime(2001 * time.Millisecond))}, {2, 32, 0, false, with(lifetime(4 * time.Second))}},
		"shorter again does not shorten":          {{0, 32, 0, true, with(lifetime(4 * time.Second))}, {0, 32, 0, true, with(lifetime(time.Second))}, {1, 32, 0, false, with(lifetime(8 * time.Second))}},
		"long, of another restriction":            {{0, 32, 0, true, with(lifetime(time.Second))}, {0, 32, 0, true, with(hash("a"), lifetime(8*time.Second))}, {1, 32, 0, true, with(lifetime(8 * time.Second))}},
		"symbolic":                                {{0, 32, 0, true, with(symbolic)}, {1, 32, 0, true, with(symbolic)}, {1, 1, loopTime, true, with(symbolic)}},
		"symbolic and not":                        {{0, 32, 0, true, with(symbolic)}, {1, 32, 0, true, nil}, {2, 32, 0, false, nil}},
		"a restriction":                           {{0, 32, 0, true, nil}, {1, 32, 0, true, with(hash("a"))}},
		"a restriction, then none":                {{0, 32, 0, true, with(hash("a"))}, {1, 32, 0, true, nil}, {2, 32, 0, false, nil}},
		"another restriction":                     {{0, 32, 0, true, with(hash("a"))}, {1, 32, 0, true, with(hash("b"))}},
		"the same restriction":                    {{0, 32, 0, true, with(hash("a"))}, {1, 32, 0, false, with(hash("a"))}},
		"the same restriction, higher":            {{0, 31, 0, true, with(hash("a"))}, {1, 32, 0, true, with(hash("a"))}},
		"another restriction of the same face":    {{0, 32, 0, true, with(hash("a"))}, {0, 32, 0, true, with(hash("b"))}, {1, 32, 0, false, with(hash("a"))}, {1, 32, 0, false, with(hash("b"))}, {1, 32, 0, true, nil}},
		"a key and a hash are two restrictions":   {{0, 32, 0, true, with(hash("a"))}, {1, 32, 0, true, with(hash("a"), keyInstead)}},
		"far, under another restriction":          {{0, 40, 0, true, with(hash("a"))}, {0, 10, 0, true, nil}, {1, 30, loopTime, true, nil}, {2, 30, 0, false, nil}},
		"far, but over":                           {{0, 40, 0, true, with(lifetime(time.Second))}, {1, 9, loopTime, true, with(lifetime(8 * time.Second))}, {2, 9, 0, false, nil}},
		"another key":                             {{0, 32, 0, true, with(hash("a"), keyInstead)}, {1, 32, 0, true, with(hash("b"), keyInstead)}, {2, 32, 0, false, with(hash("a"), keyInstead)}},
		"the same restriction, of one who lapsed": {{0, 32, 0, true, with(hash("a"))}, {1, 32, lapsed - 1, true, nil}, {2, 32, 1, true, with(hash("a"))}},
	} {
		for _, kind := range []Kind{App, Link} {
			t.Run(fmt.Sprintf("%s, kind %d", name, kind), func(t *testing.T) {
				for _, appToo := range []bool{false, true} {
					w := newWorld(t, Options{})
					faces := []*app{w.face(FaceOptions{Kind: kind}), w.face(FaceOptions{Kind: kind}), w.face(FaceOptions{Kind: kind})}
					up, has := w.link(), w.app()
					w.route("ccnx:/a", up)
					if appToo {
						has.registers("ccnx:/a") // gets every one, and the route none
					}
					aggregated := uint64(0)
					for n, s := range sends {
						w.pass(s.after)
						// A neighbour's is one hop older.
						limit := s.limit
						if kind == Link {
							limit++
						}
						i := faces[s.face].interest("ccnx:/a/x", append(s.opts, hopLimit(limit))...)
						if appToo {
							has.gets(i)
							continue
						}
						if kind == Link {
							i = lower(i)
						}
						if s.sent {
							up.gets(i)
						} else {
							aggregated++
						}
						w.quiet(fmt.Sprintf("Interest %d", n))
					}
					if got := w.f.count.Aggregated; got != aggregated {
						t.Errorf("%d aggregated, want %d", got, aggregated)
					}
					w.drops(control.Drops{})
				}
			})
		}
	}
}

// TestApplicationsAsked: that an application was asked keeps nothing from the network, nor
// from the application itself.
func TestApplicationsAsked(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, up, has := w.link(), w.link(), w.link(), w.app().registers("ccnx:/a")
	w.route("ccnx:/a", up)
	has.gets(one.interest("ccnx:/a/x"))
	has.command(tlv.CommandDeregister, "ccnx:/a")
	up.gets(lower(two.interest("ccnx:/a/x", hopLimit(3))))
	has.command(tlv.CommandRouteAdd, "ccnx:/b")
	for _, limit := range []uint8{32, 31, 1} {
		has.gets(one.interest("ccnx:/b/x", hopLimit(limit)), two.interest("ccnx:/b/x", hopLimit(limit)))
	}
	// Nor does it get its own cancelling back by its own route.
	also := w.app()
	also.command(tlv.CommandRouteAdd, "ccnx:/b")
	also.gets(has.interest("ccnx:/b/y"))
	also.gets(has.interest("ccnx:/b/y", cancel))
}

// TestAggregatedGetData: who was not passed on gets the Data all the same, once.
func TestAggregatedGetData(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, here, up := w.link(), w.link(), w.app(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(one.interest("ccnx:/a/x")))
	two.interest("ccnx:/a/x")
	here.interest("ccnx:/a/x", hopLimit(3))
	w.pending(1)
	d := up.data("ccnx:/a/x")
	one.gets(d)
	two.gets(d)
	here.gets(d)
	w.pending(0)
	up.data("ccnx:/a/x")
	w.drops(control.Drops{Unsolicited: 1})
}

// TestRestrictionsOfOneNeighbour: behind it may be several who want different Data of
// one name; each Data goes there once.
func TestRestrictionsOfOneNeighbour(t *testing.T) {
	w := newWorld(t, Options{})
	from, up := w.link(), w.link()
	w.route("ccnx:/a", up)
	a, b := data(t, "ccnx:/a/x", payload("a")), data(t, "ccnx:/a/x", payload("b"))
	up.gets(lower(from.interest("ccnx:/a/x", hashOf(a))), lower(from.interest("ccnx:/a/x", hashOf(b))))
	from.gets(up.sends(a))
	w.pending(1)
	from.gets(up.sends(b))
	w.pending(0)
	w.drops(control.Drops{RestrictFail: 1})

	from.interest("ccnx:/a/x", hashOf(a))
	from.interest("ccnx:/a/x")
	up.got = nil
	from.gets(up.sends(a)) // once
	w.pending(0)
	from.interest("ccnx:/a/x", hashOf(a), lifetime(time.Minute))
	from.interest("ccnx:/a/x", hashOf(b))
	i := from.interest("ccnx:/a/x", cancel) // ends both
	up.gets(lower(interest(t, "ccnx:/a/x", hashOf(a), lifetime(time.Minute))), lower(interest(t, "ccnx:/a/x", hashOf(b))), lower(i))
	w.pending(0)
	from.interest("ccnx:/a/x", hashOf(a))
	from.interest("ccnx:/a/x", hashOf(b))
	up.got = nil
	w.pass(tlv.DefaultLifetime + 2*Tick)
	w.pending(0)
}

// TestManyRestrictions of one face for one name do not make an entry without bound.
func TestManyRestrictions(t *testing.T) {
	w := newWorld(t, Options{})
	from, up := w.link(), w.link()
	w.route("ccnx:/a", up)
	for k := range 1000 {
		from.interest("ccnx:/a/x", hash(fmt.Sprint(k)))
	}
	w.f.pit.all(func(e *entry) bool {
		if len(e.downs) > 100 {
			t.Errorf("one face waits %d times in one entry", len(e.downs))
		}
		return true
	})
	up.got, from.got = nil, nil
}

// TestNetworkData: a neighbour may only answer, and only who was asked (RFC 8569 2.4.4).
func TestNetworkData(t *testing.T) {
	w := newWorld(t, Options{})
	asks, up, other := w.app(), w.link(), w.link()
	w.route("ccnx:/a", up)
	kept := cacheUntil(begin.Add(time.Hour))
	up.data("ccnx:/a/none", kept)
	w.drops(control.Drops{Unsolicited: 1})
	up.gets(asks.interest("ccnx:/a/x"))
	other.data("ccnx:/a/x", kept)
	asks.gets()
	w.pending(1)
	w.drops(control.Drops{Unexpected: 1})
	if n := w.f.store.Stats().Objects; n != 0 {
		t.Errorf("%d objects stored that nobody asked for", n)
	}
	asks.gets(up.data("ccnx:/a/x"))

	live := w.app()
	up.gets(live.interest("ccnx:/a", symbolic))
	other.data("ccnx:/a/Chunk=0")
	w.drops(control.Drops{Unexpected: 1})
	live.gets(up.data("ccnx:/a/Chunk=0"))
	// One of two entries was asked of it.
	w.route("ccnx:/a", other)
	must(t, w.f.AddRoute(mustName(t, "ccnx:/a"), other.id, 0))
	other.gets(asks.interest("ccnx:/a/Chunk=1"))
	live.gets(up.data("ccnx:/a/Chunk=1"))
	w.pending(2)
	asks.gets(other.data("ccnx:/a/Chunk=1"))
	w.pending(1)
	w.drops(control.Drops{})

	// An application asked, the network was not.
	has := w.app().registers("ccnx:/b")
	has.gets(asks.interest("ccnx:/b/x"))
	up.data("ccnx:/b/x")
	w.drops(control.Drops{Unexpected: 1})
	asks.gets(w.app().data("ccnx:/b/x")) // but another application may
}

// TestGroupData: what a group was asked those neighbours may answer who are spoken to by
// its socket, and nobody else; what is sent to the group answers nothing.
func TestGroupData(t *testing.T) {
	w := newWorld(t, Options{})
	asks, lan := w.app(), w.group()
	one, stranger, elsewhere := w.member(lan), w.link(), w.member(w.group())
	w.route("ccnx:/a", lan)
	lan.gets(asks.interest("ccnx:/a/x"))
	one.multicasts(data(t, "ccnx:/a/x"))
	one.multicasts(returned(interest(t, "ccnx:/a/x"), tlv.ReturnNoRoute))
	w.drops(control.Drops{Unexpected: 2})
	for _, a := range []*app{stranger, elsewhere} {
		a.data("ccnx:/a/x", cacheUntil(begin.Add(time.Hour)))
	}
	w.quiet("of another group, or of none")
	w.drops(control.Drops{Unexpected: 2})
	if n := w.f.store.Stats().Objects; n != 0 {
		t.Errorf("%d objects stored that nobody was asked for", n)
	}
	asks.gets(w.member(lan).data("ccnx:/a/x")) // one that was not even known
	lan.gets(asks.interest("ccnx:/a", symbolic))
	asks.gets(one.data("ccnx:/a/Chunk=3"))
	one.data("ccnx:/b")
	w.drops(control.Drops{Unsolicited: 1})
	if h := w.f.fib.byName[keyOf(mustName(t, "ccnx:/a"))].hops[0]; h.answered != 2 {
		t.Errorf("the group has answered %d times, want 2", h.answered)
	}
}

// TestGroupInterest: what came by a group is answered to its sender with Data only.
func TestGroupInterest(t *testing.T) {
	w := newWorld(t, Options{})
	peer, has, up := w.link(), w.app().registers("ccnx:/a"), w.link()
	w.route("ccnx:/far", up)
	i := interest(t, "ccnx:/a/x")
	has.gets(peer.multicasts(i))
	peer.gets(has.data("ccnx:/a/x"))
	up.gets(lower(peer.multicasts(interest(t, "ccnx:/far/x"))))
	up.gets(lower(peer.multicasts(interest(t, "ccnx:/far/x")))) // again
	peer.gets(up.data("ccnx:/far/x"))
	w.app().data("ccnx:/s")
	peer.multicasts(interest(t, "ccnx:/s"))
	peer.gets(data(t, "ccnx:/s"))
	w.pending(0)
	w.route("ccnx:/", w.lan)
	peer.multicasts(interest(t, "ccnx:/elsewhere")) // they have all heard it
	w.quiet("by a group")
	w.pending(0)
	w.lan.gets(w.app().interest("ccnx:/elsewhere"))
	w.lan.gets(lower(peer.interest("ccnx:/elsewhere/too")))
	other := w.group()
	w.route("ccnx:/", other)
	other.gets(lower(peer.multicasts(interest(t, "ccnx:/elsewhere/again"))))
}

// TestDataOnce: who waits for a chunk, and for any chunk, gets it once.
func TestDataOnce(t *testing.T) {
	w := newWorld(t, Options{})
	peer, ours, up := w.link(), w.face(FaceOptions{MaxPacket: 10}), w.link()
	w.route("ccnx:/a", up)
	for _, a := range []*app{peer, ours} {
		a.interest("ccnx:/a", symbolic, marked)
		a.interest("ccnx:/a/Chunk=1", marked)
		a.interest("ccnx:/a/Chunk=2", symbolic)
	}
	up.got = nil
	peer.gets(up.data("ccnx:/a/Chunk=1"), up.data("ccnx:/a/Chunk=2"), up.data("ccnx:/a/Chunk=1"))
	if len(ours.got) != 1 {
		t.Errorf("got %s, want one Return", show(ours.got...))
	}
	ours.got = nil
	w.pending(2)
}

// TestNoEcho: Data goes to all who wait but its sender.
func TestNoEcho(t *testing.T) {
	w := newWorld(t, Options{})
	one, two := w.link(), w.link()
	w.route("ccnx:/a", one, two)
	two.gets(lower(one.interest("ccnx:/a/x")))
	one.gets(lower(two.interest("ccnx:/a/x", hopLimit(40))))
	one.gets(two.data("ccnx:/a/x"))
	w.pending(1) // two still waits
	two.gets(one.data("ccnx:/a/x"))
	w.pending(0)
	two.gets(lower(one.interest("ccnx:/a", symbolic)))
	one.gets(lower(two.interest("ccnx:/a", symbolic)))
	one.gets(two.data("ccnx:/a/Chunk=0"))
}

// TestNetworkDataIsKept where its producer says for how long, and only then: nobody
// here would know when it has changed.
func TestNetworkDataIsKept(t *testing.T) {
	in := begin.Add(time.Minute)
	for _, c := range []struct {
		name string
		opts []func(*tlv.Object)
		kept bool
	}{
		{"no times", nil, false},
		{"a cache time", []func(*tlv.Object){cacheUntil(in)}, true},
		{"an expiry", []func(*tlv.Object){expires(in)}, true},
		{"an expiry of 0", []func(*tlv.Object){func(o *tlv.Object) { o.Expiry = tlv.Some[tlv.Timestamp](0) }}, false},
		{"over", []func(*tlv.Object){expires(begin)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			asks, up, other := w.link(), w.link(), w.link()
			w.route("ccnx:/a", up)
			up.gets(lower(asks.interest("ccnx:/a/x")))
			d := up.data("ccnx:/a/x", c.opts...)
			asks.gets(d)
			i := other.interest("ccnx:/a/x")
			if !c.kept {
				up.gets(lower(i))
				return
			}
			other.gets(d)
			w.pass(time.Minute)
			up.gets(lower(other.interest("ccnx:/a/x")))
		})
	}
}

// TestCorruptNetworkData is dropped; only an application that checks for itself hears of
// it, and only from who was asked.
func TestCorruptNetworkData(t *testing.T) {
	w := newWorld(t, Options{})
	ours, theirs, link, up, other := w.app(), w.app(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	up.gets(ours.interest("ccnx:/a/x", marked), theirs.interest("ccnx:/a/x", hopLimit(33)))
	link.interest("ccnx:/a/x")
	bad := data(t, "ccnx:/a/x", crc, cacheUntil(begin.Add(time.Hour)))
	good := bytes.Clone(bad)
	bad[len(bad)-20] ^= 1
	other.sends(bad)
	w.quiet("from one who was not asked")
	up.sends(bad)
	ours.gets(bad)
	w.drops(control.Drops{Corrupt: 2})
	w.pending(1)
	up.sends(good)
	ours.gets(good)
	theirs.gets(good)
	link.gets(good)
}

// TestTooLarge: for Data that does not fit through a face the Interest comes back there,
// and the others get it.
func TestTooLarge(t *testing.T) {
	big := payload(string(make([]byte, 300)))
	for _, kind := range []Kind{App, Link} {
		w := newWorld(t, Options{})
		small, wide, up := w.face(FaceOptions{Kind: kind, MaxPacket: 200}), w.link(), w.link()
		w.route("ccnx:/a", up)
		i := small.interest("ccnx:/a/x", marked)
		up.got = nil
		wide.interest("ccnx:/a/x")
		d := up.data("ccnx:/a/x", big)
		wide.gets(d)
		back(t, small, i, tlv.ReturnMTU)
		w.pending(0)
		w.drops(control.Drops{TooLarge: 1})

		// What fits to the byte.
		exact := w.face(FaceOptions{Kind: kind, MaxPacket: len(d)})
		exact.interest("ccnx:/a/x")
		up.got = nil
		exact.gets(up.sends(d))

		// From the store the Interest itself comes back.
		put := w.app()
		put.data("ccnx:/s", big)
		i = small.interest("ccnx:/s", marked, hopLimit(7))
		small.gets(returned(i, tlv.ReturnMTU))
		small.multicasts(i)
		w.quiet("by a group")
		w.drops(control.Drops{TooLarge: 2})

		// Never for a symbolic Interest, nor for who does not want to know.
		small.interest("ccnx:/live", symbolic, marked)
		small.interest("ccnx:/live/Chunk=5", symbolic, marked)
		put.uncacheable("ccnx:/live/Chunk=5", big)
		w.pending(2)
		w.drops(control.Drops{TooLarge: 1, NoRoute: 2})
		theirs := w.face(FaceOptions{MaxPacket: 200})
		theirs.interest("ccnx:/b")
		put.uncacheable("ccnx:/b", big)
		theirs.interest("ccnx:/s")
		w.drops(control.Drops{TooLarge: 2, NoRoute: 1})
	}
}

// TestTooLargeInterest: one that fits through none of the next hops comes back.
func TestTooLargeInterest(t *testing.T) {
	w := newWorld(t, Options{})
	asks, small := w.app(), w.face(FaceOptions{Kind: Link, MaxPacket: 200})
	w.route("ccnx:/a", small)
	i := asks.interest("ccnx:/a/x", marked, func(i *tlv.Interest) { i.Payload = make([]byte, 300) })
	back(t, asks, i, tlv.ReturnMTU)
	w.drops(control.Drops{TooLarge: 1})
	w.pending(0)
	w.quiet("to the next hop")
	// Where it fits through another one, it goes there.
	wide := w.link()
	must(t, w.f.AddRoute(mustName(t, "ccnx:/a"), wide.id, 9))
	i = asks.interest("ccnx:/a/x", marked, func(i *tlv.Interest) { i.Payload = make([]byte, 300) })
	wide.gets(i)
	i = asks.interest("ccnx:/a/y", marked)
	small.gets(i)
	w.drops(control.Drops{})
}

// back wants an Interest returned, as far as it was remembered.
func back(t *testing.T, to *app, i []byte, code tlv.ReturnCode) {
	t.Helper()
	var asked tlv.Interest
	var r tlv.Return
	must(t, asked.Decode(i))
	if len(to.got) != 1 || r.Decode(to.got[0]) != nil || r.Code != code || !r.Name.Equal(asked.Name) {
		t.Errorf("face %d got%s, want the Return %d of%s", to.id, show(to.got...), code, show(i))
	}
	to.got = nil
}

// TestRemoteCommands: registrations are for local applications (sheet m 17), unless the
// network's are let in.
func TestRemoteCommands(t *testing.T) {
	commands := []tlv.Command{tlv.CommandRegister, tlv.CommandRegPrefix, tlv.CommandRouteAdd}
	w := newWorld(t, Options{})
	asks, peer, has := w.app(), w.link(), w.app().registers("ccnx:/a")
	for _, c := range append(commands, tlv.CommandDeregister, tlv.CommandRouteDel, tlv.CommandPITReg) {
		peer.command(c, "ccnx:/a")
		peer.command(c, "ccnx:/b")
	}
	w.drops(control.Drops{RemoteApp: 12})
	has.gets(asks.interest("ccnx:/a/x"))
	asks.interest("ccnx:/b")
	w.quiet("refused")

	for _, c := range commands {
		w := newWorld(t, Options{AllowRemoteApps: true})
		asks, peer, other := w.app(), w.link(), w.link()
		peer.command(c, "ccnx:/a")
		peer.gets(asks.interest("ccnx:/a"))
		other.data("ccnx:/a")
		w.drops(control.Drops{Unexpected: 1})
		asks.gets(peer.data("ccnx:/a"))
		peer.leaves()
		asks.interest("ccnx:/a")
		w.quiet("gone")
	}
}

// TestCancelUpstream: who was asked hears of it when nobody waits any more, and not before.
func TestCancelUpstream(t *testing.T) {
	for _, kind := range []func(*tlv.Interest){func(*tlv.Interest) {}, symbolic} {
		w := newWorld(t, Options{})
		one, two, here, up, other, lan := w.link(), w.link(), w.app(), w.link(), w.link(), w.group()
		w.route("ccnx:/a", up, other, lan)
		w.strategy("ccnx:/a", All)
		one.interest("ccnx:/a/x", kind, hopLimit(40))
		two.interest("ccnx:/a/x", kind)
		here.interest("ccnx:/a/x", kind, hopLimit(3))
		up.got, other.got, lan.got = nil, nil, nil
		one.interest("ccnx:/a/x", kind, cancel)
		one.interest("ccnx:/a/x", kind, cancel)
		here.interest("ccnx:/a/x", kind, cancel)
		other.interest("ccnx:/a/x", kind, cancel) // does not wait
		w.quiet("somebody waits")
		w.pending(1)
		c := two.interest("ccnx:/a/x", kind, cancel)
		up.gets(lower(c))
		other.gets(lower(c))
		lan.gets(lower(c))
		w.pending(0)
		two.interest("ccnx:/a/x", kind, cancel)
		w.quiet("nothing is left to cancel")
		here.interest("ccnx:/a/x", kind)
		up.got, other.got, lan.got = nil, nil, nil
		c = here.interest("ccnx:/a/x", kind, cancel)
		up.gets(c)
		other.gets(c)
		lan.gets(c)

		two.interest("ccnx:/a/x", kind)
		up.got, other.got, lan.got = nil, nil, nil
		two.interest("ccnx:/a/x", kind, cancel, hopLimit(1)) // goes no further
		w.pending(0)
		w.quiet("no hop is left")
	}
	// What has lapsed is not cancelled, swept or not.
	for _, d := range []time.Duration{0, 2 * Tick} {
		w := newWorld(t, Options{})
		one, up := w.link(), w.link()
		w.route("ccnx:/a", up)
		up.gets(lower(one.interest("ccnx:/a/x")))
		w.pass(tlv.DefaultLifetime + d)
		one.interest("ccnx:/a/x", cancel)
		w.quiet("lapsed")
	}

	// One that asked and was asked is not told to forget what it has itself cancelled.
	w := newWorld(t, Options{})
	one, two := w.link(), w.link()
	w.route("ccnx:/a", one, two)
	two.gets(lower(one.interest("ccnx:/a/x")))
	one.gets(lower(two.interest("ccnx:/a/x", hopLimit(40))))
	two.interest("ccnx:/a/x", cancel)
	w.pending(1)
	two.gets(lower(one.interest("ccnx:/a/x", cancel)))
	w.pending(0)
}

// TestFaceGone: Data for one that has left goes to the others, and nothing is left.
func TestFaceGone(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, up := w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(one.interest("ccnx:/a/x")))
	two.interest("ccnx:/a/x")
	one.leaves()
	one.leaves()
	w.f.sound(t)
	one.interest("ccnx:/a/y") // of one that is not known
	w.pending(1)
	two.gets(up.data("ccnx:/a/x"))
	w.pending(0)
	w.f.SetDown(one.id, true)
}

func TestIdle(t *testing.T) {
	w := newWorld(t, Options{})
	peer, up := w.link(), w.link()
	idle := func(a *app, want bool) {
		t.Helper()
		if got := w.f.Idle(a.id, time.Second, w.now); got != want {
			t.Errorf("idle %v, want %v", got, want)
		}
	}
	idle(peer, true) // has never said anything
	w.route("ccnx:/a", up)
	idle(up, false)
	up.gets(lower(peer.interest("ccnx:/a/x")))
	idle(peer, false)
	w.pass(time.Second)
	idle(peer, false) // waits
	peer.gets(up.data("ccnx:/a/x"))
	idle(peer, true)
	peer.sends([]byte("x")) // whatever it is
	idle(peer, false)
	w.pass(time.Second - 1)
	idle(peer, false)
	w.pass(1)
	idle(peer, true)
	w.f.DelRoute(mustName(t, "ccnx:/a"), up.id)
	w.pass(time.Second)
	idle(up, true)
	up.leaves()
	idle(up, false)

	// An application over the network may have nothing to say for long.
	w = newWorld(t, Options{AllowRemoteApps: true})
	has := w.link()
	has.registers("ccnx:/a", "ccnx:/b")
	w.pass(time.Minute)
	idle(has, false)
	has.command(tlv.CommandDeregister, "ccnx:/a")
	w.pass(time.Minute)
	idle(has, false)
	has.command(tlv.CommandDeregister, "ccnx:/b")
	idle(has, false)
	w.pass(time.Second)
	idle(has, true)
}

// TestNeighbourLinkRequest: it learns that a forwarder is here, no more.
func TestNeighbourLinkRequest(t *testing.T) {
	w := newWorld(t, Options{})
	peer := w.link()
	peer.sends([]byte(tlv.LinkRequest))
	peer.gets([]byte(tlv.LinkReply))
	if w.f.faces[peer.id].marked {
		t.Error("a link request marks a neighbour")
	}
	w.pending(0)
}

// TestOnMark is called once, for the mark or an application's link request.
func TestOnMark(t *testing.T) {
	for _, kind := range []Kind{App, Link} {
		w := newWorld(t, Options{})
		n := 0
		a := w.face(FaceOptions{Kind: kind, OnMark: func() { n++ }})
		a.interest("ccnx:/a", lifetime(time.Second))
		if n != 0 {
			t.Error("no mark was seen")
		}
		a.interest("ccnx:/a", marked)
		a.interest("ccnx:/a", marked)
		a.got = nil
		if n != 1 {
			t.Errorf("called %d times", n)
		}
	}
}
