package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Names of probes, below a prefix: PREFIX/.cefgo/probe/NONCE. Under an exact
// registration, which matches nothing below, a probe is a chunk number that no
// content reaches.
const (
	probeWord     = "probe"
	exactProbe    = 0xffffff00 // chunk numbers from here on
	exactProbes   = 0x100
	freeWait      = 200 * time.Millisecond // for a living owner's answer
	arriveWait    = 500 * time.Millisecond // for one probe of our own
	arriveTries   = 4
	probeLifetime = time.Second
)

func newNonce() (n [8]byte) {
	rand.Read(n[:])
	return n
}

// prober probes a registration over a second connection.
type prober struct {
	c      *Client // whose registrations are probed
	second *Client
}

func (c *Client) newProber(ctx context.Context) (*prober, error) {
	second, err := New(ctx, Config{Dial: c.cfg.DialSecond, Log: c.log})
	if err != nil {
		return nil, fmt.Errorf("second connection, for the probe: %w", err)
	}
	return &prober{c, second}, nil
}

func (p *prober) close() { p.second.Close() }

// free finds out whether somebody alive answers for exactly r's prefix.
func (p *prober) free(ctx context.Context, r *Registration) error {
	owner, err := p.ask(ctx, r, localOnly, freeWait)
	switch {
	case err == nil && bytes.Equal(owner.prefix, r.prefix.Bytes()):
		return fmt.Errorf("%s: %w", r.prefix, ErrTaken)
	case err == nil:
		p.c.log.Warn("a shorter prefix is published too; cefnetd gives an Interest to either", "prefix", r.prefix)
		return nil
	case unanswered(err):
		return nil
	}
	return err
}

// arrives waits until a probe comes to this client.
func (p *prober) arrives(ctx context.Context, r *Registration) error {
	// The first probe must not overtake the registration, which goes over another
	// connection.
	taken, cancel := context.WithTimeout(ctx, freeWait)
	_ = p.c.Alive(taken)
	cancel()
	for range arriveTries {
		start := time.Now()
		owner, err := p.ask(ctx, r, andBack, arriveWait)
		if err == nil && owner.id == p.c.id {
			return nil
		}
		if err != nil && !unanswered(err) {
			return err
		}
		// An answer of somebody else, or a Return, comes at once; the next try
		// has no better luck before the forwarder has worked on.
		select {
		case <-time.After(arriveWait - time.Since(start)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("%s: %w", r.prefix, ErrNotRegistered)
}

// guardAfter is when a new registration is looked at once more.
const guardAfter = time.Second

// guard looks in the background, once, whether r is still registered: of two processes
// that register at the same time each may see its own probe before the other's DEREG
// takes it away (sheet e). The one that has lost its prefix gives it up.
func (c *Client) guard(r *Registration) {
	c.wg.Go(func() {
		select {
		case <-time.After(guardAfter):
		case <-c.ctx.Done():
			return
		}
		p, err := c.newProber(c.ctx)
		if err != nil {
			return // the connection's own trouble
		}
		defer p.close()
		owner, err := p.ask(c.ctx, r, andBack, arriveWait)
		if err == nil && owner.id != c.id && bytes.Equal(owner.prefix, r.prefix.Bytes()) {
			c.mu.Lock()
			// Without DEREG: that would be the other's.
			c.regs = slices.DeleteFunc(c.regs, func(o *Registration) bool { return o == r })
			c.mu.Unlock()
			r.q.Close(fmt.Errorf("%s: %w", r.prefix, ErrTaken))
		}
	})
}

func unanswered(err error) bool {
	var ret *ReturnError
	return errors.Is(err, ErrTimeout) || errors.As(err, &ret)
}

// owner is who answered a probe.
type owner struct {
	id     [8]byte
	prefix []byte
}

// Hop limits of a probe. One does not leave the forwarder's machine, where a neighbour's
// publisher of the same name is no concern of ours. Two reach us where we are a publisher
// over the network: a forwarder of cefgo's counts the way back to us too.
const (
	localOnly = 1
	andBack   = 2
)

// ask sends one probe Interest for r's prefix and waits for its answer.
func (p *prober) ask(ctx context.Context, r *Registration, hopLimit uint8, wait time.Duration) (owner, error) {
	name, err := r.probeName()
	if err != nil {
		return owner{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrTimeout)
	defer cancel()
	i := tlv.Interest{HopLimit: hopLimit, Name: name}
	i.Lifetime = tlv.Lifetime(probeLifetime)
	a, err := p.second.Express(ctx, &i)
	if err != nil {
		return owner{}, err
	}
	var o owner
	if len(a.Payload) < len(o.id) {
		return owner{}, ErrTimeout // no answer of ours: as good as none
	}
	copy(o.id[:], a.Payload)
	o.prefix = a.Payload[len(o.id):]
	return o, nil
}

func (r *Registration) probeName() (tlv.Name, error) {
	nonce := newNonce()
	if r.match == Exact {
		if !r.prefix.CanChunk() {
			return r.prefix, fmt.Errorf("%s: %w: it is too long for a chunk number", r.prefix, ErrPrefix)
		}
		return r.prefix.WithChunk(exactProbe + uint64(nonce[0])), nil
	}
	n, err := object.ReservedName(r.prefix, probeWord, hex.EncodeToString(nonce[:]))
	if err != nil {
		return n, fmt.Errorf("%s: %w: it is too long for a name below it", r.prefix, ErrPrefix)
	}
	return n, nil
}

// isProbe reports whether name is a probe of r's prefix.
func (r *Registration) isProbe(name tlv.Name) bool {
	k, hasChunk := name.Chunk()
	if r.match == Exact {
		return hasChunk && k >= exactProbe && k < exactProbe+exactProbes
	}
	return !hasChunk && object.IsReserved(name, probeWord)
}

// answerProbe answers the probe name: who we are and what we registered. No cache
// may keep it. Client.mu is held.
func (r *Registration) answerProbe(name tlv.Name) {
	o := tlv.Object{
		Name:    name,
		Expiry:  tlv.Some(tlv.TimestampOf(time.Now())),
		Payload: append(r.c.id[:len(r.c.id):len(r.c.id)], r.prefix.Bytes()...),
		Summed:  true,
	}
	if pkt, err := o.AppendTo(nil); err == nil {
		r.c.out.TryPut(pkt)
	}
}

// verifyAgain probes r over the connection numbered epoch, in the background,
// until it is registered or no longer wanted, or another connection takes over. mu
// is held.
func (c *Client) verifyAgain(r *Registration, epoch int) {
	c.wg.Go(func() {
		for {
			p, err := c.newProber(c.ctx)
			if err == nil {
				err = p.arrives(c.ctx, r)
				p.close()
			}
			if err == nil || !c.registerAgain(r, epoch) {
				return
			}
			c.log.Warn("registering again after the connection was lost", "prefix", r.prefix, "err", err)
			select {
			case <-time.After(lastBackoff):
			case <-c.ctx.Done():
			}
		}
	})
}

// registerAgain sends r's commands over the connection numbered epoch, and reports
// false where that is not the one in use or r is deregistered. Both are held still
// meanwhile, so that nothing is registered behind a Deregister.
func (c *Client) registerAgain(r *Registration, epoch int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch || c.ctx.Err() != nil || !slices.Contains(c.regs, r) {
		return false
	}
	var b tlv.Batch
	r.appendCommands(&b, tlv.CommandDeregister, r.match.command())
	for i := range b.Len() {
		c.out.TryPut(b.Packet(i)) // what has no room is sent in the next round
	}
	return true
}
