package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// packetConn is a connection to a forwarder that speaks packets and nothing more. One
// goroutine reads it.
type packetConn struct {
	fw   *forwarder
	conn transport.Conn
	in   chan []byte   // closed when the connection ends, with err
	stop chan struct{} // closed by close
	err  error
}

// dialPackets connects to the forwarder and makes sure that it is alive.
func (f *forwarder) dialPackets(ctx context.Context) (*packetConn, error) {
	conn, err := awaited(ctx, f, func() (transport.Conn, error) { return f.dial(ctx) })
	if err != nil {
		return nil, err
	}
	p := &packetConn{fw: f, conn: conn, in: make(chan []byte), stop: make(chan struct{})}
	go p.read()
	if err := p.hello(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// read passes on what arrives until the connection ends.
func (p *packetConn) read() {
	defer close(p.in)
	for b := new(tlv.Batch); ; {
		if err := p.conn.Read(b); err != nil {
			p.err = err
			return
		}
		for i := range b.Len() {
			select {
			case p.in <- bytes.Clone(b.Packet(i)):
			case <-p.stop:
				return
			}
		}
	}
}

// close ends the connection and its goroutine.
func (p *packetConn) close() {
	close(p.stop)
	p.conn.Close()
	for range p.in {
	}
}

// next waits for a packet. It fails with the context's cause, or with a failure that
// says what became of the forwarder.
func (p *packetConn) next(ctx context.Context) ([]byte, error) {
	select {
	case pkt, ok := <-p.in:
		if !ok {
			return nil, p.lost(p.err)
		}
		return pkt, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// lost is the failure of a connection that has ended.
func (p *packetConn) lost(err error) error {
	if nobodyListens(err) { // the datagram was refused
		return p.fw.unreachable(err)
	}
	var text *transport.TextError
	if errors.As(err, &text) {
		err = fmt.Errorf("it says %q", bytes.TrimSpace(text.Text))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = errors.New("it closes the connection")
	}
	return &failure{code: exitForwarder, err: fmt.Errorf("no working forwarder at %s: %w", p.fw.where(), err), hint: "see whether it still runs, and its log"}
}

// hello sends a link request, which cefnetd and cefgo's forwarder answer, and waits
// for the answer.
func (p *packetConn) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWait, errSilent)
	defer cancel()
	var b tlv.Batch
	b.Append([]byte(tlv.LinkRequest))
	if err := p.conn.Write(&b); err != nil {
		return p.lost(err)
	}
	for {
		pkt, err := p.next(ctx)
		if errors.Is(err, errSilent) {
			return p.fw.unreachable(err)
		}
		if err != nil {
			return err
		}
		if _, ok := tlv.ParseNodeReply(pkt); ok || string(pkt) == tlv.LinkReply {
			return nil
		}
	}
}
