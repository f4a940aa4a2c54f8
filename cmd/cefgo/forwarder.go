package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/cefore"
	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// forwarder is how a command reaches the network: a forwarder that is there, or,
// for the commands that stay, one of its own.
type forwarder struct {
	a        *app
	loc      cefore.Location // where Cefore's own is
	addr     transport.Address
	embeds   bool // may start its own
	mustOwn  bool // --forwarder embedded
	nodeOpts node.Options

	sayWaiting sync.Once

	// mu protects the following.
	mu   sync.Mutex
	own  *node.Node
	peer *client.Peer // the forwarder that was there; nil: it has said nothing
}

// stays says whether a command stays, and so may embed a forwarder.
type stays bool

const (
	ends stays = false
	stay stays = true
)

// retry lies between two looks for a forwarder, with --wait.
const retry = 100 * time.Millisecond

// newForwarder works out from the flags where the forwarder is. Nothing is
// connected yet.
func (a *app) newForwarder(s stays) (*forwarder, error) {
	g := &a.global
	opts := cefore.Options{Dir: g.ceforeDir, Port: g.port, SocketID: g.socketID, PortFrom: g.from("port"), SocketIDFrom: g.from("socket-id")}
	loc, err := cefore.Locate(opts, a.getenv)
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	f := &forwarder{a: a, loc: loc, addr: transport.Address{Network: "unix", Addr: loc.SocketPath}}
	f.nodeOpts = node.Options{
		Socket: loc.SocketPath, Port: loc.Port, Version: versionText(), Log: a.log,
		Forward: forward.Options{
			PITSize: loc.Config.PITSize, ReturnToAll: loc.Config.InterestReturn,
			LinkLifetime: loc.Config.RegularLifetimeMax, LinkSymbolicLifetime: loc.Config.SymbolicLifetimeMax,
		},
	}
	switch g.forwarder {
	case "auto":
		f.embeds = s == stay
	case "embedded":
		if s == ends {
			return nil, usage("use --forwarder auto: it finds the forwarder of a running cefgo serve or cefgo node", "%s ends at once and cannot embed a forwarder", a.cmd)
		}
		f.embeds, f.mustOwn = true, true
	default:
		if f.addr, err = transport.ParseAddress(g.forwarder); err != nil {
			return nil, usage("", "%w", err)
		}
	}
	return f, nil
}

// dial connects, and starts a forwarder where there is none and it may. It is also
// how a lost connection is made anew, so that a publisher whose forwarder has gone
// takes its place.
func (f *forwarder) dial(ctx context.Context) (transport.Conn, error) {
	if !f.embeds {
		return transport.Dial(ctx, f.addr)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own != nil {
		return f.own.Connect()
	}
	if !f.mustOwn {
		c, err := transport.Dial(ctx, f.addr)
		if err == nil || !nobodyListens(err) {
			return c, err
		}
		if f.waitsFor() {
			f.sayWaiting.Do(func() {
				f.a.say("cefnetd has gone; waiting for it to come back at %s\nwhere it was killed, remove that file before you start it again", f.where())
			})
			return nil, err
		}
	}
	n, err := node.Start(f.nodeOpts)
	if errors.Is(err, transport.ErrInUse) && !f.mustOwn {
		return transport.Dial(ctx, f.addr) // somebody was faster
	}
	if err != nil {
		return nil, err
	}
	f.a.log.Info("forwarder started", "socket", n.Socket())
	f.own = n
	return n.Connect()
}

// waitsFor reports whether a forwarder that has gone is to be waited for: a cefnetd,
// which has networks behind it, and could not come back to a socket that is taken. One
// of cefgo's, of a publisher that has ended, is replaced.
func (f *forwarder) waitsFor() bool { return f.peer != nil && !f.peer.Node }

// onPeer takes note of what forwarder there is.
func (f *forwarder) onPeer(p client.Peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.peer = &p
}

// dialSecond makes a second connection to the same forwarder, for probes. Every UDP
// port costs cefnetd a face for ever; over TCP a face ends with its connection.
func (f *forwarder) dialSecond(ctx context.Context) (transport.Conn, error) {
	if f.addr.Network == "udp" {
		return transport.Dial(ctx, transport.Address{Network: "tcp", Addr: f.addr.Addr})
	}
	return f.dial(ctx)
}

func nobodyListens(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// close ends the embedded forwarder, if there is one.
func (f *forwarder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own != nil {
		f.own.Close()
	}
}

// where is the forwarder's address as messages show it: a path, or a URL.
func (f *forwarder) where() string { return strings.TrimPrefix(f.addr.String(), "unix:") }

// String says over what the connection goes.
func (f *forwarder) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own != nil {
		return "a forwarder of its own at " + f.own.Socket()
	}
	return "the forwarder at " + f.where()
}

// connect makes a client, and waits for a forwarder as long as --wait says.
func (f *forwarder) connect(ctx context.Context, probed bool) (*client.Client, error) {
	cfg := client.Config{Dial: f.dial, OnPeer: f.onPeer, Log: f.a.log}
	if probed {
		cfg.DialSecond = f.dialSecond
	}
	wait := f.a.global.wait.d
	if f.embeds {
		wait = max(wait, startWait)
	}
	deadline := time.Now().Add(wait)
	for {
		c, err := client.New(ctx, cfg)
		if err == nil && f.addr.Network != "unix" {
			err = f.answers(ctx, c)
		}
		if err == nil {
			return c, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if !nobodyListens(err) || !time.Now().Before(deadline) {
			return nil, f.unreachable(err)
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// connectBy is connect without a probe, within that time (0: as --wait says).
func (f *forwarder) connectBy(ctx context.Context, within time.Duration) (*client.Client, error) {
	if within == 0 {
		return f.connect(ctx, false)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, &failure{
		code: exitForwarder, err: fmt.Errorf("no forwarder at %s before the deadline", f.where()),
	})
	defer cancel()
	return f.connect(ctx, false)
}

// startWait is how long a command that may embed a forwarder waits for one that
// another process is about to start.
const startWait = 2 * time.Second

// answerWait bounds the wait for a remote forwarder's sign of life.
const answerWait = 3 * time.Second

// errSilent: something took the connection, or the datagrams, and says nothing.
var errSilent = errors.New("no forwarder answers there")

// answers makes sure that a remote forwarder is there: over UDP anything else only
// shows as silence. It closes c where there is none.
func (f *forwarder) answers(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWait, errSilent)
	defer cancel()
	err := c.Alive(ctx)
	if err != nil {
		c.Close()
	}
	return err
}

// unreachable says why there is no forwarder.
func (f *forwarder) unreachable(err error) error {
	where := f.where()
	out := &failure{code: exitForwarder}
	var dns *net.DNSError
	switch {
	case errors.Is(err, transport.ErrInUse):
		return &failure{code: exitRegister, err: fmt.Errorf("a forwarder listens at %s already", where), hint: "use it with --forwarder auto, or give this one another --port"}
	case errors.Is(err, fs.ErrPermission):
		out.err = fmt.Errorf("the forwarder at %s belongs to another user: permission denied", where)
		out.hint = "run as its owner, or start one of your own with --socket-id ID"
	case errors.Is(err, errSilent):
		out.err = fmt.Errorf("no forwarder answers at %s", where)
		out.hint = "is cefnetd running there, and not held up?"
	case f.addr.Network != "unix":
		out.err = fmt.Errorf("no forwarder at %s: %w", where, err)
		if errors.As(err, &dns) {
			out.err = fmt.Errorf("no forwarder at %s: unknown host", where)
		}
		out.hint = "is cefnetd running there, on that port?"
	case errors.Is(err, fs.ErrNotExist):
		out.err = fmt.Errorf("no forwarder at %s", where)
		out.hint = "start cefnetd, or cefgo node, or cefgo serve; --wait 10s waits for one"
	case errors.Is(err, syscall.ECONNREFUSED):
		out.err = fmt.Errorf("nobody listens at %s: its forwarder has died", where)
		out.hint = "start cefgo node or cefgo serve, which replace the dead socket; for cefnetd remove the file first"
	default:
		out.err = fmt.Errorf("no forwarder at %s: %w", where, err)
	}
	return out
}

// blame puts the forwarder's failing in place of err, of a command that c served,
// where err only says that nothing came and the connection does not hold.
func (f *forwarder) blame(c *client.Client, err error) error {
	trouble := c.Trouble()
	silence := []error{pipeline.ErrTimeout, client.ErrTimeout, client.ErrNotRegistered, errSilent}
	if trouble == nil || !slices.ContainsFunc(silence, func(s error) bool { return errors.Is(err, s) }) {
		return err
	}
	return &failure{
		code: exitForwarder,
		err:  fmt.Errorf("no working forwarder at %s: %w", f.where(), trouble),
		hint: "see whether it still runs, and its log",
	}
}

// backlog tells how many packets the forwarder can hold unread for this process:
// what fits its socket's send buffer with a fifth to spare (sheet l). nil where
// nothing is lost that way.
func (f *forwarder) backlog() func(int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own != nil || f.addr.Network == "tcp" {
		return nil
	}
	buf, ok := cefore.DefaultSocketBuffer()
	if !ok {
		buf = linuxSocketBuffer
	}
	return func(size int) int { return max(1, cefore.UnixBacklogPackets(buf, size)*4/5) }
}

// room is how many Interests may be in flight: share of the PIT of the forwarder, as it
// says itself, else as cefnetd.conf does.
func (f *forwarder) room(share float64) func() int {
	return func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		size := f.loc.Config.PITSize
		if f.peer != nil && f.peer.PITSize > 0 {
			size = f.peer.PITSize
		}
		return int(float64(size) * share)
	}
}

// linuxSocketBuffer is Linux's default socket buffer, in bytes.
const linuxSocketBuffer = 212992

// lifetime is what Interests ask for: what the user says, else the default, cut to
// what the local cefnetd would cut it to.
func (f *forwarder) lifetime(asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	most := f.loc.Config.RegularLifetimeMax
	if f.addr.Network == "unix" && most > 0 && most < tlv.DefaultLifetime {
		return most
	}
	return tlv.DefaultLifetime
}
