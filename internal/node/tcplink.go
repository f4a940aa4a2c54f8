package node

import (
	"context"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/transport"
)

// tcpLink is a route's neighbour over TCP. Its face stays while connections come and
// go: one that has broken is made anew.
type tcpLink struct {
	addr   transport.Address
	id     forward.FaceID
	stream *streamFace // nil while it is down
	lost   uint64      // packets that earlier connections did not take
	cancel context.CancelFunc
	broken chan struct{} // a token: the connection has ended
}

// Send queues pkt, while there is a connection.
func (l *tcpLink) Send(pkt []byte) bool { return l.stream != nil && l.stream.Send(pkt) }

// How long to wait before a link is made anew: twice as long from time to time.
const (
	redialFirst = 100 * time.Millisecond
	redialMost  = 5 * time.Second
)

// link is the face of a neighbour over TCP.
func (c *core) link(a transport.Address) *tcpLink {
	if l := c.links[a.Addr]; l != nil {
		return l
	}
	l := &tcpLink{addr: a, broken: make(chan struct{}, 1)}
	l.id = c.f.AddFace(l, forward.FaceOptions{Kind: forward.Link})
	c.f.SetDown(l.id, true)
	c.links[a.Addr] = l
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(c.n.ctx)
	c.n.wg.Go(func() { c.n.keepDialling(ctx, l) })
	return l
}

// unlink ends a link that no route uses.
func (c *core) unlink(l *tcpLink) {
	l.cancel()
	delete(c.links, l.addr.Addr)
	if s := l.stream; s != nil {
		l.stream = nil
		s.close()
	}
	c.f.RemoveFace(l.id)
}

// keepDialling makes connections one after the other, each when the one before it has
// ended.
func (n *Node) keepDialling(ctx context.Context, l *tcpLink) {
	pause := redialFirst
	said := false
	for {
		conn, err := transport.DialNeighbour(ctx, l.addr)
		if err == nil {
			if n.post(event{link: l, conn: conn}) != nil {
				conn.Close()
				return
			}
			begun := time.Now()
			select {
			case <-l.broken:
			case <-ctx.Done():
				return
			}
			if time.Since(begun) >= redialMost { // else it only takes connections
				pause, said = redialFirst, false
			}
			if !said {
				n.log.Warn("a neighbour's connection has ended", "addr", l.addr)
			}
			said = true
		} else if !said && ctx.Err() == nil {
			n.log.Warn("a neighbour cannot be reached; trying on", "addr", l.addr, "err", err)
			said = true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, redialMost)
	}
}

// onLink takes a link's new connection, or the end of one.
func (c *core) onLink(e event) {
	l := e.link
	if e.gone {
		if l.stream == e.face && l.stream != nil {
			l.lost += l.stream.out.Lost()
			l.stream = nil
			c.f.SetDown(l.id, true)
			l.broken <- struct{}{}
		}
		e.face.close()
		return
	}
	if c.links[l.addr.Addr] != l { // the route has gone meanwhile
		e.conn.Close()
		return
	}
	s := c.newStreamFace(neighbourStream{e.conn}, faceQueueBytes)
	s.id, s.link = l.id, l
	l.stream = s
	c.f.SetDown(l.id, false)
	c.start(s)
}
