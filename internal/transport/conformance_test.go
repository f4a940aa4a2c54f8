package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

// implementation is one that the suite runs against.
type implementation struct {
	name      string
	connect   func(testing.TB) (Conn, Conn)
	datagrams bool // can lose packets, and has no end
}

var implementations = []implementation{
	{"unix", func(t testing.TB) (Conn, Conn) { return localPair(t) }, false},
	{"tcp4", func(t testing.TB) (Conn, Conn) { return tcpPair(t, "127.0.0.1:0") }, false},
	{"tcp6", func(t testing.TB) (Conn, Conn) { return tcpPair(t, "[::1]:0") }, false},
	{"neighbour4", func(t testing.TB) (Conn, Conn) { return neighbourPair(t, "127.0.0.1:0") }, false},
	{"neighbour6", func(t testing.TB) (Conn, Conn) { return neighbourPair(t, "[::1]:0") }, false},
	{"unlimited", unlimitedPair, false},
	{"udp4", func(t testing.TB) (Conn, Conn) { return udpPair(t, "127.0.0.1") }, true},
	{"udp6", func(t testing.TB) (Conn, Conn) { return udpPair(t, "::1") }, true},
	{"memory", func(testing.TB) (Conn, Conn) { return Pipe() }, false},
}

func TestConformance(t *testing.T) {
	tests := []struct {
		name    string
		streams bool // only for what has an end and makes its writer wait
		run     func(t *testing.T, a, b Conn)
	}{
		{"Sizes", false, testSizes},
		{"Order", false, testOrder},
		{"TooLarge", false, testTooLarge},
		{"EmptyBatch", false, testEmptyBatch},
		{"Waits", true, testWaits},
		{"CloseUnblocksRead", false, testCloseUnblocksRead},
		{"CloseUnblocksWrite", true, testCloseUnblocksWrite},
		{"Closed", false, testClosed},
		{"PeerClosed", true, testPeerClosed},
		{"PeerClosedWrite", true, testPeerClosedWrite},
	}
	for _, im := range implementations {
		for _, tt := range tests {
			if tt.streams && im.datagrams {
				continue
			}
			for _, swapped := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v", im.name, tt.name, swapped), func(t *testing.T) {
					defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
					a, b := im.connect(t)
					defer a.Close()
					defer b.Close()
					if swapped {
						a, b = b, a
					}
					tt.run(t, a, b)
				})
			}
		}
	}
}

// read is a Read into a batch of its own.
func read(c Conn) ([][]byte, error) {
	var b tlv.Batch
	err := c.Read(&b)
	return packets(&b), err
}

// packets are those of b, which they alias.
func packets(b *tlv.Batch) (pkts [][]byte) {
	for i := range b.Len() {
		pkts = append(pkts, b.Packet(i))
	}
	return pkts
}

// readPackets reads n packets, and into a batch that has some already, which must not
// come out. It appends to each packet, which must not reach the next.
func readPackets(c Conn, n int) (got [][]byte, err error) {
	defer time.AfterFunc(patience, func() { c.Close() }).Stop()
	for b := batch(packet(minPacket, 99)); len(got) < n; {
		err := c.Read(b)
		if err == nil && b.Len() == 0 {
			err = errors.New("Read returned neither a packet nor an error")
		}
		if err != nil && b.Len() > 0 {
			err = fmt.Errorf("with %d packets: %w", b.Len(), err)
		}
		if err != nil {
			return got, err
		}
		for _, p := range packets(b) {
			got = append(got, bytes.Clone(p))
			_ = append(p, "overwritten"...)
		}
	}
	return got, nil
}

// exchange writes batches to a and checks that they come out of b whole and in
// order. Each batch waits until the one before has arrived: a datagram socket's
// buffer is bounded.
func exchange(t testing.TB, a, b Conn, batches [][][]byte) {
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		for i, want := range batches {
			got, err := readPackets(b, len(want))
			if err != nil {
				t.Errorf("Read after %d packets of batch %d: %v", len(got), i, err)
				return
			}
			samePackets(t, fmt.Sprintf("batch %d", i), got, want)
			arrived <- struct{}{}
		}
	}()
	for _, pkts := range batches {
		if err := a.Write(batch(pkts...)); err != nil {
			t.Errorf("Write: %v", err)
			b.Close()
		}
		await(t, "a batch", arrived)
	}
	await(t, "the last batch", arrived)
}

func testSizes(t *testing.T, a, b Conn) {
	var batches [][][]byte
	for i, n := range []int{
		minPacket, minPacket + 1, 64, 1024, 1400, 8192, tlv.MaxAtomicLen - 1, tlv.MaxAtomicLen,
		tlv.MaxAtomicLen + 1, tlv.MaxAtomicLen + minPacket, 50055, a.MaxPacket() - 1, a.MaxPacket(),
	} {
		batches = append(batches, [][]byte{packet(n, i)})
	}
	exchange(t, a, b, batches)
}

// testOrder: both directions at once.
func testOrder(t *testing.T, a, b Conn) {
	const rounds, bytesAtOnce = 40, 60000
	r := rand.New(rand.NewPCG(3, 4))
	var batches [2][][][]byte
	seq := 0
	for d := range batches {
		for range rounds {
			var pkts [][]byte
			for room := bytesAtOnce; len(pkts) < 40; seq++ {
				n := minPacket + r.IntN(3000)
				if room -= n; room < 0 {
					break
				}
				pkts = append(pkts, packet(n, seq))
			}
			batches[d] = append(batches[d], pkts)
		}
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		exchange(t, b, a, batches[1])
	}()
	exchange(t, a, b, batches[0])
	await(t, "the way back", back)
}

// testTooLarge: nothing of a batch with too large a packet is sent.
func testTooLarge(t *testing.T, a, b Conn) {
	good := packet(100, 1)
	large := append(packet(65535, 2), 0)[:a.MaxPacket()+1]
	if err := a.Write(batch(packet(100, 0), large)); !errors.Is(err, ErrPacketTooLarge) {
		t.Errorf("Write of %d bytes: %v, want %v", len(large), err, ErrPacketTooLarge)
	}
	exchange(t, a, b, [][][]byte{{good}})
}

func testEmptyBatch(t *testing.T, a, b Conn) {
	if err := a.Write(new(tlv.Batch)); err != nil {
		t.Error(err)
	}
	exchange(t, a, b, [][][]byte{{packet(100, 0)}})
}

// testWaits: of a Write larger than any buffer on the way all arrives, though it has to
// wait for its reader in the middle.
func testWaits(t *testing.T, a, b Conn) {
	var want [][]byte
	for i := range 200 {
		want = append(want, packet(60_000-i, i))
	}
	done := blocked(t, func() error { return a.Write(batch(want...)) })
	got, err := readPackets(b, len(want))
	must(t, err)
	samePackets(t, "larger than the buffers", got, want)
	must(t, await(t, "Write", done))
}

func testCloseUnblocksRead(t *testing.T, a, _ Conn) {
	done := blocked(t, func() error { return a.Read(new(tlv.Batch)) })
	a.Close()
	if err := await(t, "Read", done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v, want %v", err, net.ErrClosed)
	}
}

// writeForever writes until it fails: buffers of any size are full at last.
func writeForever(c Conn) error {
	for b := new(tlv.Batch); ; {
		for b.Reset(2 << 20); b.Size() < 1<<20; {
			b.Append(packet(65000, 0))
		}
		if err := c.Write(b); err != nil {
			return err
		}
	}
}

func testCloseUnblocksWrite(t *testing.T, a, _ Conn) {
	done := blocked(t, func() error { return writeForever(a) })
	a.Close()
	if err := await(t, "Write", done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v, want %v", err, net.ErrClosed)
	}
}

func testClosed(t *testing.T, a, b Conn) {
	must(t, b.Write(batch(packet(100, 0)))) // must not come out any more
	must(t, a.Close())
	for range 2 {
		if err := a.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close again: %v", err)
		}
		in := batch(packet(100, 1))
		if err := a.Read(in); !errors.Is(err, net.ErrClosed) || in.Len() > 0 {
			t.Errorf("Read: %d packets, %v, want %v", in.Len(), err, net.ErrClosed)
		}
		if err := a.Write(batch(packet(100, 0))); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v, want %v", err, net.ErrClosed)
		}
	}
}

// testPeerClosed: what was written before can still be read.
func testPeerClosed(t *testing.T, a, b Conn) {
	want := [][]byte{packet(100, 0), packet(60000, 1), packet(100, 2)}
	must(t, a.Write(batch(want...)))
	must(t, a.Close())
	got, err := readPackets(b, len(want))
	must(t, err)
	samePackets(t, "after Close", got, want)
	for range 2 {
		if got, err := readPackets(b, 1); err != io.EOF || len(got) > 0 {
			t.Errorf("Read: %d packets, %v, want %v", len(got), err, io.EOF)
		}
	}
}

// testPeerClosedWrite: a Write that waits for room learns that the peer is gone,
// and that is not our own Close.
func testPeerClosedWrite(t *testing.T, a, b Conn) {
	done := blocked(t, func() error { return writeForever(a) })
	b.Close()
	if err := await(t, "Write", done); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v, want an error that is not %v", err, net.ErrClosed)
	}
}

// tcpPair is a client's connection and the other end, which resynchronises.
func tcpPair(t testing.TB, addr string) (Conn, Conn) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	must(t, err)
	defer l.Close()
	a, err := Dial(t.Context(), Address{"tcp", l.Addr().String()})
	must(t, err)
	c, err := l.Accept()
	must(t, err)
	return a, newStream(c, resync)
}

func neighbourPair(t testing.TB, addr string) (Conn, Conn) {
	a, b := neighbours(t, addr)
	return a, b
}

// unlimitedPair is a forwarder's end that writes as much as it can, and the
// application's.
func unlimitedPair(t testing.TB) (Conn, Conn) {
	app, local := localPair(t)
	Unlimit(local)
	return local, app
}

// udpPair connects two sockets with each other.
func udpPair(t testing.TB, host string) (Conn, Conn) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	must(t, err)
	a, err := Dial(t.Context(), Address{"udp", c.LocalAddr().String()})
	must(t, err)
	to := a.(*udp).c.LocalAddr().(*net.UDPAddr)
	var sa syscall.Sockaddr = &syscall.SockaddrInet6{Port: to.Port, Addr: [16]byte(to.IP.To16())}
	if ip := to.IP.To4(); ip != nil {
		sa = &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(ip)}
	}
	raw, err := c.SyscallConn()
	must(t, err)
	var cerr error
	must(t, raw.Control(func(fd uintptr) { cerr = syscall.Connect(int(fd), sa) }))
	must(t, cerr)
	return a, newUDP(c)
}

// TestMemoryCloseWhileReading: Close cancels and ends the queue; a Read or Write
// that finds the queue's end first must not take it for the peer's.
func TestMemoryCloseWhileReading(t *testing.T) {
	for name, call := range map[string]func(Conn) error{
		"Read":  func(c Conn) error { return c.Read(new(tlv.Batch)) },
		"Write": func(c Conn) error { return c.Write(batch(packet(100, 0))) },
	} {
		a, _ := Pipe()
		m := a.(*pipe)
		m.ctx = &closedMeanwhile{Context: m.ctx, c: a}
		if err := call(a); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want %v", name, err, net.ErrClosed)
		}
	}
}

// closedMeanwhile is a context during whose first look the Conn is closed.
type closedMeanwhile struct {
	context.Context
	c Conn
}

func (m *closedMeanwhile) Err() error {
	err := m.Context.Err()
	if m.c != nil {
		m.c.Close()
		m.c = nil
	}
	return err
}
