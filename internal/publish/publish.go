// Package publish answers Interests with content: files under a prefix, chunk by
// chunk as they are asked for, and content pushed into caches. It owns the open
// files and the rule from names to paths. It imports object, pipeline (to read
// back what was pushed) and tlv, and reaches the network through the interfaces
// below only.
package publish

import (
	"context"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Inlet brings Interests. One goroutine uses it.
type Inlet interface {
	// Ready yields a token when there may be something to receive.
	Ready() <-chan struct{}
	// Receive empties b and moves into it the first of what has arrived, undecoded;
	// where there is more, Ready has a token. Its error ends the publishing.
	Receive(b *tlv.Batch) error
}

// Outlet takes packets. Send waits while its queue is full.
type Outlet interface {
	Send(ctx context.Context, b *tlv.Batch) error
}
