package digest

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestMemory holds the memory against a plain list of keys, the one used last in front.
func TestMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 5000).Draw(t, "limit")
		m := newMemory(limit)
		var order []int
		sums := map[int]*Sums{}
		key := func(i int) Key { return keyOf(fmt.Sprint(i)) }
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 9).Draw(t, "key")
			at := slices.Index(order, i)
			got, ok := m.get(key(i))
			if ok != (at >= 0) || ok && got != sums[i] {
				t.Fatalf("get %d: %v, %v; order %v", i, got, ok, order)
			}
			if ok {
				order = slices.Insert(slices.Delete(order, at, at+1), 0, i)
				continue
			}
			sums[i] = &Sums{Runs: make([][32]byte, rapid.IntRange(0, 100).Draw(t, "runs"))}
			m.add(key(i), sums[i])
			order = slices.Insert(order, 0, i)
			used := func() (n int64) {
				for _, k := range order {
					n += 320 + 32*int64(len(sums[k].Runs))
				}
				return n
			}
			for len(order) > 1 && used() > limit {
				order = order[:len(order)-1]
			}
			if m.used != used() || len(m.entries) != len(order) || m.order.Len() != len(order) {
				t.Fatalf("%d bytes in %d entries, want %d in %d", m.used, m.order.Len(), used(), len(order))
			}
		}
	})
}

// TestMemoryOfPool: the Pool keeps to Options.Memory, and drops what was used least recently.
func TestMemoryOfPool(t *testing.T) {
	p := open(t, Options{Memory: 10 * 400})
	for i := range 100 {
		wantSums(t, p, newFake([]byte{byte(i)}).job(fmt.Sprint(i)), sumsOf([]byte{byte(i)}))
		p.Lookup(keyOf("0"))
	}
	kept := 0
	for i := range 100 {
		if _, ok := p.Lookup(keyOf(fmt.Sprint(i))); ok {
			kept++
		}
	}
	if _, ok := p.Lookup(keyOf("0")); !ok || kept != 11 {
		t.Errorf("%d are kept, the one that is used among them: %v", kept, ok)
	}
}
