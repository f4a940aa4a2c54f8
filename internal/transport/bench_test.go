package transport

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// BenchmarkUnix is what a local connection carries from one goroutine to another;
// an operation is one packet.
func BenchmarkUnix(b *testing.B) { benchmark(b, "unix") }

// BenchmarkMemory is the same through a Pipe.
func BenchmarkMemory(b *testing.B) { benchmark(b, "memory") }

func benchmark(b *testing.B, name string) {
	for _, im := range implementations {
		if im.name != name {
			continue
		}
		for _, size := range []int{64, 1024, 4096} {
			b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
				from, to := im.connect(b)
				defer from.Close()
				defer to.Close()
				const atOnce = 32
				p, pkts := packet(size, 0), batch()
				write := func() {
					pkts.Reset(1 << 20)
					for range atOnce {
						pkts.Append(p)
					}
					must(b, from.Write(pkts))
				}
				total := make(chan int, 1)
				read := func(n int) {
					got := 0
					for in := batch(); got < n && to.Read(in) == nil; {
						got += in.Len()
					}
					total <- got
				}
				write() // grows the buffers
				read(atOnce)
				<-total
				n := (b.N + atOnce - 1) / atOnce * atOnce
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				go read(n)
				for range n / atOnce {
					write()
				}
				if got := <-total; got != n {
					b.Fatalf("%d packets, want %d", got, n)
				}
			})
		}
	}
}

// BenchmarkGarbage is what a node spends on an application that sends noise.
func BenchmarkGarbage(b *testing.B) {
	for name, garbage := range map[string][]byte{
		"00": make([]byte, 1<<16), "01": bytes.Repeat([]byte{1}, 1<<16), "random": noise[:1<<16],
	} {
		b.Run(name, func(b *testing.B) {
			s := &splitter{mode: resync}
			b.SetBytes(int64(len(garbage)))
			b.ReportAllocs()
			in := batch()
			for b.Loop() {
				in.Reset(2 * batchBytes)
				copy(s.room(in), garbage)
				_ = s.split(in, len(garbage))
			}
		})
	}
}

// BenchmarkUnlimited is BenchmarkUnix to an application that takes large writes.
func BenchmarkUnlimited(b *testing.B) { benchmark(b, "unlimited") }

// BenchmarkTCP is the same between neighbours.
func BenchmarkTCP(b *testing.B) { benchmark(b, "neighbour4") }

// BenchmarkPeers is what a socket for many peers carries; an operation is one packet
// written and read. At most a round of packets is on its way, so that none is lost.
func BenchmarkPeers(b *testing.B) {
	for _, host := range loopbacks {
		for _, size := range []int{64, 1024, 1400, 8192} {
			b.Run(fmt.Sprintf("%v/%dB", host, size), func(b *testing.B) {
				us, peer := listenPeers(b, host), listenPeers(b, host)
				const atOnce = 64
				pkts, to := batch(), slices.Repeat([]netip.AddrPort{peer.LocalAddr()}, atOnce)
				for range atOnce {
					pkts.Append(packet(size, 0))
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				for range (b.N + atOnce - 1) / atOnce {
					must(b, us.Write(pkts, to))
					for n := 0; n < atOnce; {
						ds, err := peer.Read()
						must(b, err)
						n += len(ds)
					}
				}
			})
		}
	}
}

// BenchmarkAddrQueue is a packet put and taken.
func BenchmarkAddrQueue(b *testing.B) {
	q, p, to := NewAddrQueue(1<<20), packet(1400, 0), peer(0)
	var out tlv.Batch
	var outTo []netip.AddrPort
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		q.TryPut(p, to)
		if n++; n%64 == 0 {
			must(b, q.Take(&out, &outTo))
		}
	}
}
