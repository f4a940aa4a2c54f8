package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Answer is the Data that satisfied an Interest.
type Answer struct {
	tlv.Object // owns its memory
	RTT        time.Duration
}

// pending is one Express that waits.
type pending struct {
	pkt    []byte // the Interest, to be sent again over a new connection
	keyID  []byte // its restrictions; nil: none
	hash   []byte
	result chan outcome // takes one, never blocks
	bad    error        // guarded by Client.mu: why an answer did not count
}

type outcome struct {
	obj tlv.Object
	err error
}

// Express sends one Interest and waits for its answer, at most for its lifetime:
// Data with a right checksum; else a *[ReturnError], [ErrTimeout] (wrapping
// [tlv.ErrChecksum] where the only answer was corrupt), [ErrClosed], the context's
// cause, or the encoder's error. i gets cefgo's mark.
func (c *Client) Express(ctx context.Context, i *tlv.Interest) (*Answer, error) {
	marked := *i
	marked.Mark = true
	pkt, err := marked.AppendTo(nil)
	if err != nil {
		return nil, err
	}
	p := &pending{pkt: pkt, keyID: i.KeyID.Sum, hash: i.ObjectHash.Sum, result: make(chan outcome, 1)}
	key := keyOf(i.Name)
	c.mu.Lock()
	c.nowAwaiting()
	c.pending[key] = append(c.pending[key], p)
	c.mu.Unlock()
	defer c.forget(key, p)

	sent := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, i.LifetimeOf(), ErrTimeout)
	defer cancel()
	if err := c.out.Put(ctx, packet(pkt)); err != nil {
		return nil, err
	}
	select {
	case o := <-p.result:
		if o.err != nil {
			return nil, o.err
		}
		return &Answer{o.obj, time.Since(sent)}, nil
	case <-ctx.Done():
		err := context.Cause(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if errors.Is(err, ErrTimeout) && p.bad != nil {
			return nil, fmt.Errorf("%w: %w", ErrTimeout, p.bad)
		}
		return nil, err
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	}
}

func (c *Client) forget(key nameKey, p *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := slices.DeleteFunc(c.pending[key], func(q *pending) bool { return q == p })
	if len(rest) == 0 {
		delete(c.pending, key)
	} else {
		c.pending[key] = rest
	}
}

// answer gives pkt to all that wait for it. mu is held.
func (c *Client) answer(waiting []*pending, pkt []byte, t tlv.PacketType) {
	o := outcome{}
	if t == tlv.PacketReturn {
		var r tlv.Return
		if err := r.Decode(pkt); err != nil {
			c.malformed.Add(1)
			return
		}
		o.err = &ReturnError{r.Name.Clone(), r.Code}
	} else {
		err := o.obj.Decode(bytes.Clone(pkt))
		if err != nil {
			c.malformed.Add(1)
		} else if err = o.obj.Check(); err != nil {
			c.corrupt.Add(1)
		}
		if err != nil {
			for _, p := range waiting {
				p.bad = err
			}
			return
		}
	}
	for _, p := range waiting {
		if o.err == nil && !p.takes(&o.obj, pkt) {
			continue // it came for another Interest of that name
		}
		select {
		case p.result <- o:
		default: // it has an answer already
		}
	}
}

// takes reports whether Data meets the restrictions of p's Interest (RFC 8569 2.1).
func (p *pending) takes(o *tlv.Object, pkt []byte) bool {
	if id, _ := o.Validation.KeyID(); p.keyID != nil && !bytes.Equal(id.Sum, p.keyID) {
		return false
	}
	if p.hash == nil {
		return true
	}
	h, err := tlv.ParseHeader(pkt)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(pkt[h.HeaderLen:])
	return bytes.Equal(sum[:], p.hash)
}
