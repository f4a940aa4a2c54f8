package forward

import (
	"testing"

	"pgregory.net/rapid"
)

// TestPITIndexModel: numbers are found by their tags, whatever was added and removed, and
// whichever of them share a home.
func TestPITIndexModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := pitIndex{slots: make([]pitSlot, 8)}
		tags := make(map[uint32]uint32) // by number
		// Homes are few, also in a table that has grown, and the last one is among them.
		tag := rapid.OneOf(rapid.Uint32Range(0, 3), rapid.Uint32Range(1<<32-3, 1<<32-1), rapid.Uint32())
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			number := rapid.Uint32Range(0, 40).Draw(t, "number")
			if is, ok := tags[number]; ok {
				x.remove(is, number)
				delete(tags, number)
			} else {
				tags[number] = tag.Draw(t, "tag")
				x.add(tags[number], number)
			}
			checkIndex(t, &x, tags)
		}
	})
}

func checkIndex(t *rapid.T, x *pitIndex, tags map[uint32]uint32) {
	n := 0
	for _, s := range x.slots {
		if s.used() {
			n++
		}
	}
	if n != len(tags) || x.used != n || 4*n > 3*len(x.slots) {
		t.Fatalf("%d slots of %d are used, %d counted, %d added", n, len(x.slots), x.used, len(tags))
	}
	for number, tag := range tags {
		i := x.home(tag)
		for x.slots[i] != (pitSlot{tag, number + 1}) {
			if !x.slots[i].used() {
				t.Fatalf("number %d of tag %x is not found", number, tag)
			}
			i = x.after(i)
		}
	}
}

// TestPITHashesChunks: the chunks of a name are spread over the table, also those that
// are a power of two apart.
func TestPITHashesChunks(t *testing.T) {
	p := newPIT(1 << 20)
	name := mustName(t, "ccnx:/a")
	for _, step := range []uint64{1, 1 << 10, 1 << 16} {
		homes := make(map[uint32]int)
		most := 0
		for k := range uint64(1000) {
			h := p.index.home(p.tagOf(name.WithChunk(k*step), kindChunk))
			homes[h]++
			most = max(most, homes[h])
		}
		if most > 12 { // of 1000 in 1024 places
			t.Errorf("chunks %d apart: %d of 1000 have one home", step, most)
		}
	}
}
