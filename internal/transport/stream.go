package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/cefgo/cefgo/internal/tlv"
)

// stream is a Conn over a byte stream. Where it can wait for bytes without memory to
// put them, it holds none while it waits but for a packet that has come in part.
type stream struct {
	c net.Conn
	splitter
	// maxWrite is the most bytes in one write, unless one packet alone has more;
	// 0 is no limit. On a unix socket a reader gets what one write brought in one
	// piece up to tlv.MaxAtomicLen, and Cefore's tools lose a packet that two
	// reads split (sheet b).
	maxWrite atomic.Int64

	raw syscall.RawConn // nil where c is no socket

	try     func(fd uintptr) bool // tryRead, made a value once
	into    *tlv.Batch            // where it reads to
	n       int                   // what it found
	readErr error

	push     func(fd uintptr) bool // tryWrite, made a value once
	unsent   []byte
	writeErr error
}

// newStream makes a Conn of c, which it owns.
func newStream(c net.Conn, mode framing) *stream {
	s := &stream{c: c, splitter: splitter{mode: mode}}
	s.try, s.push = s.tryRead, s.tryWrite
	if sc, ok := c.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw = raw
		}
	}
	if _, ok := c.(*net.UnixConn); ok {
		s.maxWrite.Store(tlv.MaxAtomicLen)
		s.checkCut = mode == strict
	}
	return s
}

func (s *stream) Read(b *tlv.Batch) error {
	b.Reset(2 * batchBytes)
	for s.err == nil {
		n, err := s.receive(b)
		if n > 0 {
			err := s.split(b, n)
			if b.Len() > 0 || err != nil && s.err == nil { // packets, or a text
				return err
			}
			continue
		}
		if errors.Is(err, io.EOF) && len(s.rest) > 0 {
			err = io.ErrUnexpectedEOF
		}
		s.err = err
	}
	s.rest = nil // nobody will read on
	Release(b)
	return s.err
}

// receive waits for bytes and returns how many have come to b's room.
func (s *stream) receive(b *tlv.Batch) (int, error) {
	if s.raw == nil {
		return s.c.Read(s.room(b))
	}
	s.into = b
	err := s.raw.Read(s.try)
	s.into = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.readErr
}

// tryRead reads once. It is false where the socket is to be waited for.
func (s *stream) tryRead(fd uintptr) bool {
	n, err := readNow(fd, s.room(s.into))
	switch {
	case err == syscall.EAGAIN:
		Release(s.into)
		return false
	case err != nil:
		s.n, s.readErr = 0, s.failure("read", err)
	case n == 0:
		s.n, s.readErr = 0, io.EOF
	default:
		s.n, s.readErr = n, nil
	}
	return true
}

// failure is what a system call on the socket has failed with, as package net tells it.
func (s *stream) failure(op string, err error) error {
	local := s.c.LocalAddr()
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: s.c.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}

func (s *stream) Write(b *tlv.Batch) error {
	if err := checkSizes(b, s.MaxPacket()); err != nil {
		return err
	}
	limit := int(s.maxWrite.Load())
	for i := 0; i < b.Len(); {
		j, size := i+1, len(b.Packet(i))
		for j < b.Len() && (limit == 0 || size+len(b.Packet(j)) <= limit) {
			size += len(b.Packet(j))
			j++
		}
		if err := s.send(b.Range(i, j)); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// send writes all of p.
func (s *stream) send(p []byte) error {
	if s.raw == nil {
		_, err := s.c.Write(p)
		return err
	}
	s.unsent, s.writeErr = p, nil
	err := s.raw.Write(s.push)
	s.unsent = nil
	if err == nil {
		err = s.writeErr
	}
	return err
}

// tryWrite writes what is not sent. It is false where the socket is to be waited for.
func (s *stream) tryWrite(fd uintptr) bool {
	for len(s.unsent) > 0 {
		n, err := writeNow(fd, s.unsent)
		switch {
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			s.writeErr = s.failure("write", err)
			return true
		}
		s.unsent = s.unsent[n:]
	}
	return true
}

func (s *stream) MaxPacket() int { return tlv.MaxPacketLen }

func (s *stream) Close() error { return s.c.Close() }

// WriteText sends text between packets, in one write of its own. It must not run
// at the same time as Write.
func (s *stream) WriteText(text []byte) error {
	_, err := s.c.Write(text)
	return err
}
