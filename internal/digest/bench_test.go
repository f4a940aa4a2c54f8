package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// BenchmarkHuge reads 512 MiB of memory: with crypto/sha256 once, which nothing that
// hashes the whole can beat; twice, for the runs; and in a Pool.
func BenchmarkHuge(b *testing.B) {
	content := random(1, 512<<20)
	plain := func(times int) func(b *testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				for range times {
					sha256.Sum256(content)
				}
			}
		}
	}
	b.Run("sha256", plain(1))
	b.Run("sha256 twice", plain(2))
	b.Run("pool of 2", func(b *testing.B) { benchmarkHuge(b, content, 2) })
	b.Run("pool of 4, two processors a file", func(b *testing.B) { benchmarkHuge(b, content, 4) })
}

func benchmarkHuge(b *testing.B, content []byte, workers int) {
	p := open(b, Options{Workers: workers})
	b.SetBytes(int64(len(content)))
	j := newFake(content).job("a")
	for b.Loop() {
		binary.BigEndian.PutUint64(j.Key[:], binary.BigEndian.Uint64(j.Key[:])+1)
		one(b, p, j)
	}
}

// BenchmarkSmall is 10 000 files of 4 KiB that are wanted at once.
func BenchmarkSmall(b *testing.B) {
	const files = 10_000
	j := newFake(random(1, 4<<10)).job("a")
	n := uint64(0)
	p := open(b, Options{})
	for b.Loop() {
		for range files {
			n++
			binary.BigEndian.PutUint64(j.Key[:], n)
			p.Want(j)
		}
		collect(b, p, files)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "jobs/s")
}
