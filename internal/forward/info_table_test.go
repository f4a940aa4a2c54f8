package forward

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

func (t *infoTable) sound(tb testing.TB) {
	tb.Helper()
	waiting := make(map[*face]int)
	last := never
	for el := t.order.Front(); el != nil; el = el.Next() {
		e := el.Value.(*infoEntry)
		if t.byKey[e.key] != el || e.until < last || e.done() || len(e.ups) == 0 {
			tb.Errorf("entry %+v is out of order, or done, or not in the table", e)
		}
		waiting[e.down]++
		last = e.until
	}
	for fc, n := range waiting {
		if t.waiting[fc] != n || n > maxInfosOfFace {
			tb.Errorf("face %d waits %d times, %d counted", fc.id, n, t.waiting[fc])
		}
	}
	if t.order.Len() > maxInfos || len(t.byKey) != t.order.Len() || len(t.waiting) != len(waiting) {
		tb.Errorf("%d in order, %d by key; %d faces wait, %d counted", t.order.Len(), len(t.byKey), len(waiting), len(t.waiting))
	}
}

// TestInfoReply: a Reply goes, as it is, to who asked: once from each that was asked,
// while it is waited for.
func TestInfoReply(t *testing.T) {
	w := infoWorld(t)
	asks, other, on, too := w.link(), w.app(), w.link(), w.link()
	w.route("ccnx:/a", on, too)
	w.strategy("ccnx:/a", All)
	reply := infoReply(t, infoCRC, infoFlags(3), reports(t, "ccnx:/here"))
	unexpected := func(n uint64) {
		t.Helper()
		w.quiet("unexpected")
		w.drops(control.Drops{Unexpected: n})
	}
	on.sends(reply) // nobody has asked
	unexpected(1)
	pkt := asks.sends(infoRequest(t))
	on.gets(w.hop(pkt))
	too.gets(w.hop(pkt))
	w.infos(1)
	other.sends(reply) // was not asked
	asks.sends(reply)
	on.sends(infoReply(t, infoID(0x8180)))
	on.sends(infoReply(t, infoName(t, "ccnx:/a")))
	on.sends(infoReply(t, infoName(t, "ccnx:/a/x/Chunk=0")))
	on.multicasts(reply)
	unexpected(6)
	w.infos(1)
	refused := infoReply(t, infoCode(tlv.InfoNoRoute))
	on.sends(refused)
	asks.gets(refused)
	on.sends(reply) // again
	unexpected(1)
	w.pass(4*time.Second - 1)
	too.sends(reply)
	asks.gets(reply)
	w.infos(0)
	too.sends(reply)
	unexpected(1)

	asks.sends(pkt) // the same id may be used again
	on.gets(w.hop(pkt))
	too.gets(w.hop(pkt))
	w.now = w.now.Add(4 * time.Second)
	on.sends(reply) // too late, though not swept
	unexpected(1)
	w.infos(0)

	other.sends(pkt)
	on.takes(1)
	too.takes(1)
	w.pass(4*time.Second - 1)
	w.infos(1)
	w.pass(1)
	w.infos(0)

	chunk := asks.sends(infoRequest(t, infoChunk(1<<32+2)))
	on.gets(w.hop(chunk))
	too.gets(w.hop(chunk))
	answer := infoReply(t, infoName(t, "ccnx:/a/x/Chunk=2")) // as cefnetd knows it
	on.sends(answer)
	asks.gets(answer)

	other.sends(infoRequest(t, infoID(7)))
	on.takes(1)
	too.takes(1)
	other.leaves()
	on.sends(infoReply(t, infoID(7)))
	on.leaves()
	too.sends(infoReply(t, infoID(7)))
	unexpected(0)
}

// TestInfoDuplicate: what is being waited for is not asked again, by whomever; another
// id or name is something else.
func TestInfoDuplicate(t *testing.T) {
	w := infoWorld(t)
	asks, other, on := w.link(), w.app(), w.link()
	w.route("ccnx:/a", on)
	pkt := asks.sends(infoRequest(t))
	on.gets(w.hop(pkt))
	asks.sends(pkt)
	other.sends(pkt)
	w.quiet("duplicate")
	w.infos(1)
	reply := infoReply(t)
	for _, c := range [][]func(*tlv.Info){{infoID(1)}, {infoName(t, "ccnx:/a")}, {infoName(t, "ccnx:/a/x/Chunk=0")}, {infoName(t, "ccnx:/a/x/Chunk=1")}} {
		pkt := other.sends(infoRequest(t, c...))
		on.gets(w.hop(pkt))
	}
	w.infos(5)
	on.sends(reply)
	asks.gets(reply)
	w.drops(control.Drops{})
}

// TestInfoBounds: one face cannot have many Requests waited for, nor all faces together
// very many.
func TestInfoBounds(t *testing.T) {
	w := infoWorld(t)
	on := w.link()
	w.route("ccnx:/a", on)
	name := mustName(t, "ccnx:/a/x")
	request := func(a *app, n int) []byte {
		return a.sends(infoRequest(t, func(i *tlv.Info) { i.Name = name.WithChunk(uint64(n)) }))
	}
	reply := func(n int) []byte {
		return infoReply(t, func(i *tlv.Info) { i.Name = name.WithChunk(uint64(n)) })
	}
	var asks []*app
	for k := range maxInfos / maxInfosOfFace {
		a := w.link()
		asks = append(asks, a)
		for j := range maxInfosOfFace {
			request(a, k*maxInfosOfFace+j)
		}
		on.takes(maxInfosOfFace)
		request(a, 1<<20+k)
		w.quiet("over its quota")
		w.drops(control.Drops{FaceQuota: 1})
	}
	w.infos(maxInfos)
	a := w.link()
	pkt := request(a, maxInfos)
	on.gets(w.hop(pkt))
	w.drops(control.Drops{PITFull: 1})
	w.infos(maxInfos)
	on.sends(reply(0)) // the oldest has gone
	w.drops(control.Drops{Unexpected: 1})
	on.sends(reply(1))
	asks[0].gets(reply(1))
	on.sends(reply(maxInfos))
	a.gets(reply(maxInfos))
	w.infos(maxInfos - 2)
	pkt = request(asks[0], 1) // there is room for it again
	on.gets(w.hop(pkt))
	w.drops(control.Drops{})
	w.pass(4 * time.Second)
	w.infos(0)
}
