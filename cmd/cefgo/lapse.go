package main

import (
	"context"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// What is read back from the cache of a cefnetd may have to be asked for again, because
// it inserts behind the push. Such an Interest stays pending there, and as long as it
// does, nobody else's Interest for that chunk is looked up in the cache; theirs, sent
// again, even prolong that (sheet f, g). So what is read back is asked for a short time,
// and put ends when that is over.
const (
	readBackLifetime = 500 * time.Millisecond
	lingers          = 2 * time.Second // after its lifetime
)

// readBackLifetime is the lifetime of the Interests by which put reads back.
func (f *forwarder) readBackLifetime() time.Duration {
	if f.addr.Network != "unix" {
		return tlv.DefaultLifetime
	}
	return min(f.lifetime(0), readBackLifetime)
}

// letLapse waits until a cefnetd has forgotten Interests of that lifetime.
func (f *forwarder) letLapse(ctx context.Context, lifetime time.Duration) {
	f.mu.Lock()
	node := f.own != nil || f.peer != nil && f.peer.Node
	f.mu.Unlock()
	if node {
		return
	}
	select {
	case <-time.After(lifetime + lingers):
	case <-ctx.Done(): // the content is there
	}
}
