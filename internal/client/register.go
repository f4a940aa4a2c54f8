package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Match says which Interests a registration asks for.
type Match uint8

const (
	// Prefix is the name and all below it.
	Prefix Match = iota
	// Exact is the name itself, with or without a chunk.
	Exact
)

func (m Match) command() tlv.Command {
	if m == Exact {
		return tlv.CommandRegister
	}
	return tlv.CommandRegPrefix
}

// Errors of registering.
var (
	// ErrTaken: somebody alive publishes under that very prefix already.
	ErrTaken = errors.New("already published by another process")
	// ErrNotRegistered: the forwarder did not deliver a probe Interest.
	ErrNotRegistered = errors.New("the forwarder delivers no Interest for it")
	// ErrPrefix: no prefix that can be registered.
	ErrPrefix = errors.New("not a prefix that can be registered")
)

// inletBytes bounds the Interests that wait for an application; what comes on top
// is dropped, and asked for again by whoever wants it.
const inletBytes = 4 << 20

// Registration is a name whose Interests come to this client. Receive is for one
// goroutine.
type Registration struct {
	c      *Client
	prefix tlv.Name
	match  Match
	q      *transport.Queue
	probed bool
}

// Register asks the forwarder for the Interests under prefix, with DEREG before
// REG, as a dead owner's registration would stay otherwise (sheet e), and probes
// by an Interest from a second connection whether they come. ccnx:/ cannot be
// registered: cefnetd would match nothing with it.
//
// Errors: [ErrTaken], [ErrNotRegistered], [ErrPrefix], [ErrClosed], the second
// dialer's, the context's cause.
func (c *Client) Register(ctx context.Context, prefix tlv.Name, match Match) (*Registration, error) {
	if _, ok := prefix.Chunk(); ok || prefix.IsZero() || prefix.IsDefault() {
		return nil, fmt.Errorf("%s: %w", prefix, ErrPrefix)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	r := &Registration{c: c, prefix: prefix.Clone(), match: match, q: transport.NewQueue(inletBytes), probed: c.cfg.DialSecond != nil}
	var p *prober
	if r.probed {
		var err error
		if p, err = c.newProber(ctx); err != nil {
			return nil, err
		}
		defer p.close()
		if err := p.free(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := c.add(ctx, r); err != nil {
		_ = r.Deregister(ctx)
		return nil, err
	}
	if r.probed {
		if err := p.arrives(ctx, r); err != nil {
			_ = r.Deregister(ctx)
			return nil, err
		}
		c.guard(r)
	}
	return r, nil
}

// add enters r and sends its commands.
func (c *Client) add(ctx context.Context, r *Registration) error {
	var b tlv.Batch
	r.appendCommands(&b, tlv.CommandDeregister, r.match.command())
	c.mu.Lock()
	taken := slices.ContainsFunc(c.regs, func(o *Registration) bool { return o.prefix.Equal(r.prefix) })
	if !taken {
		c.regs = append(c.regs, r)
	}
	c.mu.Unlock()
	if taken {
		return fmt.Errorf("%s: %w", r.prefix, ErrTaken)
	}
	if c.ctx.Err() != nil {
		r.q.Close(context.Cause(c.ctx))
	}
	return c.out.Put(ctx, &b)
}

// appendCommands appends one Interest a command for r's prefix.
func (r *Registration) appendCommands(b *tlv.Batch, cmds ...tlv.Command) {
	for _, cmd := range cmds {
		err := b.Encode(func(p []byte) ([]byte, error) { return tlv.AppendCommand(p, cmd, r.prefix) })
		if err != nil {
			panic("client: bug: a checked prefix does not encode: " + err.Error())
		}
	}
}

// Prefix is the registered name.
func (r *Registration) Prefix() tlv.Name { return r.prefix }

// Ready yields a token when there may be Interests to receive.
func (r *Registration) Ready() <-chan struct{} { return r.q.Ready() }

// Receive empties b and moves the first of the Interests that have arrived into it,
// undecoded, perhaps none; where there are more, Ready has a token. The error is
// [ErrClosed] after Deregister or Close once all are received, or [ErrTaken] where another
// process has taken the prefix.
func (r *Registration) Receive(b *tlv.Batch) error { return r.q.Take(b) }

// Lost is the number of Interests dropped because they were not received in time.
func (r *Registration) Lost() uint64 { return r.q.Lost() }

// Deregister ends the registration. It may be called more than once.
func (r *Registration) Deregister(ctx context.Context) error {
	c := r.c
	c.mu.Lock()
	i := slices.Index(c.regs, r)
	if i >= 0 {
		c.regs = slices.Delete(c.regs, i, i+1)
	}
	c.mu.Unlock()
	r.q.Close(ErrClosed)
	if i < 0 {
		return nil
	}
	var b tlv.Batch
	r.appendCommands(&b, tlv.CommandDeregister)
	return c.out.Put(ctx, &b)
}
