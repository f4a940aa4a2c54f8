package testnet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

// patience is how long a test on real sockets waits for what has to happen.
const patience = 20 * time.Second

// socket listens on loopback.
func socket(t *testing.T, addr string) *net.UDPConn {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c *net.UDPConn, to string, b []byte) {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteToUDP(b, a); err != nil {
		t.Fatal(err)
	}
}

// get reads one datagram; nil where there is none within wait.
func get(t *testing.T, c *net.UDPConn, wait time.Duration) ([]byte, string) {
	t.Helper()
	b := make([]byte, 1<<16)
	_ = c.SetReadDeadline(time.Now().Add(wait))
	n, from, err := c.ReadFromUDP(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return b[:n], from.String()
}

// until waits for a counter of which nothing tells when it changes.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// relay is a Relay between two sockets; its end is checked for goroutines left.
func relay(t *testing.T, c RelayConfig) (r *Relay, left, right *net.UDPConn) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
	left, right = socket(t, "127.0.0.1:0"), socket(t, "127.0.0.1:0")
	c.Right, c.Seed = right.LocalAddr().String(), 1
	r, err := NewRelay(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r, left, right
}

// Datagrams pass both ways whole, of all sizes, to whoever on the left was heard last.
func TestRelayPasses(t *testing.T) {
	r, left, right := relay(t, RelayConfig{})
	second := socket(t, "127.0.0.1:0")
	send(t, right, r.RightAddr(), []byte("to nobody yet"))
	until(t, "a failure", func() bool { _, c := r.Counters(); return c.Failed == 1 })
	sizes := []int{0, 1, 1500, 9000}
	if runtime.GOOS == "linux" {
		sizes = append(sizes, 65507) // others want to be configured for it
	}
	for i, from := range []*net.UDPConn{left, second, left} {
		for _, size := range sizes {
			want := bytes.Repeat([]byte{byte(i + 1)}, size)
			send(t, from, r.LeftAddr(), want)
			if got, by := get(t, right, patience); !bytes.Equal(got, want) || by != r.RightAddr() {
				t.Fatalf("to the right: %d bytes from %s, want %d from %s", len(got), by, size, r.RightAddr())
			}
			want = append(want, 9)[:size]
			send(t, right, r.RightAddr(), want)
			if got, by := get(t, from, patience); !bytes.Equal(got, want) || by != r.LeftAddr() {
				t.Fatalf("to the left: %d bytes from %s, want %d from %s", len(got), by, size, r.LeftAddr())
			}
		}
	}
	n := uint64(3 * len(sizes))
	until(t, "all counted", func() bool { // which is after they are sent
		a, b := r.Counters()
		return a == Counters{Offered: n, Delivered: n} && b == Counters{Offered: n + 1, Delivered: n, Failed: 1}
	})
}

// burst sends n datagrams to the right, numbered, slowly enough for the Relay's socket,
// and returns what arrives.
func burst(t *testing.T, r *Relay, left, right *net.UDPConn, n int) (got [][]byte) {
	t.Helper()
	before, _ := r.Counters()
	for i := range n {
		send(t, left, r.LeftAddr(), fmt.Appendf(nil, "%06d", i))
		var c Counters
		if i%50 == 49 || i == n-1 {
			until(t, "all offered", func() bool { c, _ = r.Counters(); return c.Offered == before.Offered+uint64(i)+1 })
			until(t, "none under way", func() bool {
				c, _ = r.Counters()
				return c.Offered+c.Duplicated == c.Delivered+c.Lost+c.Overflow+c.Outage+c.Failed
			})
			for len(got) < int(c.Delivered-before.Delivered) {
				b, _ := get(t, right, patience)
				if b == nil {
					t.Fatalf("%d arrived, %d delivered", len(got), c.Delivered-before.Delivered)
				}
				got = append(got, b)
			}
		}
	}
	return got
}

func TestRelayLoss(t *testing.T) {
	r, left, right := relay(t, RelayConfig{ToRight: Impairment{Loss: 0.3, Duplicate: 0.1}})
	const n = 1000
	got := burst(t, r, left, right, n)
	c, _ := r.Counters()
	share(t, "lost", int(c.Lost), n, 0.3)
	share(t, "twice", int(c.Duplicated), n-int(c.Lost), 0.1)
	if len(got) != n-int(c.Lost)+int(c.Duplicated) {
		t.Errorf("%d arrived: %+v", len(got), c)
	}
}

func TestRelayTruncates(t *testing.T) {
	r, left, right := relay(t, RelayConfig{ToRight: Impairment{Truncate: 0.5}})
	cut := 0
	for i, b := range burst(t, r, left, right, 500) {
		want := fmt.Sprintf("%06d", i)
		if len(b) == 0 || want[:len(b)] != string(b) {
			t.Fatalf("%q arrived, %q was sent", b, want)
		}
		if len(b) < len(want) {
			cut++
		}
	}
	c, _ := r.Counters()
	share(t, "cut", cut, 500, 0.5)
	if c.Truncated != uint64(cut) {
		t.Errorf("%d cut: %+v", cut, c)
	}
}

// Nothing arrives before its time: not by Delay, and not by Rate.
func TestRelayTakesTime(t *testing.T) {
	r, left, right := relay(t, RelayConfig{ToLeft: delay(80 * ms), ToRight: Impairment{Delay: 50 * ms, Rate: 80 * Kbit}})
	start := time.Now()
	for range 10 {
		send(t, left, r.LeftAddr(), make([]byte, 100)) // 10 ms
	}
	for i := range 10 {
		b, _ := get(t, right, patience)
		if d, least := time.Since(start), time.Duration(50+10*(i+1))*ms; b == nil || d < least {
			t.Errorf("datagram %d of %d bytes took %v, want %v or more", i, len(b), d, least)
		}
	}
	start = time.Now()
	send(t, right, r.RightAddr(), []byte("back"))
	if b, _ := get(t, left, patience); b == nil || time.Since(start) < 80*ms {
		t.Errorf("%q came back after %v", b, time.Since(start))
	}
}

// What is held back is overtaken: the sender, who waits for it, is woken.
func TestRelayReorders(t *testing.T) {
	r, left, right := relay(t, RelayConfig{ToRight: Impairment{Reorder: 1, ReorderBy: time.Hour}})
	send(t, left, r.LeftAddr(), []byte("late"))
	until(t, "late", func() bool { c, _ := r.Counters(); return c.Reordered == 1 })
	r.SetToRight(Impairment{})
	send(t, left, r.LeftAddr(), []byte("first"))
	if b, _ := get(t, right, patience); string(b) != "first" {
		t.Errorf("%q arrived", b)
	}
}

// An outage passes, and the Relay with it.
func TestRelayDown(t *testing.T) {
	r, left, right := relay(t, RelayConfig{})
	r.SetToRight(Impairment{Down: true})
	send(t, left, r.LeftAddr(), []byte("lost"))
	until(t, "lost", func() bool { c, _ := r.Counters(); return c.Outage == 1 })
	r.SetToRight(Impairment{})
	send(t, left, r.LeftAddr(), []byte("found"))
	if b, _ := get(t, right, patience); string(b) != "found" {
		t.Errorf("%q arrived", b)
	}
}

// The program on the right may end and come back: refusals end nothing, and the first
// datagram that it could get, it gets.
func TestRelayPeerRestarts(t *testing.T) {
	r, left, right := relay(t, RelayConfig{})
	addr := right.LocalAddr().String()
	right.Close()
	for i := range 20 {
		send(t, left, r.LeftAddr(), []byte("to nobody"))
		until(t, "sent", func() bool { c, _ := r.Counters(); return c.Delivered+c.Failed == uint64(i)+1 })
	}
	right = socket(t, addr)
	send(t, left, r.LeftAddr(), []byte("again"))
	if b, _ := get(t, right, patience); string(b) != "again" {
		t.Errorf("%q arrived", b)
	}
	send(t, right, r.RightAddr(), []byte("and back"))
	if b, _ := get(t, left, patience); string(b) != "and back" {
		t.Errorf("%q came back", b)
	}
}

// What is under way is bounded in bytes and in number.
func TestLaneBounds(t *testing.T) {
	for _, tt := range []struct{ size, want int }{{64 << 10, laneBytes / (64 << 10)}, {1, laneDatagrams}} {
		l := newLane(delay(time.Hour), 1)
		pkt := make([]byte, tt.size)
		for range tt.want + 10 {
			l.take(pkt, l.start)
		}
		if c := l.counters(); l.under.len() != tt.want || c.Overflow != 10 {
			t.Errorf("%d of %d bytes are held, want %d; %+v", l.under.len(), tt.size, tt.want, c)
		}
	}
}

// What is due is taken out many at a time, in order, and nothing else.
func TestLaneDue(t *testing.T) {
	l := newLane(delay(time.Second), 1)
	for i := range 70 {
		l.take([]byte{byte(i)}, l.start.Add(time.Duration(i)))
	}
	var b tlv.Batch
	for _, tt := range []struct {
		now         time.Duration
		first, want int
	}{{time.Second - 1, 0, 0}, {time.Second, 0, 1}, {time.Second + 68, 1, laneBatch}, {time.Second + 68, 65, 4}, {time.Second + 68, 69, 0}, {time.Hour, 69, 1}} {
		l.due(&b, l.start.Add(tt.now))
		if b.Len() != tt.want || tt.want > 0 && (b.Packet(0)[0] != byte(tt.first) || b.Packet(tt.want - 1)[0] != byte(tt.first+tt.want-1)) {
			t.Errorf("at %v: %x; want %d from %x", tt.now, b.Range(0, b.Len()), tt.want, tt.first)
		}
	}
}

// A refusal is that of an earlier datagram: the one at hand is sent again.
func TestLaneRefused(t *testing.T) {
	l := newLane(Impairment{}, 1)
	var b tlv.Batch
	b.Append([]byte("one"))
	b.Append([]byte("two"))
	errs, sent := []error{syscall.ECONNREFUSED, nil, io.EOF}, ""
	l.send(&b, func(p []byte) error {
		sent += string(p) + " "
		err := errs[0]
		errs = errs[1:]
		return err
	})
	if c := l.counters(); sent != "one one two " || c.Delivered != 1 || c.Failed != 1 {
		t.Errorf("sent %s; %+v", sent, c)
	}
}

// Close ends a Relay with much under way, and has waited for its goroutines.
func TestRelayClose(t *testing.T) {
	r, left, right := relay(t, RelayConfig{ToRight: delay(time.Hour)})
	for range 100 {
		send(t, left, r.LeftAddr(), []byte("late"))
	}
	until(t, "some", func() bool { c, _ := r.Counters(); return c.Offered > 0 })
	stacks := make([]byte, 1<<20)
	for range 20 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if s := stacks[:runtime.Stack(stacks, true)]; bytes.Contains(s, []byte(".(*lane)")) {
			t.Fatalf("a goroutine is left:\n%s", s)
		}
		var err error
		if r, err = NewRelay(RelayConfig{Right: right.LocalAddr().String()}); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
}

func TestNewRelayRefuses(t *testing.T) {
	defer goleak.VerifyNone(t)
	used := socket(t, "127.0.0.1:0").LocalAddr().String()
	unused := socket(t, "127.0.0.1:0")
	unused.Close()
	const unreachable = "[fe80::1]:9" // on no interface
	for _, c := range []RelayConfig{
		{}, {Right: "127.0.0.1"}, {Right: used, Left: "x:y"}, {Right: used, Left: used},
		{Right: unreachable, Left: unused.LocalAddr().String()},
	} {
		if r, err := NewRelay(c); err == nil {
			r.Close()
			t.Errorf("%+v is taken", c)
		}
	}
	socket(t, unused.LocalAddr().String()).Close() // the last one let go of it
}
