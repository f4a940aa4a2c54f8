// Package client is an application's connection to a forwarder: it owns the
// connection and its renewal, and hands what arrives to whoever asked for it,
// by name. It imports transport, object and tlv, decides nothing about rates or content
// and writes to no terminal.
package client

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Dialer makes a new connection to the forwarder.
type Dialer func(context.Context) (transport.Conn, error)

// Config says how to reach the forwarder. Dial is required.
type Config struct {
	Dial Dialer
	// DialSecond makes the connection that probes registrations, because own
	// Interests never come back (sheet e). nil leaves registrations unprobed.
	DialSecond Dialer
	// OnPeer, where set, is told of each connection's forwarder what it says of
	// itself. It is called from the reading goroutine and must not wait.
	OnPeer func(Peer)
	// Log gets what a user of -v wants to see. nil discards.
	Log *slog.Logger
}

// Peer is the forwarder at the other end of a connection.
type Peer struct {
	Node    bool // it is one of cefgo's, not a cefnetd
	PITSize int  // pending Interests it holds at most; 0: not known
}

// Errors of a Client.
var (
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("client closed")
	// ErrTimeout: no answer within the Interest's lifetime.
	ErrTimeout = errors.New("no answer")
)

// ReturnError is an Interest that came back: the network answered, and the
// answer is no. A code 1 from cefnetd can be false (sheet m 9).
type ReturnError struct {
	Name tlv.Name // cloned
	Code tlv.ReturnCode
}

func (e *ReturnError) Error() string {
	return "Interest Return: " + e.Code.String()
}

// Stats are counters since the client was made.
type Stats struct {
	Reconnects  uint64
	Unsolicited uint64 // Data and Interests nobody here had asked for
	Malformed   uint64 // packets that did not decode
	Corrupt     uint64 // Data of Express whose checksum was wrong
}

const (
	outQueueBytes = 4 << 20 // packets waiting for the forwarder to take them
	firstBackoff  = 50 * time.Millisecond
	lastBackoff   = time.Second
	// silence is how long nothing may arrive while something is awaited before
	// the connection has to prove that it lives, and proof how long that may
	// take (sheet m, "a robust client").
	silence    = 3 * time.Second
	proof      = time.Second
	flushBound = 500 * time.Millisecond // for what Close still has to send
	aliveAgain = 300 * time.Millisecond // between requests for a sign of life
)

// Client is one connection to a forwarder, renewed when it breaks. All methods
// may be called at the same time.
type Client struct {
	cfg    Config
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	out    *transport.Queue
	id     [8]byte       // tells this client's probe answers from others'
	alive  chan struct{} // holds a token after a link reply
	// closing is set by the first Close, closed is closed when that is done.
	closing atomic.Bool
	closed  chan struct{}

	// lastRx is when something arrived last, or began to be awaited, in Unix
	// nanoseconds.
	lastRx                                      atomic.Int64
	reconnects, unsolicited, malformed, corrupt atomic.Uint64
	// trouble is why the last connection was lost, until something arrives.
	trouble atomic.Pointer[error]

	// mu protects the following. It is held for table accesses only.
	mu    sync.Mutex
	epoch int // counts connections
	// linkRequests and linkReplies count over the latest connection.
	linkRequests, linkReplies int
	pending                   map[nameKey][]*pending
	feeds                     map[string][]*Feed
	regs                      []*Registration
}

// nameKey is a name as a map key.
type nameKey struct {
	segs     string
	chunk    uint64
	hasChunk bool
}

func keyOf(n tlv.Name) nameKey {
	k, ok := n.Chunk()
	return nameKey{string(n.Bytes()), k, ok}
}

// New connects. It fails with the dialer's error where the first attempt does;
// later breaks are mended in the background, for as long as the client lives. ctx
// bounds the first attempt only.
func New(ctx context.Context, cfg Config) (*Client, error) {
	conn, err := cfg.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg:     cfg,
		log:     cfg.Log,
		out:     transport.NewQueue(outQueueBytes),
		id:      newNonce(),
		alive:   make(chan struct{}, 1),
		closed:  make(chan struct{}),
		pending: make(map[nameKey][]*pending),
		feeds:   make(map[string][]*Feed),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.wg.Go(func() { c.supervise(conn) })
	return c, nil
}

// Close deregisters all prefixes, ends what is pending with [ErrClosed] and waits
// for every goroutine of the client. It may be called more than once.
func (c *Client) Close() error {
	if c.closing.CompareAndSwap(false, true) {
		c.shutDown()
		close(c.closed)
	}
	<-c.closed
	return nil
}

func (c *Client) shutDown() {
	c.mu.Lock()
	regs := slices.Clone(c.regs)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.ctx, flushBound)
	defer cancel()
	for _, r := range regs {
		_ = r.Deregister(ctx)
	}
	if len(regs) > 0 {
		_ = c.Alive(ctx)
	}
	c.cancel(ErrClosed)
	c.out.Close(ErrClosed)
	c.wg.Wait()
}

// Alive asks the forwarder for a sign of life, which comes once it has taken all
// that is queued. It fails with the context's cause, with [ErrClosed], or where nobody
// takes its datagrams.
func (c *Client) Alive(ctx context.Context) error {
	var first linkCount // of this call, over the connection that there is
	for {
		n := c.countRequest()
		if n.epoch != first.epoch {
			first = n
		}
		if err := c.out.Put(ctx, packet([]byte(tlv.LinkRequest))); err != nil {
			return err
		}
		if done, err := c.awaitReply(ctx, first); done || err != nil {
			return err
		}
	}
}

// awaitReply waits for the answer to a request, for some time. Answers to requests before
// it, which say nothing of what was queued since, may still come first.
func (c *Client) awaitReply(ctx context.Context, to linkCount) (done bool, err error) {
	again := time.NewTimer(aliveAgain)
	defer again.Stop()
	for {
		select {
		case <-c.alive:
			if c.replied(to) {
				return true, nil
			}
		case <-again.C: // a datagram may be lost
			if err := c.Trouble(); errors.Is(err, syscall.ECONNREFUSED) {
				return false, err
			}
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-c.ctx.Done():
			return false, context.Cause(c.ctx)
		}
	}
}

// linkCount is a link request: the n-th over a connection, from 1.
type linkCount struct{ epoch, n int }

// countRequest counts a link request that is about to be sent.
func (c *Client) countRequest() linkCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linkRequests++
	return linkCount{max(c.epoch, 1), c.linkRequests} // before the first one it waits for that
}

// replied reports whether so many answers have come that one of them is to that request,
// or to a later one.
func (c *Client) replied(to linkCount) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch == to.epoch && c.linkReplies >= to.n
}

// Trouble is why there is no working connection: what ended the last one, or refused
// a datagram, where nothing has arrived since; else nil.
func (c *Client) Trouble() error {
	if err := c.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	return Stats{c.reconnects.Load(), c.unsolicited.Load(), c.malformed.Load(), c.corrupt.Load()}
}

// Send queues packets for the forwarder. It waits while 4 MiB are queued. What
// was queued when a connection breaks is lost, as on any network.
func (c *Client) Send(ctx context.Context, b *tlv.Batch) error { return c.out.Put(ctx, b) }

// packet is a batch of one.
func packet(pkt []byte) *tlv.Batch {
	var b tlv.Batch
	b.Append(pkt)
	return &b
}
