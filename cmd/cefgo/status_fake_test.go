package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// fakeControl is the control side of a forwarder, on a socket of its own.
type fakeControl struct {
	path string
	l    net.Listener
	// node answers requests to a forwarder of cefgo; nil: it is a cefnetd.
	node func(control.NodeRequest) control.NodeReply
	// packet answers a packet with packets; nil: none.
	packet func([]byte) [][]byte
	// obeys says whether a cefnetd does what it says it has done.
	obeys bool

	// mu protects the following.
	mu     sync.Mutex
	text   string   // status of a cefnetd, but for its routes
	routes []string // "ccnx:/far udp 127.0.0.1:9773 7"
	says   string   // answer to a change; "": what cefnetd says
	conns  []net.Conn
	asked  []control.NodeRequest
}

// start listens; everything ends with the test, which must leave no goroutine.
func (f *fakeControl) start(t *testing.T) *fakeControl {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	if f.path == "" {
		dir, err := os.MkdirTemp("", "cefgo")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		f.path = filepath.Join(dir, "s")
	}
	var err error
	if f.l, err = net.Listen("unix", f.path); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := f.l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			wg.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() { f.stop(); wg.Wait() })
	return f
}

// stop ends the forwarder with its connections.
func (f *fakeControl) stop() {
	f.l.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

// locked runs do while the fake answers nobody.
func (f *fakeControl) locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// routesNow are the routes of a cefnetd.
func (f *fakeControl) routesNow() (now []string) {
	f.locked(func() { now = append([]string{}, f.routes...) })
	return now
}

// heard are the requests since the last call.
func (f *fakeControl) heard() (asked []control.NodeRequest) {
	f.locked(func() { asked, f.asked = f.asked, nil })
	return asked
}

func (f *fakeControl) serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		for _, out := range f.answer(buf[:n]) {
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}
}

// answer is what one request brings.
func (f *fakeControl) answer(in []byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := func(s string) [][]byte { return [][]byte{[]byte(s)} }
	switch s := string(in); {
	case s == tlv.LinkRequest && f.node != nil:
		return [][]byte{tlv.AppendNodeReply(nil, 1000)}
	case s == tlv.LinkRequest:
		return one(tlv.LinkReply)
	case strings.HasPrefix(s, control.NodeVerb) && f.node != nil:
		var q control.NodeRequest
		if err := json.Unmarshal(in[len(control.NodeVerb):], &q); err != nil {
			return one(err.Error() + "\n")
		}
		f.asked = append(f.asked, q)
		b, _ := json.Marshal(f.node(q))
		return [][]byte{append(b, '\n')}
	case strings.HasPrefix(s, "/CTRLSTATUSSTAT"):
		return one(f.text + f.fib() + "PIT(App) :\n  Entry is empty\nPIT :\n  Entry is empty\n")
	case strings.HasPrefix(s, "/CTRLROUTE"):
		if f.says != "" {
			return one(f.says)
		}
		if f.obeys {
			f.change(in[len("/CTRLROUTE")+256:])
		}
		return one("done. (cefroute)\n")
	case !strings.HasPrefix(s, "/") && f.packet != nil:
		return f.packet(bytes.Clone(in))
	}
	return nil
}

// change carries out a route message (sheet j).
func (f *fakeControl) change(m []byte) {
	op, proto, n := m[0], map[byte]string{1: "tcp", 2: "udp"}[m[1]], int(binary.NativeEndian.Uint16(m[2:]))
	uri, rest, cost := string(m[4:4+n]), m[4+n:], -1
	if tail, ok := bytes.CutPrefix(rest, []byte("rtcost=")); ok {
		cost, rest = int(int32(binary.NativeEndian.Uint32(tail))), tail[4:]
	}
	key := fmt.Sprintf("%s %s %s ", uri, proto, rest[1:1+int(rest[0])])
	i := slices.IndexFunc(f.routes, func(r string) bool { return strings.HasPrefix(r, key) })
	switch {
	case op == 2 && i >= 0:
		f.routes = slices.Delete(f.routes, i, i+1)
	case op == 1 && i < 0:
		f.routes = append(f.routes, fmt.Sprint(key, max(cost, 0)))
	case op == 1 && cost >= 0:
		f.routes[i] = fmt.Sprint(key, cost)
	}
}

// fib is the tables of faces and routes as cefnetd prints them.
func (f *fakeControl) fib() string {
	faces := fmt.Sprintf("Faces : %d\n  faceid =   0 : Local face\n", 1+len(f.routes))
	byPrefix := map[string][]string{}
	for i, r := range f.routes {
		w := strings.Fields(r)
		faces += fmt.Sprintf("  faceid = %3d : address = %s (%s)\n", 40+i, w[2], w[1])
		byPrefix[w[0]] = append(byPrefix[w[0]], fmt.Sprintf("%d (-s-) RtCost=%s ", 40+i, w[3]))
	}
	fib := fmt.Sprintf("FIB : %d\n", len(byPrefix))
	if len(f.routes) == 0 {
		fib = "FIB :\n  Entry is empty\n"
	}
	for prefix, hops := range byPrefix {
		fib += "  " + prefix + "\n    Faces : " + strings.Join(hops, "\n            ") + "\n"
	}
	return faces + "FIB(App) :\n  Entry is empty\n" + fib
}

// newCefnetd is a fake cefnetd with these routes.
func newCefnetd(t *testing.T, routes ...string) *fakeControl {
	t.Helper()
	f := &fakeControl{
		obeys: true, routes: routes,
		text: "CCNx Version     : 1\nPort             : 9712\nRx Interest      : 7 (RGL[6], SYM[1], SEL[0])\nTx Interest      : 3 (RGL[3], SYM[0], SEL[0])\n" +
			"Rx ContentObject : 5\nTx ContentObject : 4\nCache Mode       : Localcache\nFWD Strategy     : None\nInterest Return  : Disabled\n",
	}
	return f.start(t)
}

// ran is how a command went.
type ran struct {
	code        exitCode
	out, errOut string
}

// cefgo runs a command in this process, against f where it is not nil.
func (f *fakeControl) cefgo(t *testing.T, args ...string) ran {
	t.Helper()
	return runCefgo(t.Context(), nil, append(args, "--forwarder", "unix:"+f.path)...)
}

// runCefgo runs a command in this process, with standard output on out as well.
func runCefgo(ctx context.Context, out *bytes.Buffer, args ...string) ran {
	var stdout, stderr bytes.Buffer
	if out == nil {
		out = &stdout
	}
	a := &app{args: args, stdin: strings.NewReader(""), stdout: out, stderr: &stderr, getenv: func(string) string { return "" }}
	root := newRootCommand(a)
	root.SetArgs(args)
	code := a.report(root.ExecuteContext(ctx))
	return ran{code, out.String(), stderr.String()}
}

// object is the one JSON object that a command printed.
func (r ran) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatalf("%v: %q", err, r.out)
	}
	return m
}
