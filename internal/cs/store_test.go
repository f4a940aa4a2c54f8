package cs

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	begin   = time.Unix(1_800_000_000, 0)
	forever time.Time
)

// sizeOf is what a packet of n bytes takes under name.
func sizeOf(name tlv.Name, n int) int { return n + len(name.Bytes()) + overhead }

// holds wants the store to hold exactly these of the packets, all of one size.
func holds(t *testing.T, s *Store, all []string, want ...string) {
	t.Helper()
	size := 0
	for _, uri := range want {
		size += sizeOf(mustName(t, uri), 1)
	}
	if st := s.Stats(); st.Objects != len(want) || st.Bytes != size {
		t.Errorf("%+v, want %d objects, %d bytes", st, len(want), size)
	}
	for _, uri := range all {
		got := s.Lookup(mustName(t, uri), begin)
		if slices.Contains(want, uri) != (got != nil) {
			t.Errorf("%s: %q, want those of %v", uri, got, want)
		}
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	all := []string{"ccnx:/a/Chunk=0", "ccnx:/a/Chunk=1", "ccnx:/a", "ccnx:/b"}
	one := sizeOf(mustName(t, "ccnx:/a"), 1)
	s := New(3*one, nil)
	for _, uri := range all[:3] {
		if !s.Insert(mustName(t, uri), []byte("x"), forever, begin) {
			t.Errorf("%s was not kept", uri)
		}
	}
	if s.Lookup(mustName(t, all[0]), begin) == nil { // now the most recently used
		t.Error("not found")
	}
	s.Lookup(mustName(t, "ccnx:/none"), begin)
	s.Insert(mustName(t, all[3]), []byte("x"), forever, begin)
	if st := s.Stats(); st != (Stats{Objects: 3, Bytes: 3 * one, Capacity: 3 * one, Policy: "lru", Hits: 1, Misses: 1, Evicted: 1}) {
		t.Errorf("%+v", st)
	}
	holds(t, s, all, all[0], all[2], all[3])
	s.Insert(mustName(t, all[2]), []byte("x"), forever, begin) // replacing is using
	s.Lookup(mustName(t, all[3]), begin)
	s.Insert(mustName(t, all[1]), []byte("x"), forever, begin)
	holds(t, s, all, all[1], all[2], all[3])
}

func TestByteBound(t *testing.T) {
	name := func(k int) tlv.Name { return mustName(t, "ccnx:/a").WithChunk(uint64(k)) }
	small, large := sizeOf(name(0), 1), sizeOf(name(0), 1000)
	s := New(large+2*small, nil)
	for k := range 5 {
		s.Insert(name(k), []byte{byte(k)}, forever, begin)
	}
	s.Insert(name(9), make([]byte, 1000), forever, begin) // goes at the cost of several
	if st := s.Stats(); st.Objects != 3 || st.Bytes != large+2*small || st.Evicted != 3 {
		t.Errorf("%+v", st)
	}
	if s.Lookup(name(3), begin) == nil || s.Lookup(name(2), begin) != nil {
		t.Error("not the least recently used went")
	}
	s.Insert(name(9), []byte("x"), forever, begin) // smaller now
	if st := s.Stats(); st.Bytes != 3*small {
		t.Errorf("%+v", st)
	}
}

func TestTooLarge(t *testing.T) {
	name := mustName(t, "ccnx:/a")
	s := New(sizeOf(name, 100), nil)
	if !s.Insert(name, make([]byte, 100), forever, begin) {
		t.Error("what just fits was not kept")
	}
	if s.Insert(mustName(t, "ccnx:/b"), make([]byte, 101), forever, begin) || s.Lookup(name, begin) == nil {
		t.Error("what never fits was kept, or drove out what was there")
	}
	if s.Insert(name, make([]byte, 101), forever, begin) || s.Lookup(name, begin) != nil {
		t.Error("the old packet outlives the new one of its name")
	}
	if st := s.Stats(); st.Objects != 0 || st.Bytes != 0 || st.Evicted != 0 {
		t.Errorf("%+v", st)
	}
	for _, s := range []*Store{New(0, nil), new(Store)} { // the zero Store holds nothing
		if s.Insert(name, nil, forever, begin) || s.Lookup(name, begin) != nil || s.Stats().Objects != 0 {
			t.Error("a store without room keeps something")
		}
	}
}

func TestExpiry(t *testing.T) {
	name := mustName(t, "ccnx:/a/Chunk=0")
	until := begin.Add(time.Minute)
	s := New(1<<20, nil)
	for _, now := range []time.Time{until, until.Add(1)} {
		if s.Insert(name, []byte("x"), until, now) {
			t.Errorf("kept at %v", now.Sub(begin))
		}
	}
	if !s.Insert(name, []byte("x"), until, until.Add(-1)) || s.Lookup(name, until.Add(-1)) == nil {
		t.Error("not kept before its time is over")
	}
	if s.Lookup(name, until) != nil || s.Stats().Objects != 0 || s.Stats().Bytes != 0 {
		t.Errorf("kept beyond its time: %+v", s.Stats())
	}
	s.Insert(name, []byte("old"), forever, begin)
	if s.Insert(name, []byte("new"), begin, begin) || s.Lookup(name, begin) != nil {
		t.Error("the old packet outlives the new one of its name")
	}
}

// TestCopies: the store's packets are its own, and stay whole when they leave it.
func TestCopies(t *testing.T) {
	name := mustName(t, "ccnx:/a")
	segs, pkt := bytes.Clone(name.Bytes()), []byte("packet")
	own, err := tlv.NameFromBytes(segs)
	if err != nil {
		t.Fatal(err)
	}
	s := New(1<<10, nil)
	s.Insert(own, pkt, forever, begin)
	pkt[0], segs[4] = 'X', 'X'
	got := s.Lookup(name, begin)
	if string(got) != "packet" {
		t.Errorf("got %q", got)
	}
	s.Insert(name, []byte("PACKET"), forever, begin)
	if string(got) != "packet" || string(s.Lookup(name, begin)) != "PACKET" {
		t.Errorf("%q after it was replaced", got)
	}
}

// naive is a store as a list, the most recently used packet first.
type naive struct {
	max  int
	list []naiveEntry
}

type naiveEntry struct {
	uri   string
	size  int
	pkt   string
	until time.Time
}

func (n *naive) take(uri string) (e naiveEntry, ok bool) {
	i := slices.IndexFunc(n.list, func(e naiveEntry) bool { return e.uri == uri })
	if i < 0 {
		return e, false
	}
	e = n.list[i]
	n.list = slices.Delete(n.list, i, i+1)
	return e, true
}

func (n *naive) size() (sum int) {
	for _, e := range n.list {
		sum += e.size
	}
	return sum
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := &naive{max: rapid.IntRange(0, 3000).Draw(rt, "max")}
		s := New(n.max, nil)
		now := begin
		uris := rapid.SampledFrom([]string{"ccnx:/a", "ccnx:/a/Chunk=0", "ccnx:/a/Chunk=1", "ccnx:/a/b", "ccnx:/a/b/Chunk=1", "ccnx:/c/Chunk=7"})
		rt.Repeat(map[string]func(*rapid.T){
			"insert": func(rt *rapid.T) {
				uri := uris.Draw(rt, "name")
				pkt := rapid.StringN(0, 900, 900).Draw(rt, "packet")
				until := rapid.SampledFrom([]time.Time{forever, now, now.Add(1), now.Add(time.Second), now.Add(-1)}).Draw(rt, "until")
				name := mustName(t, uri)
				got := s.Insert(name, []byte(pkt), until, now)
				n.take(uri)
				e := naiveEntry{uri, sizeOf(name, len(pkt)), pkt, until}
				want := e.size <= n.max && (until.IsZero() || until.After(now))
				if want {
					n.list = slices.Insert(n.list, 0, e)
					for n.size() > n.max {
						n.list = n.list[:len(n.list)-1]
					}
				}
				if got != want {
					rt.Fatalf("kept %s: %v, want %v", uri, got, want)
				}
			},
			"lookup": func(rt *rapid.T) {
				uri := uris.Draw(rt, "name")
				got := s.Lookup(mustName(t, uri), now)
				e, ok := n.take(uri)
				if ok = ok && (e.until.IsZero() || e.until.After(now)); ok {
					n.list = slices.Insert(n.list, 0, e)
				}
				if ok != (got != nil) || ok && string(got) != e.pkt {
					rt.Fatalf("%s: %q, want %q %v", uri, got, e.pkt, ok)
				}
			},
			"pass": func(*rapid.T) { now = now.Add(time.Second / 2) },
			"": func(rt *rapid.T) {
				if st := s.Stats(); st.Objects != len(n.list) || st.Bytes != n.size() || st.Capacity != n.max || len(s.entries) != st.Objects {
					rt.Fatalf("%+v, want %d objects, %d bytes", st, len(n.list), n.size())
				}
				e := s.root.next
				for _, want := range n.list {
					if e == &s.root || string(e.pkt) != want.pkt || e.next.prev != e {
						rt.Fatalf("the list is out of order at %s", want.uri)
					}
					e = e.next
				}
			},
		})
	})
}

func BenchmarkInsert(b *testing.B) {
	for _, size := range []int{1024, 4095} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, base, pkt := New(64<<20, nil), mustName(b, "ccnx:/bench/name"), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			k := uint64(0)
			for b.Loop() {
				s.Insert(base.WithChunk(k), pkt, forever, begin)
				k++
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	const n = 10_000
	s, base, pkt := New(64<<20, nil), mustName(b, "ccnx:/bench/name"), make([]byte, 1024)
	for k := range uint64(n) {
		s.Insert(base.WithChunk(k), pkt, forever, begin)
	}
	b.ReportAllocs()
	k := uint64(0)
	for b.Loop() {
		if s.Lookup(base.WithChunk(k%n), begin) == nil {
			b.Fatal("not found")
		}
		k++
	}
}

// Retain drops what it is told to of one name, and nothing of another; what is left
// can be dropped, evicted and found as before.
func TestRetain(t *testing.T) {
	s := New(1<<20, nil)
	a, b := mustName(t, "ccnx:/a"), mustName(t, "ccnx:/a/b")
	for k := range uint64(10) {
		s.Insert(a.WithChunk(k), []byte{byte(k)}, forever, begin)
		s.Insert(b.WithChunk(k), []byte{byte(k)}, forever, begin)
	}
	s.Insert(a, []byte{100}, forever, begin)
	even := func(pkt []byte) bool { return pkt[0]%2 == 0 }
	s.Retain(a.WithChunk(3), even)
	s.Retain(mustName(t, "ccnx:/none"), even)
	for k := range uint64(10) {
		if got := s.Peek(a.WithChunk(k)) != nil; got != (k%2 == 0) {
			t.Errorf("chunk %d is there: %v", k, got)
		}
		if s.Peek(b.WithChunk(k)) == nil {
			t.Errorf("chunk %d of the other name is gone", k)
		}
	}
	if s.Peek(a) == nil || s.Stats().Objects != 16 || s.Stats().Hits+s.Stats().Misses != 0 {
		t.Errorf("%+v", s.Stats())
	}
	s.Retain(a, func([]byte) bool { return false })
	s.Insert(a.WithChunk(1), []byte{1}, forever, begin)
	if s.Lookup(a.WithChunk(1), begin) == nil || s.Stats().Objects != 11 {
		t.Errorf("%+v", s.Stats())
	}
}

func TestFIFO(t *testing.T) {
	p, err := ParsePolicy("fifo")
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := mustName(t, "ccnx:/a"), mustName(t, "ccnx:/b"), mustName(t, "ccnx:/c")
	s := New(2*sizeOf(a, 1), p)
	s.Insert(a, []byte("a"), forever, begin)
	s.Insert(b, []byte("b"), forever, begin)
	s.Lookup(a, begin) // does not save it
	s.Insert(c, []byte("c"), forever, begin)
	if s.Lookup(a, begin) != nil || s.Lookup(b, begin) == nil || s.Lookup(c, begin) == nil || s.Stats().Policy != "fifo" {
		t.Errorf("the wrong one went: %+v", s.Stats())
	}
	if p, err := ParsePolicy("lru"); p != LRU || err != nil {
		t.Errorf("lru: %v, %v", p, err)
	}
	if _, err := ParsePolicy("mru"); err == nil {
		t.Error("a policy that is none")
	}
}
