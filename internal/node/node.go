// Package node is the embedded forwarder, which Cefore's programs take for
// cefnetd: it owns the local socket, the faces of the applications on it, and
// their tables. What decides (forwarder, pit, registrations) has no socket, clock
// or goroutine; one loop drives it. It imports cs, transport and tlv.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Options of a node. Socket is required.
type Options struct {
	// Socket is the path of Cefore's local socket. A dead one there is replaced.
	Socket string
	// Port is what the status text shows; nothing listens on it.
	Port int
	// CacheBytes bounds the content store. Default is 64 MiB.
	CacheBytes int
	// PITSize bounds the pending Interests. Default is 65535, as cefnetd's.
	PITSize int
	// ReturnToAll sends Interest Returns to applications without cefgo's mark
	// too, as ENABLE_INTEREST_RETURN=1 does; Cefore's tools take the first one
	// for the end.
	ReturnToAll bool
	// Log gets what a user of -v wants to see. nil discards.
	Log *slog.Logger
}

// Defaults of [Options].
const (
	DefaultCacheBytes = 64 << 20
	DefaultPITSize    = 65535
)

// maxFaces bounds the applications connected at once, and with it the memory of
// their queues: at most 1 GiB where none of them reads.
const maxFaces = 256

// Node is a running forwarder.
type Node struct {
	o      Options
	log    *slog.Logger
	l      *transport.Listener
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	events chan event
	once   sync.Once
}

// Start listens on o.Socket and forwards until Close. It fails with
// [transport.ErrInUse] where somebody alive listens there.
func Start(o Options) (*Node, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.PITSize == 0 {
		o.PITSize = DefaultPITSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := transport.ListenUnix(o.Socket)
	if err != nil {
		return nil, err
	}
	n := &Node{o: o, log: o.Log, l: l, events: make(chan event)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.wg.Go(n.loop)
	n.wg.Go(n.accept)
	return n, nil
}

// Socket is the path of the local socket.
func (n *Node) Socket() string { return n.l.Path() }

// Connect returns a connection of this process to the node, like one over its
// socket. It fails with net.ErrClosed after Close.
func (n *Node) Connect() (transport.Conn, error) {
	ours, theirs := transport.Pipe()
	if err := n.join(memoryConn{theirs}); err != nil {
		return nil, err
	}
	return ours, nil
}

// memoryConn is a connection that nobody sends text over.
type memoryConn struct{ transport.Conn }

func (memoryConn) WriteText([]byte) error { return nil }

// Close ends all connections, removes the socket and waits for every goroutine.
// It may be called more than once.
func (n *Node) Close() error {
	n.once.Do(func() {
		n.cancel()
		n.l.Close()
	})
	n.wg.Wait()
	return nil
}

// acceptPause is how long to wait after a failed accept (too many descriptors).
const acceptPause = 100 * time.Millisecond

func (n *Node) accept() {
	for {
		c, err := n.l.Accept()
		if err == nil {
			_ = n.join(c)
			continue
		}
		if n.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		n.log.Warn("accepting an application", "err", err)
		select {
		case <-time.After(acceptPause):
		case <-n.ctx.Done():
			return
		}
	}
}

// join hands a new connection to the loop.
func (n *Node) join(c transport.LocalConn) error {
	select {
	case n.events <- event{join: c}:
		return nil
	case <-n.ctx.Done():
		c.Close()
		return net.ErrClosed
	}
}

// Summary tells in a line what the node has done and holds.
func (n *Node) Summary() string {
	line := make(chan string, 1)
	ask := func(f *forwarder) {
		st := f.store.Stats()
		line <- fmt.Sprintf("%d applications, %d Interests and %d Data received, %d Interests pending, %d objects (%d bytes) stored",
			len(f.faces), f.count.rxInterest, f.count.rxData, f.pit.len(), st.Objects, st.Bytes)
	}
	select {
	case n.events <- event{ask: ask}:
		return <-line
	case <-n.ctx.Done():
		return "closed"
	}
}

// event is what the loop learns: a new connection, packets or a text from a face, a
// face's end, or a question.
type event struct {
	join  transport.LocalConn
	face  *face
	batch *tlv.Batch
	text  []byte
	gone  bool
	ask   func(*forwarder)
}

// loop owns the forwarder and the faces.
func (n *Node) loop() {
	f := newForwarder(n.o)
	var tick <-chan time.Time
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	for {
		select {
		case e := <-n.events:
			n.handle(f, e, time.Now())
		case now := <-tick:
			f.expire(now)
			tick = nil
		case <-n.ctx.Done():
			for _, fc := range f.faces {
				fc.close()
			}
			return
		}
		if tick == nil && f.pit.len() > 0 {
			timer.Reset(wheelTick)
			tick = timer.C
		}
	}
}

func (n *Node) handle(f *forwarder, e event, now time.Time) {
	switch {
	case e.ask != nil:
		e.ask(f)
	case e.join != nil:
		if len(f.faces) >= maxFaces {
			n.log.Warn("too many applications", "limit", maxFaces)
			_ = e.join.Close()
			return
		}
		fc := newFace(f.newFaceID(), e.join)
		f.faces[fc.id] = fc
		n.wg.Go(fc.write)
		n.wg.Go(func() { fc.read(n.ctx, n.events) })
	case e.gone:
		f.removeFace(e.face.id)
		e.face.close()
	case e.text != nil:
		if !n.onText(f, e.face, e.text) {
			e.face.close()
		}
	default:
		for i := range e.batch.Len() {
			f.onPacket(e.face.id, e.batch.Packet(i), now)
		}
		e.face.recycle(e.batch)
	}
}
