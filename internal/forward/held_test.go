package forward

import (
	"fmt"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestHeld: an Interest that overtakes the registration it was meant for is handed
// over when that comes; one that is answered, lapsed or has been taken is not.
func TestHeld(t *testing.T) {
	for _, c := range []tlv.Command{tlv.CommandRegPrefix, tlv.CommandRegister, tlv.CommandRouteAdd} {
		w := newWorld(t, Options{})
		asks, has, other := w.app(), w.app(), w.app()
		i := asks.interest("ccnx:/a/Chunk=1")
		s := asks.interest("ccnx:/a", symbolic)
		far := asks.interest("ccnx:/b/Chunk=1")
		own := has.interest("ccnx:/a/Chunk=2") // is not handed to itself
		asks.interest("ccnx:/a/Chunk=3", marked)
		asks.gets(returned(interest(t, "ccnx:/a/Chunk=3", marked), tlv.ReturnNoRoute))
		has.command(c, "ccnx:/a")
		if got := len(has.got); got != 2 {
			t.Errorf("%v: handed over%s, want%s", c, show(has.got...), show(i, s))
		}
		has.got = nil
		has.command(c, "ccnx:/a")
		other.command(c, "ccnx:/a") // has has the others
		other.gets(own)
		asks.gets(has.data("ccnx:/a/Chunk=1", expires(w.now)))
		other.command(tlv.CommandRegPrefix, "ccnx:/")
		other.registers("ccnx:/b")
		other.gets(far)
		asks.gets(other.data("ccnx:/b/Chunk=1", expires(w.now)))
		w.pass(5 * maxLifetime / 4)
		if len(w.f.pit.held) != 0 {
			t.Errorf("%d are held when nothing is pending", len(w.f.pit.held))
		}
	}
}

// TestHeldElsewhere: to register brings the Interests below that prefix, and no others.
func TestHeldElsewhere(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	for k := range maxHeld - 3 {
		asks.interest(fmt.Sprintf("ccnx:/a/Chunk=%d", k))
	}
	b, c := asks.interest("ccnx:/b/x"), asks.interest("ccnx:/b")
	has.registers("ccnx:/bb", "ccnx:/b/x/y")
	w.quiet("elsewhere")
	has.command(tlv.CommandRegister, "ccnx:/b")
	has.gets(c)
	has.registers("ccnx:/b")
	has.gets(b)
	all := w.app()
	all.command(tlv.CommandRouteAdd, "ccnx:/")
	if len(all.got) != maxHeld-3 {
		t.Errorf("%d handed over, want %d", len(all.got), maxHeld-3)
	}
	all.got = nil

	// What it was asked for before is nothing new.
	w.route("ccnx:/c", has)
	has.down(true)
	d := asks.interest("ccnx:/c/x")
	has.down(false)
	has.registers("ccnx:/d")
	w.quiet("of another prefix")
	has.command(tlv.CommandRouteAdd, "ccnx:/c")
	has.gets(d)
}

func TestHeldIsBounded(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	big := func(i *tlv.Interest) { i.Payload = make([]byte, maxHeldBytes) }
	asks.interest("ccnx:/a/big", big)
	for k := range maxHeld + 10 {
		asks.interest(fmt.Sprintf("ccnx:/a/Chunk=%d", k))
	}
	if len(w.f.pit.held) != maxHeld {
		t.Errorf("%d are held, want %d", len(w.f.pit.held), maxHeld)
	}
	has.registers("ccnx:/a")
	if len(has.got) != maxHeld {
		t.Errorf("%d handed over, want %d", len(has.got), maxHeld)
	}
	has.got = nil
}

// TestHeldReflexive: reflexive segments play no part in finding an application.
func TestHeldReflexive(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	i := asks.interest("ccnx:/a/0x0006=0x00112233445566778899aabbccddeeff/x")
	has.registers("ccnx:/a/x")
	has.gets(i)
}

// TestHeldRefused: what was handed over is refused as it was asked.
func TestHeldRefused(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app()
	i := asks.interest("ccnx:/a/x", hash("a"))
	has.registers("ccnx:/a")
	has.gets(i)
	has.sends(returned(i, tlv.ReturnNoRoute))
	if w.f.drops.Unexpected != 0 {
		t.Error("a refusal of what was handed over is unexpected")
	}
}
