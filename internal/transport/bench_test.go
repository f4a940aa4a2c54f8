package transport

import (
	"bytes"
	"fmt"
	"testing"
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
				pkts := batch()
				for range atOnce {
					pkts.Append(packet(size, 0))
				}
				total := make(chan int, 1)
				read := func(n int) {
					got := 0
					for got < n {
						pkts, err := to.Read()
						if err != nil {
							break
						}
						got += len(pkts)
					}
					total <- got
				}
				must(b, from.Write(pkts)) // grows the buffers
				read(atOnce)
				<-total
				n := (b.N + atOnce - 1) / atOnce * atOnce
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				go read(n)
				for range n / atOnce {
					must(b, from.Write(pkts))
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
			for b.Loop() {
				copy(s.room(), garbage)
				_, _ = s.split(len(garbage))
			}
		})
	}
}
