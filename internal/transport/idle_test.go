package transport

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// waitsNow does what Read into b does first, on a socket that has nothing to read.
func waitsNow(t testing.TB, s *stream, b *tlv.Batch) {
	t.Helper()
	s.into = b
	defer func() { s.into = nil }()
	must(t, s.raw.Control(func(fd uintptr) {
		if s.try(fd) {
			t.Fatalf("there is something to read: %d bytes, %v", s.n, s.readErr)
		}
	}))
}

// TestIdleHoldsNothing: who waits for his peer has no memory, unless a packet has
// come in part; then that part.
func TestIdleHoldsNothing(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		for _, mode := range []framing{strict, resync, deaf} {
			raw, s := rawPair(t, network, mode)
			var b tlv.Batch
			waits := func(when string, rest []byte) {
				t.Helper()
				waitsNow(t, s, &b)
				if b.Cap() != 0 || !bytes.Equal(s.rest, rest) || cap(s.rest) > max(keptRest, 2*len(rest)) {
					t.Errorf("%s, mode %d, %s: memory for %d bytes; %d of a packet are kept in %d, want %d",
						network, mode, when, b.Cap(), len(s.rest), cap(s.rest), len(rest))
				}
			}
			write := func(b []byte) {
				t.Helper()
				_, err := raw.Write(b)
				must(t, err)
			}
			reads := func(want ...[]byte) {
				t.Helper()
				must(t, s.Read(&b))
				samePackets(t, network, packets(&b), want)
			}
			waits("before anything has come", nil)
			p, large := packet(100, 0), packet(60_000, 2)
			for range 3 {
				write(p)
				reads(p)
				waits("idle", nil)
			}
			write(append(packet(100, 1), p[:60]...))
			reads(packet(100, 1))
			waits("behind a part", p[:60])
			waits("behind a part, again", p[:60])
			write(append(bytes.Clone(p[60:]), large[:30_000]...))
			reads(p)
			waits("behind a large part", large[:30_000])
			write(append(bytes.Clone(large[30_000:]), p[:60]...))
			reads(large)
			waits("behind a small part", p[:60])
			write(p[60:])
			reads(p)
			waits("when all has come", nil)
			raw.Close()
			if err := s.Read(&b); err != io.EOF || b.Cap() != 0 || s.rest != nil {
				t.Errorf("%s, mode %d: %v at the end, memory for %d bytes, %d kept", network, mode, err, b.Cap(), len(s.rest))
			}
		}
	}
}

// TestEndHoldsNothing: also where a packet, or what is none, has come in part.
func TestEndHoldsNothing(t *testing.T) {
	for _, last := range [][]byte{packet(100, 0)[:50], {0xff}} {
		s := scripted(strict, packet(100, 0), last)
		var b tlv.Batch
		must(t, s.Read(&b))
		if err := s.Read(&b); err == nil || err == io.EOF || b.Cap() != 0 || s.rest != nil {
			t.Errorf("after %x: %v, memory for %d bytes, %d kept", last, err, b.Cap(), len(s.rest))
		}
	}
}

// TestReturnedPacketsStay: what Read has put in a batch is no other connection's, nor
// this one's, however much is read into others.
func TestReturnedPacketsStay(t *testing.T) {
	rawA, a := rawPair(t, "unix", resync)
	rawB, b := rawPair(t, "unix", resync)
	type held struct {
		b    *tlv.Batch
		want []byte
	}
	var all []held
	var other tlv.Batch
	for i := range 50 {
		p := packet(1000, i)
		_, err := rawA.Write(append(p, packet(70, 0)[:i]...)) // with the start of another
		must(t, err)
		h := held{new(tlv.Batch), bytes.Clone(p[:1000])}
		must(t, a.Read(h.b))
		all = append(all, h)
		_, err = rawA.Write(packet(70, 0)[i:])
		must(t, err)
		for range 3 {
			_, err := rawB.Write(packet(2000, 1000+i))
			must(t, err)
			must(t, b.Read(&other))
			waitsNow(t, b, &other)
		}
		var behind tlv.Batch
		must(t, a.Read(&behind))
		samePackets(t, "read behind it", packets(&behind), [][]byte{packet(70, 0)})
		waitsNow(t, a, &behind)
		for _, h := range all {
			samePackets(t, "returned before", packets(h.b), [][]byte{h.want})
		}
		if len(all) == 5 { // some go back, as they would
			Release(all[0].b)
			all = all[1:]
		}
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
	var batches []*tlv.Batch
	for i := range connections {
		raw, err := net.Dial("unix", l.Path())
		must(t, err)
		defer raw.Close()
		c, err := l.Accept()
		must(t, err)
		defer c.Close()
		_, err = raw.Write(packet(1000, i))
		must(t, err)
		b := new(tlv.Batch)
		must(t, c.Read(b))
		s := c.(*stream)
		waitsNow(t, s, b)
		conns, batches = append(conns, s), append(batches, b)
	}
	if each := (int64(heap()) - int64(before)) / connections; each > 16<<10 {
		t.Errorf("%d bytes each of %d connections", each, len(conns))
	}
	runtime.KeepAlive(conns)
	runtime.KeepAlive(batches)
}

// TestReadAllocates: neither what arrives nor waiting for it costs an allocation.
func TestReadAllocates(t *testing.T) {
	if raced {
		t.Skip("the race detector makes the pool forget")
	}
	raw, s := rawPair(t, "unix", resync)
	p := append(packet(1000, 0), packet(100, 1)[:60]...)
	var b tlv.Batch
	round := func(parts ...[]byte) {
		for _, part := range parts {
			_, err := raw.Write(part)
			must(t, err)
			must(t, s.Read(&b))
			if b.Len() == 0 {
				t.Fatal("no packet")
			}
			waitsNow(t, s, &b)
		}
	}
	round(p, append(packet(100, 1)[60:], p...)) // grows what is kept
	again := append(packet(100, 1)[60:], p...)
	const rounds = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		round(again)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > rounds*100 {
		t.Errorf("%d bytes allocated in %d rounds", n, rounds)
	}
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
	if _, err := read(b); err != io.EOF {
		t.Errorf("%v, want %v", err, io.EOF)
	}
}
