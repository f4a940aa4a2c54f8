package control

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cefgo/cefgo/internal/tlv"
)

func name(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	must(t, err)
	return n
}

// TestChangeBytes: the very messages that cefroute sends.
func TestChangeBytes(t *testing.T) {
	t.Setenv("USER", "root")
	far := netip.MustParseAddrPort("127.0.0.1:9711")
	v := vectors(t)
	for id, r := range map[string]RouteChange{
		"control/cefroute/route-add-udp-1":   {Prefix: name(t, "ccnx:/far"), Via: far},
		"control/cefroute/route-add-tcp-1":   {Prefix: name(t, "ccnx:/far2"), Via: far, TCP: true},
		"control/cefroute/route-del-1":       {Prefix: name(t, "ccnx:/far3"), Via: far, Del: true},
		"control/cefctrl/route-add-rtcost-1": {Prefix: name(t, "ccnx:/far3"), Via: far, Cost: tlv.Some[int32](7)},
	} {
		want, ok := v[id]
		if !ok {
			t.Fatalf("no vector %s", id)
		}
		if got, err := r.appendTo([]byte(routeVerb)); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%q\n%q", id, err, got, want)
		}
	}
}

func TestChange(t *testing.T) {
	r := RouteChange{Prefix: name(t, "ccnx:/far"), Via: netip.MustParseAddrPort("[::1]:9711")}
	for reply, want := range map[string]error{
		"done. (cefroute)\n":                     nil,
		"failed. (cefroute)\n":                   ErrRefused,
		"Permission denied (cefroute)\n":         ErrDenied,
		"what? (cefroute)\n":                     ErrNoStatus,
		"no end":                                 ErrNoStatus,
		strings.Repeat("x", 2*replyBytes) + "\n": ErrNoStatus,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, err := converseWith(t, says(reply), func(c *Conn) error { return c.Change(t.Context(), r) })
			if !errors.Is(err, want) {
				t.Errorf("%.40q: %v, want %v", reply, err, want)
			}
		})
	}
}

// TestChangeTooLong: cefnetd would write beyond its buffer; it is not asked.
func TestChangeTooLong(t *testing.T) {
	long := RouteChange{Prefix: name(t, "ccnx:/"+strings.Repeat("a", maxURI-5)), Via: netip.MustParseAddrPort("127.0.0.1:1")}
	_, err := converseWith(t, func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 10)); n > 0 {
			t.Error("it was asked")
		}
	}, func(c *Conn) error { return c.Change(t.Context(), long) })
	if !errors.Is(err, ErrPrefix) {
		t.Error(err)
	}
}
