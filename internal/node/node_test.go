package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// patience bounds what a broken node can make a test wait.
const patience = 20 * time.Second

// socketPath returns a path that is short enough for a socket.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cefgo")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func start(t testing.TB, o Options) *Node {
	t.Helper()
	if o.Socket == "" {
		o.Socket = socketPath(t)
	}
	n, err := Start(o)
	must(t, err)
	t.Cleanup(func() { n.Close() })
	return n
}

// until waits for cond, which the node's loop evaluates.
func (n *Node) until(t testing.TB, what string, cond func(*core) bool) {
	t.Helper()
	answer := make(chan bool, 1)
	for end, pause := time.Now().Add(patience), time.Duration(0); ; pause = min(pause+10*time.Microsecond, time.Millisecond) {
		time.Sleep(pause)
		select {
		case n.events <- event{ask: func(c *core) { answer <- cond(c) }}:
		case <-n.ctx.Done():
			t.Fatalf("%s: the node is closed", what)
		}
		if <-answer {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// registered is the condition that so many registrations are held.
func registered(want int) func(*core) bool {
	return func(c *core) bool {
		n := 0
		for _, a := range c.f.Status(forward.StatusLimits{Apps: 10}, time.Now()).Apps {
			n += len(a.Faces)
		}
		return n == want
	}
}

// owners are the applications registered for a prefix.
func (c *core) owners(prefix string) (found []*streamFace) {
	for _, a := range c.f.Status(forward.StatusLimits{Apps: 10}, time.Now()).Apps {
		for _, id := range a.Faces {
			if a.Prefix == prefix {
				found = append(found, c.streams[forward.FaceID(id)])
			}
		}
	}
	return found
}

// peer is an application on a real connection.
type peer struct {
	t    testing.TB
	conn transport.Conn
	in   chan []byte // closed when the connection ends
}

func newPeer(t testing.TB, conn transport.Conn) *peer {
	p := &peer{t, conn, make(chan []byte, 10_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(p.in)
		for b := new(tlv.Batch); ; {
			err := conn.Read(b)
			for i := range b.Len() {
				p.in <- bytes.Clone(b.Packet(i))
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return p
}

func dial(t testing.TB, n *Node) *peer {
	t.Helper()
	c, err := transport.Dial(t.Context(), transport.Address{Network: "unix", Addr: n.Socket()})
	must(t, err)
	return newPeer(t, c)
}

// connect is dial without a socket.
func connect(t testing.TB, n *Node) *peer {
	t.Helper()
	c, err := n.Connect()
	must(t, err)
	return newPeer(t, c)
}

func (p *peer) sends(pkts ...[]byte) {
	p.t.Helper()
	var b tlv.Batch
	for _, pkt := range pkts {
		b.Append(pkt)
	}
	must(p.t, p.conn.Write(&b))
}

// next is the next packet; nil at the end of the connection.
func (p *peer) next() []byte {
	p.t.Helper()
	select {
	case pkt := <-p.in:
		return pkt
	case <-time.After(patience):
		p.t.Fatalf("nothing arrived within %v", patience)
		return nil
	}
}

func (p *peer) gets(want []byte) {
	p.t.Helper()
	if got := p.next(); !bytes.Equal(got, want) {
		p.t.Fatalf("got %s, want %s", show(got), show(want))
	}
}

// settled returns once the node has worked off what p sent.
func (p *peer) settled() *peer {
	p.t.Helper()
	p.sends([]byte(tlv.LinkRequest))
	if pkt := p.next(); !isNodeReply(pkt) {
		p.t.Fatalf("got %s, want a sign of life", show(pkt))
	}
	return p
}

func isNodeReply(pkt []byte) bool {
	_, ok := tlv.ParseNodeReply(pkt)
	return ok
}

func (p *peer) registers(uri string) *peer {
	p.t.Helper()
	pkt, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(p.t, uri))
	must(p.t, err)
	p.sends(pkt)
	return p.settled()
}

// exchange has one ask and the other, who is registered, answer.
func exchange(t testing.TB, asks, has *peer, uri string) {
	t.Helper()
	i, d := interest(t, uri), data(t, uri)
	asks.sends(i)
	has.gets(i)
	has.sends(d)
	asks.gets(d)
}

func TestTwoApplications(t *testing.T) {
	for name, join := range map[string]func(testing.TB, *Node) *peer{"socket": dial, "memory": connect} {
		t.Run(name, func(t *testing.T) {
			n := start(t, Options{})
			asks, has := join(t, n), dial(t, n).registers("ccnx:/a")
			for k := range 100 {
				exchange(t, asks, has, fmt.Sprintf("ccnx:/a/Chunk=%d", k))
			}
			has.sends(data(t, "ccnx:/put"))
			has.settled()
			asks.sends(interest(t, "ccnx:/put"))
			asks.gets(data(t, "ccnx:/put"))
			big := data(t, "ccnx:/a/big", payload(strings.Repeat("x", 60_000)))
			asks.sends(interest(t, "ccnx:/a/big"))
			has.gets(interest(t, "ccnx:/a/big"))
			has.sends(big)
			asks.gets(big)
			if s := n.Summary(); s != "2 applications, 102 Interests and 102 Data received, 0 Interests pending, 1 objects (411 bytes) stored" {
				t.Error(s)
			}
		})
	}
}

// TestPITExpiresByItself: the loop needs no packet to drive it.
func TestPITExpiresByItself(t *testing.T) {
	n := start(t, Options{})
	p := dial(t, n)
	for range 2 {
		p.sends(interest(t, "ccnx:/a", lifetime(time.Millisecond)))
		p.settled()
		n.until(t, "nothing pending", func(c *core) bool { return c.f.Pending() == 0 })
	}
}

// TestSlowReader: an application that does not read loses packets and holds up
// nobody else.
func TestSlowReader(t *testing.T) {
	n := start(t, Options{})
	slow, err := net.Dial("unix", n.Socket())
	must(t, err)
	defer slow.Close()
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/slow"))
	must(t, err)
	_, err = slow.Write(reg)
	must(t, err)
	n.until(t, "registered", registered(1))
	asks, has := dial(t, n), dial(t, n).registers("ccnx:/fast")
	flood := interest(t, "ccnx:/slow/x", func(i *tlv.Interest) { i.Payload = make([]byte, 30_000) })
	lost := func(c *core) bool {
		return slices.ContainsFunc(c.owners("ccnx:/slow"), func(s *streamFace) bool { return s.out.Lost() > 0 })
	}
	full := false
	for k := 0; !full; k++ { // what its socket and its queue hold
		if k == 10_000 {
			t.Fatal("300 MB for a slow reader, and nothing lost")
		}
		asks.sends(flood)
		asks.settled()
		n.until(t, "", func(c *core) bool { full = lost(c); return true })
	}
	for k := range 20 {
		asks.sends(flood)
		exchange(t, asks, has, fmt.Sprintf("ccnx:/fast/Chunk=%d", k))
	}
	// Once it reads, it gets whole packets again.
	last := interest(t, "ccnx:/slow/last")
	slower := newPeer(t, &netConn{Conn: slow})
	for k := 0; ; k++ {
		asks.sends(last)
		asks.settled()
		pkt := slower.next()
		if bytes.Equal(pkt, last) {
			break
		}
		if !bytes.Equal(pkt, flood) {
			t.Fatalf("packet %d is %d bytes: %.40x", k, len(pkt), pkt)
		}
	}
}

// netConn reads packets off a socket by their length alone.
type netConn struct{ net.Conn }

func (c *netConn) Read(b *tlv.Batch) error {
	b.Reset(0)
	pkt := make([]byte, tlv.FixedHeaderLen)
	if _, err := io.ReadFull(c.Conn, pkt); err != nil {
		return err
	}
	h, err := tlv.ParseHeader(pkt)
	if err != nil {
		return err
	}
	pkt = append(pkt, make([]byte, h.Length-len(pkt))...)
	if _, err = io.ReadFull(c.Conn, pkt[tlv.FixedHeaderLen:]); err == nil {
		b.Append(pkt)
	}
	return err
}

func (c *netConn) Write(b *tlv.Batch) error {
	_, err := c.Conn.Write(b.Range(0, b.Len()))
	return err
}

func (c *netConn) MaxPacket() int { return tlv.MaxPacketLen }

// badPacket is an entry of bad-packets.json.
type badPacket struct {
	ID, Channel string
	Hex         string `json:"packet_hex"`
	Repeat      int
	Should      string `json:"our_receiver_should"`
}

// resyncPackets is how many small packets a bad one may cost behind it: what is left
// of it can look like the head of another.
const resyncPackets = 8

// TestBadPackets: each of them leaves the other connections and its own working, as
// its our_receiver_should says. What follows it may be taken for the rest of it: a
// few packets, or with a cut one as much as it lacks.
func TestBadPackets(t *testing.T) {
	n := start(t, Options{})
	asks, has := dial(t, n), dial(t, n).registers("ccnx:/good")
	for k, e := range load[badPacket](t, "bad-packets.json") {
		t.Run(e.ID, func(t *testing.T) {
			b, err := hex.DecodeString(e.Hex)
			must(t, err)
			b = bytes.Repeat(b, max(e.Repeat, 1))
			conn, err := net.Dial("unix", n.Socket())
			must(t, err)
			defer conn.Close()
			bad := newPeer(t, &netConn{Conn: conn})
			bad.settled()
			refused := uint64(0)
			n.until(t, "", func(f *core) bool { refused = f.status(forward.StatusLimits{}).Drops.Malformed; return true })
			_, err = conn.Write(b)
			must(t, err)
			switch {
			case e.ID == "half-close-message" || e.ID == "slash-only":
				if pkt := bad.next(); pkt != nil { // ended, as by cefnetd
					t.Errorf("got %x", pkt)
				}
				exchange(t, asks, has, fmt.Sprintf("ccnx:/good/%d", k))
				return
			case e.ID == "ctrl-short" || e.ID == "ctrl-route-truncated":
				bad.next() // the answering text, which is no packet
				if pkt := bad.next(); pkt != nil {
					t.Errorf("got %x", pkt)
				}
				exchange(t, asks, has, fmt.Sprintf("ccnx:/good/%d", k))
				return
			case e.Channel == "control" || e.ID == "from-cefnetd-busy-text":
				// A text ends with what was written at once.
				n.until(t, "text taken", func(f *core) bool { return f.status(forward.StatusLimits{}).Drops.Malformed > refused })
			}
			exchange(t, asks, has, fmt.Sprintf("ccnx:/good/%d", k))
			most := resyncPackets
			if e.ID == "from-cefnetd-cut-data" {
				most = 50_055 / len(interest(t, "ccnx:/good/0/00000"))
			}
			for i := range most + 1 {
				bad.sends(interest(t, fmt.Sprintf("ccnx:/good/%d/%05d", k, i)))
			}
			last := interest(t, fmt.Sprintf("ccnx:/good/%d/%05d", k, most))
			costs := most
			for !bytes.Equal(has.next(), last) {
				costs--
			}
			if costs > 0 {
				t.Logf("costs %d packets", costs)
			}
			d := data(t, fmt.Sprintf("ccnx:/good/%d/%05d", k, most))
			has.sends(d)
			bad.gets(d)
		})
	}
	has.settled() // nothing else came
}

// raw is a connection that text goes over.
func raw(t testing.TB, n *Node) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", n.Socket())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func faces(k int) func(*core) bool {
	return func(c *core) bool { return len(c.streams) == k }
}

// TestEndings: the closing text or a part of it, the end of the stream, and an abrupt
// one inside a packet with Data unread, all end the face and its registrations.
func TestEndings(t *testing.T) {
	n := start(t, Options{})
	stays := dial(t, n)
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/a"))
	must(t, err)
	for name, end := range map[string]func(net.Conn){
		"close text":    func(c net.Conn) { _, _ = c.Write([]byte(tlv.CloseText)) },
		"lone slash":    func(c net.Conn) { _, _ = c.Write([]byte("/")) },
		"part of it":    func(c net.Conn) { _, _ = c.Write([]byte("/CLOSE")) },
		"end of stream": func(c net.Conn) { must(t, c.(*net.UnixConn).CloseWrite()) },
		"in a packet":   func(c net.Conn) { _, _ = c.Write(reg[:20]); must(t, c.Close()) },
		"stops reading": func(c net.Conn) {
			must(t, c.(*net.UnixConn).CloseRead())
			_, _ = c.Write([]byte(tlv.LinkRequest))
		},
		"with Data unread": func(c net.Conn) {
			_, _ = c.Write([]byte(tlv.LinkRequest))
			n.until(t, "reply sent", func(c *core) bool {
				return slices.ContainsFunc(c.owners("ccnx:/a"), func(s *streamFace) bool { return s.out.Empty() })
			})
			must(t, c.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := raw(t, n)
			_, err := c.Write(reg)
			must(t, err)
			n.until(t, "registered", registered(1))
			end(c)
			n.until(t, "face gone", faces(1))
			n.until(t, "deregistered", registered(0))
			if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("the connection is not ended: %v", err)
			}
			stays.settled()
		})
	}
	c := raw(t, n)
	_, err = c.Write(append(bytes.Clone(reg), tlv.CloseText...))
	must(t, err)
	n.until(t, "registered", registered(1))
	// Behind a packet it is no text (sheet b).
	p := newPeer(t, &netConn{Conn: c})
	p.settled()
}

func TestClose(t *testing.T) {
	before := goleak.IgnoreCurrent()
	n := start(t, Options{})
	p, m := dial(t, n), connect(t, n)
	p.settled()
	m.settled()
	for range 3 {
		p.sends(interest(t, "ccnx:/a"))
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, p := range []*peer{p, m} {
		if pkt := p.next(); pkt != nil {
			t.Errorf("got %x", pkt)
		}
		p.conn.Close()
	}
	goleak.VerifyNone(t, before)
	if left, err := os.ReadDir(filepath.Dir(n.Socket())); len(left) > 0 || err != nil {
		t.Errorf("files left: %v, %v", left, err)
	}
	if _, err := n.Connect(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Connect after Close: %v", err)
	}
	if s := n.Summary(); s != "closed" {
		t.Error(s)
	}
}

// TestCloseUnread: applications that do not read, and one in the middle of a packet,
// do not hold up Close.
func TestCloseUnread(t *testing.T) {
	n := start(t, Options{})
	c := raw(t, n)
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/a"))
	must(t, err)
	_, err = c.Write(append(bytes.Clone(reg), reg[:10]...))
	must(t, err)
	m, err := n.Connect()
	must(t, err)
	var b tlv.Batch
	b.Append(reg)
	must(t, m.Write(&b))
	n.until(t, "registered", registered(2))
	flood := interest(t, "ccnx:/a/x", func(i *tlv.Interest) { i.Payload = make([]byte, 60_000) })
	asks := dial(t, n)
	for full := false; !full; {
		asks.sends(flood)
		asks.settled()
		n.until(t, "", func(c *core) bool {
			full = !slices.ContainsFunc(c.owners("ccnx:/a"), func(s *streamFace) bool { return s.out.Lost() == 0 })
			return true
		})
	}
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close hangs")
	}
	m.Close()
}

func TestOneSocketOneNode(t *testing.T) {
	n := start(t, Options{})
	for range 2 {
		if _, err := Start(Options{Socket: n.Socket()}); !errors.Is(err, transport.ErrInUse) {
			t.Fatalf("second Start: %v, want ErrInUse", err)
		}
	}
	dial(t, n).settled()
	n.Close()
	start(t, Options{Socket: n.Socket()}) // free again

	dead := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	l.Close()
	dial(t, start(t, Options{Socket: dead})).settled()

	if _, err := Start(Options{Socket: filepath.Join(dead, "no", "directory")}); err == nil {
		t.Error("a socket in no directory")
	}
}

func TestTooManyApplications(t *testing.T) {
	n := start(t, Options{})
	var peers []transport.Conn
	for range maxStreams {
		c, err := n.Connect()
		must(t, err)
		peers = append(peers, c)
	}
	if pkt := dial(t, n).next(); pkt != nil {
		t.Errorf("one too many got %x", pkt)
	}
	peers[0].Close()
	n.until(t, "room", faces(maxStreams-1))
	dial(t, n).settled()
	for _, c := range peers {
		c.Close()
	}
}
