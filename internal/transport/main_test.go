package transport

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// minPacket is the smallest packet: a fixed header and an empty message.
const minPacket = tlv.FixedHeaderLen + 4

// noise is what packets are filled with.
var noise = func() []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, 3*tlv.MaxPacketLen)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}()

// packet is the Content Object number seq, of n bytes.
func packet(n, seq int) []byte { return packetWithHeader(n, seq, tlv.FixedHeaderLen) }

// packetWithHeader fills up the header with one TLV.
func packetWithHeader(n, seq, headerLen int) []byte {
	b := append(make([]byte, 0, n), tlv.Version, byte(tlv.PacketObject), byte(n>>8), byte(n), 0, 0, 0, byte(headerLen))
	if hop := headerLen - tlv.FixedHeaderLen; hop > 0 {
		b = append(b, 0x0a, 0xbc, 0, byte(hop-4))
		b = append(b, make([]byte, hop-4)...)
	}
	value := n - headerLen - 4
	b = append(b, 0, 2, byte(value>>8), byte(value))
	at := seq * 131 % tlv.MaxPacketLen
	b = append(b, noise[at:at+value]...)
	if value >= 4 {
		binary.BigEndian.PutUint32(b[headerLen+4:], uint32(seq))
	}
	return b
}

func batch(pkts ...[]byte) *tlv.Batch {
	b := new(tlv.Batch)
	for _, p := range pkts {
		b.Append(p)
	}
	return b
}

func clone(pkts [][]byte) (out [][]byte) {
	for _, p := range pkts {
		out = append(out, bytes.Clone(p))
	}
	return out
}

// samePackets reports the first difference in short, as packets are long.
func samePackets(t testing.TB, what string, got, want [][]byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s: packet %d of %d bytes is %.40x, want %d bytes, %.40x", what, i, len(got[i]), got[i], len(want[i]), want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d packets, want %d", what, len(got), len(want))
	}
}

// socketPath returns a path that is short enough for a socket, which those of
// t.TempDir need not be, in a directory of its own.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cefgo")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience bounds what a broken transport can make a test wait.
const patience = 20 * time.Second

// await returns what comes out of c.
func await[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		buf := make([]byte, 1<<16)
		t.Fatalf("%s: nothing after %v\n%s", what, patience, buf[:runtime.Stack(buf, true)])
		panic("unreachable")
	}
}

// blocked runs f in a goroutine and returns once that waits for something, or f
// is done. The channel yields f's result.
func blocked(t testing.TB, f func() error) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go blockedCall(f, done)
	for end := time.Now().Add(patience); !waits("transport.blockedCall("); runtime.Gosched() {
		if len(done) > 0 {
			return done
		}
		if time.Now().After(end) {
			t.Fatal("the call neither returns nor waits")
		}
	}
	return done
}

//go:noinline
func blockedCall(f func() error, done chan<- error) { done <- f() }

// waits reports whether the goroutine that is in function waits for a socket or
// a channel.
func waits(function string) bool {
	buf := make([]byte, 1<<18)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		_, state, _ := strings.Cut(g, " [")
		if strings.Contains(g, "\n") && strings.Contains(g, function) {
			return strings.HasPrefix(state, "IO wait") || strings.HasPrefix(state, "select") || strings.HasPrefix(state, "chan receive")
		}
	}
	return false
}

// localPair is an application's connection and the forwarder's end of it.
func localPair(t testing.TB) (app Conn, local LocalConn) {
	t.Helper()
	path := socketPath(t)
	l, err := ListenUnix(path)
	must(t, err)
	defer l.Close()
	app, err = Dial(t.Context(), Address{"unix", path})
	must(t, err)
	local, err = l.Accept()
	must(t, err)
	t.Cleanup(func() { app.Close(); local.Close() })
	return app, local
}

// rawPair is a socket of the network and a Conn of the other end.
func rawPair(t testing.TB, network string, mode framing) (net.Conn, *stream) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = socketPath(t)
	}
	l, err := net.Listen(network, addr)
	must(t, err)
	defer l.Close()
	raw, err := net.Dial(network, l.Addr().String())
	must(t, err)
	c, err := l.Accept()
	must(t, err)
	s := newStream(c, mode)
	t.Cleanup(func() { raw.Close(); s.Close() })
	return raw, s
}
