package forward

import (
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// count is an outlet that forgets.
type count struct{ n int }

func (c *count) Send([]byte) bool { c.n++; return true }

// BenchmarkForward is one Interest to an application and its Data back, while 256
// are pending under the name, decoding included.
func BenchmarkForward(b *testing.B) {
	f := newForwarder(Options{PITSize: 1000, CacheBytes: 1 << 20})
	var asks, has count
	f.AddFace(&asks, FaceOptions{})
	f.AddFace(&has, FaceOptions{})
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(b, "ccnx:/bench"))
	must(b, err)
	f.OnPacket(2, reg, begin)
	const window = 256
	var is, ds [2 * window][]byte
	base := mustName(b, "ccnx:/bench/file")
	for k := range is {
		i := tlv.Interest{HopLimit: 32, Name: base.WithChunk(uint64(k))}
		o := tlv.Object{Name: i.Name, Payload: make([]byte, 1024), Validation: tlv.Validation{Alg: tlv.AlgCRC32C}}
		is[k], err = i.AppendTo(nil)
		must(b, err)
		ds[k], err = o.AppendTo(nil)
		must(b, err)
	}
	for k := range window {
		f.OnPacket(1, is[k], begin)
	}
	b.ReportAllocs()
	k := 0
	for b.Loop() {
		f.OnPacket(1, is[(k+window)%len(is)], begin)
		f.OnPacket(2, ds[k%len(ds)], begin)
		k++
	}
	if asks.n != k || has.n != k+window {
		b.Errorf("%d Data and %d Interests of %d", asks.n, has.n, k)
	}
}

// BenchmarkStored is one Interest answered from the content store.
func BenchmarkStored(b *testing.B) {
	f := newForwarder(Options{PITSize: 1000, CacheBytes: 1 << 20})
	var asks count
	f.AddFace(&asks, FaceOptions{})
	f.AddFace(new(count), FaceOptions{})
	f.OnPacket(2, data(b, "ccnx:/bench/file/Chunk=0"), begin)
	i := interest(b, "ccnx:/bench/file/Chunk=0")
	b.ReportAllocs()
	for b.Loop() {
		f.OnPacket(1, i, begin)
	}
}
