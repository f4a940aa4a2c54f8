package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInteropControl: status, route and trace against real cefnetds, two in a row: the
// path over UDP and TCP, what a cache holds, and routes as cefroute makes them.
func TestInteropControl(t *testing.T) {
	if os.Getenv("CEFGO_INTEROP") == "" {
		t.Skip("set CEFGO_INTEROP=1 (make interop) to run against Cefore's programs")
	}
	need(t, "cefnetd")
	cefgo := buildCefgo(t)
	near, far := newNamedSite(t, cefgo, "near"), newNamedSite(t, cefgo, "far")
	via := func(proto string) string { return fmt.Sprintf("%s://127.0.0.1:%d", proto, far.port) }

	if m := near.ask(t, 0, "status"); m["forwarder"] != "cefnetd" || m["interest_return"] != false || len(m["listening"].([]any)) != 4 {
		t.Errorf("%v", m)
	}
	near.ask(t, 1, "route", "del", "ccnx:/far")
	near.ask(t, 0, "route", "add", "ccnx:/far", via("udp"), via("tcp"), "--cost", "3")
	if m := near.ask(t, 0, "route", "add", "ccnx:/far", via("udp"), "--cost", "3"); m["changed"] != false {
		t.Errorf("%v", m)
	}
	near.ask(t, 0, "route", "add", "ccnx:/a b/0x00ff", via("udp"))
	near.ask(t, 1, "route", "add", "ccnx:/own", fmt.Sprintf("127.0.0.1:%d", near.port))
	near.ask(t, 2, "route", "add", "ccnx:/far", via("udp"), "--strategy", "all")
	text := fmt.Sprint(near.ask(t, 0, "route", "list")["routes"])
	for _, want := range []string{via("udp"), via("tcp"), "cost:3", "prefix:ccnx:/far", "prefix:ccnx:/a20b/0x00ff"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not among %s", want, text)
		}
	}
	near.ask(t, 0, "route", "del", "ccnx:/a b/0x00ff")

	cmd := exec.Command(cefgo, "put", "-d", far.conf, "ccnx:/far/doc", "-")
	cmd.Stdin = strings.NewReader("text")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, how := range [][]string{nil, {"--forwarder", fmt.Sprintf("udp://127.0.0.1:%d", near.port)}, {"--forwarder", fmt.Sprintf("tcp://127.0.0.1:%d", near.port)}} {
		m := near.ask(t, 0, append([]string{"trace", "ccnx:/far/doc", "-c"}, how...)...)
		if len(m["hops"].([]any)) != 2 || m["responder"] != "ccnx:/far" || m["source"] != "cache" {
			t.Errorf("%v: %v", how, m)
		}
	}
	far.ask(t, 6, "trace", "ccnx:/far/doc", "-V") // cefnetd cuts its answer; another drops it
	near.ask(t, 3, "trace", "ccnx:/far/doc", "-V", "--timeout", "1")
	near.ask(t, 3, "trace", "ccnx:/far/doc", "-s", "5", "--timeout", "1")
	for args, code := range map[string]float64{"ccnx:/nowhere": 3, "ccnx:/far/doc -r 1": 4, "ccnx:/far/doc -f --timeout 0.5": 14, "ccnx:/far/doc -o": 3} {
		if m := near.ask(t, 4, append([]string{"trace"}, strings.Fields(args)...)...); m["reply_code"] != code {
			t.Errorf("%s: %v", args, m)
		}
	}
	near.ask(t, 0, "route", "del", "ccnx:/far")
	if m := near.ask(t, 0, "status"); m["route_count"] != 0.0 {
		t.Errorf("%v", m["routes"])
	}
}

// namedSite is a cefnetd with a name of its own, without which two on one machine take
// each other for a loop.
type namedSite struct {
	site
	port int
}

func newNamedSite(t *testing.T, cefgo, name string) *namedSite {
	t.Helper()
	s := &namedSite{site: site{t: t, cefgo: cefgo, conf: t.TempDir()}, port: freePort(t)}
	s.dir = s.conf
	id := fmt.Sprintf("%s%d", name, os.Getpid())
	s.socket = fmt.Sprintf("/tmp/cef_%d.%s", s.port, id)
	conf := fmt.Sprintf("PORT_NUM=%d\nLOCAL_SOCK_ID=%s\nCS_MODE=1\nCEF_LOG_LEVEL=0\nNODE_NAME=%s\n", s.port, id, name)
	if err := os.WriteFile(filepath.Join(s.conf, "cefnetd.conf"), []byte(conf), 0o666); err != nil {
		t.Fatal(err)
	}
	stop := s.background("cefnetd", "-d", s.conf, "-p", fmt.Sprint(s.port))
	t.Cleanup(func() {
		stop()
		os.Remove(s.socket) // cefnetd leaves it
		os.Remove(fmt.Sprintf("/tmp/cefnetd_%d_%s.log", s.port, id))
	})
	s.wait("cefnetd", func() bool {
		cmd := exec.Command(cefgo, "status", "-q", "-d", s.conf)
		return cmd.Run() == nil
	})
	return s
}

// ask runs a command of cefgo, which must end with code, and returns its JSON.
func (s *namedSite) ask(t *testing.T, code int, args ...string) map[string]any {
	t.Helper()
	args = append(args, "--json", "-d", s.conf)
	cmd := exec.Command(s.cefgo, args...)
	cmd.Env = s.env()
	out, err := cmd.Output()
	var m map[string]any
	if jerr := json.Unmarshal(out, &m); jerr != nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%v: %v %v, want %d: %s", args, err, jerr, code, out)
	}
	return m
}
