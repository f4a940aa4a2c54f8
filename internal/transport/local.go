package transport

import (
	"net"
	"sync/atomic"
	"syscall"

	"github.com/cefgo/cefgo/internal/tlv"
)

// PeerUID is the user whose process connected c, where the system tells. It is not
// ok for what is no unix socket.
func PeerUID(c LocalConn) (uid int, ok bool) {
	s, isStream := c.(*stream)
	if !isStream {
		return 0, false
	}
	u, isUnix := s.c.(*net.UnixConn)
	if !isUnix {
		return 0, false
	}
	uid, err := peerUID(u)
	return uid, err == nil
}

// Unlimit makes the writes to c as large as streamBuffer, what one read brings, where
// they are of at most tlv.MaxAtomicLen bytes else: for a peer that, unlike Cefore's
// programs, loses no packet which two of its reads split. And c's socket may hold as much
// as the system allows, so that both ends work on larger pieces. It may run at any time,
// and counts from the next Write. Where c knows no limit, it does nothing.
func Unlimit(c Conn) {
	if s, ok := c.(*stream); ok && s.maxWrite.Load() == tlv.MaxAtomicLen {
		s.maxWrite.Store(streamBuffer)
		if u, ok := s.c.(*net.UnixConn); ok {
			_ = u.SetWriteBuffer(localSendBuffer)
		}
	}
}

// CountGarbage has the bytes counted that come from c and are no packet's, nor a text's.
// It is called before the first Read. What c never skips is not counted.
func CountGarbage(c Conn, count *atomic.Uint64) {
	switch c := c.(type) {
	case *stream:
		c.garbage = count
	case *neighbour:
		c.garbage = count
	}
}

// control runs f on c's file descriptor.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}
