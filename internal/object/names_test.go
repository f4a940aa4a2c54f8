package object

import (
	"errors"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestMetaName(t *testing.T) {
	for _, uri := range []string{"ccnx:/a/b", "ccnx:/a/b/Chunk=9"} {
		if n, err := MetaName(mustName(t, uri)); err != nil || n.String() != "ccnx:/a/b/meta" {
			t.Errorf("meta of %s: %s, %v", uri, n, err)
		}
	}
	if _, err := MetaName(longName(t, tlv.MaxNameLen-7)); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("meta of a name that leaves no room: %v, want %v", err, tlv.ErrTooLarge)
	}
	for uri, of := range map[string]string{
		"ccnx:/a/b/meta":         "ccnx:/a/b",
		"ccnx:/a/b/meta/Chunk=0": "ccnx:/a/b",
		"ccnx:/a/meta/meta":      "ccnx:/a/meta",
		"ccnx:/a/meta/b":         "",
		"ccnx:/a/meta/":          "",
		"ccnx:/a/b":              "",
		"ccnx:/a/Meta":           "",
		"ccnx:/a/metadata":       "",
		"ccnx:/a/App:1=meta":     "",
		"ccnx:/a/0x0004=meta":    "",
	} {
		got, ok := IsMeta(mustName(t, uri))
		if ok != (of != "") || ok && got.String() != of {
			t.Errorf("%s is the meta of %q (%v), want %q", uri, got, ok, of)
		}
	}
	if of, ok := IsMeta(mustName(t, "ccnx:/meta")); !ok || !of.IsZero() {
		t.Errorf("ccnx:/meta is the meta of %q (%v), want that of no name", of, ok)
	}
	if _, ok := IsMeta(tlv.Name{}); ok {
		t.Error("no name is a meta")
	}
}

func TestPingName(t *testing.T) {
	nonce := [8]byte{0, 1, 0xfe, 0xff, 4, 5, 6, 7}
	for _, uri := range []string{"ccnx:/a/b", "ccnx:/a/b/Chunk=9"} {
		n, err := PingName(mustName(t, uri), nonce)
		if err != nil || n.String() != "ccnx:/a/b/.cefgo/ping/0001feff04050607" {
			t.Errorf("ping of %s: %s, %v", uri, n, err)
		}
		if !IsPing(n) || !IsPing(n.WithChunk(3)) {
			t.Errorf("%s is no ping", n)
		}
	}
	if _, err := PingName(longName(t, longest), nonce); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("ping of a name that leaves no room: %v, want %v", err, tlv.ErrTooLarge)
	}
}

func TestReservedName(t *testing.T) {
	n, err := ReservedName(mustName(t, "ccnx:/a"), "x", "y")
	if err != nil || n.String() != "ccnx:/a/.cefgo/x/y" || !IsReserved(n, "x") || IsReserved(n, "y") || IsPing(n) {
		t.Errorf("reserved name %s, %v", n, err)
	}
	if n, err := ReservedName(mustName(t, "ccnx:/a")); err != nil || n.String() != "ccnx:/a/.cefgo" {
		t.Errorf("reserved name without words: %s, %v", n, err)
	}
}

func TestIsPing(t *testing.T) {
	for uri, want := range map[string]bool{
		"ccnx:/.cefgo/ping/x":            true,
		"ccnx:/a/.cefgo/ping/x":          true,
		"ccnx:/a/.cefgo/ping/x/Chunk=1":  true,
		"ccnx:/a/.cefgo/ping/":           true,
		"ccnx:/a/.cefgo/ping":            false,
		"ccnx:/a/.cefgo/ping/x/y":        false,
		"ccnx:/a/.cefgo/pings/x":         false,
		"ccnx:/a/cefgo/ping/x":           false,
		"ccnx:/ping/x":                   false,
		"ccnx:/x":                        false,
		"ccnx:/":                         false,
		"ccnx:/a/App:1=.cefgo/ping/x":    false,
		"ccnx:/a/.cefgo/0x0004=ping/x":   false,
		"ccnx:/a/0x0003=.cefgo/ping/x":   false,
		"ccnx:/a/.cefgo/ping/App:1=0011": true, // ANY
	} {
		if got := IsPing(mustName(t, uri)); got != want {
			t.Errorf("%s is a ping: %v, want %v", uri, got, want)
		}
	}
	if IsPing(tlv.Name{}) {
		t.Error("no name is a ping")
	}
}
