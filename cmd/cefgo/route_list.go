package main

import (
	"context"

	"github.com/cefgo/cefgo/internal/control"
)

// runRouteList prints the routes.
func (a *app) runRouteList(ctx context.Context, c *control.Conn, all bool) error {
	o := statusOptions{all: all}
	s, err := takeSample(ctx, c, o)
	if err != nil {
		return err
	}
	if a.json != jsonOff {
		f := fields{}
		if s.node != nil {
			f["forwarder"], f["routes"], f["route_count"] = "cefgo", s.node.Routes, s.node.RouteNum
		} else {
			f["forwarder"], f["routes"], f["route_count"] = "cefnetd", s.daemon.Routes, s.daemon.RouteNum
		}
		return a.result(f)
	}
	var t *section
	if s.node != nil {
		t = nodeRoutes(s.node)
	} else {
		t = daemonRoutes(s.daemon)
	}
	return a.printReport(&report{tables: []*section{t}}, o)
}
