// Package control speaks Cefore's control protocol as a client: it asks a forwarder
// on this machine for its state over the local socket. It imports tlv only.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
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

// Status is what a forwarder says of itself. Fields that it does not mention are
// absent: zero, or false.
type Status struct {
	Text      string
	Port      int
	CacheMode string // "None", "Localcache" or "Excache"
	// CacheCapacity is the content store's size in bytes; only cefgo's forwarder
	// tells it.
	CacheCapacity int64
}

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
	user := make([]byte, userLen)
	copy(user[:userLen-1], os.Getenv("USER"))
	if _, err := c.Write(append([]byte(statusVerb), user...)); err != nil {
		return "", err
	}
	text, err := read(c)
	if err == nil && c.SetWriteDeadline(time.Now().Add(quiet)) == nil {
		_, _ = c.Write([]byte(tlv.CloseText))
	}
	return text, err
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

// Parse reads a status text.
func Parse(text string) (Status, error) {
	if !strings.HasPrefix(text, "CCNx Version") {
		return Status{}, fmt.Errorf("%w: it says %q", ErrNoStatus, text[:min(len(text), 80)])
	}
	s := Status{Text: text}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok || strings.HasPrefix(line, " ") {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "Port":
			s.Port = int(number(value, 16))
		case "Cache Mode":
			s.CacheMode = value
		case "Cache Size": // "N of M bytes, …"
			_, rest, _ := strings.Cut(value, " of ")
			bytes, _, _ := strings.Cut(rest, " bytes")
			s.CacheCapacity = int64(number(bytes, 63))
		}
	}
	return s, nil
}

// number reads a number of so many bits; what is none reads as 0.
func number(s string, bits int) uint64 {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0
	}
	return n
}
