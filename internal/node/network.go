package node

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Listen is a network address for UDP and TCP, as cefnetd has both on one port.
type Listen struct {
	Addr     netip.AddrPort
	UDP, TCP bool
	// Optional: the node starts without it where it cannot be had, and says so in
	// its log.
	Optional bool
}

// Group is a multicast group.
type Group struct {
	Addr netip.AddrPort
	// Interface to be in it by; "" leaves the choice to the system.
	Interface string
	// HopLimit of what is sent to it: 1 does not leave the local network.
	HopLimit int
}

// ListenError says which network address could not be had.
type ListenError struct {
	What string // a URL
	Err  error
}

func (e *ListenError) Error() string {
	if errors.Is(e.Err, syscall.EADDRINUSE) {
		return e.What + " is in use already"
	}
	return fmt.Sprintf("cannot listen at %s: %v", e.What, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }

// network is a node's sockets. Its lists do not change while the node runs.
type network struct {
	ports     []*port
	listeners []*transport.TCPListener
	groups    []*groupPort
	skipped   []error // of what was optional

	// mu protects the following.
	mu sync.Mutex
	// out are for peers that no listening socket can reach; by whether the family is
	// IPv6. Only the loop adds.
	out    map[bool]*port
	closed bool
}

// port is a UDP socket and the queue to it.
type port struct {
	sock *transport.Peers
	out  *transport.AddrQueue
	// strangers says whether one may speak first; at the others only who was
	// spoken to is listened to.
	strangers bool
	free      chan *datagrams
}

// groupPort is a group: what is sent to it comes by group, what is sent by the node,
// and the answers to it, go over port.
type groupPort struct {
	o     Group
	group *transport.Group
	port  *port
}

// portQueueBytes bounds what waits to be sent over one UDP socket.
const portQueueBytes = 8 << 20

func newPort(sock *transport.Peers, strangers bool) *port {
	p := &port{sock: sock, out: transport.NewAddrQueue(portQueueBytes), strangers: strangers, free: make(chan *datagrams, readBatches)}
	for range readBatches {
		p.free <- &datagrams{port: p}
	}
	return p
}

// openNetwork opens the sockets.
func openNetwork(listen []Listen, groups []Group) (*network, error) {
	nw := &network{out: make(map[bool]*port)}
	for _, l := range listen {
		if err := nw.listen(l); err != nil && !l.Optional {
			nw.close()
			return nil, err
		} else if err != nil {
			nw.skipped = append(nw.skipped, err)
		}
	}
	for _, g := range groups {
		if err := nw.join(g); err != nil {
			nw.close()
			return nil, err
		}
	}
	return nw, nil
}

func (nw *network) listen(l Listen) error {
	if l.UDP {
		sock, err := transport.ListenPeers(l.Addr)
		if err != nil {
			return &ListenError{"udp://" + l.Addr.String(), err}
		}
		nw.ports = append(nw.ports, newPort(sock, true))
	}
	if l.TCP {
		t, err := transport.ListenTCP(l.Addr)
		if err != nil {
			return &ListenError{"tcp://" + l.Addr.String(), err}
		}
		nw.listeners = append(nw.listeners, t)
	}
	return nil
}

func (nw *network) join(g Group) error {
	fail := func(err error) error { return &ListenError{groupURL(g.Addr), err} }
	var ifi *net.Interface
	if g.Interface != "" {
		var err error
		if ifi, err = net.InterfaceByName(g.Interface); err != nil {
			return fail(err)
		}
	}
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	from := any4
	if g.Addr.Addr().Is6() {
		from = any6
	}
	sock, err := transport.ListenPeers(netip.AddrPortFrom(from, 0))
	if err != nil {
		return fail(err)
	}
	if err := sock.SetMulticast(ifi, max(1, g.HopLimit)); err != nil {
		sock.Close()
		return fail(err)
	}
	in, err := transport.JoinGroup(g.Addr, ifi)
	if err != nil {
		sock.Close()
		return fail(err)
	}
	p := newPort(sock, true)
	nw.ports = append(nw.ports, p)
	nw.groups = append(nw.groups, &groupPort{g, in, p})
	return nil
}

func groupURL(a netip.AddrPort) string { return "udp://" + a.String() }

// isGroups reports whether p is there for a group alone.
func (nw *network) isGroups(p *port) bool {
	return slices.ContainsFunc(nw.groups, func(g *groupPort) bool { return g.port == p })
}

func (nw *network) outFor(a netip.Addr) *port {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	return nw.out[a.Is6()]
}

func (nw *network) addOut(six bool, p *port) {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	nw.out[six] = p
	if nw.closed {
		p.close()
	}
}

// outs are the sockets that only call.
func (nw *network) outs() []*port {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	return slices.Collect(maps.Values(nw.out))
}

// localAddrs are the system's addresses.
func localAddrs() map[netip.Addr]bool {
	found := make(map[netip.Addr]bool)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return found
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(ip.IP); ok {
				found[addr.Unmap()] = true
			}
		}
	}
	return found
}

func (nw *network) close() {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	nw.closed = true
	for _, p := range nw.out {
		p.close()
	}
	for _, p := range nw.ports {
		p.close()
	}
	for _, l := range nw.listeners {
		l.Close()
	}
	for _, g := range nw.groups {
		g.group.Close()
	}
}

func (p *port) close() {
	p.out.Close(errFaceClosed)
	p.sock.Close()
}

// addrs are the addresses that strangers can reach.
func (nw *network) addrs() (urls []control.Addr) {
	for _, g := range nw.groups {
		urls = append(urls, control.Addr(groupURL(g.o.Addr)))
	}
	for _, p := range nw.ports {
		if !nw.isGroups(p) {
			urls = append(urls, control.Addr("udp://"+p.sock.LocalAddr().String()))
		}
	}
	for _, l := range nw.listeners {
		urls = append(urls, control.Addr("tcp://"+l.LocalAddr().String()))
	}
	return urls
}

// datagrams is packets from the network on their way to the loop.
type datagrams struct {
	port  *port
	group bool // they were sent to the port's group
	b     tlv.Batch
	from  []netip.AddrPort // of each packet
}

func (d *datagrams) fill(ds []transport.Datagram) {
	for _, g := range ds {
		for _, pkt := range g.Packets {
			d.b.Append(pkt)
			d.from = append(d.from, g.From)
		}
	}
}

// keptDatagrams is how much memory for datagrams a UDP socket's reader keeps, in bytes.
const keptDatagrams = 512 << 10

func (d *datagrams) recycle() {
	d.b.Reset(keptDatagrams)
	d.from = d.from[:0]
	d.group = false
	d.port.free <- d
}

// startPort starts the goroutines of a UDP socket.
func (n *Node) startPort(p *port) {
	p.sock.CountGarbage(&n.garbage)
	n.wg.Go(p.write)
	n.wg.Go(func() { n.readDatagrams(p, false, p.sock.Read) })
	for _, g := range n.net.groups {
		if g.port == p {
			g.group.CountGarbage(&n.garbage)
			n.wg.Go(func() { n.readDatagrams(p, true, g.group.Read) })
		}
	}
}

// readDatagrams hands what arrives to the loop, until the socket ends.
func (n *Node) readDatagrams(p *port, group bool, read func() ([]transport.Datagram, error)) {
	for {
		ds, err := read()
		if err != nil {
			if n.ctx.Err() == nil {
				n.log.Warn("a network socket has ended", "addr", p.sock.LocalAddr(), "err", err)
			}
			return
		}
		if len(ds) == 0 {
			continue
		}
		var d *datagrams
		select {
		case d = <-p.free:
		case <-n.ctx.Done():
			return
		}
		d.group = group
		d.fill(ds)
		if n.post(event{grams: d}) != nil {
			return
		}
	}
}

// write sends what is queued, until the port is closed.
func (p *port) write() {
	var b tlv.Batch
	var to []netip.AddrPort
	for range p.out.Ready() {
		if p.out.Take(&b, &to) != nil {
			return
		}
		if b.Len() > 0 && p.sock.Write(&b, to) != nil {
			return
		}
	}
}
