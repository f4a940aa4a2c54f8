package testnet

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// What a lane holds at most; what exceeds it is dropped and counted as Overflow.
const (
	laneDatagrams = 1 << 16
	laneBytes     = 64 << 20
	laneBatch     = 64 // datagrams taken out at once
	maxDatagram   = 1 << 16
)

// lane is one direction of a Relay: one goroutine reads, one sends what is due.
type lane struct {
	start time.Time
	wake  chan struct{} // a token: something is due sooner than the sender knows

	// mu protects the following.
	mu     sync.Mutex
	shaper *Shaper
	later  Counters
	under  parcels // under way; times count from start
}

func newLane(im Impairment, seed uint64) *lane {
	return &lane{start: time.Now(), wake: make(chan struct{}, 1), shaper: NewShaper(im, seed)}
}

func (l *lane) set(im Impairment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shaper.Set(im)
}

func (l *lane) counters() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.shaper.Counters()
	c.Delivered, c.Failed = l.later.Delivered, l.later.Failed
	c.Overflow += l.later.Overflow
	return c
}

// read takes datagrams until the socket is closed. Other errors are those of an
// earlier datagram, such as an ICMP message that nobody listens.
func (l *lane) read(receive func([]byte) (int, error)) {
	buf := make([]byte, maxDatagram)
	for {
		n, err := receive(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil && l.take(buf[:n], time.Now()):
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

// take puts a datagram under way, and reports whether it is now the first.
func (l *lane) take(pkt []byte, now time.Time) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, had := l.under.next()
	v := l.shaper.Take(now, len(pkt))
	for _, c := range v.Copies[:v.N] {
		if l.under.len() >= laneDatagrams || l.under.bytes+c.Len > laneBytes {
			l.later.Overflow++
			continue
		}
		l.under.put(now.Sub(l.start)+c.After, parcel{pkt: pkt[:c.Len]})
	}
	at, has := l.under.next()
	return has && (!had || at < old)
}

// write sends what is due, as it becomes due, until done is closed.
func (l *lane) write(send func([]byte) error, done <-chan struct{}) {
	var b tlv.Batch
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-l.wake:
		case <-done:
			return
		}
		l.due(&b, time.Now())
		for b.Len() > 0 {
			l.send(&b, send)
			l.due(&b, time.Now())
		}
		if at, ok := l.next(); ok {
			timer.Reset(time.Until(at))
		}
	}
}

// due empties b and moves into it what is due by now, laneBatch datagrams at most.
func (l *lane) due(b *tlv.Batch, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.Reset(1 << 20)
	for b.Len() < laneBatch {
		at, ok := l.under.next()
		if !ok || at > now.Sub(l.start) {
			return
		}
		p, _, slot := l.under.take()
		b.Append(p.pkt)
		l.under.release(slot)
	}
}

// next is when something is due.
func (l *lane) next() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.under.next()
	return l.start.Add(at), ok
}

// send sends the datagrams of b.
func (l *lane) send(b *tlv.Batch, send func([]byte) error) {
	delivered := uint64(0)
	for i := range b.Len() {
		err := send(b.Packet(i))
		if errors.Is(err, syscall.ECONNREFUSED) {
			err = send(b.Packet(i)) // that was the fate of an earlier one; this one was not sent
		}
		if err == nil {
			delivered++
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.later.Delivered += delivered
	l.later.Failed += uint64(b.Len()) - delivered
}
