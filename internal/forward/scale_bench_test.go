package forward

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// The benchmarks here are of tables of different sizes: what matters is the factor between
// them. Packets are written into the same few bytes over and over, as they are in a
// driver's buffer, so that it is the tables that do not fit the processor's cache.

// patched is a packet whose name has four segments of 8 bytes, which set chooses.
type patched struct {
	pkt []byte
	at  [4]int
}

const patchMark = "\x00\x01\x00\x08--------"

func newPatched(b *testing.B, encode func(n tlv.Name) ([]byte, error), below ...string) *patched {
	var name tlv.Name
	for range 4 {
		var err error
		name, err = name.Child(patchMark[4:])
		must(b, err)
	}
	for _, s := range below {
		var err error
		name, err = name.Child(s)
		must(b, err)
	}
	pkt, err := encode(name)
	must(b, err)
	p := &patched{pkt: pkt}
	n := 0
	for k := range pkt {
		if n < len(p.at) && len(pkt)-k >= len(patchMark) && string(pkt[k:k+len(patchMark)]) == patchMark {
			p.at[n] = k + 4
			n++
		}
	}
	if n != len(p.at) {
		b.Fatalf("%d segments in %x", n, pkt)
	}
	return p
}

func patchedInterest(b *testing.B, below ...string) *patched {
	return newPatched(b, func(n tlv.Name) ([]byte, error) { return (&tlv.Interest{HopLimit: 32, Name: n}).AppendTo(nil) }, below...)
}

func patchedData(b *testing.B, payload int, below ...string) *patched {
	return newPatched(b, func(n tlv.Name) ([]byte, error) {
		return (&tlv.Object{Name: n, Payload: make([]byte, payload)}).AppendTo(nil)
	}, below...)
}

// set makes it the packet of the k-th name; no two have any segment in common.
func (p *patched) set(k uint64) []byte {
	for i, at := range p.at {
		x := 4*k + uint64(i) + 1 // splitmix64, which is a bijection
		x *= 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		binary.BigEndian.PutUint64(p.pkt[at:], x^x>>31)
	}
	return p.pkt
}

// heap is how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func sizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range []int{1e3, 1e6} {
		b.Run(fmt.Sprintf("%.0e", float64(n)), func(b *testing.B) { run(b, n) })
	}
}

// atOnce is how many packets come together: what a busy socket brings with one read.
const atOnce = 32

// deliver hands over the packets of a batch, as a node does, and empties it.
func deliver(f *Forwarder, from FaceID, in *tlv.Batch) {
	f.Warm(in)
	for i := range in.Len() {
		f.OnPacket(from, in.Packet(i), begin)
	}
	in.Reset(1 << 20)
}

// BenchmarkPIT is an Interest from one neighbour to another and the Data for one that has
// been pending, any of so many.
func BenchmarkPIT(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		before := heap()
		f := newForwarder(Options{PITSize: 2*n + atOnce, FaceQuota: 2 * n, CacheBytes: 1 << 20})
		var asks, has count
		f.AddFace(&asks, FaceOptions{Kind: Link})
		f.AddFace(&has, FaceOptions{Kind: Link})
		must(b, f.AddRoute(mustName(b, "ccnx:/"), 2, 0))
		interest, data := patchedInterest(b), patchedData(b, 64)
		for k := range n {
			f.OnPacket(1, interest.set(uint64(k)), begin)
		}
		perEntry := float64(heap()-before) / float64(n)
		pending := make([]uint64, n)
		for k := range pending {
			pending[k] = uint64(k)
		}
		next := uint64(n)
		r := rand.New(rand.NewPCG(1, 2))
		var ins, outs tlv.Batch
		for b.Loop() {
			k := &pending[r.IntN(n)]
			ins.Append(interest.set(next))
			outs.Append(data.set(*k))
			*k = next
			next++
			if ins.Len() == atOnce {
				deliver(f, 1, &ins)
				deliver(f, 2, &outs)
			}
		}
		deliver(f, 1, &ins)
		deliver(f, 2, &outs)
		b.ReportMetric(perEntry, "B/entry")
		if f.pit.len() != n || asks.n != int(next)-n || has.n != int(next) {
			b.Errorf("%d pending, %d Data and %d Interests of %d", f.pit.len(), asks.n, has.n, next)
		}
	})
}

// BenchmarkFIB is an Interest from an application by any of so many routes, and its Data.
func BenchmarkFIB(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		before := heap()
		f := newForwarder(Options{FIBSize: n, CacheBytes: 1 << 20})
		var asks, has count
		f.AddFace(&asks, FaceOptions{Kind: Link})
		f.AddFace(&has, FaceOptions{Kind: Link})
		route := patchedInterest(b)
		for k := range n {
			var i tlv.Interest
			must(b, i.Decode(route.set(uint64(k))))
			must(b, f.AddRoute(i.Name, 2, 0))
		}
		perEntry := float64(heap()-before) / float64(n)
		interest, data := patchedInterest(b, "x"), patchedData(b, 64, "x")
		r := rand.New(rand.NewPCG(1, 2))
		sent := 0
		for b.Loop() {
			k := r.Uint64N(uint64(n))
			f.OnPacket(1, interest.set(k), begin)
			f.OnPacket(2, data.set(k), begin)
			sent++
		}
		b.ReportMetric(perEntry, "B/route")
		if f.fib.len() != n || asks.n != sent || has.n != sent {
			b.Errorf("%d routes, %d Data and %d Interests of %d", f.fib.len(), asks.n, has.n, sent)
		}
	})
}

// BenchmarkStoreOffer offers 10^7 objects of 64 bytes, which nobody asked for, to a store of
// 1 GiB; one round is all of them.
func BenchmarkStoreOffer(b *testing.B) {
	const offered, capacity = 10_000_000, 1 << 30
	rounds := 0
	for b.Loop() {
		before := heap()
		f := newForwarder(Options{CacheBytes: capacity})
		put := f.AddFace(new(count), FaceOptions{})
		data := patchedData(b, 64)
		for k := range uint64(offered) {
			f.OnPacket(put, data.set(k), begin)
		}
		rounds++
		st := f.store.Stats()
		b.ReportMetric(float64(heap()-before)/float64(st.Objects), "B/object")
		b.ReportMetric(float64(st.Bytes)/float64(st.Objects), "counted-B/object")
		b.ReportMetric(float64(st.Objects), "objects")
		if st.Bytes > capacity || st.Evicted != offered-uint64(st.Objects) {
			b.Errorf("%+v", st)
		}
		var i tlv.Interest
		must(b, i.Decode(patchedInterest(b).set(offered-1)))
		if f.store.Peek(i.Name) == nil {
			b.Error("the last one is not there")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/offered/float64(rounds), "ns/insert")
}
