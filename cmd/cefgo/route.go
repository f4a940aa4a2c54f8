package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// routeOptions are the flags of route add.
type routeOptions struct {
	cost     int
	costSet  bool
	strategy string
}

func newRouteCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "route",
		Short: "Show and change the forwarder's routes",
		Long: `route shows and changes where the forwarder on this machine sends Interests
that no application answers: to which hosts, by the longest prefix of the name.
ccnx:/ is the default route.

VIA is udp://HOST[:PORT], tcp://HOST[:PORT] or HOST[:PORT], which is UDP; the
port is 9695 unless given. cefgo's forwarder takes face:ID, too. Names of hosts
are resolved here. Routes are for the forwarder's own user and root: cefnetd
goes by the variable USER.

cefnetd confirms changes that it has not made, so each one is looked up in its
tables afterwards; one that is not there ends with 1.`,
		Example: `  cefgo route add ccnx:/far udp://192.0.2.7
  cefgo route add ccnx:/ gateway.example tcp://192.0.2.9:9700 --cost 10
  cefgo route del ccnx:/far
  cefgo route list --json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, "route "+args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newRouteListCommand(a), newRouteAddCommand(a), newRouteDelCommand(a), newRouteStrategyCommand(a))
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
	return cmd
}

func newRouteListCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:         "list [flags]",
		Annotations: withJSON,
		Short:       "List the routes",
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed("route list", "", a.withControl(cmd.Context(), func(fw *forwarder, c *control.Conn) error {
				return a.runRouteList(cmd.Context(), c, all)
			}))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list everything")
	return cmd
}

func newRouteAddCommand(a *app) *cobra.Command {
	var o routeOptions
	cmd := &cobra.Command{
		Use:         "add [flags] PREFIX VIA...",
		Annotations: withJSON,
		Short:       "Add next hops to a prefix, or change their cost",
		Args:        cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.costSet = cmd.Flags().Changed("cost")
			return failed("route add", args[0], a.changeRoute(cmd.Context(), control.OpRouteAdd, o, args))
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.cost, "cost", 0, "cost of the next hops; the lowest is the best")
	f.StringVar(&o.strategy, "strategy", "", strings.Join(forward.Strategies(), ", ")+" (cefgo's forwarder only)")
	return cmd
}

func newRouteDelCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "del [flags] PREFIX [VIA...]",
		Aliases:     []string{"delete", "rm"},
		Annotations: withJSON,
		Short:       "Take next hops from a prefix; all of them, unless some are given",
		Args:        cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed("route del", args[0], a.changeRoute(cmd.Context(), control.OpRouteDel, routeOptions{}, args))
		},
	}
}

func newRouteStrategyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "strategy [flags] PREFIX STRATEGY",
		Annotations: withJSON,
		Short:       "Choose how a prefix uses its next hops (cefgo's forwarder only)",
		Long: `strategy says how Interests for a prefix are spread over its next hops: best
takes the one of the lowest cost, all takes all at once, round-robin takes
turns, lowest-rtt takes the one that answers fastest. "none" takes the choice
back.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := routeOptions{strategy: args[1]}
			return failed("route strategy", args[0], a.changeRoute(cmd.Context(), control.OpStrategy, o, args[:1]))
		},
	}
}

// noStrategy stands for no choice on the command line.
const noStrategy = "none"

func (o *routeOptions) check(op string) error {
	switch {
	case o.cost < 0 || o.cost > math.MaxInt32:
		return usage("", "--cost is 0 to %d", math.MaxInt32)
	case op == control.OpStrategy && o.strategy == noStrategy:
		o.strategy = ""
	case (op == control.OpStrategy || o.strategy != "") && !slices.Contains(forward.Strategies(), o.strategy):
		return usage("", "a strategy is %s", strings.Join(forward.Strategies(), ", "))
	}
	return nil
}

// withControl runs f with a connection to the forwarder's control.
func (a *app) withControl(ctx context.Context, f func(*forwarder, *control.Conn) error) error {
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	c, err := fw.dialControl(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := f(fw, c); err != nil {
		return fw.noControl(err)
	}
	return nil
}

// routePrefix reads the prefix of a route.
func (a *app) routePrefix(uri string) (tlv.Name, error) {
	name, err := a.parseName(uri)
	if err != nil {
		return name, err
	}
	if _, ok := name.Chunk(); ok {
		return name, usage("", "the prefix of a route has no chunk number")
	}
	return name, nil
}

// changeRoute carries out a change of the route args[0] by the next hops behind it.
func (a *app) changeRoute(ctx context.Context, op string, o routeOptions, args []string) error {
	if err := o.check(op); err != nil {
		return err
	}
	name, err := a.routePrefix(args[0])
	if err != nil {
		return err
	}
	vias, err := parseVias(args[1:])
	if err != nil {
		return err
	}
	return a.withControl(ctx, func(fw *forwarder, c *control.Conn) error {
		if err := resolveVias(ctx, vias); err != nil {
			return err
		}
		ch := routeChange{op: op, prefix: name, vias: vias, routeOptions: o}
		changed, err := false, error(nil)
		if c.IsNode() {
			changed, err = ch.onNode(ctx, c)
		} else {
			changed, err = ch.onCefnetd(ctx, c)
		}
		if err != nil {
			return err
		}
		return a.tellRoute(&ch, changed)
	})
}

// routeChange is a change of one prefix.
type routeChange struct {
	op     string // of control.NodeRequest
	prefix tlv.Name
	vias   []nextHop
	routeOptions
}

// errNoRoute: what is to be changed is not there.
var errNoRoute = errors.New("there is no such route")

// onNode asks a forwarder of cefgo and reports whether anything has changed.
func (ch *routeChange) onNode(ctx context.Context, c *control.Conn) (bool, error) {
	q := control.NodeRequest{Op: ch.op, Prefix: ch.prefix.String(), Cost: ch.cost, Strategy: ch.strategy}
	for _, v := range ch.vias {
		q.Via = append(q.Via, v.String())
	}
	r, err := c.Ask(ctx, q)
	if err != nil {
		return false, err
	}
	if err := r.Err(); err != nil {
		return false, routeFailure(err)
	}
	if ch.op != control.OpRouteAdd && !r.Changed {
		return false, errNoRoute
	}
	return r.Changed, nil
}

func (a *app) tellRoute(ch *routeChange, changed bool) error {
	via := make([]string, len(ch.vias))
	for i, v := range ch.vias {
		via[i] = v.String()
	}
	said := map[string]string{control.OpRouteAdd: "routed", control.OpRouteDel: "no longer routed", control.OpStrategy: "strategy set for"}[ch.op]
	line := fmt.Sprintf("%s: %s", ch.prefix.Display(), said)
	switch {
	case ch.op == control.OpStrategy:
		line = fmt.Sprintf("%s: strategy %s", ch.prefix.Display(), orNone(ch.strategy))
	case len(via) > 0:
		line += " via " + strings.Join(via, ", ")
	}
	if !changed {
		line += ", as before"
	}
	a.say("%s", line)
	f := fields{"prefix": ch.prefix.String(), "changed": changed}
	if len(via) > 0 {
		f["via"] = via
	}
	if ch.op == control.OpStrategy {
		f["strategy"] = orNone(ch.strategy)
	}
	return a.result(f)
}

func orNone(strategy string) string {
	if strategy == "" {
		return noStrategy
	}
	return strategy
}
