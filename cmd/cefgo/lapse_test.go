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
	local := transport.Address{Network: "unix"}
	for name, tt := range map[string]struct {
		f     *forwarder
		ended bool
		want  time.Duration
	}{
		"cefnetd":     {&forwarder{addr: local, peer: &client.Peer{}}, false, 2500 * time.Millisecond},
		"not known":   {&forwarder{addr: local}, false, 2500 * time.Millisecond},
		"node":        {&forwarder{addr: local, peer: &client.Peer{Node: true}}, false, 0},
		"interrupted": {&forwarder{addr: local}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.ended {
					cancel()
				}
				begun := time.Now()
				tt.f.letLapse(ctx, 500*time.Millisecond)
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
