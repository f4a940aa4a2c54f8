package testnet

import (
	"testing"
	"testing/synctest"
	"time"
)

// BenchmarkNetwork is one Interest and its Data an iteration, over 100 Mbit/s and
// 20 ms, with a fetcher that fills the link and checks each byte.
func BenchmarkNetwork(b *testing.B) {
	for _, consumers := range []int{1, 4} {
		b.Run(map[int]string{1: "consumers=1", 4: "consumers=4"}[consumers], func(b *testing.B) {
			b.ReportAllocs()
			benchTest(b, func(t *testing.T) {
				content := NewContent(mustName(t, "ccnx:/demo/file"), uint64(b.N+consumers-1)/uint64(consumers), 1024)
				half := Impairment{Delay: 10 * time.Millisecond}
				down := half
				down.Rate = 100 * Mbit
				n := NewNetwork(Config{Producer: content.Serve, Up: half, Down: down})
				done := make(chan error, consumers)
				for range consumers {
					f := newFetcher(t, n.Consumer(ConsumerConfig{}), content, 300/consumers)
					go func() {
						v := content.Verify(0)
						f.run(v)
						done <- v.Done()
					}()
				}
				for range consumers {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// benchTest runs f in a bubble, which wants a *testing.T.
func benchTest(b *testing.B, f func(t *testing.T)) {
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, f) },
	}})
	if !ok {
		b.Fail()
	}
}
