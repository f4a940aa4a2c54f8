package control

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

var (
	// ErrDenied: routes are changed for another user only.
	ErrDenied = errors.New("permission denied")
	// ErrRefused: cefnetd does not take such a next hop.
	ErrRefused = errors.New("refused")
	// ErrBadRequest: a forwarder of cefgo does not understand the request.
	ErrBadRequest = errors.New("bad request")
	// ErrPrefix: the prefix is longer than cefnetd can read.
	ErrPrefix = errors.New("the prefix is too long for cefnetd")
)

const (
	routeVerb = tlv.ControlText + "ROUTE"
	// maxURI is the longest URI that cefnetd has room for, in bytes.
	maxURI = 1023
	// replyBytes is more than any answer to routeVerb has.
	replyBytes = 4096
)

// RouteChange is one next hop that cefnetd is to take into its FIB, or out of it.
type RouteChange struct {
	Del    bool
	Prefix tlv.Name // the default name is the default route
	TCP    bool     // else UDP
	Via    netip.AddrPort
	// Cost is of a new next hop, or the new one of one that is there. Where it is
	// absent, a new one costs 0 and one that is there stays as it is.
	Cost tlv.Opt[int32]
}

// Change asks a cefnetd for one change. That it agrees does not mean that anything has
// changed: it says so of a route that is not there, too (sheet j). A change is one
// next hop, as it stops at the first that it does not know. It fails with
// [ErrDenied], [ErrRefused], [ErrPrefix], [ErrNoStatus] or the context's cause.
func (c *Conn) Change(ctx context.Context, r RouteChange) error {
	req, err := r.appendTo([]byte(routeVerb))
	if err != nil {
		return err
	}
	return c.do(ctx, func() error {
		if err := c.send(req); err != nil {
			return err
		}
		line, err := c.line(firstWait, replyBytes)
		if err != nil {
			return err
		}
		switch said := string(line); {
		case strings.HasPrefix(said, "done."):
			return nil
		case strings.HasPrefix(said, "Permission denied"):
			return ErrDenied
		case strings.HasPrefix(said, "failed."):
			return ErrRefused
		default:
			return fmt.Errorf("%w: it says %q", ErrNoStatus, said[:min(len(said), 80)])
		}
	})
}

// Numbers of a route message (sheet j).
const (
	routeAdd, routeDel = 1, 2
	routeTCP, routeUDP = 1, 2
)

func (r *RouteChange) appendTo(b []byte) ([]byte, error) {
	uri, host := r.Prefix.String(), r.Via.String()
	if len(uri) > maxURI {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPrefix, len(uri), maxURI)
	}
	op, proto := byte(routeAdd), byte(routeUDP)
	if r.Del {
		op = routeDel
	}
	if r.TCP {
		proto = routeTCP
	}
	b = append(append(b, user()...), op, proto)
	b = binary.NativeEndian.AppendUint16(b, uint16(len(uri)))
	b = append(b, uri...)
	if r.Cost.OK {
		b = binary.NativeEndian.AppendUint32(append(b, "rtcost="...), uint32(r.Cost.V))
	}
	b = append(b, byte(len(host)))
	return append(b, host...), nil
}
