package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// supervise runs one connection after another until the client is closed.
func (c *Client) supervise(conn transport.Conn) {
	pause := time.Duration(0)
	for {
		start := time.Now()
		err := c.runConn(conn)
		if time.Since(start) >= lastBackoff {
			pause = 0 // it was of use; else cefnetd may be full (sheet b)
		}
		if c.ctx.Err() != nil {
			c.endAll()
			return
		}
		c.trouble.Store(&err)
		level := slog.LevelWarn
		if pause > 0 {
			level = slog.LevelDebug // said already, and nothing has been of use since
		}
		c.log.Log(c.ctx, level, "connection to the forwarder lost", "err", err)
		if conn = c.redial(&pause); conn == nil {
			c.endAll()
			return
		}
		c.reconnects.Add(1)
		c.log.Info("connected to the forwarder again")
	}
}

// redial connects again, however long it takes, with *pause before each attempt,
// which grows; nil when the client is closed.
func (c *Client) redial(pause *time.Duration) transport.Conn {
	for {
		select {
		case <-time.After(*pause):
		case <-c.ctx.Done():
			return nil
		}
		*pause = min(max(2**pause, firstBackoff), lastBackoff)
		conn, err := c.cfg.Dial(c.ctx)
		if err == nil {
			return conn
		}
		c.log.Debug("no connection to the forwarder yet", "err", err)
	}
}

// runConn uses conn until it breaks and returns why. Its goroutines are gone
// then.
func (c *Client) runConn(conn transport.Conn) error {
	ctx, cancel := context.WithCancelCause(c.ctx)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	done := make(chan struct{}, 2)
	defer func() {
		stop()
		conn.Close()
		for range cap(done) {
			<-done
		}
	}()
	hello := c.connected()
	go func() {
		defer func() { done <- struct{}{} }()
		cancel(c.writeLoop(ctx, conn, hello))
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		if err := c.watch(ctx); err != nil {
			cancel(err)
		}
	}()
	err := c.readLoop(conn)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(err)
	return err
}

// connected tells everybody that there is a new connection and returns what it
// has to begin with: registrations, then the Interests that still wait.
func (c *Client) connected() *tlv.Batch {
	c.lastRx.Store(time.Now().UnixNano())
	hello := new(tlv.Batch)
	if c.cfg.OnPeer != nil {
		hello.Append([]byte(tlv.LinkRequest))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.linkRequests += hello.Len()
	if c.epoch == 1 {
		return hello // nothing was sent over any other connection
	}
	c.out.Drop()
	c.linkRequests, c.linkReplies = hello.Len(), 0
	for _, r := range c.regs {
		r.appendCommands(hello, tlv.CommandDeregister, r.match.command())
		if r.probed {
			c.verifyAgain(r, c.epoch)
		}
	}
	for _, ps := range c.pending {
		for _, p := range ps {
			hello.Append(p.pkt)
		}
	}
	for _, fs := range c.feeds {
		for _, f := range fs {
			f.relinked.Store(true)
			f.q.Poke()
		}
	}
	return hello
}

// writeLoop returns what ended it, never nil.
func (c *Client) writeLoop(ctx context.Context, conn transport.Conn, b *tlv.Batch) error {
	for {
		if b.Len() > 0 {
			if err := c.write(conn, b); err != nil {
				return err
			}
		}
		if err := c.out.Wait(ctx, b); err != nil {
			return err
		}
	}
}

// write writes b but for packets that do not fit conn.
func (c *Client) write(conn transport.Conn, b *tlv.Batch) error {
	err := conn.Write(b)
	switch {
	case refused(err):
		c.trouble.Store(&err)
		return nil
	case !errors.Is(err, transport.ErrPacketTooLarge):
		return err
	case b.Len() == 1:
		c.log.Error("packet not sent", "err", err)
		return nil
	}
	for i := range b.Len() {
		if err := c.write(conn, packet(b.Packet(i))); err != nil {
			return err
		}
	}
	return nil
}

// refused reports whether an error of a connection in use is the answer to a
// datagram for which nobody was there. The socket is as good as before, and a new
// one would cost a cefnetd that comes back another face (sheet m 5).
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func (c *Client) readLoop(conn transport.Conn) error {
	for b := new(tlv.Batch); ; {
		err := conn.Read(b)
		var text *transport.TextError
		if errors.As(err, &text) {
			// Nothing here asks for text: it is cefnetd's word that it has no
			// face left, and the connection is dead (sheet b).
			return fmt.Errorf("the forwarder refused the connection: %s", bytes.TrimSpace(text.Text))
		}
		if refused(err) {
			c.trouble.Store(&err)
			continue
		}
		if err != nil {
			return err
		}
		c.trouble.Store(nil)
		c.lastRx.Store(time.Now().UnixNano())
		c.dispatch(conn, b)
	}
}

// watch makes a connection prove that it lives when something is awaited and
// nothing arrives.
func (c *Client) watch(ctx context.Context) error {
	timer := time.NewTimer(silence)
	defer timer.Stop()
	asked := int64(0) // when proof was asked for; 0: not
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		last := c.lastRx.Load()
		idle := time.Since(time.Unix(0, last))
		switch {
		case idle < silence:
			asked = 0
			timer.Reset(silence - idle)
		case !c.awaiting():
			asked = 0
			timer.Reset(silence)
		case asked < last || asked == 0:
			asked = time.Now().UnixNano()
			c.countRequest()
			c.out.TryPut([]byte(tlv.LinkRequest))
			timer.Reset(proof)
		default:
			return fmt.Errorf("the forwarder has been silent for %v", idle.Round(time.Second))
		}
	}
}

// awaiting reports whether anybody waits for something to arrive.
func (c *Client) awaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) > 0 || len(c.feeds) > 0
}

// nowAwaiting is called before somebody begins to wait: the silence in which nobody
// did does not count. mu is held.
func (c *Client) nowAwaiting() {
	if len(c.pending) == 0 && len(c.feeds) == 0 {
		c.lastRx.Store(time.Now().UnixNano())
	}
}

// endAll ends everything that waits.
func (c *Client) endAll() {
	err := context.Cause(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, fs := range c.feeds {
		for _, f := range fs {
			f.q.Close(err)
		}
	}
	for _, r := range c.regs {
		r.q.Close(err)
	}
}
