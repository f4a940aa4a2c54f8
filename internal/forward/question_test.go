package forward

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestQuestionOfARestriction: only what was asked under a restriction keeps another
// Interest under it from the network, whoever waits, and however far it went.
func TestQuestionOfARestriction(t *testing.T) {
	w := newWorld(t, Options{})
	asks, one, two, far, up := w.app(), w.link(), w.link(), w.link(), w.link()
	asks.interest("ccnx:/a/x") // waits, though nobody was asked
	w.route("ccnx:/a", up)
	up.gets(lower(one.interest("ccnx:/a/x", hash("a"))))
	up.gets(lower(two.interest("ccnx:/a/x", hopLimit(20))))
	one.interest("ccnx:/a/x", hopLimit(20))
	two.interest("ccnx:/a/x", hash("a"))
	if w.f.count.Aggregated != 2 {
		t.Errorf("%d aggregated, want 2", w.f.count.Aggregated)
	}
	// Nor does one of another restriction circle.
	up.gets(lower(far.interest("ccnx:/a/x", hash("b"), hopLimit(10))))
	far.interest("ccnx:/a/x", hash("b"), hopLimit(10))
	far.interest("ccnx:/a/x", hopLimit(10))
	w.quiet("circling")
	w.drops(control.Drops{NoRoute: 1})
}

// TestReturnOfARestriction counts for what was asked under it, and for nothing else.
func TestReturnOfARestriction(t *testing.T) {
	w := newWorld(t, Options{})
	plain, strict, one, two := w.link(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	i, j := lower(plain.interest("ccnx:/a/x")), lower(strict.interest("ccnx:/a/x", hash("a")))
	one.gets(i, j)
	one.sends(returned(interest(t, "ccnx:/a/x", hash("b")), tlv.ReturnNoRoute)) // it was not asked that
	w.drops(control.Drops{Unexpected: 1})
	one.sends(returned(j, tlv.ReturnNoRoute))
	two.gets(j)
	one.sends(returned(j, tlv.ReturnNoRoute)) // again
	w.drops(control.Drops{Unexpected: 1})
	strict.gets(two.sends(returned(j, tlv.ReturnNoRoute)))
	w.quiet("one may answer the other")
	w.pending(1)
	one.sends(returned(i, tlv.ReturnNoRoute))
	two.gets(i) // as if it had never refused
	plain.gets(two.sends(returned(i, tlv.ReturnPathError)))
	w.pending(0)
	w.drops(control.Drops{})
}

// TestQuestionLapses: what was asked for a shorter time is asked again for who wants to wait
// for more than twice as long as that still lasts; where it is over, nothing circles.
func TestQuestionLapses(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, three, up := w.link(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	up.gets(lower(one.interest("ccnx:/a/x", lifetime(100*time.Millisecond))))
	w.pass(50 * time.Millisecond)
	two.interest("ccnx:/a/x", lifetime(100*time.Millisecond))
	w.quiet("as long as half of it")
	up.gets(lower(two.interest("ccnx:/a/x", lifetime(4*time.Second))))
	w.pass(3 * time.Second)
	up.gets(lower(three.interest("ccnx:/a/x", lifetime(10*time.Second))))
	d := up.data("ccnx:/a/x")
	two.gets(d)
	three.gets(d)

	// To go on waiting is not to ask.
	up.gets(lower(one.interest("ccnx:/a/y", lifetime(2*time.Second))))
	w.pass(time.Second)
	two.interest("ccnx:/a/y", lifetime(2*time.Second))
	w.pass(time.Second)
	up.gets(lower(three.interest("ccnx:/a/y", lifetime(time.Millisecond))))

	// One that comes around is known by any question that stands, and by no other.
	up.gets(lower(one.interest("ccnx:/a/z", hopLimit(9), lifetime(20*time.Millisecond))))
	w.pass(20*time.Millisecond - 1)
	two.interest("ccnx:/a/z", hopLimit(7), lifetime(4*time.Second))
	w.quiet("circling")
	w.pass(1)
	up.gets(lower(three.interest("ccnx:/a/z", hopLimit(7), lifetime(4*time.Second))))
}

// TestRefusalAfterTheQuestion: who can no longer answer is not waited for, once another has
// refused.
func TestRefusalAfterTheQuestion(t *testing.T) {
	for name, ends := range map[string]func(w *world, up *app){
		"lapsed": func(w *world, _ *app) { w.pass(time.Second) },
		"down":   func(_ *world, up *app) { up.down(true) },
		"was down": func(_ *world, up *app) {
			up.down(true)
			up.down(false)
		},
		"gone": func(_ *world, up *app) { up.leaves() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{Strategy: All})
			asks, late, one, two := w.link(), w.link(), w.link(), w.link()
			w.route("ccnx:/a", one, two)
			i := lower(asks.interest("ccnx:/a/x", lifetime(time.Second)))
			one.gets(i)
			two.gets(i)
			late.interest("ccnx:/a/x", lifetime(2*time.Second)) // waits on
			ends(w, one)
			r := two.sends(returned(i, tlv.ReturnNoRoute))
			if name != "lapsed" {
				asks.gets(r)
			}
			late.gets(r)
			w.drops(control.Drops{})
		})
	}
}

// TestQuestionBreaks: what was asked over a connection that has broken is asked again, of
// another one or over the next connection.
func TestQuestionBreaks(t *testing.T) {
	w := newWorld(t, Options{})
	asks, other, late, far, one, two := w.link(), w.link(), w.link(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	one.gets(lower(asks.interest("ccnx:/a/x")))
	one.down(false) // nothing was wrong
	other.interest("ccnx:/a/x")
	w.quiet("one may answer")
	one.down(true)
	two.gets(lower(late.interest("ccnx:/a/x")))
	two.down(true)
	two.down(true)
	one.down(false)
	w.quiet("up again")
	one.gets(lower(far.interest("ccnx:/a/x", hopLimit(9)))) // it does not circle
	w.link().interest("ccnx:/a/x", hopLimit(9))
	w.quiet("one may answer again")
	d := one.data("ccnx:/a/x")
	for _, a := range []*app{asks, other, late, far} {
		a.gets(d)
	}
	w.apps[len(w.apps)-1].gets(d)
	w.pending(0)
}

// TestReturnOfTheEarlier: where an Interest went a second time and farther, the first Return
// for want of hops is that of the one before.
func TestReturnOfTheEarlier(t *testing.T) {
	w := newWorld(t, Options{})
	near, far, one, two := w.link(), w.link(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	ask := func(uri string, limits ...uint8) (i [][]byte) {
		for k, limit := range limits {
			i = append(i, lower([]*app{near, far}[k].interest(uri, hopLimit(limit))))
		}
		one.gets(i...)
		return i
	}
	i := ask("ccnx:/a/x", 3, 30)
	one.sends(returned(i[0], tlv.ReturnHopLimit))
	w.quiet("of the earlier")
	w.pending(1)
	d := one.data("ccnx:/a/x")
	near.gets(d)
	far.gets(d)

	i = ask("ccnx:/a/y", 3, 30)
	one.sends(returned(i[0], tlv.ReturnHopLimit))
	one.sends(returned(i[1], tlv.ReturnHopLimit))
	two.gets(i[1])
	r := two.sends(returned(i[1], tlv.ReturnHopLimit)) // two was asked once
	near.gets(r)
	far.gets(r)

	i = ask("ccnx:/a/z", 3, 30)
	one.sends(returned(i[0], tlv.ReturnNoRoute)) // goes for both
	two.gets(i[0])
	r = two.sends(returned(i[0], tlv.ReturnNoRoute))
	near.gets(r)
	far.gets(r)
	w.pending(0)

	// No farther than before, or by the same face.
	i = [][]byte{lower(near.interest("ccnx:/a/s", hopLimit(9))), lower(near.interest("ccnx:/a/s", hopLimit(9)))}
	one.gets(i...)
	one.sends(returned(i[0], tlv.ReturnHopLimit))
	two.gets(i[0])
	near.gets(two.sends(returned(i[0], tlv.ReturnHopLimit)))
	here := w.app()
	i = [][]byte{here.interest("ccnx:/a/h", hopLimit(3)), lower(near.interest("ccnx:/a/h", hopLimit(4)))}
	one.gets(i[0]) // the other goes as far
	one.sends(returned(i[0], tlv.ReturnHopLimit))
	two.gets(i[0])
	near.gets(two.sends(returned(i[0], tlv.ReturnHopLimit)))
	w.drops(control.Drops{})

	// What was asked before the connection broke is over.
	up := w.link()
	w.route("ccnx:/b", up)
	up.gets(lower(near.interest("ccnx:/b/x", hopLimit(3))))
	up.down(true)
	up.down(false)
	j := lower(far.interest("ccnx:/b/x", hopLimit(30)))
	up.gets(j)
	r = up.sends(returned(j, tlv.ReturnHopLimit))
	near.gets(r)
	far.gets(r)
}

// TestReturnOfTheEarlierAgain: the Return of the one before is to come, however often the
// latest is repeated; none is where the connection broke meanwhile.
func TestReturnOfTheEarlierAgain(t *testing.T) {
	w := newWorld(t, Options{})
	near, far, up := w.link(), w.link(), w.link()
	w.route("ccnx:/a", up)
	i := lower(near.interest("ccnx:/a/x", hopLimit(3)))
	j := lower(far.interest("ccnx:/a/x", hopLimit(30)))
	up.gets(i, j, lower(far.interest("ccnx:/a/x", hopLimit(30))))
	up.sends(returned(i, tlv.ReturnHopLimit))
	w.quiet("of the earlier")
	near.interest("ccnx:/a/x", hopLimit(200))
	up.got = nil
	up.down(true)
	up.down(false)
	j = lower(far.interest("ccnx:/a/x", hopLimit(250)))
	up.gets(j)
	r := up.sends(returned(j, tlv.ReturnHopLimit))
	near.gets(r)
	far.gets(r)
}

// TestAnsweredOnce: one Data is one answer, to what it satisfies.
func TestAnsweredOnce(t *testing.T) {
	w := newWorld(t, Options{})
	asks, up := w.link(), w.link()
	w.route("ccnx:/a", up)
	a, b := data(t, "ccnx:/a/x", payload("a")), data(t, "ccnx:/a/x", payload("b"))
	asks.interest("ccnx:/a/x", hashOf(a))
	asks.interest("ccnx:/a/x", hashOf(b))
	if p := w.f.Status(StatusLimits{Pending: 1}, w.now).Pending[0]; len(p.Up) != 1 || len(p.Down) != 1 {
		t.Errorf("shown as %+v", p)
	}
	up.got = nil
	asks.gets(up.sends(a), up.sends(b))
	if h := w.next("ccnx:/a", up); h.sent != 2 || h.answered != 2 {
		t.Errorf("asked %d times, answered %d", h.sent, h.answered)
	}
}
