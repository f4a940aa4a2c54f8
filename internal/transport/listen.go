package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// ErrInUse: somebody alive listens at the address already.
var ErrInUse = errors.New("already in use")

// Listener accepts local applications on a unix socket.
type Listener struct {
	l    *net.UnixListener
	path string
	self os.FileInfo

	closeOnce sync.Once
	closeErr  error
}

// LocalConn is an accepted application's connection. Its garbage is skipped, its
// texts come as *[TextError], and it can be answered in text.
type LocalConn interface {
	Conn
	// WriteText sends text between packets; not at the same time as Write.
	WriteText(text []byte) error
}

// maxSocketPath is the longest path of a unix socket, in bytes.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// ListenUnix listens at path. A socket file that nobody answers at is replaced,
// one that somebody listens at never is ([ErrInUse]), nor is what is no socket.
// Any number of processes may try at the same time: one wins.
func ListenUnix(path string) (*Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("%s: a socket's path has at most %d bytes, this one has %d", path, maxSocketPath, len(path))
	}
	// To find a socket dead and to replace it are two steps, and a socket that is
	// bound but does not listen yet looks dead: only one of us may be about it.
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer unlock()
	if err := removeDead(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %w", path, ErrInUse) // by somebody without the lock
	}
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	self, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &Listener{l: l, path: path, self: self}, nil
}

// lockFile makes and locks the file at path until unlock removes it. It does not
// wait: where somebody has the lock, he is about to listen ([ErrInUse]).
func lockFile(path string) (unlock func(), err error) {
	for range 100 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && leadsTo(path, f) {
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close()
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, ErrInUse
		case err != nil:
			return nil, err
		}
		// Whoever had the lock removed the file after we had opened it.
	}
	return nil, ErrInUse // others come and go faster than we can look
}

// leadsTo reports whether path is the file that f has open.
func leadsTo(path string, f *os.File) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(open, now)
}

// removeDead removes the socket at path, if there is one, once nobody listens
// on it.
func removeDead(path string) error {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return errors.New("exists and is not a socket") // connecting may be refused all the same
	}
	alive, err := listens(path)
	if alive {
		return ErrInUse
	}
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil // gone meanwhile
	}
	return err
}

// listens reports whether somebody accepts connections at the unix socket path.
func listens(path string) (bool, error) {
	c, err := net.DialTimeout("unix", path, dialTimeout)
	switch {
	case err == nil:
		c.Close()
		return true, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	case errors.Is(err, syscall.EAGAIN):
		return true, nil // its backlog is full
	}
	return false, err
}

// Accept waits for the next application. It fails with net.ErrClosed after Close.
func (l *Listener) Accept() (LocalConn, error) {
	c, err := l.l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	// As much as the system allows: what the socket holds need not wait here.
	_ = c.SetWriteBuffer(localSendBuffer)
	return newStream(c, resync), nil
}

// localSendBuffer is asked for each application's socket, in bytes; the system
// may grant less.
const localSendBuffer = 4 << 20

// Path is the socket's path.
func (l *Listener) Path() string { return l.path }

// Close stops listening and removes the socket file, unless it is no longer ours.
// It may be called more than once.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() {
		// While l is open, no other file can have its inode number, and nobody
		// finds it dead and replaces it.
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.self) {
			os.Remove(l.path)
		}
		l.closeErr = l.l.Close()
	})
	return l.closeErr
}
