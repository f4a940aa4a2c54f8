package testnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Relay is an impaired link between two programs that speak UDP, such as two cefnetds.
// The one on the left is told to send to LeftAddr and is whoever did so last; the one
// on the right is at a fixed address, and may come and go.
//
// It works in real time, to about a millisecond. It holds at most 65536 datagrams and
// 64 MiB in each direction. What its sockets have no room for is lost uncounted before
// it gets here: it asks for 4 MiB each, and the system may give less.
type Relay struct {
	left, right     *net.UDPConn // right is connected
	peer            atomic.Pointer[netip.AddrPort]
	toRight, toLeft *lane
	done            chan struct{}
	closeOnce       sync.Once
	closeErr        error
	wg              sync.WaitGroup
}

// RelayConfig of a Relay.
type RelayConfig struct {
	// Left is where the Relay listens. Default is 127.0.0.1:0, some free port.
	Left string
	// Right is the address of the program on the right; it is needed.
	Right string
	// ToRight and ToLeft are what happens to datagrams that go there.
	ToRight, ToLeft Impairment
	Seed            uint64
}

// relayBuffer is what each socket asks for, in bytes.
const relayBuffer = 4 << 20

// NewRelay starts a Relay, which Close ends.
func NewRelay(c RelayConfig) (*Relay, error) {
	if c.Left == "" {
		c.Left = "127.0.0.1:0"
	}
	laddr, err := net.ResolveUDPAddr("udp", c.Left)
	if err != nil {
		return nil, fmt.Errorf("relay: left: %w", err)
	}
	raddr, err := net.ResolveUDPAddr("udp", c.Right)
	if err != nil {
		return nil, fmt.Errorf("relay: right: %w", err)
	}
	if raddr.Port == 0 {
		return nil, fmt.Errorf("relay: right: no port in %q", c.Right)
	}
	r := &Relay{done: make(chan struct{}), toRight: newLane(c.ToRight, c.Seed), toLeft: newLane(c.ToLeft, ^c.Seed)}
	if r.left, err = net.ListenUDP("udp", laddr); err != nil {
		return nil, fmt.Errorf("relay: left: %w", err)
	}
	if r.right, err = net.DialUDP("udp", nil, raddr); err != nil {
		r.left.Close()
		return nil, fmt.Errorf("relay: right: %w", err)
	}
	for _, s := range []*net.UDPConn{r.left, r.right} {
		_ = s.SetReadBuffer(relayBuffer) // less will do for fewer datagrams
		_ = s.SetWriteBuffer(relayBuffer)
	}
	r.wg.Go(func() { r.toRight.read(r.fromLeft) })
	r.wg.Go(func() { r.toRight.write(r.sendRight, r.done) })
	r.wg.Go(func() { r.toLeft.read(r.right.Read) })
	r.wg.Go(func() { r.toLeft.write(r.sendLeft, r.done) })
	return r, nil
}

// LeftAddr is where the program on the left sends to.
func (r *Relay) LeftAddr() string { return r.left.LocalAddr().String() }

// RightAddr is where datagrams to the right come from, and where the program on the
// right sends to.
func (r *Relay) RightAddr() string { return r.right.LocalAddr().String() }

// SetToRight changes what happens to datagrams that come from the left from now on.
func (r *Relay) SetToRight(im Impairment) { r.toRight.set(im) }

// SetToLeft changes what happens to datagrams that come from the right from now on.
func (r *Relay) SetToLeft(im Impairment) { r.toLeft.set(im) }

// Counters returns what both directions did so far.
func (r *Relay) Counters() (toRight, toLeft Counters) {
	return r.toRight.counters(), r.toLeft.counters()
}

// Close ends the Relay; what is under way is lost. When it returns, no goroutine of r
// is left. It may be called twice.
func (r *Relay) Close() error {
	r.closeOnce.Do(func() {
		close(r.done)
		r.closeErr = errors.Join(r.left.Close(), r.right.Close())
	})
	r.wg.Wait()
	return r.closeErr
}

// fromLeft reads one datagram from the left and learns who sent it.
func (r *Relay) fromLeft(b []byte) (int, error) {
	n, from, err := r.left.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, err
	}
	if p := r.peer.Load(); p == nil || *p != from {
		peer := from // on the heap only when it is another one
		r.peer.Store(&peer)
	}
	return n, nil
}

func (r *Relay) sendRight(b []byte) error {
	_, err := r.right.Write(b)
	return err
}

var errNoPeer = errors.New("nobody has sent anything from the left")

func (r *Relay) sendLeft(b []byte) error {
	p := r.peer.Load()
	if p == nil {
		return errNoPeer
	}
	_, err := r.left.WriteToUDPAddrPort(b, *p)
	return err
}
