package testnet

import (
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Parcels come out by time, then in the order in which they went in, and whole.
func TestParcels(t *testing.T) {
	type want struct {
		at time.Duration
		id uint64
	}
	rapid.Check(t, func(t *rapid.T) {
		var q parcels
		var model []want // unsorted
		id, bytes := uint64(0), 0
		size := func(id uint64) int { return 8 + int(id%50) }
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				at := time.Duration(rapid.IntRange(0, 20).Draw(t, "at"))
				id++
				pkt := make([]byte, size(id))
				binary.BigEndian.PutUint64(pkt[len(pkt)-8:], id)
				q.put(at, parcel{pkt: pkt})
				clear(pkt)
				model = append(model, want{at, id})
				bytes += size(id)
			},
			"take": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip()
				}
				first := 0
				for i, w := range model {
					if w.at < model[first].at {
						first = i
					}
				}
				w := model[first]
				model = append(model[:first], model[first+1:]...)
				bytes -= size(w.id)
				if at, ok := q.next(); !ok || at != w.at {
					t.Fatalf("next %v, %v; want %v", at, ok, w.at)
				}
				p, at, slot := q.take()
				q.put(1000, p) // while it is held
				model, bytes = append(model, want{1000, w.id}), bytes+size(w.id)
				if got := binary.BigEndian.Uint64(p.pkt[len(p.pkt)-8:]); at != w.at || got != w.id || len(p.pkt) != size(w.id) {
					t.Fatalf("packet %d of %d bytes at %v; want %d at %v", got, len(p.pkt), at, w.id, w.at)
				}
				q.release(slot)
			},
			"clear": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "clear") > 0 {
					return
				}
				if n := q.clear(); n != len(model) {
					t.Fatalf("%d cleared, want %d", n, len(model))
				}
				model, bytes = nil, 0
			},
			"": func(t *rapid.T) {
				if _, ok := q.next(); q.len() != len(model) || ok != (len(model) > 0) || q.bytes != bytes {
					t.Fatalf("%d of %d bytes, want %d of %d", q.len(), q.bytes, len(model), bytes)
				}
			},
		})
	})
}

// What is kept for later is bounded.
func TestParcelsSpares(t *testing.T) {
	var q parcels
	pkt := make([]byte, 1<<20)
	for range 40 {
		q.put(0, parcel{pkt: pkt})
	}
	for q.len() > 0 {
		_, _, slot := q.take()
		q.release(slot)
	}
	kept := 0
	for _, s := range q.slots {
		kept += cap(s.pkt)
	}
	if kept != q.spares || kept > sparesBytes || kept < sparesBytes/2 {
		t.Errorf("%d bytes kept, %d counted, at most %d wanted", kept, q.spares, sparesBytes)
	}
}
