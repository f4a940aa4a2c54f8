package main

import (
	"context"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/control"
)

// statusOptions are the flags of status.
type statusOptions struct {
	pit    int // most pending Interests
	pitSet bool
	all    bool
	watch  durationValue // 0: one report
}

// Rows of a table and pending Interests that a report shows, unless asked for more.
const (
	defaultRows   = 20
	defaultPIT    = 10
	defaultRoutes = 1000 // in JSON
)

// defaultWatch is the time between two reports.
const defaultWatch = "1s"

// minWatch keeps a watch from keeping the forwarder busy.
const minWatch = 100 * time.Millisecond

func newStatusCommand(a *app) *cobra.Command {
	o := statusOptions{watch: durationValue{unit: time.Second}}
	cmd := &cobra.Command{
		Use:         "status [flags] [--watch [INTERVAL]]",
		Annotations: withJSON,
		Short:       "Show the forwarder's faces, routes, pending Interests and counters",
		Long: `status shows what the forwarder on this machine says of itself: its faces, the
prefixes of applications, its routes, its pending Interests, its content store
and its counters. cefgo's own forwarder tells more than cefnetd: traffic by
face, round trips by next hop, drops by reason.

--watch shows it again and again, with rates, until Ctrl-C; on a terminal in
place. With --json=stream each report is an event. Long tables are cut unless
--all is given; with --json only pending Interests (--pit) and the routes of
cefgo's forwarder are.`,
		Example: `  cefgo status
  cefgo status --watch 2
  cefgo status --json | jq '.faces[] | select(.down)'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pitSet = cmd.Flags().Changed("pit")
			return failed("status", "", a.runStatus(cmd.Context(), o, args))
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.pit, "pit", defaultPIT, "most pending Interests to list")
	f.BoolVar(&o.all, "all", false, "list everything")
	f.Var(&o.watch, "watch", "report again after this long, in seconds, until Ctrl-C")
	f.Lookup("watch").NoOptDefVal = defaultWatch
	return cmd
}

// check settles the options with the arguments: the interval may stand behind --watch.
func (o *statusOptions) check(args []string) error {
	if len(args) == 1 {
		if o.watch.d == 0 {
			return usage("", "status takes no argument but the interval of --watch")
		}
		if err := o.watch.Set(args[0]); err != nil {
			return usage("", "--watch %s: %w", args[0], err)
		}
	}
	switch {
	case o.pit < 0:
		return usage("", "--pit must not be negative")
	case o.pitSet && o.all:
		return usage("", "--pit and --all exclude each other")
	case o.watch.d != 0 && o.watch.d < minWatch, len(args) == 1 && o.watch.d == 0:
		return usage("", "--watch is at least %v", minWatch)
	}
	return nil
}

func (a *app) runStatus(ctx context.Context, o statusOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	c, err := fw.dialControl(ctx)
	if err != nil {
		return err
	}
	if o.watch.d > 0 {
		return a.watchStatus(ctx, fw, c, o)
	}
	defer c.Close()
	s, err := takeSample(ctx, c, o)
	if err != nil {
		return fw.noControl(err)
	}
	if a.json != jsonOff {
		return a.result(s.fields(nil, fw))
	}
	return a.printReport(s.report(nil, fw), o)
}

// statusSample is what a forwarder said of itself at one time; one of both is there.
type statusSample struct {
	at     time.Time
	daemon *control.Status
	node   *control.NodeStatus
}

// takeSample asks for a status with as much as o wants listed.
func takeSample(ctx context.Context, c *control.Conn, o statusOptions) (*statusSample, error) {
	s := &statusSample{at: time.Now()}
	pit, fib := o.pit, defaultRoutes
	if o.all {
		pit, fib = math.MaxInt32, math.MaxInt32
	}
	if !c.IsNode() {
		st, err := c.Status(ctx, pit)
		s.daemon = &st
		st.PIT.Pending = st.PIT.Pending[:min(len(st.PIT.Pending), pit)]
		return s, err
	}
	r, err := c.Ask(ctx, control.NodeRequest{Op: control.OpStatus, PIT: pit, FIB: fib})
	if err == nil {
		err = r.Err()
	}
	if err == nil && r.Status == nil {
		err = control.ErrNoStatus
	}
	s.node = r.Status
	return s, err
}

// fields is s as JSON, with rates since prev.
func (s *statusSample) fields(prev *statusSample, fw *forwarder) fields {
	f := fields{"time": s.at.UTC().Format(time.RFC3339Nano)}
	if s.node != nil {
		f["forwarder"] = "cefgo"
		addStruct(f, s.node)
		if rates := s.nodeRates(prev); rates != nil {
			f["rates"] = rates
		}
		return f
	}
	f["forwarder"], f["socket"] = "cefnetd", fw.where()
	addStruct(f, s.daemon)
	f["pending"], f["app_pending"] = nonNil(s.daemon.PIT.Pending), nonNil(s.daemon.AppPIT.Pending)
	if rates := s.daemonRates(prev); rates != nil {
		f["rates"] = rates
	}
	return f
}

// nonNil is list as JSON wants it: [] where it is empty.
func nonNil[T any](list []T) []T { return append([]T{}, list...) }

// report is s for people, with rates since prev.
func (s *statusSample) report(prev *statusSample, fw *forwarder) *report {
	if s.node != nil {
		return s.nodeReport(prev)
	}
	return s.daemonReport(prev, fw.where())
}
