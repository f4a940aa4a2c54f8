package transport

import (
	"errors"
	"io"
	"net"

	"github.com/cefgo/cefgo/internal/tlv"
)

// stream is a Conn over a byte stream.
type stream struct {
	c net.Conn
	splitter
	// maxWrite is the most bytes in one write, unless one packet alone has more;
	// 0 is no limit. On a unix socket a reader gets what one write brought in one
	// piece up to tlv.MaxAtomicLen, and Cefore's tools lose a packet that two
	// reads split (sheet b).
	maxWrite int
}

// newStream makes a Conn of c, which it owns.
func newStream(c net.Conn, mode framing) *stream {
	s := &stream{c: c, splitter: splitter{mode: mode}}
	if _, ok := c.(*net.UnixConn); ok {
		s.maxWrite = tlv.MaxAtomicLen
		s.checkCut = mode == strict
	}
	return s
}

func (s *stream) Read() ([][]byte, error) {
	for s.err == nil {
		n, err := s.c.Read(s.room())
		if n > 0 {
			if pkts, err := s.split(n); len(pkts) > 0 || err != nil {
				return pkts, err
			}
			continue
		}
		if errors.Is(err, io.EOF) && s.r < s.w {
			err = io.ErrUnexpectedEOF
		}
		s.err = err
	}
	return nil, s.err
}

func (s *stream) Write(b *tlv.Batch) error {
	if err := checkSizes(b, s.MaxPacket()); err != nil {
		return err
	}
	for i := 0; i < b.Len(); {
		j, size := i+1, len(b.Packet(i))
		for j < b.Len() && (s.maxWrite == 0 || size+len(b.Packet(j)) <= s.maxWrite) {
			size += len(b.Packet(j))
			j++
		}
		if _, err := s.c.Write(b.Range(i, j)); err != nil {
			return err
		}
		i = j
	}
	return nil
}

func (s *stream) MaxPacket() int { return tlv.MaxPacketLen }

func (s *stream) Close() error { return s.c.Close() }

// WriteText sends text between packets, in one write of its own. It must not run
// at the same time as Write.
func (s *stream) WriteText(text []byte) error {
	_, err := s.c.Write(text)
	return err
}
