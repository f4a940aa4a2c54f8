package node

import (
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// event is what the loop learns: one of its parts.
type event struct {
	join  transport.LocalConn     // an application has connected
	peer  transport.NeighbourConn // a neighbour has connected
	face  *streamFace             // of batch, text, gone
	batch *tlv.Batch              // packets from it
	text  []byte                  // a control message from it
	gone  bool                    // its connection has ended
	link  *tcpLink                // of conn, gone
	conn  transport.NeighbourConn // link's new connection
	grams *datagrams              // from the network
	ask   func(*core)             // a question
}

// core is what the loop owns: the forwarder and what is behind its faces.
type core struct {
	n       *Node
	f       *forward.Forwarder
	streams map[forward.FaceID]*streamFace
	// neighbours is how many of the streams are from the network.
	neighbours int
	links      map[string]*tcpLink // by address
	peers      *peerTable
	groups     []*groupFace
	routes     routeTable
	dirty      []*streamFace // with packets that are not queued yet
	// badTexts counts control messages that nobody understands.
	badTexts uint64
	full     uint64 // connections turned away
}

// loop owns the core.
func (n *Node) loop() {
	c := newCore(n)
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	sweep := time.NewTimer(0)
	<-sweep.C
	defer sweep.Stop()
	ticking, sweeping := false, false
	for {
		select {
		case e := <-n.events:
			c.handle(e, time.Now())
			c.flush()
		case now := <-timer.C:
			c.f.Expire(now)
			ticking = false
		case now := <-sweep.C:
			c.peers.sweep(now)
			sweeping = false
		case <-n.ctx.Done():
			c.close()
			return
		}
		if !ticking && c.f.Pending() > 0 {
			timer.Reset(forward.Tick)
			ticking = true
		}
		if !sweeping && c.peers.dynamic > 0 {
			sweep.Reset(sweepEvery)
			sweeping = true
		}
	}
}

func newCore(n *Node) *core {
	c := &core{
		n: n, f: forward.New(n.o.Forward, n.begun),
		streams: make(map[forward.FaceID]*streamFace), links: make(map[string]*tcpLink),
	}
	c.peers = newPeerTable(c)
	c.routes = newRouteTable()
	for _, g := range n.net.groups {
		c.addGroup(g)
	}
	return c
}

func (c *core) close() {
	for _, s := range c.streams {
		s.close()
	}
	for _, l := range c.links {
		l.cancel()
		if l.stream != nil {
			l.stream.close()
		}
	}
}

func (c *core) handle(e event, now time.Time) {
	switch {
	case e.ask != nil:
		e.ask(c)
	case e.join != nil:
		c.addStream(e.join, forward.App)
	case e.peer != nil:
		c.addStream(neighbourStream{e.peer}, forward.Link)
	case e.link != nil:
		c.onLink(e)
	case e.grams != nil:
		c.onDatagrams(e.grams, now)
	case e.gone:
		c.removeStream(e.face)
	case e.text != nil:
		if !c.onText(e.face, e.text) {
			e.face.close()
		}
	default:
		c.f.Warm(e.batch)
		for i := range e.batch.Len() {
			c.f.OnPacket(e.face.id, e.batch.Packet(i), now)
		}
		e.face.recycle(e.batch)
	}
}
