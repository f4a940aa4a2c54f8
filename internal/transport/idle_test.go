package transport

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// waitsNow does what Read does first, on a socket that has nothing to read.
func waitsNow(t testing.TB, s *stream) {
	t.Helper()
	must(t, s.raw.Control(func(fd uintptr) {
		if s.try(fd) {
			t.Fatalf("there is something to read: %d bytes, %v", s.n, s.readErr)
		}
	}))
}

// TestIdleHoldsNothing: who waits for his peer has no buffer, unless a packet has
// come in part.
func TestIdleHoldsNothing(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		for _, mode := range []framing{strict, resync, deaf} {
			raw, s := rawPair(t, network, mode)
			waitsNow(t, s)
			if s.readBuffer != nil {
				t.Errorf("%s, mode %d: a buffer before anything has come", network, mode)
			}
			p := packet(100, 0)
			write := func(b []byte) {
				t.Helper()
				_, err := raw.Write(b)
				must(t, err)
			}
			for range 3 {
				write(p)
				got, err := readPackets(s, 1)
				must(t, err)
				samePackets(t, network, got, [][]byte{p})
				if s.readBuffer == nil {
					t.Errorf("%s, mode %d: the buffer is gone before the next Read", network, mode)
				}
				waitsNow(t, s)
				if s.readBuffer != nil {
					t.Errorf("%s, mode %d: a buffer while idle", network, mode)
				}
			}
			write(append(packet(100, 1), p[:60]...))
			got, err := readPackets(s, 1)
			must(t, err)
			samePackets(t, network, got, [][]byte{packet(100, 1)})
			waitsNow(t, s)
			if s.readBuffer == nil || s.w-s.r != 60 {
				t.Errorf("%s, mode %d: %d bytes of a packet are kept, want 60", network, mode, s.w-s.r)
			}
			write(p[60:])
			got, err = readPackets(s, 1)
			must(t, err)
			samePackets(t, network+", in two parts", got, [][]byte{p})
			raw.Close()
			if _, err := s.Read(); err != io.EOF || s.readBuffer != nil {
				t.Errorf("%s, mode %d: %v at the end, a buffer: %v", network, mode, err, s.readBuffer != nil)
			}
		}
	}
}

// TestEndHoldsNothing: also where a packet, or what is none, has come in part.
func TestEndHoldsNothing(t *testing.T) {
	for _, last := range [][]byte{packet(100, 0)[:50], {0xff}} {
		s := scripted(strict, packet(100, 0), last)
		if _, _, err := drain(s); err == io.EOF || s.readBuffer != nil {
			t.Errorf("after %x: %v, a buffer: %v", last, err, s.readBuffer != nil)
		}
	}
}

// TestReturnedPacketsStay: what Read has returned is no other connection's until
// the next Read.
func TestReturnedPacketsStay(t *testing.T) {
	rawA, a := rawPair(t, "unix", resync)
	rawB, b := rawPair(t, "unix", resync)
	for i := range 50 {
		_, err := rawA.Write(packet(1000, i))
		must(t, err)
		got, err := a.Read()
		must(t, err)
		for range 3 {
			_, err := rawB.Write(packet(2000, 1000+i))
			must(t, err)
			_, err = readPackets(b, 1)
			must(t, err)
			waitsNow(t, b)
		}
		samePackets(t, "returned before", got, [][]byte{packet(1000, i)})
		waitsNow(t, a)
	}
}

// TestIdleMemory: many idle applications cost next to nothing.
func TestIdleMemory(t *testing.T) {
	l, err := ListenUnix(socketPath(t))
	must(t, err)
	defer l.Close()
	heap := func() uint64 {
		for range 3 { // what a pool holds survives one or two
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const connections = 100
	before := heap()
	var conns []*stream
	for i := range connections {
		raw, err := net.Dial("unix", l.Path())
		must(t, err)
		defer raw.Close()
		c, err := l.Accept()
		must(t, err)
		defer c.Close()
		_, err = raw.Write(packet(1000, i))
		must(t, err)
		_, err = c.Read()
		must(t, err)
		s := c.(*stream)
		waitsNow(t, s)
		conns = append(conns, s)
	}
	if each := (int64(heap()) - int64(before)) / connections; each > 16<<10 {
		t.Errorf("%d bytes each of %d connections", each, len(conns))
	}
	runtime.KeepAlive(conns)
}

// TestNoSocket: a connection that cannot be waited for is read all the same.
func TestNoSocket(t *testing.T) {
	x, y := net.Pipe()
	a, b := newStream(x, strict), newStream(y, resync)
	defer a.Close()
	defer b.Close()
	exchange(t, a, b, [][][]byte{{packet(100, 0), packet(60000, 1)}, {packet(100, 2)}})
	exchange(t, b, a, [][][]byte{{packet(100, 3)}})
	a.Close()
	if _, err := b.Read(); err != io.EOF {
		t.Errorf("%v, want %v", err, io.EOF)
	}
}
