package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// TestRegisterOverTheNetwork: a node takes a publisher on the network where it is
// allowed, and says how to allow it where it is not.
func TestRegisterOverTheNetwork(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		dir, err := os.MkdirTemp("", "cefgo")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		n, err := node.Start(node.Options{
			Socket: filepath.Join(dir, "s"), Forward: forward.Options{AllowRemoteApps: allowed},
			Listen: []node.Listen{{Addr: netip.MustParseAddrPort("127.0.0.1:0"), UDP: true}, {Addr: netip.MustParseAddrPort("127.0.0.1:0"), TCP: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		for _, at := range n.Listening() {
			a, err := transport.ParseAddress(string(at))
			if err != nil {
				t.Fatal(err)
			}
			dial := func(ctx context.Context) (transport.Conn, error) { return transport.Dial(ctx, a) }
			c, err := client.New(t.Context(), client.Config{Dial: dial, DialSecond: dial})
			if err != nil {
				t.Fatal(err)
			}
			prefix, _ := tlv.ParseName("ccnx:/"+a.Network, tlv.PercentLiteral)
			_, err = c.Register(t.Context(), prefix, client.Prefix)
			switch {
			case allowed && err != nil:
				t.Errorf("over %s: %v", a, err)
			case !allowed && !errors.Is(err, client.ErrNotRegistered):
				t.Errorf("over %s, where it is not allowed: %v", a, err)
			case !allowed:
				f := newFailure(registerFailure(&forwarder{addr: a}, err))
				if f.code != exitRegister || !strings.Contains(f.hint, "--allow-remote-apps") {
					t.Errorf("exit code %d, hint %q", f.code, f.hint)
				}
			}
			c.Close()
		}
	}
}
