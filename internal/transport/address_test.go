package transport

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestParseAddress(t *testing.T) {
	good := map[string]Address{
		"unix:/tmp/cef_9695.0":      {"unix", "/tmp/cef_9695.0"},
		"unix:relative":             {"unix", "relative"},
		"unix:/with space:and:more": {"unix", "/with space:and:more"},
		"tcp://host":                {"tcp", "host:9695"},
		"tcp://host:1":              {"tcp", "host:1"},
		"udp://host.example:65535":  {"udp", "host.example:65535"},
		"udp://10.0.0.1":            {"udp", "10.0.0.1:9695"},
		"udp://10.0.0.1:9696":       {"udp", "10.0.0.1:9696"},
		"tcp://[::1]":               {"tcp", "[::1]:9695"},
		"tcp://[::1]:9696":          {"tcp", "[::1]:9696"},
		"tcp://::1":                 {"tcp", "[::1]:9695"},
		"udp://fe80::1%eth0":        {"udp", "[fe80::1%eth0]:9695"},
		"udp://[fe80::1%eth0]:9696": {"udp", "[fe80::1%eth0]:9696"},
		"udp://2001:db8::1:9696":    {"udp", "[2001:db8::1:9696]:9695"}, // without brackets all of it is the address
		"tcp://[::ffff:10.0.0.1]":   {"tcp", "[::ffff:10.0.0.1]:9695"},
	}
	for s, want := range good {
		got, err := ParseAddress(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", s, got, err, want)
			continue
		}
		if again, err := ParseAddress(got.String()); err != nil || again != got {
			t.Errorf("%s prints as %s, which is %+v, %v", s, got, again, err)
		}
	}
	for _, s := range []string{
		"", "unix:", "unix", "/tmp/cef_9695.0", "host:9695", "UNIX:/tmp/x", "sctp://host", "tcp:host", "tcp:/host",
		"tcp://", "tcp://:9695", "tcp://[]", "tcp://[]:9695", "tcp://host:", "tcp://host:0", "tcp://host:65536",
		"tcp://host:-1", "tcp://host:+1", "tcp://host:http", "tcp://host:1:2", "tcp://[::1", "tcp://::1]", "tcp://[::1]x",
		"tcp://[::1]:", "tcp://[::1]:0", "tcp://[host:1]:2", "tcp://[:::1]", "tcp://host/", "udp://a b", "udp://a\n",
		"udp://host:9695/x", "udp://[[::1]]:1", "udp://h]:1",
	} {
		got, err := ParseAddress(s)
		if err == nil || got != (Address{}) || s != "" && !strings.Contains(err.Error(), "want ") {
			t.Errorf("%q: %+v, %v, want an error that says what is wanted", s, got, err)
		}
	}
}

func TestDialErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Close()
	gone, none := socketPath(t), socketPath(t)
	dead(t, gone)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		addr Address
		want error
	}{
		{"tcp", t.Context(), Address{"tcp", l.Addr().String()}, syscall.ECONNREFUSED},
		{"dead socket", t.Context(), Address{"unix", gone}, syscall.ECONNREFUSED},
		{"no socket", t.Context(), Address{"unix", none}, syscall.ENOENT},
		{"cancelled", cancelled, Address{"tcp", l.Addr().String()}, context.Canceled},
		{"cancelled, unix", cancelled, Address{"unix", none}, context.Canceled},
	}
	for _, tt := range tests {
		c, err := Dial(tt.ctx, tt.addr)
		if !errors.Is(err, tt.want) || c != nil {
			t.Errorf("%s: %v, %v, want %v", tt.name, c, err, tt.want)
		}
	}
	if _, err := Dial(t.Context(), Address{"sctp", "host:1"}); err == nil {
		t.Error("Dial over an unknown network succeeds")
	}
}
