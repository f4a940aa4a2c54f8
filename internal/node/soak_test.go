package node

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// soak is how much a test does: usual, most with CEFGO_SOAK=1, or what that says.
func soak(usual, most int) int {
	n, _ := strconv.Atoi(os.Getenv("CEFGO_SOAK"))
	switch n {
	case 0:
		return usual
	case 1:
		return most
	}
	return n
}

// TestSoak has 1000 applications and 1000 UDP peers exchange Interests and Data with a
// publisher, 10^7 times in all, and wants flat memory and nothing left behind. It runs
// with CEFGO_SOAK=1; CEFGO_SOAK=10000 is for so many exchanges.
func TestSoak(t *testing.T) {
	total := soak(0, 10_000_000)
	if total == 0 {
		t.Skip("CEFGO_SOAK is not set")
	}
	const each, burst, workers = 1000, 100, 4
	n := start(t, Options{Listen: anyPort(loopbacks[0])})
	publish(t, n)
	goroutines := runtime.NumGoroutine()

	var conns []transport.Conn
	for range each {
		c, err := transport.Dial(t.Context(), transport.Address{Network: "unix", Addr: n.Socket()})
		must(t, err)
		conns = append(conns, c)
	}
	port := n.net.ports[0].sock.LocalAddr()
	for range each {
		c, err := transport.Dial(t.Context(), transport.Address{Network: "udp", Addr: netip.AddrPortFrom(port.Addr(), port.Port()).String()})
		must(t, err)
		conns = append(conns, c)
	}
	queue := make(chan transport.Conn, len(conns))
	for _, c := range conns {
		queue <- c
	}
	base := mustName(t, "ccnx:/soak/x")
	var next sync.Mutex
	done, lost := 0, 0
	var heaps []uint64
	take := func() (first int, more bool) {
		next.Lock()
		defer next.Unlock()
		if done >= total {
			return 0, false
		}
		if done%(total/5) < burst {
			heaps = append(heaps, heap())
		}
		done += burst
		return done, true
	}
	begun := time.Now()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				first, more := take()
				if !more {
					return
				}
				c := <-queue
				got := exchangeBurst(t, c, base, first, burst)
				queue <- c
				if got < burst {
					next.Lock()
					lost += burst - got
					next.Unlock()
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	heaps = append(heaps, heap())
	s, err := n.Status(forward.StatusLimits{})
	must(t, err)
	t.Logf("%d exchanges in %v (%.0f/s), %d datagrams lost, heap MiB %v, %d faces, %+v", done, took, float64(done)/took.Seconds(), lost, mib(heaps), len(s.Faces), s.Packets)
	if len(s.Faces) != 2*each+1 {
		t.Errorf("%d faces, want %d", len(s.Faces), 2*each+1)
	}
	if first, last := heaps[1], heaps[len(heaps)-1]; last > first+first/4+(8<<20) {
		t.Errorf("the heap has grown from %d to %d bytes", first, last)
	}
	if lost > done/1000 {
		t.Errorf("%d of %d lost", lost, done)
	}
	for _, c := range conns {
		must(t, c.Close())
	}
	n.until(t, "the applications gone", faces(1))
	n.until(t, "nothing pending", func(c *core) bool { return c.f.Pending() == 0 })
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}

// publish answers every Interest below ccnx:/soak, until the test ends.
func publish(t *testing.T, n *Node) {
	has := connectConn(t, n)
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/soak"))
	must(t, err)
	var b tlv.Batch
	b.Append(reg)
	must(t, has.Write(&b))
	n.until(t, "registered", registered(1))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var in, b tlv.Batch
		payload := make([]byte, 64)
		for {
			if has.Read(&in) != nil {
				return
			}
			b.Reset(1 << 20)
			for k := range in.Len() {
				if _, name, err := tlv.PeekName(in.Packet(k)); err == nil {
					o := tlv.Object{Name: name, Payload: payload}
					_ = b.Encode(o.AppendTo)
				}
			}
			if has.Write(&b) != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { has.Close(); <-ended })
}

func connectConn(t *testing.T, n *Node) transport.Conn {
	c, err := n.Connect()
	must(t, err)
	return c
}

// exchangeBurst asks for chunks and reads what is answered; over UDP some may be lost.
func exchangeBurst(t *testing.T, c transport.Conn, base tlv.Name, first, burst int) (got int) {
	var b tlv.Batch
	for k := range burst {
		i := tlv.Interest{HopLimit: 32, Name: base.WithChunk(uint64(first + k))}
		if err := b.Encode(i.AppendTo); err != nil {
			t.Error(err)
		}
	}
	if err := c.Write(&b); err != nil {
		t.Error(err)
		return 0
	}
	for got < burst {
		if err := c.Read(&b); err != nil {
			t.Error(err)
			return got
		}
		got += b.Len()
	}
	return got
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mib(sizes []uint64) (texts []string) {
	for _, s := range sizes {
		texts = append(texts, fmt.Sprintf("%.1f", float64(s)/(1<<20)))
	}
	return texts
}
