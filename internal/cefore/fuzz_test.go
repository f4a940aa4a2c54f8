package cefore

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// FuzzParse holds Parse to its laws: it never panics and never differs between two runs; it fails with a
// ConfigError alone; what it accepts is in range; and the settings it found, written down afresh, mean the same.
// Fuzz with -fuzzminimizetime=100x: by default, minimizing what is new takes most of the time.
func FuzzParse(f *testing.F) {
	for _, c := range goodConfigs {
		if len(c.text) <= 1024 { // mutating the others is slow and finds nothing more
			f.Add([]byte(c.text))
		}
	}
	for _, s := range []string{"PORT_NUM=80", "PORT_NUM=9695 # x", "LOCAL_SOCK_ID=a/b\r\n", "CS_MODE=-1\n", "PIT_SIZE=\x00\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(bytes.NewReader(b))
		again, errAgain := Parse(bytes.NewReader(b))
		if !reflect.DeepEqual(c, again) || !reflect.DeepEqual(err, errAgain) {
			t.Fatalf("two runs differ: %+v, %v; %+v, %v", c, err, again, errAgain)
		}
		if err != nil {
			var ce *ConfigError
			if !errors.As(err, &ce) {
				t.Fatalf("error %T %v, want a ConfigError", err, err)
			}
			return
		}
		checkSane(t, c, bytes.Count(b, []byte("\n"))+1)
		checkRewritten(t, c)
	})
}

func checkSane(t *testing.T, c Config, lines int) {
	if c.Port < 1025 || c.Port > 65535 || ValidateSocketID(c.SocketID) != nil {
		t.Fatalf("accepted port %d, socket id %q", c.Port, c.SocketID)
	}
	if c.PITSize < 1 || c.CSMode < 0 || c.CSMode > 3 || c.LocalCacheCapacity < 2 || c.LocalCacheDefaultRCT < time.Second ||
		c.RegularLifetimeMax < 0 || c.SymbolicLifetimeMax < 0 {
		t.Fatalf("accepted %+v", c)
	}
	for k, n := range c.Lines {
		if n < 1 || n > lines {
			t.Fatalf("%s in line %d of %d", k, n, lines)
		}
	}
}

func checkRewritten(t *testing.T, c Config) {
	returns := 0
	if c.InterestReturn {
		returns = 1
	}
	value := map[Key]any{
		KeyPort: c.Port, KeySocketID: c.SocketID, KeyPITSize: c.PITSize,
		KeyRegularLifetimeMax: int(c.RegularLifetimeMax.Seconds()), KeySymbolicLifetimeMax: int(c.SymbolicLifetimeMax.Seconds()),
		KeyInterestReturn: returns, KeyCSMode: c.CSMode,
		KeyFIBSize: c.FIBSize, KeyNodeName: c.NodeName, KeyLocalCacheCapacity: c.LocalCacheCapacity, KeyLocalCacheDefaultRCT: int(c.LocalCacheDefaultRCT.Seconds()),
	}
	var b bytes.Buffer
	for _, s := range settings { // in one order, so that one input takes one way
		if c.Lines[s.key] != 0 {
			fmt.Fprintf(&b, "%s=%v\n", s.key, value[s.key])
		}
	}
	got, err := Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatalf("rewritten as %q: %v", b.String(), err)
	}
	if len(got.Lines) != len(c.Lines) {
		t.Fatalf("rewritten as %q: keys %v, want those of %v", b.String(), got.Lines, c.Lines)
	}
	got.Lines = c.Lines
	if !reflect.DeepEqual(got, c) {
		t.Fatalf("rewritten as %q: %+v, want %+v", b.String(), got, c)
	}
}
