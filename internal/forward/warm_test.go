package forward

import (
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestWarm: to be told of packets before they come changes nothing, whatever they are.
func TestWarm(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has := w.app(), w.app().registers("ccnx:/a")
	name := mustName(t, "ccnx:/a")
	var b tlv.Batch
	for k := range uint64(warmFrom + 100) {
		must(t, b.Encode((&tlv.Interest{HopLimit: 1, Name: name.WithChunk(k)}).AppendTo))
	}
	for i := range b.Len() {
		asks.sends(b.Packet(i))
	}
	has.got = nil
	var in tlv.Batch
	in.Append(b.Packet(3))
	in.Append([]byte("no packet"))
	in.Append(nil)
	in.Append([]byte(tlv.LinkRequest))
	for _, uri := range []string{"ccnx:/a/Chunk=7", "ccnx:/a", "ccnx:/b/Chunk=7"} {
		in.Append(data(t, uri))
	}
	before, count := w.f.pit.len(), w.f.count
	w.f.Warm(&in)
	if w.f.pit.seen == 0 {
		t.Error("nothing was looked at")
	}
	if w.f.pit.len() != before || w.f.count != count || in.Len() != 7 {
		t.Errorf("%d entries, %+v; were %d, %+v", w.f.pit.len(), w.f.count, before, count)
	}
	w.f.sound(t)
	asks.gets()
	asks.gets(has.data("ccnx:/a/Chunk=7"))
}
