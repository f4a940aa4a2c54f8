package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/transport"
)

// TestLetLapse: a cefnetd forgets 2 s after the lifetime, cefgo's own forwarder at once.
func TestLetLapse(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	local := transport.Address{Network: "unix"}
	for name, tt := range map[string]struct {
		f    *forwarder
		ctx  context.Context
		want time.Duration
	}{
		"cefnetd":     {&forwarder{addr: local, peer: &client.Peer{}}, t.Context(), 2500 * time.Millisecond},
		"not known":   {&forwarder{addr: local}, t.Context(), 2500 * time.Millisecond},
		"node":        {&forwarder{addr: local, peer: &client.Peer{Node: true}}, t.Context(), 0},
		"interrupted": {&forwarder{addr: local}, ended, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				tt.f.letLapse(tt.ctx, 500*time.Millisecond)
				if got := time.Since(begun); got != tt.want {
					t.Errorf("waited %v, want %v", got, tt.want)
				}
			})
		})
	}
	if got := (&forwarder{addr: transport.Address{Network: "udp"}}).readBackLifetime(); got != 2*time.Second {
		t.Errorf("over the network: a lifetime of %v", got)
	}
}
