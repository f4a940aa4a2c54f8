// Package control speaks Cefore's control protocol as a client, and that of cefgo's
// forwarder: it asks a forwarder on this machine for its state over the local socket,
// and changes its routes. It also writes a state as Prometheus text. It imports tlv
// only.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// userLen is the length of the user field of a control message, in bytes.
const userLen = 256

const (
	statusVerb = tlv.ControlText + "STATUS"
	// quiet ends a status that has no other end: cefnetd sends it in pieces and
	// says nothing when it is through (sheet j).
	quiet = 100 * time.Millisecond
	// firstWait bounds the wait for the first piece.
	firstWait = 3 * time.Second
	maxStatus = 16 << 20 // bytes
	// longest bounds the whole conversation.
	longest = 10 * time.Second
	// backlogPause is the time between two looks at a full backlog: cefnetd's is 1,
	// and it accepts one connection per millisecond (sheet b).
	backlogPause = time.Millisecond
)

// ErrNoStatus: nothing that reads as a status came.
var ErrNoStatus = errors.New("the forwarder gives no status")

// Ask asks the forwarder whose local socket is at path. It fails with the dialer's
// error, the context's cause, or [ErrNoStatus].
func Ask(ctx context.Context, path string) (Status, error) {
	return ask(ctx, func(ctx context.Context) (net.Conn, error) { return dial(ctx, path) })
}

func ask(ctx context.Context, dial func(context.Context) (net.Conn, error)) (Status, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("%w: it does not end", ErrNoStatus))
	defer cancel()
	c, err := dial(ctx)
	if err != nil {
		return Status{}, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	text, err := converse(c)
	if cause := context.Cause(ctx); cause != nil {
		return Status{}, cause
	}
	if err != nil {
		return Status{}, err
	}
	return Parse(text)
}

// converse asks, reads what is said and takes its leave.
func converse(c net.Conn) (string, error) {
	if _, err := c.Write(append([]byte(statusVerb), user()...)); err != nil {
		return "", err
	}
	text, err := read(c)
	if err == nil {
		takeLeave(c)
	}
	return text, err
}

// user is the user field of a control message.
func user() []byte {
	b := make([]byte, userLen)
	copy(b[:userLen-1], os.Getenv("USER"))
	return b
}

// takeLeave says that the connection is about to be closed, which must stand alone in
// a write (sheet b).
func takeLeave(c net.Conn) {
	if c.SetWriteDeadline(time.Now().Add(quiet)) == nil {
		_, _ = c.Write([]byte(tlv.CloseText))
	}
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	for {
		c, err := d.DialContext(ctx, "unix", path)
		if !errors.Is(err, syscall.EAGAIN) {
			return c, err
		}
		select {
		case <-time.After(backlogPause):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// read reads until the peer falls silent or the status is complete.
func read(c net.Conn) (string, error) {
	var b strings.Builder
	buf := make([]byte, 64<<10)
	wait := firstWait
	for b.Len() < maxStatus {
		if c.SetReadDeadline(time.Now().Add(wait)) != nil {
			break // the connection has ended
		}
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil || complete(b.String()) {
			break
		}
		wait = quiet
	}
	if b.Len() == 0 {
		return "", ErrNoStatus
	}
	return b.String(), nil
}

// complete reports whether a status has come to its end: its last table is the PIT,
// and that is empty. A longer one ends with silence.
func complete(text string) bool {
	return strings.HasSuffix(text, "\nPIT :\n  Entry is empty\n")
}
