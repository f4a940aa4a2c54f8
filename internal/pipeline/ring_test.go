package pipeline

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The ring grows where chunks far ahead of a missing one are asked for, and no chunk
// loses what is known of it.
func TestRingGrows(t *testing.T) {
	r := newRig(t, 1000, Options{})
	r.warm(50, 40*ms) // so that the ring does not begin at its start
	r.wantSent(from(50, 1050)...)
	if len(r.ring) != 1024 {
		t.Errorf("a ring of %d for 1000 chunks, want 1024", len(r.ring))
	}
	for k := uint64(50); k < 1050; k++ {
		if c := r.slot(k); c.phase != flying || c.tries != 1 || c.nth != k+1 || !c.sent.Equal(r.now) {
			t.Fatalf("chunk %d is %+v", k, *c)
		}
	}
	r.at(40 * ms)
	r.data(from(51, 1050)...)
	r.wantSent(from(1050, 2049)...)
	if len(r.ring) != 2048 {
		t.Errorf("a ring of %d for 1999 chunks, want 2048", len(r.ring))
	}
	for k := uint64(51); k < 1050; k++ {
		if c := r.slot(k); c.phase != had || !slices.Equal(c.payload, []byte{byte(k)}) {
			t.Fatalf("chunk %d is %+v", k, *c)
		}
	}
	if base := r.base; base != 50 {
		t.Fatalf("written up to %d", base)
	}
	r.data(50)
	if r.base != 1050 || r.flying != 999 {
		t.Errorf("written up to %d, %d in flight; want 1050, 999", r.base, r.flying)
	}
}

// No more than reorderChunks wait for a missing one, however large the window.
func TestRingBound(t *testing.T) {
	r := newRig(t, 1<<20, Options{})
	r.warm(1, 40*ms)
	r.path.bound = 1 << 20
	sent := r.send()
	if len(sent) != reorderChunks || len(r.ring) != reorderChunks {
		t.Errorf("%d chunks asked for behind one that is missing, a ring of %d; want %d", len(sent), len(r.ring), reorderChunks)
	}
	r.at(40 * ms)
	r.data(1, 2, 5)
	r.wantSent(reorderChunks+1, reorderChunks+2)
}

// Whatever the order in which chunks arrive, are lost and are asked for again, each is
// written once, in order, with its payload.
func TestRingOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.IntRange(1, 300).Draw(rt, "window")
		r := newRig(t, window, Options{})
		r.warm(1, 40*ms)
		var written []byte
		flying := map[uint64]bool{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			for _, k := range r.send() {
				flying[k] = true
			}
			out := sorted(flying)
			if len(out) != r.flying || r.flying > window || r.path.flying != r.flying {
				rt.Fatalf("%d out, %d and %d in flight, a window of %d", len(out), r.flying, r.path.flying, window)
			}
			n := rapid.IntRange(0, min(len(out), 40)).Draw(rt, "n")
			for _, k := range rapid.Permutation(out).Draw(rt, "order")[:n] {
				delete(flying, k)
				if rapid.IntRange(0, 3).Draw(rt, "lost") == 0 {
					r.lose(k)
					continue
				}
				written = append(written, r.take(k)...)
			}
		}
		for i, b := range written {
			if b != byte(i+1) {
				rt.Fatalf("byte %d of what was written is %d", i, b)
			}
		}
		if uint64(len(written)) != r.base-1 {
			rt.Fatalf("%d written, up to chunk %d", len(written), r.base)
		}
	})
}

// sorted lists a set.
func sorted(set map[uint64]bool) (keys []uint64) {
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
