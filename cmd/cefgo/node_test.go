package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// nodePatience bounds what a broken node can make a test wait.
const nodePatience = 20 * time.Second

// nodeHome is where a node under test has its files, and what tells its socket from
// others.
type nodeHome struct {
	t      *testing.T
	dir    string
	socket string
	env    []string
}

func newNodeHome(t *testing.T) *nodeHome {
	t.Helper()
	id := fmt.Sprintf("n%d.%d", os.Getpid(), socketIDs.Add(1))
	h := &nodeHome{t: t, dir: t.TempDir(), socket: "/tmp/cef_9695." + id}
	h.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "CEFGO_SOCKET_ID=" + id, "CEFORE_DIR=" + h.dir, "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	h.write("cefore/cefnetd.conf", "")
	return h
}

// write makes a file below the home.
func (h *nodeHome) write(file, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *nodeHome) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(h.t.Context(), "cefgo", append([]string{"node"}, args...)...)
	cmd.Dir, cmd.Env = h.dir, h.env
	return cmd
}

// refuses runs a node that must not start.
func (h *nodeHome) refuses(code exitCode, says string, args ...string) {
	h.t.Helper()
	cmd := h.command(args...)
	late := time.AfterFunc(nodePatience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != int(code) || !strings.Contains(string(out), says) {
		h.t.Errorf("node %q: %v, want exit code %d; it says %q, want %q", args, err, code, out, says)
	}
	if _, err := os.Lstat(h.socket); err == nil {
		h.t.Errorf("node %q has left its socket", args)
	}
}

// nodeProcess is a node that runs.
type nodeProcess struct {
	*nodeHome
	cmd    *exec.Cmd
	ready  fields
	events chan fields // closed at its end

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *nodeProcess) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *nodeProcess) says() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// start starts a node and waits until it is ready.
func (h *nodeHome) start(files []*os.File, args ...string) *nodeProcess {
	h.t.Helper()
	p := &nodeProcess{nodeHome: h, cmd: h.command(append([]string{"--json=stream"}, args...)...), events: make(chan fields, 100)}
	p.cmd.ExtraFiles, p.cmd.Stderr = files, p
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var f fields
			if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
				h.t.Errorf("%q: %v", lines.Text(), err)
			}
			p.events <- f
		}
	}()
	h.t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			<-read
			_ = p.cmd.Wait()
			os.Remove(h.socket)
		}
	})
	p.ready = p.next("ready")
	return p
}

// next is the next event, of that type.
func (p *nodeProcess) next(kind string) fields {
	p.t.Helper()
	select {
	case f := <-p.events:
		if f["type"] != kind {
			p.t.Fatalf("event %v, want %s; the node says %s", f, kind, p.says())
		}
		return f
	case <-time.After(nodePatience):
		p.t.Fatalf("no event %s; the node says %s", kind, p.says())
		return nil
	}
}

// ends waits for the node's end, with that code and nothing left.
func (p *nodeProcess) ends(code exitCode) {
	p.t.Helper()
	p.next("result")
	if f, more := <-p.events; more {
		p.t.Errorf("event %v after the result", f)
	}
	if err := p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != int(code) {
		p.t.Errorf("the node has ended with %v, want exit code %d; it says %s", err, code, p.says())
	}
	if _, err := os.Lstat(p.socket); err == nil {
		p.t.Error("it has left its socket")
	}
}

func (p *nodeProcess) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// status asks the node for its state.
func (p *nodeProcess) status() *control.NodeStatus {
	p.t.Helper()
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(nodePatience))
	_, err = io.WriteString(c, control.NodeVerb+`{"op":"status","fib":99}`)
	var r control.NodeReply
	if err == nil {
		err = json.NewDecoder(c).Decode(&r)
	}
	if err != nil || r.Status == nil {
		p.t.Fatalf("status: %v, %+v", err, r)
	}
	return r.Status
}

// hasRoutes compares the node's routes, "PREFIX STRATEGY VIA=COST" each.
func (p *nodeProcess) hasRoutes(want ...string) {
	p.t.Helper()
	var got []string
	for _, r := range p.status().Routes {
		for _, h := range r.NextHops {
			got = append(got, fmt.Sprintf("%s %s %s=%d", r.Prefix, r.Strategy, h.Addr, h.Cost))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		p.t.Errorf("routes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// takePort takes a port of 127.0.0.1, for UDP and TCP, until free is called.
func takePort(t *testing.T) (at string, free func()) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l.Addr().String(), func() { l.Close(); u.Close() }
		}
		l.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return "", nil
}

// TestNodeListens: where the flag, the environment, or the configuration say.
func TestNodeListens(t *testing.T) {
	at, free := takePort(t)
	free()
	both := []any{"udp://" + at, "tcp://" + at}
	for name, tt := range map[string]struct {
		args   []string
		env    string
		config string
		want   []any
	}{
		"flag":             {args: []string{"--listen", at}, want: both},
		"udp and tcp":      {args: []string{"--listen", "udp://" + at, "--listen", "tcp://" + at}, want: both},
		"udp":              {args: []string{"--listen", "udp://" + at}, want: both[:1]},
		"none":             {args: []string{"--listen", "none"}},
		"environment":      {env: "CEFGO_LISTEN=tcp://" + at, want: both[1:]},
		"over environment": {args: []string{"--listen", "none"}, env: "CEFGO_LISTEN=tcp://" + at},
		"file":             {config: "node:\n  listen: udp://" + at + "\n", want: both[:1]},
		"list":             {config: "node:\n  listen:\n    - udp://" + at + "\n    - tcp://" + at + "\n", want: both},
		"over file":        {env: "CEFGO_LISTEN=none", config: "node: {listen: [" + at + "]}"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newNodeHome(t)
			if tt.env != "" {
				h.env = append(h.env, tt.env)
			}
			if tt.config != "" {
				h.write(".config/cefgo/config.yaml", tt.config)
			}
			p := h.start(nil, tt.args...)
			if got := p.ready["listening"]; fmt.Sprint(got) != fmt.Sprint(any(tt.want)) && (got != nil || tt.want != nil) {
				t.Errorf("listening at %v, want %v", got, tt.want)
			}
			if p.ready["socket"] != h.socket || p.ready["cache_bytes"] != 256.0*(1<<20) {
				t.Errorf("ready: %v", p.ready)
			}
			p.signal(syscall.SIGTERM)
			p.ends(exitOK)
		})
	}
}

// TestNodeInUse: the port that is somebody's, with the way out.
func TestNodeInUse(t *testing.T) {
	at, free := takePort(t)
	defer free()
	h := newNodeHome(t)
	for _, network := range []string{"udp", "tcp"} {
		h.refuses(exitRegister, "cefgo: node: "+network+"://"+at+" is in use already\ncefgo: hint: choose another with --listen", "--listen", network+"://"+at)
	}
	h.refuses(exitRegister, "http://"+at+" is in use already", "--listen", "none", "--http", at)
	// By default they are had as far as they can be.
	_, port, _ := net.SplitHostPort(at)
	h.env = append(h.env, "CEFGO_PORT="+port)
	h.socket = strings.Replace(h.socket, "9695", port, 1)
	p := h.start(nil)
	if got := fmt.Sprint(p.ready["listening"]); strings.Contains(got, at) {
		t.Errorf("listening at %s", got)
	}
	p.hears("cefgo: ", "udp://"+at+" is in use already: not there")
	p.signal(syscall.SIGINT)
	p.ends(exitOK)
}

// TestNodeHTTP: health and metrics, at a loopback address only.
func TestNodeHTTP(t *testing.T) {
	h := newNodeHome(t)
	for _, at := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:80", ":80", "localhost:0", "127.0.0.1", "x"} {
		h.refuses(exitUsage, fmt.Sprintf("cefgo: node: --http %q: want a loopback address and a port", at), "--listen", "none", "--http", at)
	}
	p := h.start(nil, "--listen", "none", "--http", "127.0.0.1:0")
	p.hears("metrics at http", "/metrics")
	_, url, _ := strings.Cut(p.says(), "metrics at ")
	url, _, _ = strings.Cut(url, "/metrics\n")
	client := &http.Client{Timeout: nodePatience}
	defer client.CloseIdleConnections()
	get := func(method, path string) (int, string, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
	}
	if code, _, text := get("GET", "/healthz"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("/healthz: %d, %q", code, text)
	}
	code, kind, text := get("GET", "/metrics")
	if code != http.StatusOK || kind != "text/plain; version=0.0.4; charset=utf-8" || !strings.Contains(text, "# TYPE ") {
		t.Errorf("/metrics: %d, %s, %q", code, kind, text)
	}
	for path, want := range map[string]int{"/": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound} {
		if code, _, _ := get("GET", path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	if code, _, _ := get("POST", "/metrics"); code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", code)
	}
	// Somebody who asks slowly does not hold up the end.
	slow, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = io.WriteString(slow, "GET /healthz HT")
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
}

// TestNodeReadyFD: the line comes when the node is there, and nothing after it.
func TestNodeReadyFD(t *testing.T) {
	h := newNodeHome(t)
	for _, fd := range []string{"1", "2", "-1", "99"} {
		h.refuses(exitUsage, "cefgo: node: --ready-fd", "--listen", "none", "--ready-fd", fd)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := h.start([]*os.File{w}, "--listen", "none", "--ready-fd", "3")
	w.Close()
	_ = r.SetReadDeadline(time.Now().Add(nodePatience))
	if got, err := io.ReadAll(r); string(got) != h.socket+"\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.status()
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
}

// TestNodeNotifies: systemd hears of the beginning and of the end.
func TestNodeNotifies(t *testing.T) {
	h := newNodeHome(t)
	dir, err := os.MkdirTemp("", "cefgo")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_ = l.SetReadDeadline(time.Now().Add(nodePatience))
	hears := func(want string) {
		t.Helper()
		b := make([]byte, 1000)
		if n, err := l.Read(b); string(b[:n]) != want || err != nil {
			t.Errorf("systemd hears %q, %v, want %q", b[:n], err, want)
		}
	}
	h.env = append(h.env, "NOTIFY_SOCKET="+path)
	p := h.start(nil, "--listen", "none")
	hears("READY=1")
	p.status()
	p.signal(syscall.SIGTERM)
	hears("STOPPING=1")
	p.ends(exitOK)

	// A socket that is not there is no reason not to run.
	h.env = append(h.env, "NOTIFY_SOCKET="+path+".gone")
	p = h.start(nil, "--listen", "none")
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
}

// TestNodeRoutes: where they come from, and that a SIGHUP reads the files anew.
func TestNodeRoutes(t *testing.T) {
	const config = ".config/cefgo/config.yaml"
	h := newNodeHome(t)
	h.write(config, "node:\n  listen: none\n  route:\n    - ccnx:/a udp://127.0.0.1:1 cost=3 strategy=all\n    - ccnx:/b tcp://127.0.0.1:2\n")
	h.write("cefore/cefnetd.fib", "ccnx:/fib udp 127.0.0.1:3 127.0.0.1:4\nnonsense\nccnx:/q quic 127.0.0.1:5\n")
	p := h.start(nil)
	a, b := "ccnx:/a all udp://127.0.0.1:1=3", "ccnx:/b best tcp://127.0.0.1:2=0"
	p.hasRoutes(a, b, "ccnx:/fib best udp://127.0.0.1:3=0", "ccnx:/fib best udp://127.0.0.1:4=0")
	p.hears("skipped: ", "cefnetd.fib:2")
	p.hears("skipped: ", "cefnetd.fib:3")
	reload := func(routes int) {
		t.Helper()
		p.signal(syscall.SIGHUP)
		if f := p.next("reloaded"); f["routes"] != float64(routes) {
			t.Errorf("%v, want %d routes", f, routes)
		}
	}
	reload(4)
	h.write("cefore/cefnetd.fib", "ccnx:/fib udp 127.0.0.1:4\n")
	h.write(config, "node:\n  listen: none\n  route: ccnx:/c 127.0.0.1:6\n")
	reload(2)
	p.hasRoutes("ccnx:/c best udp://127.0.0.1:6=0", "ccnx:/fib best udp://127.0.0.1:4=0")
	// What makes no sense changes nothing; neither does a file that cannot be read.
	for says, text := range map[string]string{
		"want PREFIX VIA": "node:\n  route: [ccnx:/d udp://127.0.0.1:7, ccnx:/d]\n",
		"no option":       "node:\n  rute: ccnx:/d 127.0.0.1:7\n",
		"While parsing":   "node: [\n",
		"a cost is":       "node:\n  route: [ccnx:/d udp://127.0.0.1:7, ccnx:/d udp://127.0.0.1:8 cost=-1]\n",
		"neighbour's":     "node:\n  route: [ccnx:/d udp://127.0.0.1:7, ccnx:/d udp://0.0.0.0:8]\n",
	} {
		h.write(config, text)
		p.signal(syscall.SIGHUP)
		p.hears("the routes stay as they are: ", says)
		p.hasRoutes("ccnx:/c best udp://127.0.0.1:6=0", "ccnx:/fib best udp://127.0.0.1:4=0")
	}
	if err := errors.Join(os.Remove(filepath.Join(h.dir, config)), os.Remove(filepath.Join(h.dir, "cefore/cefnetd.fib"))); err != nil {
		t.Fatal(err)
	}
	reload(0)
	p.hasRoutes()
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)

	// Those of the command line stay, whatever the file says; --fib names another file.
	h.write(config, "node:\n  route: ccnx:/c 127.0.0.1:6\n")
	h.write("other.fib", "ccnx:/other tcp 127.0.0.1:9\n")
	p = h.start(nil, "--listen", "none", "--route", "ccnx:/x udp://127.0.0.1:1", "--route", "ccnx:/y udp://127.0.0.1:1", "--fib", "other.fib")
	x, y := "ccnx:/x best udp://127.0.0.1:1=0", "ccnx:/y best udp://127.0.0.1:1=0"
	p.hasRoutes(x, y, "ccnx:/other best tcp://127.0.0.1:9=0")
	h.write("other.fib", "")
	reload(2)
	p.hasRoutes(x, y)
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)

	// One that had none at first gets those that the file has now.
	h.write(config, "")
	p = h.start(nil, "--listen", "none", "--fib", "none")
	p.hasRoutes()
	h.write(config, "node:\n  route: ccnx:/c 127.0.0.1:6\n")
	reload(1)
	p.hasRoutes("ccnx:/c best udp://127.0.0.1:6=0")
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
}

// hears waits until the node has said one text and then, in the same line, another.
func (p *nodeProcess) hears(one, then string) {
	p.t.Helper()
	for end := time.Now().Add(nodePatience); ; time.Sleep(time.Millisecond) {
		_, rest, _ := strings.Cut(p.says(), one)
		for line, more, found := strings.Cut(rest, "\n"); found; line, more, found = strings.Cut(more, "\n") {
			if strings.Contains(line, then) {
				return
			}
		}
		if time.Now().After(end) {
			p.t.Fatalf("the node says %s, want a line with %q", p.says(), then)
		}
	}
}

// TestNodeStop: cefctrl's message ends it as a signal does.
func TestNodeStop(t *testing.T) {
	h := newNodeHome(t)
	p := h.start(nil, "--listen", "none")
	c, err := net.Dial("unix", h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, tlv.ControlText+"STOProot"+strings.Repeat("\x00", 252)); err != nil {
		t.Fatal(err)
	}
	p.ends(exitOK)
}

// TestNodeName: of the flag, of cefnetd.conf, else the host's and the port.
func TestNodeName(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	for name, tt := range map[string]struct {
		args       []string
		conf, want string
	}{
		"none":      {nil, "", "ccnx:/" + host + "/9695"},
		"conf":      {nil, "NODE_NAME=router1\n", "ccnx:/router1"},
		"conf, URI": {nil, "NODE_NAME=ccnx:/net/router1\n", "ccnx:/net/router1"},
		"flag":      {[]string{"--name", "ccnx:/here"}, "NODE_NAME=router1\n", "ccnx:/here"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newNodeHome(t)
			h.write("cefore/cefnetd.conf", tt.conf)
			p := h.start(nil, append(tt.args, "--listen", "none")...)
			if got := p.status().NodeName; got != tt.want {
				t.Errorf("it is called %s, want %s", got, tt.want)
			}
			p.signal(syscall.SIGTERM)
			p.ends(exitOK)
		})
	}
}

// TestNodeSettings: what flags and files make of the tables.
func TestNodeSettings(t *testing.T) {
	h := newNodeHome(t)
	h.write("cefore/cefnetd.conf", "PIT_SIZE=1234\n")
	h.write(".config/cefgo/config.yaml", "node:\n  cache-size: 3MiB\n  strategy: lowest-rtt\n  face-quota: 77\n  route: [\"ccnx:/a udp://127.0.0.1:1\"]\n")
	p := h.start(nil, "--listen", "none", "--cache-policy", "fifo")
	s := p.status()
	if s.PIT.Size != 1234 || s.PIT.PerFace != 77 || s.Store.Capacity != 3<<20 || s.Store.Policy != "fifo" || s.Routes[0].Strategy != "lowest-rtt" || s.Port != 9695 || s.Version == "" {
		t.Errorf("%+v", s)
	}
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
	p = h.start(nil, "--listen", "none", "--pit-size", "9", "--face-quota", "0", "--cache-size", "1MB", "--fib-size", "1")
	s = p.status()
	if s.PIT.Size != 9 || s.PIT.PerFace != 7 || s.Store.Capacity != 1e6 || s.Store.Policy != "lru" {
		t.Errorf("%+v", s)
	}
	p.signal(syscall.SIGTERM)
	p.ends(exitOK)
	h.refuses(exitUsage, "the FIB is full", "--listen", "none", "--fib-size", "1", "--route", "ccnx:/a udp://127.0.0.1:1", "--route", "ccnx:/b udp://127.0.0.1:1")
}

// TestNodeRemoteApps: registrations from the network, where they are let in.
func TestNodeRemoteApps(t *testing.T) {
	at, free := takePort(t)
	free()
	name, err := tlv.ParseName("ccnx:/remote", tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, allowed := range []bool{false, true} {
		h := newNodeHome(t)
		p := h.start(nil, "--listen", "tcp://"+at, fmt.Sprintf("--allow-remote-apps=%v", allowed))
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(nodePatience))
		_, err = c.Write(append(reg, tlv.LinkRequest...))
		if err == nil {
			_, err = io.ReadFull(c, make([]byte, len(tlv.LinkReply)))
		}
		if err != nil {
			t.Fatal(err)
		}
		s := p.status()
		c.Close()
		if got := len(s.Apps) == 1; got != allowed || (s.Drops.RemoteApp == 0) != allowed {
			t.Errorf("allowed %v: registrations %+v, %d refused", allowed, s.Apps, s.Drops.RemoteApp)
		}
		p.signal(syscall.SIGTERM)
		p.ends(exitOK)
	}
}

// TestNodeGroups: what --multicast says.
func TestNodeGroups(t *testing.T) {
	got, err := groups([]string{"224.0.23.170", "239.1.2.3:7%eth0", "[ff02::1%eth1]:9696", "ff05::1%eth2"}, 3, 9695)
	var text []string
	for _, g := range got {
		text = append(text, fmt.Sprintf("%v by %q, %d hops", g.Addr, g.Interface, g.HopLimit))
	}
	want := []string{
		`224.0.23.170:9695 by "", 3 hops`, `239.1.2.3:7 by "eth0", 3 hops`, `[ff02::1]:9696 by "eth1", 3 hops`, `[ff05::1]:9695 by "eth2", 3 hops`,
	}
	if err != nil || strings.Join(text, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
}
