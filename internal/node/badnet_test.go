package node

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// until is the packets that come before want.
func (p *peer) until(want []byte) (before [][]byte) {
	p.t.Helper()
	for {
		pkt := p.next()
		if pkt == nil {
			p.t.Fatalf("the connection has ended before %s", show(want))
		}
		if bytes.Equal(pkt, want) {
			return before
		}
		before = append(before, pkt)
	}
}

// TestBadPacketsFromNeighbours: none of them does harm to others, nor, but for what it
// swallows of its own stream, to its sender; none of those to be refused leaves a trace.
func TestBadPacketsFromNeighbours(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		n := holding(t, "ccnx:/x", Options{})
		good, has := stranger(t, n, "udp"), dial(t, n).registers("ccnx:/good")
		filler := bytes.Repeat(interest(t, "ccnx:/x"), 1+tlv.MaxPacketLen/len(interest(t, "ccnx:/x")))
		for k, e := range load[badPacket](t, "bad-packets.json") {
			t.Run(network+" "+e.ID, func(t *testing.T) {
				b, err := hex.DecodeString(e.Hex)
				must(t, err)
				b = bytes.Repeat(b, max(e.Repeat, 1))
				c, err := net.Dial(network, n.port(t, network).String())
				must(t, err)
				defer c.Close()
				bad := newPeer(t, &rawNeighbour{netConn{Conn: c}, network == "udp"})
				if network == "udp" {
					b = b[:min(len(b), maxDatagram4)]
				}
				_, err = c.Write(b)
				must(t, err)
				if network == "tcp" { // what the bad one lacks
					_, err = c.Write(filler)
					must(t, err)
				}
				last := fmt.Sprintf("ccnx:/good/last/%d", k)
				bad.sends(interest(t, last))
				for !bytes.Equal(has.next(), interest(t, last)) {
				}
				has.sends(data(t, last))
				bad.until(data(t, last))
				exchange(t, good, has, fmt.Sprintf("ccnx:/good/%d", k))
				if s := n.status(t); s.Store.Objects != 1 || s.PIT.Entries != 0 || len(s.Apps) != 1 || s.RouteNum != 0 {
					t.Errorf("it has left %d objects, Interests %+v, registrations %+v", s.Store.Objects-1, s.Pending, s.Apps)
				}
			})
		}
		s := n.status(t)
		if s.Drops.Malformed < 20 || s.Drops.Corrupt == 0 {
			t.Errorf("%s: drops %+v", network, s.Drops)
		}
		has.settled()
	}
}

// rawNeighbour is a neighbour's bare socket.
type rawNeighbour struct {
	netConn
	datagrams bool
}

func (c *rawNeighbour) Read(b *tlv.Batch) error {
	if !c.datagrams {
		return c.netConn.Read(b)
	}
	pkt := make([]byte, tlv.MaxPacketLen)
	n, err := c.Conn.Read(pkt)
	b.Reset(0)
	if err == nil {
		b.Append(pkt[:n])
	}
	return err
}

// TestCommandsFromTheNetwork: registrations are for applications on this machine,
// unless others are let in.
func TestCommandsFromTheNetwork(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		for _, allowed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, allowed %v", network, allowed), func(t *testing.T) {
				n := holding(t, "ccnx:/x", Options{Forward: forward.Options{AllowRemoteApps: allowed}})
				p := stranger(t, n, network)
				for _, c := range []tlv.Command{tlv.CommandRegister, tlv.CommandRegPrefix, tlv.CommandRouteAdd} {
					pkt, err := tlv.AppendCommand(nil, c, mustName(t, "ccnx:/remote/"+fmt.Sprint(c)))
					must(t, err)
					p.sends(pkt)
				}
				p.answered("ccnx:/x")
				s := n.status(t)
				if !allowed {
					if s.Drops.RemoteApp != 3 || len(s.Apps) != 0 || s.RouteNum != 0 {
						t.Errorf("%d refused, %+v, %+v", s.Drops.RemoteApp, s.Apps, s.Routes)
					}
					dial(t, n).refused(fmt.Sprintf("ccnx:/remote/%v/1", tlv.CommandRegPrefix), tlv.ReturnNoRoute)
					return
				}
				if s.Drops.RemoteApp != 0 || len(s.Apps) != 2 || s.RouteNum != 1 {
					t.Errorf("%d refused, %+v, %+v", s.Drops.RemoteApp, s.Apps, s.Routes)
				}
				exchange(t, dial(t, n), p, fmt.Sprintf("ccnx:/remote/%v/1", tlv.CommandRegPrefix))
				if network == "tcp" {
					p.conn.Close()
					n.until(t, "deregistered", registered(0))
					n.hasRoutes(t, "after its end")
				}
			})
		}
	}
}

// TestUnasked: Data and Interest Returns that nobody asked a neighbour for go nowhere.
func TestUnasked(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		n := holding(t, "ccnx:/x", Options{})
		asks, has := dial(t, n), dial(t, n).registers("ccnx:/a")
		asks.sends(interest(t, "ccnx:/a/1"))
		has.gets(interest(t, "ccnx:/a/1"))
		p := stranger(t, n, network)
		p.sends(data(t, "ccnx:/a/1", payload("forged")), data(t, "ccnx:/new"), tlv.AppendReturn(nil, interest(t, "ccnx:/a/1"), tlv.ReturnNoRoute))
		p.answered("ccnx:/x")
		has.sends(data(t, "ccnx:/a/1"))
		asks.gets(data(t, "ccnx:/a/1"))
		s := n.status(t)
		if d := s.Drops; d.Unsolicited != 1 || d.Unexpected != 2 || s.Store.Objects != 1 {
			t.Errorf("%s: drops %+v, %d objects", network, d, s.Store.Objects)
		}
	}
}

// TestNeighbourThatDoesNotRead: it loses what does not fit, and holds up nobody.
func TestNeighbourThatDoesNotRead(t *testing.T) {
	n := startNear(t, Options{})
	has := dial(t, n).registers("ccnx:/a")
	puts := dial(t, n)
	puts.sends(data(t, "ccnx:/big", size(60_000)))
	puts.settled()
	slow, err := net.Dial("tcp", n.port(t, "tcp").String())
	must(t, err)
	defer slow.Close()
	deadline(t, slow)
	many := bytes.Repeat(interest(t, "ccnx:/big"), 100)
	good := stranger(t, n, "tcp")
	lost := func() uint64 {
		s := n.status(t)
		for _, f := range others(&s) {
			if f.QueueDrops > 0 {
				return f.QueueDrops
			}
		}
		return 0
	}
	for k := 0; lost() == 0; k++ {
		if k == 100 {
			t.Fatal("600 MB for who does not read, and nothing lost")
		}
		_, err := slow.Write(many)
		must(t, err)
		exchange(t, good, has, fmt.Sprintf("ccnx:/a/%d", k))
	}
	// When it reads, whole packets come, and its connection works again.
	slower := newPeer(t, &netConn{Conn: slow})
	want := data(t, "ccnx:/big", size(60_000))
	for !bytes.Equal(slower.next(), want) {
		t.Fatal("something else")
	}
	slower.sends([]byte(tlv.LinkRequest))
	for _, pkt := range slower.until([]byte(tlv.LinkReply)) {
		if !bytes.Equal(pkt, want) {
			t.Fatalf("%d bytes, %.40x", len(pkt), pkt)
		}
	}
}

// TestHalfPackets: a neighbour that ends in the middle of a packet, or of a datagram's.
func TestHalfPackets(t *testing.T) {
	n := holding(t, "ccnx:/x", Options{})
	i := interest(t, "ccnx:/x")
	for k := range len(i) {
		c, err := net.Dial("tcp", n.port(t, "tcp").String())
		must(t, err)
		_, err = c.Write(cat(i, i[:k]))
		must(t, err)
		deadline(t, c)
		got := make([]byte, len(data(t, "ccnx:/x")))
		_, err = io.ReadFull(c, got)
		must(t, err)
		c.Close()
	}
	n.awaits(t, "all gone", func(s *control.NodeStatus) bool { return len(s.Faces) == 0 })
	p := stranger(t, n, "udp")
	for k := range len(i) {
		p.sends(i[:k])
		p.answered("ccnx:/x")
	}
	if s := n.status(t); s.Packets.RxInterests != 2*uint64(len(i)) {
		t.Errorf("%d Interests of %d", s.Packets.RxInterests, 2*len(i))
	}
}

// blockedConn is a connection over which nothing moves.
type blockedConn struct {
	transport.NeighbourConn
	writing chan struct{} // gets a token when a write begins; nil: nobody looks
	ended   chan struct{}
	end     sync.Once
}

func newBlockedConn() *blockedConn { return &blockedConn{ended: make(chan struct{})} }

func (c *blockedConn) Read(*tlv.Batch) error { <-c.ended; return io.EOF }

func (c *blockedConn) Write(*tlv.Batch) error {
	if c.writing != nil {
		c.writing <- struct{}{}
	}
	<-c.ended
	return io.EOF
}

func (c *blockedConn) WriteText([]byte) error { return nil }

func (c *blockedConn) Close() error {
	c.end.Do(func() { close(c.ended) })
	return nil
}

// addBlocked adds faces that do not read.
func (c *core) addBlocked(k int, kind forward.Kind) (all []*streamFace) {
	for range k {
		all = append(all, c.addStream(newBlockedConn(), kind))
	}
	return all
}

// TestQueueSizes: of what waits for one face, and less of it where there are many.
func TestQueueSizes(t *testing.T) {
	c := bareCore()
	defer c.n.closeBare()
	holds := func() int {
		conn := newBlockedConn()
		conn.writing = make(chan struct{})
		s := c.addStream(conn, forward.App)
		pkt := make([]byte, 1<<10)
		s.Send(pkt)
		c.flush()
		<-conn.writing
		k := 0
		for ; s.out.Lost() == 0; k++ {
			s.Send(pkt)
			c.flush()
		}
		return (k - 1) << 10
	}
	if got := holds(); got != faceQueueBytes {
		t.Errorf("the first one's queue holds %d bytes, want %d", got, faceQueueBytes)
	}
	c.addBlocked(fullQueues-2, forward.App)
	if got := holds(); got != faceQueueBytes {
		t.Errorf("number %d's queue holds %d bytes, want %d", fullQueues, got, faceQueueBytes)
	}
	if got := holds(); got != smallQueueBytes {
		t.Errorf("number %d's queue holds %d bytes, want %d", fullQueues+1, got, smallQueueBytes)
	}
	c.close()
}

// TestNeighboursLeaveRoom: however many connect over TCP, applications still can.
func TestNeighboursLeaveRoom(t *testing.T) {
	c := bareCore()
	defer c.n.closeBare()
	taken := 0
	for _, s := range c.addBlocked(maxStreams+10, forward.Link) {
		if s != nil {
			taken++
		}
	}
	if taken != maxNeighbours || c.full != uint64(maxStreams+10-taken) {
		t.Errorf("%d neighbours taken, %d turned away", taken, c.full)
	}
	apps := 0
	for _, s := range c.addBlocked(maxStreams, forward.App) {
		if s != nil {
			apps++
		}
	}
	if apps != maxStreams-maxNeighbours {
		t.Errorf("%d applications have room", apps)
	}
	if s := c.status(forward.StatusLimits{}); len(s.Faces) != maxStreams || s.Drops.FacesFull != c.full {
		t.Errorf("%d faces, %d turned away", len(s.Faces), s.Drops.FacesFull)
	}
	// Where one goes, another has room.
	for _, s := range c.streams {
		if s.neighbour {
			c.removeStream(s)
			c.removeStream(s)
			break
		}
	}
	if c.addBlocked(1, forward.Link)[0] == nil || c.addBlocked(1, forward.Link)[0] != nil {
		t.Error("a neighbour's place is not another's")
	}
	c.close()
}

// TestTextsOfANeighbour: bytes that are a control message of an application.
func TestTextsOfANeighbour(t *testing.T) {
	n := holding(t, "ccnx:/x", Options{Routes: []Route{route(t, "ccnx:/r", via1)}})
	for _, network := range []string{"udp", "tcp"} {
		p := stranger(t, n, network)
		for _, text := range []string{tlv.CloseText, "/", verbStatus, string(routeMsg(2, 2, "ccnx:/r", "", "127.0.0.1:1")), control.NodeVerb + `{"op":"route-del","prefix":"ccnx:/r"}`, strings.Repeat("/CTRL", 1000)} {
			p.sends([]byte(text))
			p.answered("ccnx:/x")
		}
	}
	n.hasRoutes(t, "afterwards", "ccnx:/r best "+via1+"=0")
	s := n.status(t)
	if !slices.ContainsFunc(s.Faces, func(f control.Face) bool { return f.Kind == kindTCP }) || s.UptimeMS < 0 || s.UptimeMS > time.Hour.Milliseconds() {
		t.Errorf("%+v", s.Faces)
	}
}
