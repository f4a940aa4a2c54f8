package main

import (
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// A publisher whose cefnetd has gone waits for it: a forwarder of its own in that
// place would have no networks behind it, and keep the cefnetd from coming back. One
// whose neighbour's forwarder has gone takes its place.
func TestForwarderThatHasGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply []byte
		waits bool
	}{
		{"cefnetd", []byte(tlv.LinkReply), true},
		{"cefgo", tlv.AppendNodeReply(nil, 64), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "cefgo")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			socket := filepath.Join(dir, "s")
			gone := answerLinkRequests(t, socket, tt.reply)
			f := &forwarder{
				a: &app{log: slog.New(slog.DiscardHandler), stderr: io.Discard}, embeds: true,
				addr: transport.Address{Network: "unix", Addr: socket}, nodeOpts: node.Options{Socket: socket},
			}
			defer f.close()
			c, err := client.New(t.Context(), client.Config{Dial: f.dial, OnPeer: f.onPeer})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Alive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := f.room(0.5)(), map[bool]int{true: 0, false: 32}[tt.waits]; got != want {
				t.Errorf("room for %d Interests, want %d: half of what the forwarder says", got, want)
			}
			gone()
			c.Close()
			conn, err := f.dial(t.Context())
			if err == nil {
				conn.Close()
			}
			if waited := nobodyListens(err); waited != tt.waits {
				t.Errorf("dialling again: %v; waits %v, want %v", err, waited, tt.waits)
			}
			if _, err := os.Stat(socket); os.IsNotExist(err) != tt.waits {
				t.Errorf("the socket: %v", err)
			}
		})
	}
}

// answerLinkRequests listens at socket and answers whatever comes by reply, until the
// returned function makes it go away.
func answerLinkRequests(t *testing.T, socket string, reply []byte) (gone func()) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			go func() {
				b := make([]byte, 1024)
				for {
					if _, err := c.Read(b); err != nil {
						return
					}
					_, _ = c.Write(reply)
				}
			}()
		}
	}()
	return func() {
		l.Close() // removes the socket too; a client may have taken its place by now
		<-done
	}
}
