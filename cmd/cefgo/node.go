package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/transport"
)

type nodeOptions struct {
	cache   sizeValue
	pitSize int
}

func newNodeCommand(a *app) *cobra.Command {
	o := nodeOptions{cache: 256 << 20}
	cmd := &cobra.Command{
		Use:         "node [flags]",
		Annotations: withJSON,
		Short:       "Run a forwarder for this machine",
		Long: `node runs cefgo's forwarder on Cefore's local socket, where cefgo, Cefore's tools
and cefpyco programs find it as they find cefnetd: it passes Interests to the
applications that publish, and keeps pushed content in a content store. It serves
this machine only; for the network run cefnetd.`,
		Example: `  cefgo node &
  cefgo put ccnx:/notes/today notes.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed("node", "", a.runNode(cmd.Context(), o))
		},
	}
	f := cmd.Flags()
	f.Var(&o.cache, "cache-size", "bytes of the content store")
	f.IntVar(&o.pitSize, "pit-size", 0, "most pending Interests (default: PIT_SIZE of cefnetd.conf or 65535)")
	return cmd
}

func (a *app) runNode(ctx context.Context, o nodeOptions) error {
	switch {
	case o.pitSize < 0:
		return usage("", "--pit-size must not be negative")
	case o.cache < 1 || o.cache > 1<<40:
		return usage("", "--cache-size is 1 byte to 1 TiB")
	case a.global.forwarder != "auto" && a.global.forwarder != "embedded":
		return usage("", "node is the forwarder: --forwarder says nothing to it")
	}
	fw, err := a.newForwarder(stay)
	if err != nil {
		return err
	}
	opts := fw.nodeOpts
	opts.CacheBytes = int(o.cache)
	if o.pitSize > 0 {
		opts.PITSize = o.pitSize
	}
	n, err := node.Start(opts)
	if err != nil {
		return fw.startFailure(err)
	}
	defer n.Close()
	a.say("forwarding at %s, with a content store of %s", n.Socket(), bytesText(uint64(o.cache)))
	a.event("ready", fields{"socket": n.Socket(), "cache_bytes": int64(o.cache)})
	stop := a.onStatus(func() string { return "node: " + n.Summary() })
	defer stop()
	hup := make(chan os.Signal, 1) // there are no routes to read again yet; but it must not end the node
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	<-ctx.Done()
	return a.result(fields{"socket": n.Socket()})
}

// startFailure says why a forwarder of our own could not start.
func (f *forwarder) startFailure(err error) error {
	if errors.Is(err, transport.ErrInUse) {
		return f.unreachable(err)
	}
	return &failure{code: exitRegister, err: fmt.Errorf("the socket cannot be taken: %w", err)}
}
