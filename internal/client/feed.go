package client

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// feedBytes bounds what a Feed holds unread. Its reader keeps less than that in
// flight, so that nothing is lost here.
const feedBytes = 32 << 20

// Feed brings all Data and Interest Returns for some names, whatever the chunk,
// undecoded: the connection of fetches that keep many Interests in flight. One goroutine
// uses it.
type Feed struct {
	c        *Client
	keys     []string
	q        *transport.Queue
	relinked atomic.Bool
}

// Open returns a feed of what arrives for names (their chunks are ignored).
func (c *Client) Open(names ...tlv.Name) *Feed {
	f := &Feed{c: c, q: transport.NewQueue(feedBytes)}
	f.Want(names...)
	if c.ctx.Err() != nil {
		f.q.Close(context.Cause(c.ctx))
	}
	return f
}

// Want adds names (their chunks are ignored).
func (f *Feed) Want(names ...tlv.Name) {
	c := f.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nowAwaiting()
	for _, n := range names {
		key := string(n.Bytes())
		if slices.Contains(c.feeds[key], f) {
			continue
		}
		f.keys = append(f.keys, key)
		c.feeds[key] = append(c.feeds[key], f)
	}
}

// Forget takes names away.
func (f *Feed) Forget(names ...tlv.Name) {
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	for _, n := range names {
		key := string(n.Bytes())
		f.keys = slices.DeleteFunc(f.keys, func(k string) bool { return k == key })
		f.drop(key)
	}
}

// drop takes away a name by its key. Client.mu is held.
func (f *Feed) drop(key string) {
	rest := slices.DeleteFunc(f.c.feeds[key], func(g *Feed) bool { return g == f })
	if len(rest) == 0 {
		delete(f.c.feeds, key)
	} else {
		f.c.feeds[key] = rest
	}
}

// TrySend queues packets for the forwarder and does not wait: a packet for which
// there is no room is lost, as on any network.
func (f *Feed) TrySend(b *tlv.Batch) {
	for i := range b.Len() {
		f.c.out.TryPut(b.Packet(i))
	}
}

// Ready yields a token when there may be something to receive.
func (f *Feed) Ready() <-chan struct{} { return f.q.Ready() }

// Receive empties b and moves the first of what has arrived into it, perhaps nothing;
// where there is more, Ready has a token. relinked is true once after the connection was
// made anew: what was in flight is lost. The error is [ErrClosed] once the client is
// closed and all is received.
func (f *Feed) Receive(b *tlv.Batch) (relinked bool, err error) {
	relinked = f.relinked.Swap(false)
	return relinked, f.q.Take(b)
}

// Close ends the feed. It may be called more than once.
func (f *Feed) Close() {
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	for _, key := range f.keys {
		f.drop(key)
	}
	f.keys = nil
	f.q.Close(ErrClosed)
}
