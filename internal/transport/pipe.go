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

// memory is one end of a Pipe.
type memory struct {
	in, out *Queue
	batch   tlv.Batch
	pkts    [][]byte
	ctx     context.Context
	cancel  context.CancelFunc
}

// Pipe returns the two ends of an in-memory connection. Like a stream it loses
// nothing and makes the writer wait when 256 KiB are unread.
func Pipe() (Conn, Conn) {
	a, b := NewQueue(pipeBuffer), NewQueue(pipeBuffer)
	return newMemory(a, b), newMemory(b, a)
}

func newMemory(in, out *Queue) *memory {
	ctx, cancel := context.WithCancel(context.Background())
	return &memory{in: in, out: out, ctx: ctx, cancel: cancel}
}

func (m *memory) Read() ([][]byte, error) {
	if m.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	if err := m.in.Wait(m.ctx, &m.batch); err != nil {
		if m.ctx.Err() != nil { // our Close ended the queue too: it is not the peer's end
			err = net.ErrClosed
		}
		return nil, err
	}
	m.pkts = m.pkts[:0]
	for i := range m.batch.Len() {
		m.pkts = append(m.pkts, m.batch.Packet(i))
	}
	return m.pkts, nil
}

func (m *memory) Write(b *tlv.Batch) error {
	if m.ctx.Err() != nil {
		return net.ErrClosed
	}
	if err := checkSizes(b, m.MaxPacket()); err != nil {
		return err
	}
	err := m.out.Put(m.ctx, b)
	switch {
	case err != nil && m.ctx.Err() != nil:
		return net.ErrClosed
	case errors.Is(err, io.EOF):
		return io.ErrClosedPipe
	}
	return err
}

func (m *memory) MaxPacket() int { return tlv.MaxPacketLen }

// Close lets the peer read what was written, then io.EOF, and fails its writes.
func (m *memory) Close() error {
	m.cancel()
	m.out.Close(io.EOF)
	m.in.Close(io.EOF)
	return nil
}
