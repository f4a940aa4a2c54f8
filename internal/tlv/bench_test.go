package tlv

import (
	"fmt"
	"testing"
)

func benchInterest(t testing.TB) *Interest {
	return &Interest{
		HopByHop: HopByHop{Lifetime: Some[uint64](2000)}, HopLimit: DefaultHopLimit,
		Name: mustName(t, "ccnx:/example/video/part1").WithChunk(70000),
	}
}

func benchObject(t testing.TB, payload int) *Object {
	return &Object{
		HopByHop: HopByHop{CacheTime: Some[Timestamp](1795168127765)}, Name: benchInterest(t).Name,
		Expiry: Some[Timestamp](1795171427765), EndChunk: Some[uint64](99999), Payload: make([]byte, payload),
		Validation: Validation{Alg: AlgCRC32C},
	}
}

var benchPayloads = []int{1024, 4095}

func BenchmarkEncodeInterest(b *testing.B) {
	i := benchInterest(b)
	benchEncode(b, i)
}

func BenchmarkEncodeObjectCRC(b *testing.B) {
	for _, n := range benchPayloads {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchEncode(b, benchObject(b, n)) })
	}
}

func benchEncode(b *testing.B, p packet) {
	buf, err := p.AppendTo(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = p.AppendTo(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeObject(b *testing.B) {
	for _, n := range benchPayloads {
		for _, check := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/check=%v", n, check), func(b *testing.B) {
				pkt, err := benchObject(b, n).AppendTo(nil)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(pkt)))
				b.ReportAllocs()
				var o Object
				for b.Loop() {
					if err := o.Decode(pkt); err != nil {
						b.Fatal(err)
					}
					if check && o.Validation.Check() != nil {
						b.Fatal("checksum")
					}
				}
			})
		}
	}
}
