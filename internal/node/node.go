// Package node is the forwarder as a running thing, which Cefore's programs take for
// cefnetd: it owns the local socket, the network sockets, the faces on them and the
// queues to them, and answers control messages. What happens to a packet it leaves to
// package forward, which one loop drives. It imports control, forward, transport and
// tlv.
package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Options of a node. Socket is required.
type Options struct {
	// Socket is the path of Cefore's local socket. A dead one there is replaced.
	Socket string
	// Port is Cefore's port, which the status shows.
	Port int
	// Forward is what the tables are made of.
	Forward forward.Options
	// Listen are the network addresses for UDP and TCP. Default is none: the node
	// serves this machine only.
	Listen []Listen
	// Groups are the multicast groups to be in. Interests for which there is no
	// route go to all of them.
	Groups []Group
	// Routes are those of the configuration; see [Node.SetRoutes].
	Routes []Route
	// OnStop is called where the control socket says that the node should end. It must
	// not wait. nil: nobody can say so.
	OnStop func()
	// Version is shown in the status.
	Version string
	// Log gets what a user of -v wants to see. nil discards.
	Log *slog.Logger
}

// Node is a running forwarder.
type Node struct {
	o      Options
	log    *slog.Logger
	l      *transport.Listener
	net    *network
	begun  time.Time
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	events chan event
	once   sync.Once
	// garbage is bytes from sockets that were no packet's.
	garbage atomic.Uint64
}

// Start listens and forwards until Close. It fails with [transport.ErrInUse] where
// somebody alive listens on the local socket, with a *ListenError where a network
// address cannot be had, and with a *RouteError for a route that makes no sense.
func Start(o Options) (*Node, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := transport.ListenUnix(o.Socket)
	if err != nil {
		return nil, err
	}
	nw, err := openNetwork(o.Listen, o.Groups)
	if err != nil {
		l.Close()
		return nil, err
	}
	if o.Forward.NodeName.IsZero() {
		o.Forward.NodeName = nodeName(o.Port)
	}
	n := &Node{o: o, log: o.Log, l: l, net: nw, begun: time.Now(), events: make(chan event)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.wg.Go(n.loop)
	n.wg.Go(n.acceptLocal)
	for _, p := range nw.ports {
		n.startPort(p)
	}
	for _, t := range nw.listeners {
		n.wg.Go(func() { n.acceptTCP(t) })
	}
	if err := n.SetRoutes(o.Routes); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Socket is the path of the local socket.
func (n *Node) Socket() string { return n.o.Socket }

// Listening are the network addresses, as URLs.
func (n *Node) Listening() []control.Addr { return n.net.addrs() }

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
		n.net.close()
	})
	n.wg.Wait()
	return nil
}

// ask has the loop run question, and waits for it. It fails with net.ErrClosed after
// Close.
func (n *Node) ask(question func(c *core)) error {
	done := make(chan struct{})
	select {
	case n.events <- event{ask: func(c *core) { question(c); close(done) }}:
		<-done
		return nil
	case <-n.ctx.Done():
		return net.ErrClosed
	}
}

// Alive fails where the node does not answer while ctx lasts, or is closed.
func (n *Node) Alive(ctx context.Context) error {
	select {
	case n.events <- event{ask: func(*core) {}}:
		return nil
	case <-n.ctx.Done():
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Skipped is why optional addresses are not listened at.
func (n *Node) Skipped() []error { return n.net.skipped }

// Status tells the node's state.
func (n *Node) Status(l forward.StatusLimits) (s control.NodeStatus, err error) {
	err = n.ask(func(c *core) { s = c.status(l) })
	return s, err
}

// Summary tells in a line what the node has done and holds.
func (n *Node) Summary() string {
	s, err := n.Status(forward.StatusLimits{})
	if err != nil {
		return "closed"
	}
	apps := 0
	for _, f := range s.Faces {
		if f.Kind == kindApp {
			apps++
		}
	}
	text := []string{plural(apps, "application")}
	if neighbours := len(s.Faces) - apps; neighbours > 0 || len(s.Listening) > 0 {
		text = append(text, plural(neighbours, "neighbour"))
	}
	return strings.Join(append(text,
		fmt.Sprintf("%d Interests and %d Data received", s.Packets.RxInterests, s.Packets.RxData),
		fmt.Sprintf("%d Interests pending", s.PIT.Entries),
		fmt.Sprintf("%d objects (%d bytes) stored", s.Store.Objects, s.Store.Bytes)), ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// nodeName is what CCNinfo calls a node that was given no name: its host's, and its port,
// as there may be several on a host.
func nodeName(port int) tlv.Name {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "cefgo"
	}
	name, err := tlv.NewName([]byte(host), strconv.AppendInt(nil, int64(port), 10))
	if err != nil {
		return tlv.Name{}
	}
	return name
}
