package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/cs"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

type nodeOptions struct {
	cache          sizeValue
	policy         string
	pitSize        int
	faceQuota      int
	fibSize        int
	listen         []string
	multicast      []string
	multicastHops  int
	route          []string
	fib            string
	strategy       string
	interestReturn bool
	remoteApps     bool
	name           string
	http           string
	readyFD        int
}

func newNodeCommand(a *app) *cobra.Command {
	o := nodeOptions{cache: 256 << 20}
	cmd := &cobra.Command{
		Use:         "node [flags]",
		Annotations: withJSON,
		Short:       "Run a forwarder: for this machine, or a network of them",
		Long: `node runs cefgo's forwarder on Cefore's local socket, where cefgo, Cefore's
tools and cefpyco programs find it as they find cefnetd: it passes Interests to
the applications that publish, and keeps pushed content in a content store.

It listens for neighbours, cefnetd or other nodes, over UDP and TCP on Cefore's
port, at the loopback addresses unless --listen says otherwise, and passes on
what is asked of it by its routes: those of --route, of node: in the
configuration file, and of cefnetd.fib beside cefnetd.conf. SIGHUP reads the
latter two anew; "cefgo route" changes routes while it runs. With --multicast,
nodes on one network find each other's content without any route.

Registrations from the network are refused: only applications on this machine
publish here (--allow-remote-apps). "cefgo status" shows what it does.`,
		Example: `  cefgo node &
  cefgo put ccnx:/notes/today notes.txt
  cefgo node --listen 0.0.0.0 --route "ccnx:/far udp://192.0.2.7"
  cefgo node --multicast 224.0.23.170%eth0`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return failed("node", "", a.runNode(cmd, &o))
	}
	f := cmd.Flags()
	f.Var(&o.cache, "cache-size", "bytes of the content store")
	f.StringVar(&o.policy, "cache-policy", "lru", "what the content store gives up first: lru or fifo")
	f.IntVar(&o.pitSize, "pit-size", 0, "most pending Interests (default: PIT_SIZE of cefnetd.conf or 65535)")
	f.IntVar(&o.faceQuota, "face-quota", 0, "most pending Interests of one face (default: three quarters of --pit-size)")
	f.IntVar(&o.fibSize, "fib-size", 0, "most next hops of all routes (default: 1048576)")
	f.StringArrayVar(&o.listen, "listen", nil, "address for neighbours: HOST[:PORT], udp://HOST[:PORT], tcp://HOST[:PORT], or none; may be repeated (default: the loopback addresses)")
	f.StringArrayVar(&o.multicast, "multicast", nil, "multicast group to ask in, and to answer: ADDRESS[:PORT][%INTERFACE]; may be repeated")
	f.IntVar(&o.multicastHops, "multicast-hops", 1, "how many routers what is sent to a group may pass")
	f.StringArrayVar(&o.route, "route", nil, `next hop: "PREFIX VIA [cost=N] [strategy=S]", with udp://HOST[:PORT] or tcp://HOST[:PORT] as VIA; may be repeated`)
	f.StringVar(&o.fib, "fib", "", "file of routes as cefnetd's, or none (default: cefnetd.fib beside cefnetd.conf)")
	f.StringVar(&o.strategy, "strategy", "best", "how a route picks among its next hops: best, all, round-robin or lowest-rtt")
	f.BoolVar(&o.interestReturn, "interest-return", false, "send Interest Returns to Cefore's tools too, which take the first one for the end (also: ENABLE_INTEREST_RETURN of cefnetd.conf)")
	f.BoolVar(&o.remoteApps, "allow-remote-apps", false, "let anybody on the network publish here")
	f.StringVar(&o.name, "name", "", "what cefgo trace and ccninfo call this node (default: NODE_NAME of cefnetd.conf, or the host's name and the port)")
	f.StringVar(&o.http, "http", "", "loopback address for metrics (/metrics, for Prometheus) and health (/healthz)")
	f.IntVar(&o.readyFD, "ready-fd", 0, "write a line to this descriptor and close it when the node is ready")
	return cmd
}

func (a *app) runNode(cmd *cobra.Command, o *nodeOptions) error {
	if a.global.forwarder != "auto" && a.global.forwarder != "embedded" {
		return usage("", "node is the forwarder: --forwarder says nothing to it")
	}
	fw, err := a.newForwarder(stay)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	opts, err := a.nodeOptions(ctx, fw, o)
	if err != nil {
		return err
	}
	opts.OnStop = stop
	n, err := node.Start(opts)
	if err != nil {
		return fw.startFailure(err)
	}
	defer n.Close()
	end, err := a.serveHTTP(o.http, n)
	if err != nil {
		return err
	}
	defer end()
	defer a.onStatus(func() string { return "node: " + n.Summary() })()
	deaf := sync.OnceFunc(a.onHangup(func() { a.rereadRoutes(ctx, cmd, fw, o, n) }))
	defer deaf()
	a.sayForwarding(n, o)
	if err := a.tellReady(n, o.readyFD); err != nil {
		return err
	}
	<-ctx.Done()
	deaf() // no event comes after the result
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	return a.result(a.nodeResult(n))
}

// nodeOptions are the node's options by flags, configuration and cefnetd.conf.
func (a *app) nodeOptions(ctx context.Context, fw *forwarder, o *nodeOptions) (opts node.Options, err error) {
	opts = fw.nodeOpts
	switch {
	case o.pitSize < 0 || o.pitSize > maxPITSize:
		return opts, usage("", "--pit-size is 1 to %d", maxPITSize)
	case o.faceQuota < 0 || o.fibSize < 0:
		return opts, usage("", "--face-quota and --fib-size must not be negative")
	case o.cache < 1 || o.cache > 1<<40:
		return opts, usage("", "--cache-size is 1 byte to 1 TiB")
	case o.multicastHops < 1 || o.multicastHops > 255:
		return opts, usage("", "--multicast-hops is 1 to 255")
	case o.readyFD != 0 && o.readyFD < 3:
		return opts, usage("", "--ready-fd must be 3 or more")
	}
	fo := &opts.Forward
	fo.CacheBytes, fo.AllowRemoteApps = int(o.cache), o.remoteApps
	fo.ReturnToAll = fo.ReturnToAll || o.interestReturn
	if o.pitSize > 0 {
		fo.PITSize = o.pitSize
	}
	fo.FaceQuota, fo.FIBSize = o.faceQuota, o.fibSize
	if fo.Policy, err = cs.ParsePolicy(o.policy); err != nil {
		return opts, usage("", "--cache-policy: %w", err)
	}
	if fo.Strategy, err = forward.ParseStrategy(o.strategy); err != nil {
		return opts, usage("", "--strategy: %w", err)
	}
	if fo.NodeName, err = a.nodeName(fw, o); err != nil {
		return opts, err
	}
	if opts.Listen, err = a.listenAddrs(ctx, o.listen, fw.loc.Port); err != nil {
		return opts, err
	}
	if opts.Groups, err = groups(o.multicast, o.multicastHops, fw.loc.Port); err != nil {
		return opts, err
	}
	opts.Routes, err = a.routes(ctx, fw, o.route, o.fib)
	return opts, err
}

// maxPITSize is the most that Cefore's PIT_SIZE allows.
const maxPITSize = 16777215

// nodeName is the node's name for CCNinfo; the zero Name leaves it to the node.
func (a *app) nodeName(fw *forwarder, o *nodeOptions) (tlv.Name, error) {
	uri, from := o.name, "--name"
	if uri == "" {
		uri, from = fw.loc.Config.NodeName, "NODE_NAME"
	}
	if uri == "" {
		return tlv.Name{}, nil
	}
	n, err := tlv.ParseName("ccnx:/"+strings.TrimPrefix(uri, "ccnx:/"), tlv.URIMode(a.global.percent))
	if err != nil {
		return n, usage("", "%s: %w", from, err)
	}
	return n.WithoutChunk(), nil
}

// startFailure says why a forwarder of our own could not start.
func (f *forwarder) startFailure(err error) error {
	var listen *node.ListenError
	var route *node.RouteError
	switch {
	case errors.Is(err, transport.ErrInUse):
		return f.unreachable(err)
	case errors.As(err, &listen):
		hint := "choose another with --listen, or --listen none"
		if errors.Is(err, fs.ErrPermission) {
			hint = "a port below 1024 is for root"
		}
		return &failure{code: exitRegister, err: err, hint: hint}
	case errors.As(err, &route):
		return usage("", "%w", err)
	}
	return &failure{code: exitRegister, err: fmt.Errorf("the socket cannot be taken: %w", err)}
}

func (a *app) sayForwarding(n *node.Node, o *nodeOptions) {
	a.say("forwarding at %s, with a content store of %s", n.Socket(), bytesText(uint64(o.cache)))
	for _, err := range n.Skipped() {
		a.say("%v: not there", err)
	}
	if at := n.Listening(); len(at) > 0 {
		words := make([]string, len(at))
		for i, u := range at {
			words[i] = string(u)
		}
		a.say("  for neighbours at %s", strings.Join(words, ", "))
	}
	f := a.nodeResult(n)
	f["cache_bytes"] = int64(o.cache)
	a.event("ready", f)
}

func (a *app) nodeResult(n *node.Node) fields {
	f := fields{"socket": n.Socket()}
	if at := n.Listening(); len(at) > 0 {
		f["listening"] = at
	}
	return f
}

// tellReady tells whoever waits for it that the node is ready: systemd, and who gave a
// descriptor.
func (a *app) tellReady(n *node.Node, fd int) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		a.log.Warn("telling systemd", "err", err)
	}
	if fd == 0 {
		return nil
	}
	f := os.NewFile(uintptr(fd), "ready-fd")
	_, err := fmt.Fprintln(f, n.Socket())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return usage("", "--ready-fd %d: %w", fd, err)
	}
	return nil
}

// onHangup calls f at each SIGHUP, until the function it returns is called.
func (a *app) onHangup(f func()) (stop func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-hup:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hup)
		close(done)
		<-ended
	}
}

// rereadRoutes makes the node's routes those that the files say now.
func (a *app) rereadRoutes(ctx context.Context, cmd *cobra.Command, fw *forwarder, o *nodeOptions, n *node.Node) {
	lines, err := a.configured(cmd, "route")
	if lines == nil {
		lines = o.route
	}
	var routes []node.Route
	if err == nil {
		routes, err = a.routes(ctx, fw, lines, o.fib)
	}
	if err == nil {
		err = n.SetRoutes(routes)
	}
	if err != nil {
		a.say("the routes stay as they are: %v", err)
		return
	}
	a.say("routes read anew: %d", len(routes))
	a.event("reloaded", fields{"routes": len(routes)})
}
