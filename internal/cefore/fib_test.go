package cefore

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseFIB(t *testing.T) {
	const file = "#ccnx:/no udp 10.0.0.1\n" +
		"ccnx:/a udp 10.0.0.1\n" +
		"\n" +
		"ccnx:/b\ttcp  10.0.0.2:9700 [fe80::1%eth0]:9695\t\r\n" +
		" ccnx:/indented udp 10.0.0.3\n" +
		"ccnx:/c quic 10.0.0.4\n" +
		"ccnx:/d udp\n" +
		"ccnx:/e UDP 10.0.0.5\n" +
		"ccnx:/ udp host.example"
	got, problems, err := parseFIB("", strings.NewReader(file))
	want := []FIBEntry{
		{2, "ccnx:/a", "udp", []string{"10.0.0.1"}},
		{4, "ccnx:/b", "tcp", []string{"10.0.0.2:9700", "[fe80::1%eth0]:9695"}},
		{9, "ccnx:/", "udp", []string{"host.example"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	var lines []int
	for _, p := range problems {
		var ce *ConfigError
		if errors.As(p, &ce) {
			lines = append(lines, ce.Line)
		}
	}
	if !reflect.DeepEqual(lines, []int{6, 7, 8}) {
		t.Errorf("problems %v", problems)
	}
	if _, _, err := parseFIB("", strings.NewReader(strings.Repeat("#", maxFile+1))); err == nil {
		t.Error("a file beyond the bound is read")
	}
	if _, p, err := parseFIB("", strings.NewReader("ccnx:/"+strings.Repeat("x", maxLine)+" udp h")); len(p) != 1 || err != nil {
		t.Errorf("a long line: %v, %v", p, err)
	}
}

func TestLoadFIB(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "cefnetd.conf")
	path := FIBPath(conf)
	if filepath.Base(path) != "cefnetd.fib" || filepath.Dir(path) != filepath.Dir(conf) {
		t.Errorf("the FIB of %s is %s", conf, path)
	}
	if _, _, err := LoadFIB(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if err := os.WriteFile(path, []byte("ccnx:/a udp h\nbad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, problems, err := LoadFIB(path)
	if err != nil || len(got) != 1 || len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), path+":2") {
		t.Errorf("%v, %v, %v", got, problems, err)
	}
}

// FuzzParseFIB: every line is an entry with a host, a problem, or nothing.
func FuzzParseFIB(f *testing.F) {
	f.Add("ccnx:/a udp 10.0.0.1\n")
	f.Add("ccnx:/a\ttcp 10.0.0.1:1 [::1]:2\r\n#\n")
	f.Fuzz(func(t *testing.T, file string) {
		entries, problems, err := parseFIB("", strings.NewReader(file))
		if err != nil || len(entries)+len(problems) > 1+strings.Count(file, "\n") {
			t.Fatalf("%d entries, %d problems, %v", len(entries), len(problems), err)
		}
		for _, e := range entries {
			if e.URI == "" || e.Protocol != "udp" && e.Protocol != "tcp" || len(e.Hosts) == 0 || e.Hosts[0] == "" {
				t.Fatalf("%+v", e)
			}
		}
	})
}
