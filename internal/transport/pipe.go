package transport

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/cefgo/cefgo/internal/tlv"
)

// pipeBuffer bounds each direction of a Pipe, in bytes.
const pipeBuffer = 256 << 10

// pipe is one end of a Pipe.
type pipe struct {
	in, out *Queue
	ctx     context.Context
	cancel  context.CancelFunc
}

// Pipe returns the two ends of an in-memory connection. Like a stream it loses
// nothing and makes the writer wait when 256 KiB are unread.
func Pipe() (Conn, Conn) {
	a, b := NewQueue(pipeBuffer), NewQueue(pipeBuffer)
	return newPipe(a, b), newPipe(b, a)
}

func newPipe(in, out *Queue) *pipe {
	ctx, cancel := context.WithCancel(context.Background())
	return &pipe{in: in, out: out, ctx: ctx, cancel: cancel}
}

func (p *pipe) Read(b *tlv.Batch) error {
	b.Reset(pipeBuffer)
	if p.ctx.Err() != nil {
		return net.ErrClosed
	}
	err := p.in.Wait(p.ctx, b)
	if err != nil && p.ctx.Err() != nil { // our Close ended the queue too: it is not the peer's end
		err = net.ErrClosed
	}
	return err
}

func (p *pipe) Write(b *tlv.Batch) error {
	if p.ctx.Err() != nil {
		return net.ErrClosed
	}
	if err := checkSizes(b, p.MaxPacket()); err != nil {
		return err
	}
	err := p.out.Put(p.ctx, b)
	switch {
	case err != nil && p.ctx.Err() != nil:
		return net.ErrClosed
	case errors.Is(err, io.EOF):
		return io.ErrClosedPipe
	}
	return err
}

func (p *pipe) MaxPacket() int { return tlv.MaxPacketLen }

// Close lets the peer read what was written, then io.EOF, and fails its writes.
func (p *pipe) Close() error {
	p.cancel()
	p.out.Close(io.EOF)
	p.in.Close(io.EOF)
	return nil
}
