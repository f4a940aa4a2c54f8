package forward

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestNoRoute: only who understands an Interest Return gets one; the others wait,
// and get the Data that comes in time.
func TestNoRoute(t *testing.T) {
	for _, toAll := range []bool{false, true} {
		w := newWorld(t, Options{ReturnToAll: toAll})
		ours, theirs, has := w.app(), w.app(), w.app()
		i := ours.interest("ccnx:/a/Chunk=0", marked)
		ours.gets(returned(i, tlv.ReturnNoRoute))
		w.pending(0)
		i = theirs.interest("ccnx:/a/Chunk=0")
		if toAll {
			theirs.gets(returned(i, tlv.ReturnNoRoute))
			w.pending(0)
			continue
		}
		w.pending(1)
		i = ours.interest("ccnx:/a/Chunk=0", marked) // ends ours, not theirs
		ours.gets(returned(i, tlv.ReturnNoRoute))
		w.pass(time.Second)
		theirs.gets(has.uncacheable("ccnx:/a/Chunk=0"))
	}
}

// TestNoReturnForSymbolic: Data may come at any time.
func TestNoReturnForSymbolic(t *testing.T) {
	for _, toAll := range []bool{false, true} {
		w := newWorld(t, Options{ReturnToAll: toAll})
		ours, has := w.app(), w.app()
		i := ours.interest("ccnx:/a", marked, symbolic)
		one := ours.interest("ccnx:/a/Chunk=1", marked, symbolic)
		ours.interest("ccnx:/a", marked, symbolic, hopLimit(0))
		w.quiet("no route")
		w.pending(2)
		has.registers("ccnx:/a")
		has.gets(i, one)
		has.gets(ours.interest("ccnx:/a", marked, symbolic))
		has.sends(returned(i, tlv.ReturnProhibited))
		w.quiet("refused")
		w.pending(2)
		ours.gets(has.uncacheable("ccnx:/a/Chunk=7"))
	}
}

// TestOwnInterestHasNoRoute: an application that asks for its own names, which
// nobody else has.
func TestOwnInterestHasNoRoute(t *testing.T) {
	w := newWorld(t, Options{})
	self := w.app().registers("ccnx:/a")
	i := self.interest("ccnx:/a/x", marked)
	self.gets(returned(i, tlv.ReturnNoRoute))
}

// TestRefusal: an application's Interest Return goes to those who understand it,
// byte for byte, and ends their waiting.
func TestRefusal(t *testing.T) {
	for _, toAll := range []bool{false, true} {
		w := newWorld(t, Options{ReturnToAll: toAll})
		ours, theirs, has := w.app(), w.app(), w.app().registers("ccnx:/a")
		i, j := ours.interest("ccnx:/a/x", marked), theirs.interest("ccnx:/a/x")
		has.gets(i, j)
		r := has.sends(returned(i, tlv.ReturnProhibited))
		ours.gets(r)
		if toAll {
			theirs.gets(r)
			w.pending(0)
			continue
		}
		w.quiet("Return")
		w.pending(1)
		theirs.gets(has.uncacheable("ccnx:/a/x"))
	}
}

// TestRefusalOfOneOfTwo does not end the waiting, however often it comes and however
// often the Interest is sent; that of the last one does.
func TestRefusalOfOneOfTwo(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two := w.app(), w.app().registers("ccnx:/a"), w.app().registers("ccnx:/a")
	i := asks.interest("ccnx:/a/x", marked)
	asks.sends(i)
	one.gets(i, i)
	two.gets(i, i)
	r := returned(i, tlv.ReturnNoRoute)
	one.sends(r)
	one.sends(r) // it was asked twice
	w.quiet("one refused")
	w.pending(1)
	asks.gets(two.uncacheable("ccnx:/a/x"))

	asks.sends(i)
	one.gets(i)
	two.gets(i)
	two.sends(r)
	w.quiet("the other refused")
	asks.gets(one.sends(r))
	w.pending(0)
	one.sends(r) // nobody waits
	w.quiet("late")

	asks.sends(i)
	one.gets(i)
	two.gets(i)
	one.leaves() // and will never refuse
	asks.gets(two.sends(r))
}

// TestRefusalOfOwner: that one application asks for its own names leaves those that
// others asked as they were.
func TestRefusalOfOwner(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two := w.app(), w.app().registers("ccnx:/a"), w.app().registers("ccnx:/a")
	i := asks.interest("ccnx:/a/x", marked)
	j := one.interest("ccnx:/a/x")
	one.gets(i)
	two.gets(i, j)
	r := returned(i, tlv.ReturnNoRoute)
	two.sends(r)
	w.quiet("one of two")
	asks.gets(one.sends(r))
}

// TestEntriesAreUsedAgain: with nothing left of what they were before.
func TestEntriesAreUsedAgain(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two := w.app(), w.app().registers("ccnx:/a"), w.app().registers("ccnx:/b")
	one.gets(asks.interest("ccnx:/a/Chunk=3", longLife))
	w.pass(3 * time.Second)
	w.pending(0)
	i := asks.interest("ccnx:/b/x", marked)
	two.gets(i)
	asks.gets(two.sends(returned(i, tlv.ReturnNoRoute)))
	two.gets(asks.sends(i))
	asks.gets(two.uncacheable("ccnx:/b/x"))
	w.pending(0)
}

// TestRefusalOfAWideChunk: of a chunk number only the low 32 bits count (sheet c).
func TestRefusalOfAWideChunk(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app().registers("ccnx:/a")
	wide := func(i *tlv.Interest) { i.Name = i.Name.WithChunk(1<<32 + 9) }
	i := asks.interest("ccnx:/a", marked, wide)
	has.gets(i)
	asks.gets(has.sends(returned(i, tlv.ReturnNoRoute)))
	w.pending(0)
}

// TestRefusalOfNoConcern: the Return of somebody who was not asked, or for another
// name or kind, and one that comes too late.
func TestRefusalOfNoConcern(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has, other := w.app(), w.app().registers("ccnx:/a"), w.app()
	i := asks.interest("ccnx:/a/x/Chunk=1", marked, lifetime(time.Second))
	has.gets(i)
	other.sends(returned(i, tlv.ReturnNoRoute))
	asks.sends(returned(i, tlv.ReturnNoRoute))
	for _, uri := range []string{"ccnx:/a/x", "ccnx:/a/x/Chunk=2", "ccnx:/a/y/Chunk=1", "ccnx:/a"} {
		has.sends(returned(interest(t, uri, marked), tlv.ReturnNoRoute))
	}
	has.sends(returned(interest(t, "ccnx:/a/x", symbolic), tlv.ReturnNoRoute))
	w.pending(1)
	w.pass(time.Second)
	has.sends(returned(i, tlv.ReturnNoRoute))
	w.quiet("none of these")
	has.gets(asks.sends(i))
	has.leaves()
	other.sends(returned(i, tlv.ReturnNoRoute))
	w.quiet("who was asked is gone, but who refuses was not asked")
}
