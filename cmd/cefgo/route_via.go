package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/transport"
)

// nextHop is a next hop on the command line.
type nextHop struct {
	tcp  bool
	host string         // and port, until it is resolved
	addr netip.AddrPort // afterwards
	face string         // face:ID; then nothing else is set
}

// String is v as a forwarder of cefgo reads it; v is resolved.
func (v nextHop) String() string {
	switch {
	case v.face != "":
		return v.face
	case v.tcp:
		return "tcp://" + v.addr.String()
	}
	return "udp://" + v.addr.String()
}

// parseVias reads next hops.
func parseVias(args []string) ([]nextHop, error) {
	vias := make([]nextHop, len(args))
	for i, s := range args {
		v, err := parseVia(s)
		if err != nil {
			return nil, err
		}
		vias[i] = v
	}
	return vias, nil
}

func parseVia(s string) (nextHop, error) {
	bad := func() (nextHop, error) {
		return nextHop{}, usage("", "bad next hop %q: want udp://HOST[:PORT], tcp://HOST[:PORT] or HOST[:PORT]", s)
	}
	if id, ok := strings.CutPrefix(s, "face:"); ok {
		if _, err := strconv.ParseUint(id, 10, 64); err != nil {
			return bad()
		}
		return nextHop{face: s}, nil
	}
	url := s
	if !strings.Contains(s, "://") {
		url = "udp://" + s
	}
	a, err := transport.ParseAddress(url)
	if err != nil || a.Network == "unix" {
		return bad()
	}
	return nextHop{tcp: a.Network == "tcp", host: a.Addr}, nil
}

// resolveVias finds the addresses of the hosts.
func resolveVias(ctx context.Context, vias []nextHop) error {
	for i := range vias {
		if err := vias[i].resolve(ctx); err != nil {
			return &failure{code: exitFailed, err: err}
		}
	}
	return nil
}

// resolve finds the address of v's host.
func (v *nextHop) resolve(ctx context.Context) error {
	if v.face != "" {
		return nil
	}
	at, err := resolve(ctx, "udp", v.host, transport.DefaultPort)
	var dns *net.DNSError
	if errors.As(err, &dns) {
		err = fmt.Errorf("unknown host %s: %s", dns.Name, dns.Err)
	}
	v.addr = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return err
}

// routeFailure classifies the refusal of a change.
func routeFailure(err error) error {
	switch {
	case errors.Is(err, control.ErrDenied):
		return &failure{code: exitLocal, err: err, hint: "routes are for the forwarder's own user and root"}
	case errors.Is(err, control.ErrBadRequest), errors.Is(err, control.ErrPrefix):
		return &failure{code: exitUsage, err: err}
	}
	return err
}
