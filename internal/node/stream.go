package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Bounds of what waits for one face to take it, beside what its socket holds, in
// bytes. What comes on top is dropped and counted, so that a slow reader holds up
// nobody else. Together the queues hold at most 2 GiB, where none of maxStreams reads, in
// at most twice as much memory.
const (
	faceQueueBytes  = 4 << 20
	smallQueueBytes = 256 << 10 // of those beyond fullQueues
	fullQueues      = 256
	maxStreams      = 4096
	// maxNeighbours of them are from the network, so that nobody there keeps this
	// machine's applications out.
	maxNeighbours = maxStreams / 2
)

// readBatches is how many batches of one face may be on their way to the loop, of 256 KiB
// each; of those beyond fullQueues one.
const readBatches = 2

// streamFace is an application or a neighbour on a connection of its own: a goroutine
// that reads, one that writes.
type streamFace struct {
	id     forward.FaceID
	conn   transport.LocalConn
	remote netip.AddrPort // of a neighbour
	// neighbour: it counts among those from the network.
	neighbour bool
	link      *tcpLink // of which it is the connection, or nil
	out       *transport.Queue
	text      chan func() []byte // what is sent between packets, made by the writer
	free      chan *tlv.Batch

	// The loop's: what it has for the face and has not queued yet, and whether the
	// queue had no room for all of it the last time.
	core  *core
	pend  tlv.Batch
	large bool // what it had for the face the last time was much
	full  bool
}

// neighbourStream is a neighbour's connection, to which nobody sends text.
type neighbourStream struct{ transport.NeighbourConn }

func (neighbourStream) WriteText([]byte) error { return nil }

var errFaceClosed = errors.New("face closed")

func (c *core) newStreamFace(conn transport.LocalConn, queue int) *streamFace {
	s := &streamFace{
		core: c,
		conn: conn, out: transport.NewQueue(queue),
		text: make(chan func() []byte, 1), free: make(chan *tlv.Batch, readBatches),
	}
	if nb, ok := conn.(neighbourStream); ok {
		s.remote = nb.RemoteAddr()
		transport.CountGarbage(nb.NeighbourConn, &c.n.garbage)
	} else {
		transport.CountGarbage(conn, &c.n.garbage)
	}
	s.free <- new(tlv.Batch)
	if queue > smallQueueBytes {
		s.free <- new(tlv.Batch)
	}
	return s
}

// flushBytes is how much the loop gathers for a face before it queues it; what is
// less is queued when the event is through that it came of.
const flushBytes = 128 << 10

// Send gathers pkt for the queue; it never waits.
func (s *streamFace) Send(pkt []byte) bool {
	if s.full {
		ok := s.out.TryPut(pkt)
		s.full = !ok
		return ok
	}
	if s.pend.Len() == 0 {
		s.core.dirty = append(s.core.dirty, s)
		if s.large {
			transport.Borrow(&s.pend)
		}
	}
	s.pend.Append(pkt)
	if s.pend.Size() >= flushBytes {
		s.flush()
	}
	return true
}

// largeBytes is from when on the memory of what is gathered is borrowed, and given back, in
// bytes.
const largeBytes = 16 << 10

// flush queues what was gathered.
func (s *streamFace) flush() {
	if s.pend.Len() > 0 {
		s.large = s.pend.Size() >= largeBytes
		s.full = !s.out.TryTake(&s.pend)
		release(&s.pend)
	}
}

// release gives b's memory back where it is large; what is small serves the next packets.
func release(b *tlv.Batch) {
	if b.Cap() >= largeBytes {
		transport.Release(b)
	}
}

// flush queues what an event has brought for all faces.
func (c *core) flush() {
	for i, s := range c.dirty {
		s.flush()
		c.dirty[i] = nil
	}
	c.dirty = c.dirty[:0]
}

// close ends both goroutines. It may be called more than once.
func (s *streamFace) close() {
	s.out.Close(errFaceClosed)
	s.conn.Close()
}

// recycle gives a batch back that was read.
func (s *streamFace) recycle(b *tlv.Batch) {
	transport.Release(b)
	s.free <- b
}

// addStream makes a face of a new connection.
func (c *core) addStream(conn transport.LocalConn, kind forward.Kind) *streamFace {
	if len(c.streams) >= maxStreams || kind != forward.App && c.neighbours >= maxNeighbours {
		c.full++
		c.n.log.Warn("too many connections", "of", len(c.streams), "from the network", c.neighbours)
		_ = conn.Close()
		return nil
	}
	queue := faceQueueBytes
	if len(c.streams) >= fullQueues {
		queue = smallQueueBytes
	}
	s := c.newStreamFace(conn, queue)
	o := forward.FaceOptions{Kind: kind}
	if kind == forward.App {
		o.OnMark = func() { transport.Unlimit(conn) }
	}
	s.id = c.f.AddFace(s, o)
	c.streams[s.id] = s
	if s.neighbour = kind != forward.App; s.neighbour {
		c.neighbours++
	}
	c.start(s)
	return s
}

// start runs the two goroutines of s.
func (c *core) start(s *streamFace) {
	c.n.wg.Go(s.write)
	c.n.wg.Go(func() { s.read(c.n.ctx, c.n.events) })
}

func (c *core) removeStream(s *streamFace) {
	s.close()
	if c.streams[s.id] == s {
		c.f.RemoveFace(s.id)
		delete(c.streams, s.id)
		if s.neighbour {
			c.neighbours--
		}
	}
}

// read hands what arrives to the loop, until the connection ends.
func (s *streamFace) read(ctx context.Context, events chan<- event) {
	post := func(e event) bool {
		e.face = s
		if e.gone {
			e.link = s.link
		}
		select {
		case events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for {
		var b *tlv.Batch
		select {
		case b = <-s.free:
		case <-ctx.Done():
			return
		}
		err := s.conn.Read(b)
		for text := (*transport.TextError)(nil); errors.As(err, &text); err = s.conn.Read(b) {
			if !post(event{text: text.Text}) {
				return
			}
		}
		if err != nil {
			post(event{gone: true})
			return
		}
		if !post(event{batch: b}) {
			return
		}
	}
}

// write sends what is queued, until the face is closed or its peer gone.
func (s *streamFace) write() {
	defer s.conn.Close() // so that read ends too and tells the loop
	var b tlv.Batch
	for {
		select {
		case text := <-s.text:
			if s.conn.WriteText(text()) != nil {
				return
			}
		case <-s.out.Ready():
			if s.out.Take(&b) != nil {
				return
			}
			if b.Len() == 0 {
				continue
			}
			if s.conn.Write(&b) != nil {
				return
			}
			release(&b)
		}
	}
}

// reply sends a text between packets, which the writer makes: it may be long. Where one
// waits already, its sender does not read; it gets no second one.
func (s *streamFace) reply(text func() []byte) {
	select {
	case s.text <- text:
	default:
	}
}

// acceptPause is how long to wait after a failed accept (too many descriptors).
const acceptPause = 100 * time.Millisecond

func (n *Node) acceptLocal() {
	n.accept("application", func() error {
		c, err := n.l.Accept()
		if err == nil {
			_ = n.join(c)
		}
		return err
	})
}

func (n *Node) acceptTCP(l *transport.TCPListener) {
	n.accept("neighbour", func() error {
		c, err := l.Accept()
		if err == nil && n.post(event{peer: c}) != nil {
			c.Close()
		}
		return err
	})
}

// accept calls one until the node ends.
func (n *Node) accept(whom string, one func() error) {
	for {
		err := one()
		if n.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			continue
		}
		n.log.Warn("accepting a connection", "of", whom, "err", err)
		select {
		case <-time.After(acceptPause):
		case <-n.ctx.Done():
			return
		}
	}
}

// join hands a new connection to the loop.
func (n *Node) join(c transport.LocalConn) error {
	err := n.post(event{join: c})
	if err != nil {
		c.Close()
	}
	return err
}

// post hands an event to the loop. It fails with net.ErrClosed after Close.
func (n *Node) post(e event) error {
	select {
	case n.events <- e:
		return nil
	case <-n.ctx.Done():
		return net.ErrClosed
	}
}
