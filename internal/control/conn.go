package control

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Conn is a connection to a forwarder's control, which takes one face of it. Its
// methods may not run at once, except Close. After an error it is of no further use.
type Conn struct {
	c    net.Conn
	node bool // a forwarder of cefgo
}

const (
	// linkWait bounds the wait for the answer to a link request.
	linkWait = 3 * time.Second
	// maxReply bounds the answer of cefgo's forwarder, in bytes: some million routes.
	maxReply = 1 << 30
	// statusStat asks for a status with options, which follow in two bytes.
	statusStat = tlv.ControlText + "STATUSSTAT"
	// Options of statusStat: counters of routes, and a number of pending Interests,
	// which follows in two bytes.
	optCounters, optPIT = 1, 8
	// MaxPIT is how many pending Interests cefnetd can be asked to list.
	MaxPIT = 1<<16 - 1
)

// Dial connects to the forwarder whose local socket is at path and finds out by a link
// request whether it is one of cefgo's. It fails with the dialer's error, the
// context's cause, or [ErrNoStatus].
func Dial(ctx context.Context, path string) (*Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("%w: nobody accepts", ErrNoStatus))
	defer cancel()
	nc, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	c := &Conn{c: nc}
	if err := c.do(ctx, c.hello); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// IsNode reports whether the forwarder is one of cefgo's, which understands
// [Conn.Ask]; else it is a cefnetd.
func (c *Conn) IsNode() bool { return c.node }

// Close ends the connection and unblocks what waits.
func (c *Conn) Close() error {
	takeLeave(c.c)
	return c.c.Close()
}

// Status asks a cefnetd for its state, with so many pending Interests, at most
// [MaxPIT] and at least one. It fails with [ErrNoStatus] or the context's cause.
func (c *Conn) Status(ctx context.Context, pit int) (Status, error) {
	var text string
	err := c.do(ctx, func() error {
		req := binary.NativeEndian.AppendUint16([]byte(statusStat), optCounters|optPIT)
		req = binary.NativeEndian.AppendUint16(req, uint16(min(max(pit, 1), MaxPIT)))
		err := c.send(append(req, user()...))
		if err == nil {
			text, err = read(c.c)
		}
		return err
	})
	if err != nil {
		return Status{}, err
	}
	return Parse(text)
}

// Ask puts a request to a forwarder of cefgo. A request that was refused is no error:
// see [NodeReply]. It fails with [ErrNoStatus] or the context's cause.
func (c *Conn) Ask(ctx context.Context, q NodeRequest) (NodeReply, error) {
	var r NodeReply
	b, err := json.Marshal(q)
	if err != nil {
		return r, err
	}
	err = c.do(ctx, func() error {
		if err := c.send(append([]byte(NodeVerb), b...)); err != nil {
			return err
		}
		line, err := c.line(longest, maxReply)
		if err == nil {
			r, err = DecodeNodeReply(line)
		}
		return err
	})
	return r, err
}

// do runs f until it returns, the context or the time for one conversation ends.
func (c *Conn) do(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("%w: it does not end", ErrNoStatus))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.c.Close() })
	defer stop()
	err := f()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// hello sends a link request and takes the answer.
func (c *Conn) hello() error {
	if err := c.send([]byte(tlv.LinkRequest)); err != nil {
		return err
	}
	if err := c.c.SetReadDeadline(time.Now().Add(linkWait)); err != nil {
		return silent(err)
	}
	head := make([]byte, tlv.FixedHeaderLen)
	n, err := io.ReadFull(c.c, head)
	h, herr := tlv.ParseHeader(head[:n])
	switch {
	case n > 0 && (err != nil || herr != nil): // cefnetd's word that it is busy
		rest := make([]byte, 80)
		m, _ := c.c.Read(rest)
		return fmt.Errorf("%w: it says %q", ErrNoStatus, bytes.TrimSpace(append(head[:n], rest[:m]...)))
	case err != nil:
		return silent(err)
	}
	pkt := append(head, make([]byte, h.Length-len(head))...)
	if _, err := io.ReadFull(c.c, pkt[len(head):]); err != nil {
		return silent(err)
	}
	if _, c.node = tlv.ParseNodeReply(pkt); !c.node && string(pkt) != tlv.LinkReply {
		return fmt.Errorf("%w: it answers a link request with %x", ErrNoStatus, pkt[:min(len(pkt), 40)])
	}
	return nil
}

// send writes a request, alone in one write, as cefnetd reads it (sheet b).
func (c *Conn) send(req []byte) error {
	if err := c.c.SetWriteDeadline(time.Now().Add(firstWait)); err != nil {
		return silent(err)
	}
	if _, err := c.c.Write(req); err != nil {
		return silent(err)
	}
	return nil
}

// silent is the error of a forwarder that closes the connection, or says nothing.
func silent(err error) error { return fmt.Errorf("%w: %w", ErrNoStatus, err) }

// line reads to a line feed, which it leaves out; within that time, and so many bytes.
func (c *Conn) line(within time.Duration, most int) ([]byte, error) {
	if err := c.c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, silent(err)
	}
	var b []byte
	buf := make([]byte, 64<<10)
	for len(b) < most {
		n, err := c.c.Read(buf)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return append(b, buf[:i]...), nil
		}
		if b = append(b, buf[:n]...); err != nil {
			return nil, silent(err)
		}
	}
	return nil, fmt.Errorf("%w: an answer over %d bytes", ErrNoStatus, most)
}

// DecodeNodeReply reads an answer of cefgo's forwarder. Fields that it does not know
// are passed over. The error wraps [ErrNoStatus].
func DecodeNodeReply(line []byte) (NodeReply, error) {
	var r NodeReply
	if err := json.Unmarshal(line, &r); err != nil {
		return NodeReply{}, fmt.Errorf("%w: it says %q", ErrNoStatus, line[:min(len(line), 80)])
	}
	return r, nil
}

// Err is the refusal as an error: nil where there is none, [ErrDenied] where the user
// may not, [ErrBadRequest] where the request makes no sense to the forwarder.
func (r NodeReply) Err() error {
	switch {
	case r.Error == "":
		return nil
	case r.Error == ErrDenied.Error():
		return ErrDenied
	case r.Code == CodeDenied:
		return fmt.Errorf("%w: %s", ErrDenied, r.Error)
	case r.Code == CodeBadRequest:
		return fmt.Errorf("%w: %s", ErrBadRequest, r.Error)
	}
	return errors.New(r.Error)
}
