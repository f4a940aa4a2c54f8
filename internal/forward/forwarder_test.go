package forward

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestInterestAndData(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app().registers("ccnx:/a")
	for _, uri := range []string{"ccnx:/a", "ccnx:/a/x", "ccnx:/a/x/Chunk=0", "ccnx:/a/0x0004=v", "ccnx:/a/App:3=y/Chunk=4294967295"} {
		i := asks.interest(uri)
		has.gets(i)
		d := has.data(uri, crc)
		asks.gets(d)
		has.data(uri) // nobody waits any more
		w.pending(0)
	}
	w.quiet("consumed")
	if c := w.f.count; c.RxInterests != 5 || c.RxSymbolic != 0 || c.TxInterests != 5 || c.RxData != 10 || c.TxData != 5 {
		t.Errorf("counters %+v", c)
	}
}

// TestChunkMatching: a chunked Interest needs Data with that chunk, a chunkless one
// Data without; of a chunk number only the low 32 bits count (sheet c, g).
func TestChunkMatching(t *testing.T) {
	at := func(uri string, k uint64) tlv.Name { return mustName(t, uri).WithChunk(k) }
	for _, c := range []struct {
		asked, sent tlv.Name
		match       bool
	}{
		{at("ccnx:/a", 9), at("ccnx:/a", 9), true},
		{at("ccnx:/a", 9), at("ccnx:/a", 8), false},
		{at("ccnx:/a", 0), mustName(t, "ccnx:/a"), false},
		{mustName(t, "ccnx:/a"), at("ccnx:/a", 0), false},
		{mustName(t, "ccnx:/a"), mustName(t, "ccnx:/a"), true},
		{mustName(t, "ccnx:/a"), mustName(t, "ccnx:/a/b"), false},
		{at("ccnx:/a", 9), at("ccnx:/a", 1<<32+9), true},
		{at("ccnx:/a", 1<<32+9), at("ccnx:/a", 9), true},
		{at("ccnx:/a", 0xffffffffb2d05e00), at("ccnx:/a", 0xb2d05e00), true},
	} {
		for _, cached := range []bool{false, true} {
			w := newWorld(t, Options{})
			asks, has := w.app(), w.app()
			named := func(n tlv.Name) func(*tlv.Object) { return func(o *tlv.Object) { o.Name = n } }
			asked := func(i *tlv.Interest) { i.Name = c.asked }
			var d []byte
			if cached {
				d = has.data("ccnx:/x", named(c.sent))
				asks.interest("ccnx:/x", asked)
			} else {
				asks.interest("ccnx:/x", asked)
				d = has.data("ccnx:/x", named(c.sent))
			}
			if c.match {
				asks.gets(d)
			}
			w.quiet(fmt.Sprintf("%v for %v, cached %v", c.sent, c.asked, cached))
		}
	}
}

// TestLongestPrefix: real longest prefix match, unlike cefnetd's (sheet e), with
// all owners of the longest one, whatever the order of registering.
func TestLongestPrefix(t *testing.T) {
	prefixes := []string{"ccnx:/a", "ccnx:/a/b", "ccnx:/a/b/c"}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		w := newWorld(t, Options{})
		asks := w.app()
		owners := make([]*app, 3)
		for _, k := range order {
			owners[k] = w.app().registers(prefixes[k])
		}
		second := w.app().registers("ccnx:/a/b")
		for uri, to := range map[string][]*app{
			"ccnx:/a": {owners[0]}, "ccnx:/a/x/y": {owners[0]}, "ccnx:/a/bb": {owners[0]},
			"ccnx:/a/b": {owners[1], second}, "ccnx:/a/b/x/Chunk=1": {owners[1], second},
			"ccnx:/a/b/c": {owners[2]}, "ccnx:/a/b/c/d/e": {owners[2]},
			"ccnx:/": nil, "ccnx:/b": nil, "ccnx:/ab": nil, "ccnx:/0x0004=a": nil,
		} {
			i := asks.interest(uri)
			for _, o := range to {
				o.gets(i)
			}
			w.quiet(uri)
		}
	}
}

func TestExactMatch(t *testing.T) {
	w := newWorld(t, Options{})
	asks, exact, short := w.app(), w.app(), w.app().registers("ccnx:/a")
	exact.command(tlv.CommandRegister, "ccnx:/a/b")
	for uri, to := range map[string]*app{
		"ccnx:/a/b": exact, "ccnx:/a/b/Chunk=7": exact,
		"ccnx:/a/b/c": short, "ccnx:/a/b/c/Chunk=0": short, "ccnx:/a": short,
	} {
		to.gets(asks.interest(uri))
		w.quiet(uri)
	}
	exact.command(tlv.CommandDeregister, "ccnx:/a/b")
	short.gets(asks.interest("ccnx:/a/b"))
}

// TestEveryInterest: a local application gets every Interest for its names, those
// sent again and those of others for what is pending included (sheet f).
func TestEveryInterest(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, has := w.app(), w.app(), w.app().registers("ccnx:/a")
	i := one.interest("ccnx:/a/x/Chunk=0")
	has.gets(i)
	has.gets(one.interest("ccnx:/a/x/Chunk=0"))
	has.gets(two.interest("ccnx:/a/x/Chunk=0", hopLimit(1)))
	w.pending(1)
	d := has.data("ccnx:/a/x/Chunk=0")
	one.gets(d) // once
	two.gets(d)
}

// TestOwnInterests never come back, whatever the application registered; they go on
// to a shorter prefix's owner.
func TestOwnInterests(t *testing.T) {
	w := newWorld(t, Options{})
	self, short := w.app().registers("ccnx:/a/b", "ccnx:/a"), w.app()
	alone := self.interest("ccnx:/a/b/x")
	w.quiet("alone")
	short.registers("ccnx:/a")
	short.gets(alone)
	short.gets(self.interest("ccnx:/a/b/y"))
	self.gets(short.interest("ccnx:/a/b/z"))
	d := short.data("ccnx:/a/b/x")
	self.gets(d)
	self.interest("ccnx:/a/b/own")
	short.gets(interest(t, "ccnx:/a/b/own"))
	self.data("ccnx:/a/b/own") // its own Data does not come back
	w.quiet("own Data")
}

func TestDeregister(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two := w.app(), w.app().registers("ccnx:/a"), w.app().registers("ccnx:/a", "ccnx:/b")
	two.command(tlv.CommandDeregister, "ccnx:/a")
	one.gets(asks.interest("ccnx:/a/x")) // only the sender's own went
	two.gets(asks.interest("ccnx:/b/x"))
	two.command(tlv.CommandDeregister, "ccnx:/a/x") // no registration
	asks.command(tlv.CommandDeregister, "ccnx:/a")
	one.gets(asks.interest("ccnx:/a/x"))
	one.registers("ccnx:/a") // again is once
	one.gets(asks.interest("ccnx:/a/x"))
	one.command(tlv.CommandDeregister, "ccnx:/a")
	asks.interest("ccnx:/a/x")
	w.quiet("all deregistered")
	if r := &w.f.regs; r.count != 1 || len(r.byName) != 1 {
		t.Errorf("%d registrations of %d names are left, want ccnx:/b alone", r.count, len(r.byName))
	}
}

func TestRegistrationsEndWithTheirFace(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two := w.app(), w.app().registers("ccnx:/a", "ccnx:/a/b", "ccnx:/c"), w.app().registers("ccnx:/a")
	one.command(tlv.CommandRouteAdd, "ccnx:/a")
	i := asks.interest("ccnx:/a/b/x")
	one.gets(i)
	one.leaves()
	two.gets(asks.interest("ccnx:/a/b/x"))
	asks.interest("ccnx:/c")
	two.leaves()
	asks.interest("ccnx:/a/b/x")
	w.quiet("both gone")
	if r := &w.f.regs; r.count != 0 || len(r.byName) != 0 {
		t.Errorf("%d registrations of %d names are left", r.count, len(r.byName))
	}
}

// TestRoutes: ROUTE ADD is for what no application is registered for, by real
// longest prefix; one for ccnx:/ is the default route, where REG matches nothing
// below it (sheet e).
func TestRoutes(t *testing.T) {
	w := newWorld(t, Options{})
	asks, all, far, has := w.app(), w.app(), w.app(), w.app().registers("ccnx:/a")
	has.registers("ccnx:/")
	early := has.interest("ccnx:/far/x")
	all.command(tlv.CommandRouteAdd, "ccnx:/")
	all.gets(early)
	far.command(tlv.CommandRouteAdd, "ccnx:/a/far")
	for uri, to := range map[string]*app{
		"ccnx:/a": has, "ccnx:/a/far/x": has, "ccnx:/far": all, "ccnx:/z/Chunk=3": all, "ccnx:/": has,
	} {
		to.gets(asks.interest(uri))
		w.quiet(uri)
	}
	all.interest("ccnx:/z/1") // not to itself
	has.command(tlv.CommandDeregister, "ccnx:/a")
	far.gets(asks.interest("ccnx:/a/far/x"))
	all.gets(asks.interest("ccnx:/a"))
	far.command(tlv.CommandDeregister, "ccnx:/a/far") // DEREG is not ROUTE DEL
	far.gets(asks.interest("ccnx:/a/far/y"))
	far.command(tlv.CommandRouteDel, "ccnx:/a/far")
	all.gets(asks.interest("ccnx:/a/far/y"))
	all.command(tlv.CommandRouteDel, "ccnx:/")
	asks.interest("ccnx:/a/far/y")
	w.quiet("no route")
}

// TestOtherCommands: those that are not for this forwarder change nothing.
func TestOtherCommands(t *testing.T) {
	w := newWorld(t, Options{})
	a := w.app()
	for _, c := range []tlv.Command{tlv.CommandPITReg, tlv.CommandPITDereg, tlv.CommandBulkPIT, 0x1fff} {
		a.command(c, "ccnx:/a")
	}
	if len(w.f.regs.byName) != 0 || w.f.drops.Rejected != 4 {
		t.Errorf("%d registered names, %d commands rejected", len(w.f.regs.byName), w.f.drops.Rejected)
	}
	w.pending(0)
}

func TestRegistrationsAreBounded(t *testing.T) {
	w := newWorld(t, Options{})
	a, asks := w.app(), w.app()
	base := mustName(t, "ccnx:/n")
	for k := range maxRegistrations + 10 {
		a.command(tlv.CommandRegPrefix, fmt.Sprintf("%s/%d", base, k))
	}
	if r := &w.f.regs; r.count != maxRegistrations || len(r.byName) != maxRegistrations || w.f.drops.Rejected != 10 {
		t.Errorf("%d registrations, %d rejected", r.count, w.f.drops.Rejected)
	}
	a.gets(asks.interest("ccnx:/n/131071/x"))
	asks.interest("ccnx:/n/131072/x")
	a.leaves()
	if r := &w.f.regs; r.count != 0 || len(r.byName) != 0 {
		t.Errorf("%d registrations are left", r.count)
	}
}

func TestHopLimitZero(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app().registers("ccnx:/a")
	has.data("ccnx:/a/cached")
	asks.interest("ccnx:/a", hopLimit(0))
	asks.interest("ccnx:/a/cached", hopLimit(0))
	i := asks.interest("ccnx:/a", hopLimit(0), marked)
	asks.gets(returned(i, tlv.ReturnHopLimit))
	w.quiet("hop limit 0")
	w.pending(0)
	has.gets(asks.interest("ccnx:/a", hopLimit(1))) // not decremented on the way to an application
}

func TestCancel(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, has := w.app(), w.app(), w.app().registers("ccnx:/a")
	for _, kind := range []struct {
		uri, data string
		opt       func(*tlv.Interest)
	}{
		{"ccnx:/a/x", "ccnx:/a/x", func(*tlv.Interest) {}},
		{"ccnx:/a/x/Chunk=1", "ccnx:/a/x/Chunk=1", func(*tlv.Interest) {}},
		{"ccnx:/a/x", "ccnx:/a/x/Chunk=1", symbolic},
	} {
		has.gets(one.interest(kind.uri, kind.opt), two.interest(kind.uri, kind.opt))
		has.gets(one.interest(kind.uri, kind.opt, cancel)) // the application may want to know
		w.pending(1)
		two.gets(has.uncacheable(kind.data))
		has.gets(two.interest(kind.uri, kind.opt, cancel))
		has.gets(two.interest(kind.uri, kind.opt, cancel)) // nothing left to cancel
		w.pending(0)
		has.uncacheable(kind.data)
		w.quiet("cancelled")
	}
}

func TestLinkRequest(t *testing.T) {
	w := newWorld(t, Options{})
	a, route := w.app(), w.app()
	route.command(tlv.CommandRouteAdd, "ccnx:/")
	a.sends([]byte(tlv.LinkRequest))
	a.gets(tlv.AppendNodeReply(nil, DefaultPITSize))
	w.pending(0)
	w.quiet("link request")
}

// TestReflexiveSegments play no part in finding an application; the Trigger Data
// matches exactly (sheet k).
func TestReflexiveSegments(t *testing.T) {
	const rnp = "0x0006=0x000102030405060708090a0b0c0d0e0f"
	w := newWorld(t, Options{})
	pub, sub := w.app(), w.app()
	sub.command(tlv.CommandRegister, "ccnx:/push")
	d := pub.data("ccnx:/"+rnp+"/Chunk=0", expires(begin.Add(time.Minute)), cacheUntil(begin.Add(time.Minute)))
	trigger := pub.interest("ccnx:/push/"+rnp, lifetime(3*time.Second))
	sub.gets(trigger)
	sub.interest("ccnx:/" + rnp + "/Chunk=0")
	sub.gets(d)
	sub.uncacheable("ccnx:/push") // not what the trigger waits for
	w.quiet("Data of another name")
	pub.gets(sub.uncacheable("ccnx:/push/" + rnp))
	pub.interest("ccnx:/push/other") // below, and not only by a reflexive segment
	w.quiet("below")
}

func TestLongLife(t *testing.T) {
	w := newWorld(t, Options{})
	long, once, has := w.app(), w.app(), w.app().registers("ccnx:/a")
	has.gets(long.interest("ccnx:/a/Chunk=0", longLife), once.interest("ccnx:/a/Chunk=0"))
	d := has.data("ccnx:/a/Chunk=0")
	long.gets(d)
	once.gets(d)
	long.gets(has.data("ccnx:/a/Chunk=0"))
	w.pending(1)
	w.pass(2*time.Second - time.Millisecond)
	long.gets(has.data("ccnx:/a/Chunk=0"))
	w.pass(time.Millisecond)
	has.uncacheable("ccnx:/a/Chunk=0")
	w.quiet("lapsed")
	w.pass(Tick)
	w.pending(0)
}

// TestMalformedPackets: nothing comes of what does not decode or fails its
// checksum.
func TestMalformedPackets(t *testing.T) {
	w := newWorld(t, Options{})
	a, has := w.app(), w.app()
	has.command(tlv.CommandRouteAdd, "ccnx:/")
	good := interest(t, "ccnx:/a/b/Chunk=1", func(i *tlv.Interest) { i.Validation.Alg = tlv.AlgCRC32C })
	for n := range good {
		a.sends(good[:n])
	}
	w.quiet("truncations")
	if w.f.drops.Malformed != uint64(len(good)) {
		t.Errorf("%d malformed, want %d", w.f.drops.Malformed, len(good))
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	a.sends(flipped)
	a.sends(returned(flipped, tlv.ReturnNoRoute))
	if w.f.drops.Corrupt != 2 {
		t.Errorf("%d corrupt, want 2", w.f.drops.Corrupt)
	}
	w.pending(0)
	w.quiet("wrong checksum")
	has.gets(a.sends(good))
}
