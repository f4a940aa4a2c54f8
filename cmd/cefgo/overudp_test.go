package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/transport"
)

func TestOverUDP(t *testing.T) {
	for name, tt := range map[string]struct {
		listen string
		want   bool
	}{"loopback": {"127.0.0.1:0", false}, "everywhere": {"0.0.0.0:0", true}, "nowhere": {"", false}} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "cefgo")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			o := node.Options{Socket: filepath.Join(dir, "s")}
			if tt.listen != "" {
				o.Listen = []node.Listen{{Addr: netip.MustParseAddrPort(tt.listen), UDP: true}}
			}
			n, err := node.Start(o)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			f := &forwarder{addr: transport.Address{Network: "unix", Addr: o.Socket}, peer: &client.Peer{Node: true}}
			if got := f.overUDP(t.Context()); got != tt.want {
				t.Errorf("over UDP: %v, want %v", got, tt.want)
			}
		})
	}
	if !(&forwarder{addr: transport.Address{Network: "udp"}}).overUDP(t.Context()) {
		t.Error("a forwarder that is spoken to over UDP")
	}
	if (&forwarder{addr: transport.Address{Network: "unix"}}).overUDP(t.Context()) {
		t.Error("a cefnetd on this machine")
	}
}
