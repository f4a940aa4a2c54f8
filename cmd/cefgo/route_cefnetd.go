package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// onCefnetd makes a change one next hop after the other, and looks into cefnetd's
// tables whether it has been made, as cefnetd confirms what it has not done. It
// reports whether anything has changed.
func (ch *routeChange) onCefnetd(ctx context.Context, c *control.Conn) (bool, error) {
	if ch.op == control.OpStrategy || ch.strategy != "" {
		return false, usage("set FORWARDING_STRATEGY in cefnetd.conf, or use cefgo node", "cefnetd has no strategy of a route")
	}
	for _, v := range ch.vias {
		if v.face != "" {
			return false, usage("name its host", "cefnetd takes no next hop %s", v.face)
		}
	}
	before, err := c.Status(ctx, 1)
	if err != nil {
		return false, err
	}
	if ch.op == control.OpRouteDel {
		return true, ch.delOnCefnetd(ctx, c, &before)
	}
	if err := ch.send(ctx, c, ch.vias); err != nil {
		return false, err
	}
	after, err := c.Status(ctx, 1)
	if err != nil {
		return false, err
	}
	changed := false
	for _, v := range ch.vias {
		hop, ok := hopOf(&after, ch.prefix, v)
		if !ok {
			return changed, notTaken(v)
		}
		if ch.costSet && hop.Cost != ch.cost {
			return changed, fmt.Errorf("cefnetd has kept the cost %d of the route via %s", hop.Cost, v)
		}
		was, ok := hopOf(&before, ch.prefix, v)
		changed = changed || !ok || was.Cost != hop.Cost
	}
	return changed, nil
}

// notTaken is the failure of a next hop that cefnetd confirmed and does not have.
func notTaken(v nextHop) error {
	f := &failure{code: exitFailed, err: fmt.Errorf("cefnetd has not taken the route via %s, and does not say why", v), hint: "see its log; is its FIB_SIZE too small?"}
	if v.tcp {
		f.hint = "it connects at once: does a forwarder listen there?"
	}
	return f
}

// delOnCefnetd takes out the given next hops, or all.
func (ch *routeChange) delOnCefnetd(ctx context.Context, c *control.Conn, before *control.Status) error {
	r, ok := before.Route(ch.prefix)
	if !ok {
		return errNoRoute
	}
	if len(ch.vias) == 0 {
		vias, err := viasOf(r)
		if err != nil {
			return err
		}
		ch.vias = vias
	}
	for _, v := range ch.vias {
		if _, ok := hopOf(before, ch.prefix, v); !ok {
			return fmt.Errorf("%w via %s", errNoRoute, v)
		}
	}
	if err := ch.send(ctx, c, ch.vias); err != nil {
		return err
	}
	after, err := c.Status(ctx, 1)
	if err != nil {
		return err
	}
	for _, v := range ch.vias {
		if _, ok := hopOf(&after, ch.prefix, v); ok {
			return fmt.Errorf("cefnetd has kept the route via %s, and does not say why: see its log", v)
		}
	}
	return nil
}

// send asks for the change of each next hop.
func (ch *routeChange) send(ctx context.Context, c *control.Conn, vias []nextHop) error {
	for _, v := range vias {
		r := control.RouteChange{Del: ch.op == control.OpRouteDel, Prefix: ch.prefix, TCP: v.tcp, Via: v.addr}
		if ch.costSet {
			r.Cost = tlv.Some(int32(ch.cost))
		}
		err := c.Change(ctx, r)
		switch {
		case errors.Is(err, control.ErrRefused):
			return &failure{code: exitFailed, err: fmt.Errorf("cefnetd refuses the route via %s", v), hint: "is that its own address?"}
		case errors.Is(err, control.ErrDenied):
			return &failure{code: exitLocal, err: err, hint: "cefnetd takes routes from root and from the user who started it, by the variable USER"}
		case err != nil:
			return routeFailure(err)
		}
	}
	return nil
}

// viasOf are all next hops of a route, which must be hosts.
func viasOf(r control.StatusRoute) ([]nextHop, error) {
	var vias []nextHop
	for _, h := range r.NextHops {
		addr, tcp, ok := hopAddr(h)
		if !ok {
			return nil, fmt.Errorf("face %d is no host, and its route not to be taken out by cefnetd's users", h.Face)
		}
		vias = append(vias, nextHop{tcp: tcp, addr: addr})
	}
	return vias, nil
}

// hopAddr is the host of a next hop.
func hopAddr(h control.StatusHop) (addr netip.AddrPort, tcp, ok bool) {
	scheme, host, _ := strings.Cut(h.Addr, "://")
	addr, err := netip.ParseAddrPort(host)
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), scheme == "tcp", err == nil
}

// hopOf finds a next hop of a prefix in a status.
func hopOf(s *control.Status, prefix tlv.Name, v nextHop) (control.StatusHop, bool) {
	r, _ := s.Route(prefix)
	for _, h := range r.NextHops {
		if addr, tcp, ok := hopAddr(h); ok && tcp == v.tcp && addr == v.addr {
			return h, true
		}
	}
	return control.StatusHop{}, false
}
