package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/transport"
)

// bothLoopbacks listens at all there is of this host, for neighbours of any kind.
func bothLoopbacks() (all []Listen) {
	for _, a := range loopbacks {
		all = append(all, anyPort(a)...)
	}
	return all
}

// TestCloseWithEverythingOpen: whatever is going on, Close ends it, and soon.
func TestCloseWithEverythingOpen(t *testing.T) {
	before := goleak.IgnoreCurrent()
	b := startNear(t, Options{})
	a := start(t, Options{Listen: bothLoopbacks(), Routes: []Route{
		route(t, "ccnx:/udp", b.url(t, "udp")), route(t, "ccnx:/tcp", b.url(t, "tcp")), route(t, "ccnx:/down", "tcp://"+freeTCP(t).String()),
		route(t, "ccnx:/out", "udp://[::1]:1"),
	}})
	up(t, a, b.url(t, "tcp"))
	app, memory, has := dial(t, a), connect(t, a), dial(t, b).registers("ccnx:/udp")
	app.sends(interest(t, "ccnx:/udp/1", lifetime(time.Minute)))
	has.gets(interest(t, "ccnx:/udp/1", lifetime(time.Minute)))
	u, v := stranger(t, a, "udp"), stranger(t, a, "tcp")
	u.sends(interest(t, "ccnx:/udp/2"))
	v.sends(interest(t, "ccnx:/tcp/2"))
	slow, err := net.Dial("tcp", a.port(t, "tcp").String())
	must(t, err)
	_, err = slow.Write(interest(t, "ccnx:/udp/3")[:11])
	must(t, err)
	memory.registers("ccnx:/a").sends(interest(t, "ccnx:/tcp/3"))

	closed := make(chan struct{})
	go func() {
		a.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close hangs")
	}
	for _, p := range []*peer{app, memory, v} {
		for p.next() != nil { // what came before
		}
		p.conn.Close()
	}
	u.conn.Close()
	slow.Close()
	if _, err := a.Status(forward.StatusLimits{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Status: %v", err)
	}
	if err := a.Alive(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Alive: %v", err)
	}
	has.conn.Close()
	b.Close()
	goleak.VerifyNone(t, before)
}

// TestAlive: as long as the loop turns.
func TestAlive(t *testing.T) {
	n := start(t, Options{})
	must(t, n.Alive(t.Context()))
	busy, free := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.ask(func(*core) { close(busy); <-free })
	}()
	<-busy
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := n.Alive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Alive while the loop hangs: %v", err)
	}
	close(free)
	<-done
	must(t, n.Alive(t.Context()))
}

// descriptors is how many the process has open; -1 where the system does not tell.
func descriptors() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(all)
}

// TestManyNodes: one after the other, and several at once; nothing is left of them.
func TestManyNodes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which closes what is forgotten
	far := startNear(t, Options{})
	one := func() {
		n, err := Start(Options{Socket: socketPath(t), Listen: bothLoopbacks(), Routes: []Route{
			route(t, "ccnx:/u", far.url(t, "udp")), route(t, "ccnx:/t", far.url(t, "tcp")),
		}})
		must(t, err)
		c, err := transport.Dial(t.Context(), transport.Address{Network: "unix", Addr: n.Socket()})
		must(t, err)
		up(t, n, far.url(t, "tcp"))
		n.Close()
		c.Close()
	}
	one()
	quiet := func() { far.until(t, "no neighbour over TCP", faces(0)) }
	quiet()
	here, open := goleak.IgnoreCurrent(), descriptors()
	for range 20 {
		one()
	}
	quiet()
	goleak.VerifyNone(t, here)
	// The far node may take a call late that is over already.
	closed := func(*core) bool { return descriptors() <= open }
	far.until(t, "as many descriptors as before", closed)
	// Those that could not start leave nothing either.
	for range 20 {
		if n, err := Start(Options{Socket: socketPath(t), Listen: []Listen{anyPort(loopbacks[0])[0], {Addr: far.port(t, "tcp"), TCP: true}}}); err == nil {
			n.Close()
			t.Fatal("two nodes at one port")
		}
		if n, err := Start(Options{Socket: socketPath(t), Listen: bothLoopbacks(), Routes: []Route{route(t, "ccnx:/a", far.url(t, "tcp")), route(t, "ccnx:/b", "nowhere")}}); err == nil {
			n.Close()
			t.Fatal("a node with a route to nowhere")
		}
	}
	quiet()
	goleak.VerifyNone(t, here)
	far.until(t, "as many descriptors as before those that did not start", closed)
}

// TestPortInUse: the second node says which port it is, or goes without where it may.
func TestPortInUse(t *testing.T) {
	first := startNear(t, Options{})
	for _, network := range []string{"udp", "tcp"} {
		at := Listen{Addr: first.port(t, network), UDP: network == "udp", TCP: network == "tcp"}
		_, err := Start(Options{Socket: socketPath(t), Listen: []Listen{at}})
		var listen *ListenError
		if !errors.As(err, &listen) || listen.What != first.url(t, network) || !errors.Is(err, syscall.EADDRINUSE) || err.Error() != first.url(t, network)+" is in use already" {
			t.Errorf("%s: %v", network, err)
		}
		at.Optional = true
		n := start(t, Options{Listen: []Listen{at, anyPort(loopbacks[0])[0]}})
		skipped := n.Skipped()
		if len(skipped) != 1 || !errors.As(skipped[0], &listen) || listen.What != first.url(t, network) || len(n.Listening()) != 2 {
			t.Errorf("skipped %v, listening at %v", skipped, n.Listening())
		}
		must(t, first.SetRoutes([]Route{route(t, "ccnx:/n", n.url(t, network))}))
		up(t, first, n.url(t, network))
		exchange(t, dial(t, first), dial(t, n).registers("ccnx:/n"), "ccnx:/n/1")
	}
	if s := first.Skipped(); len(s) != 0 {
		t.Errorf("skipped %v", s)
	}
	_, err := Start(Options{Socket: socketPath(t), Listen: []Listen{{Addr: netip.MustParseAddrPort("203.0.113.77:0"), UDP: true}}})
	var listen *ListenError
	if !errors.As(err, &listen) || !strings.HasPrefix(err.Error(), "cannot listen at udp://203.0.113.77:0: ") {
		t.Errorf("an address that is not ours: %v", err)
	}
}

// TestListening: the node's addresses, and which it has none of.
func TestListening(t *testing.T) {
	n := start(t, Options{Listen: []Listen{{Addr: netip.AddrPortFrom(loopbacks[0], 0), UDP: true}, {Addr: netip.AddrPortFrom(loopbacks[1], 0), TCP: true}}})
	at := n.Listening()
	if len(at) != 2 || !strings.HasPrefix(string(at[0]), "udp://127.0.0.1:") || !strings.HasPrefix(string(at[1]), "tcp://[::1]:") {
		t.Errorf("listening at %v", at)
	}
	if s := n.status(t); len(s.Sockets) != 1 || s.Sockets[0].Addr != at[0] || len(s.Listening) != 2 {
		t.Errorf("sockets %+v, listening at %v", s.Sockets, s.Listening)
	}
	if s := n.Summary(); !strings.HasPrefix(s, "0 applications, 0 neighbours, 0 Interests") {
		t.Error(s)
	}
	stranger(t, n, "tcp")
	n.until(t, "connected", faces(1))
	if s := n.Summary(); !strings.HasPrefix(s, "0 applications, 1 neighbour, ") {
		t.Error(s)
	}
}
