package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cefgo/cefgo/internal/cefore"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// nowhere is the value of --listen and --fib that means none.
const nowhere = "none"

// listenAddrs reads --listen. Without it the node listens at the loopback addresses,
// as far as it can.
func (a *app) listenAddrs(ctx context.Context, texts []string, port int) (all []node.Listen, err error) {
	if len(texts) == 0 {
		for _, ip := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
			all = append(all, node.Listen{Addr: netip.AddrPortFrom(ip, uint16(port)), UDP: true, TCP: true, Optional: true})
		}
		return all, nil
	}
	for _, text := range texts {
		if text == nowhere {
			if len(texts) > 1 {
				return nil, usage("", "--listen none and another --listen exclude each other")
			}
			return nil, nil
		}
		network, host, found := strings.Cut(text, "://")
		if !found {
			network, host = "", text
		}
		if network != "" && network != "udp" && network != "tcp" {
			return nil, usage("", "--listen %q: want HOST[:PORT], udp://HOST[:PORT], tcp://HOST[:PORT] or none", text)
		}
		at, err := resolve(ctx, "udp", host, port)
		if err != nil {
			return nil, usage("", "--listen %q: %w", text, err)
		}
		all = append(all, node.Listen{Addr: at, UDP: network != "tcp", TCP: network != "udp"})
	}
	return all, nil
}

// resolve finds the address of HOST[:PORT].
func resolve(ctx context.Context, network, host string, port int) (netip.AddrPort, error) {
	at, err := transport.ParseAddressPort(network+"://"+host, port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if ap, err := netip.ParseAddrPort(at.Addr); err == nil {
		return ap, nil
	}
	name, service, err := net.SplitHostPort(at.Addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(service, 10, 16)
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(n)), err
}

// groups reads --multicast: ADDRESS[:PORT][%INTERFACE].
func groups(texts []string, hops, port int) (all []node.Group, err error) {
	for _, text := range texts {
		fail := func(err error) error {
			return usage("", "--multicast %q: %w", text, err)
		}
		where, ifi, _ := strings.Cut(text, "%")
		if host, ok := strings.CutPrefix(where, "["); ok && ifi != "" { // [ff02::1%eth0]:9695
			inner, behind, _ := strings.Cut(ifi, "]")
			where, ifi = "["+host+"]"+behind, inner
		}
		at, err := transport.ParseAddressPort("udp://"+where, port)
		if err != nil {
			return nil, fail(err)
		}
		ap, err := netip.ParseAddrPort(at.Addr)
		if err == nil && !ap.Addr().IsMulticast() {
			err = fmt.Errorf("%s is no multicast address", ap.Addr())
		}
		if err != nil {
			return nil, fail(err)
		}
		all = append(all, node.Group{Addr: ap, Interface: ifi, HopLimit: hops})
	}
	return all, nil
}

// routes are those of --route or node: in the configuration, and of cefnetd.fib.
func (a *app) routes(ctx context.Context, fw *forwarder, lines []string, fib string) (all []node.Route, err error) {
	for _, line := range lines {
		r, err := a.parseRoute(ctx, line)
		if err != nil {
			return nil, usage("", "--route %q: %w", line, err)
		}
		all = append(all, r)
	}
	of, err := a.fibRoutes(ctx, fw, fib)
	return append(all, of...), err
}

// parseRoute reads PREFIX VIA [cost=N] [strategy=S].
func (a *app) parseRoute(ctx context.Context, line string) (r node.Route, err error) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return r, errors.New("want PREFIX VIA [cost=N] [strategy=S]")
	}
	if r.Prefix, err = a.parseName(words[0]); err != nil {
		return r, err
	}
	if r.Via, err = via(ctx, words[1]); err != nil {
		return r, err
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "cost":
			if r.Cost, err = strconv.Atoi(value); err != nil {
				return r, fmt.Errorf("cost %q is no number", value)
			}
		case "strategy":
			r.Strategy = value
		default:
			return r, fmt.Errorf("unknown option %q", w)
		}
	}
	return r, nil
}

// via is a next hop as the node wants it when it starts: a numeric host, and no face, as
// there are none yet.
func via(ctx context.Context, text string) (string, error) {
	v, err := parseVia(text)
	if err == nil && v.face != "" {
		err = fmt.Errorf("bad next hop %q: there are no faces yet", text)
	}
	if err == nil {
		err = v.resolve(ctx)
	}
	return v.String(), err
}

// fibRoutes are those of cefnetd.fib. What cefnetd skips there is skipped and said.
func (a *app) fibRoutes(ctx context.Context, fw *forwarder, path string) (all []node.Route, err error) {
	if path == nowhere {
		return nil, nil
	}
	explicit := path != ""
	if !explicit {
		path = cefore.FIBPath(fw.loc.ConfigPath)
	}
	entries, problems, err := cefore.LoadFIB(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !explicit:
		return nil, nil
	case err != nil:
		return nil, usage("", "%w", err)
	}
	for _, p := range problems {
		a.say("skipped: %v", p)
	}
	for _, e := range entries {
		prefix, err := tlv.ParseName(e.URI, tlv.PercentLiteral)
		if err != nil {
			a.say("skipped: %s:%d: %v", path, e.Line, err)
			continue
		}
		for _, host := range e.Hosts {
			v, err := via(ctx, e.Protocol+"://"+host)
			if err != nil {
				a.say("skipped: %s:%d: %v", path, e.Line, err)
				continue
			}
			all = append(all, node.Route{Prefix: prefix, Via: v})
		}
	}
	return all, nil
}
