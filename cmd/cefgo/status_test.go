package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cefgo/cefgo/internal/control"
)

// nodeStatus is what a fake forwarder of cefgo says of itself.
func nodeStatus() *control.NodeStatus {
	return &control.NodeStatus{
		Version: "1.2", PID: 7, UptimeMS: 3_725_000, NodeName: "ccnx:/n1", Socket: "/tmp/cef_9695.0", Port: 9695, Listening: []control.Addr{"udp://127.0.0.1:9695"},
		Faces: []control.Face{
			{ID: 3, Kind: "app", RxPackets: 10, TxPackets: 20, RxBytes: 1000, TxBytes: 2000, QueueDrops: 1, Pending: 2},
			{ID: 4, Kind: "udp", Addr: "udp://192.0.2.7:9695", Static: true, Down: true, IdleMS: new(int64(5))},
		},
		Apps:     []control.App{{Prefix: "ccnx:/app", Exact: true, Faces: []uint64{3}}},
		Routes:   []control.Route{{Prefix: "ccnx:/far", Strategy: "best", NextHops: []control.NextHop{{Face: 4, Addr: "udp://192.0.2.7:9695", Cost: 1, Down: true, RTTMS: 2.5, Interests: 9, Answered: 8}}}},
		RouteNum: 12,
		PIT:      control.PIT{Entries: 20, Size: 65535, PerFace: 1000, Expired: 4},
		Store:    control.Store{Objects: 3, Bytes: 4096, Capacity: 1 << 20, Policy: "lru", Hits: 5, Misses: 15, Evicted: 7},
		Packets:  control.Packets{RxInterests: 100, TxInterests: 90, RxData: 80, TxData: 85, TxReturns: 3},
		Drops:    control.Drops{NoRoute: 4, PITFull: 2}, Garbage: 3000,
		Sockets: []control.Socket{{Refused: 1, TooLarge: 2}, {TooLarge: 3, Fragmented: 4, QueueDrops: 5}},
		Pending: []control.Pending{{Name: "ccnx:/far/x/Chunk=1\x1b[2J", Symbolic: true, Down: []uint64{3, 5}, Up: []uint64{4}, ExpiresMS: 1500}},
	}
}

func newNode(t *testing.T, answer func(control.NodeRequest) control.NodeReply) *fakeControl {
	t.Helper()
	return (&fakeControl{node: answer}).start(t)
}

func holds(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in\n%s", p, text)
		}
	}
}

func TestStatusOfCefnetd(t *testing.T) {
	f := newCefnetd(t, "ccnx:/far udp 127.0.0.1:9773 7", "ccnx:/far tcp [::1]:9773 0")
	r := f.cefgo(t, "status")
	if r.code != exitOK || r.errOut != "" {
		t.Fatalf("%+v", r)
	}
	holds(t, r.out, "cefnetd at "+f.path+", port 9712\n", "cache Localcache, forwarding strategy None, Interest Return off\n",
		"  Interests          7     3\n", "    symbolic         1     0\n", "  Data               5     4\n",
		"Faces 2\n", "  40  udp   127.0.0.1:9773\n", "Routes 1\n", "  ccnx:/far  udp://127.0.0.1:9773     7  static\n", "             tcp://[::1]:9773         0  static\n",
		"Pending Interests  none\n")
	if strings.Contains(r.out, "\x1b") {
		t.Errorf("colour in a pipe: %q", r.out)
	}
	m := f.cefgo(t, "status", "--json").object(t)
	if m["type"] != "result" || m["cmd"] != "status" || m["forwarder"] != "cefnetd" || m["port"] != 9712.0 || m["socket"] != f.path || m["rates"] != nil || m["pid"] != nil {
		t.Errorf("%v", m)
	}
	if got := fmt.Sprint(m["packets"].(map[string]any)["rx_symbolic"], m["pending"], m["apps"]); got != "1 [] []" {
		t.Error(got)
	}
}

func TestStatusOfNode(t *testing.T) {
	f := newNode(t, func(control.NodeRequest) control.NodeReply { return control.NodeReply{Status: nodeStatus()} })
	r := f.cefgo(t, "status")
	holds(t, r.out, "cefgo 1.2 at /tmp/cef_9695.0, pid 7, up 1h2m\nnode ccnx:/n1\nlistening on udp://127.0.0.1:9695\n",
		"content store: 3 objects, 4.0 KiB of 1.0 MiB, lru; 5 of 20 look-ups hit (25%), 7 evicted\n",
		"pending Interests: 20 of 65535, at most 1000 of a face; 4 expired\n", "dropped: garbage 2.9 KiB, no route 4, pit full 2\n",
		"datagrams: 1 refused, 5 too large, 4 fragmented, 5 lost to a full queue\n",
		"  Interests              100       90\n", "  Interest Returns         0        3\n", "  Bytes               1000 B  2.0 KiB\n",
		"   4  udp   192.0.2.7:9695  down    5ms   0   0     0        0\n", "  ccnx:/app (exact)  3\n",
		"Routes 12\n", "  ccnx:/far  udp://192.0.2.7:9695     1  best      down     9   89%\n  … and 11 more (--all)\n",
		`  ccnx:/far/x/Chunk=1\x1b[2J (symbolic)  3 5         4            1.5s`+"\n", "  … and 19 more (--all)\n")
	m := f.cefgo(t, "status", "--json", "--pit", "3").object(t)
	if m["forwarder"] != "cefgo" || m["uptime_ms"] != 3725000.0 || m["route_count"] != 12.0 || m["rates"] != nil {
		t.Errorf("%v", m)
	}
	f.cefgo(t, "status", "--all")
	var asked []string
	for _, q := range f.heard() {
		asked = append(asked, fmt.Sprint(q.Op, q.PIT, q.FIB))
	}
	if got := strings.Join(asked, ","); got != "status10 1000,status3 1000,status2147483647 2147483647" {
		t.Error(got)
	}
}

func TestStatusFails(t *testing.T) {
	nobody := &fakeControl{path: t.TempDir() + "/none"}
	if r := nobody.cefgo(t, "status"); r.code != exitForwarder || !strings.Contains(r.errOut, "no forwarder at ") {
		t.Errorf("%+v", r)
	}
	old := newNode(t, func(control.NodeRequest) control.NodeReply { return control.NodeReply{Error: "what?"} })
	if r := old.cefgo(t, "status"); r.code != exitFailed || !strings.Contains(r.errOut, "status: what?") {
		t.Errorf("%+v", r)
	}
	empty := newNode(t, func(control.NodeRequest) control.NodeReply { return control.NodeReply{} })
	if r := empty.cefgo(t, "status", "--json"); r.code != exitForwarder || r.object(t)["kind"] != "forwarder" {
		t.Errorf("%+v", r)
	}
	remote := runCefgo(t.Context(), nil, "status", "--forwarder", "udp://192.0.2.1")
	if remote.code != exitUsage || !strings.Contains(remote.errOut, "local socket only") {
		t.Errorf("%+v", remote)
	}
}

// TestStatusLong: a table is cut, and --all shows it whole.
func TestStatusLong(t *testing.T) {
	var routes []string
	for i := range 50 {
		routes = append(routes, fmt.Sprintf("ccnx:/r%02d udp 127.0.0.1:%d 0", i, 9000+i))
	}
	f := newCefnetd(t, routes...)
	r := f.cefgo(t, "route", "list")
	holds(t, r.out, "Routes 50\n", "ccnx:/r19", "  … and 30 more (--all)\n")
	if strings.Contains(r.out, "ccnx:/r20") {
		t.Errorf("not cut:\n%s", r.out)
	}
	if r := f.cefgo(t, "route", "list", "--all"); strings.Count(r.out, "ccnx:/r") != 50 || strings.Contains(r.out, "more") {
		t.Errorf("%s", r.out)
	}
	if m := f.cefgo(t, "route", "list", "--json").object(t); len(m["routes"].([]any)) != 50 || m["route_count"] != 50.0 {
		t.Errorf("%v", m)
	}
}

// lockedBuffer is an output that another goroutine reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// watch runs status --watch until its output holds n reports of that mark, then
// interrupts it; during, if there is one, is called with the output so far again and again.
func watch(t *testing.T, f *fakeControl, mark string, n int, during func(sofar string), args ...string) (exitCode, string, string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	var out, errOut lockedBuffer
	args = append(append([]string{"status", "--forwarder", "unix:" + f.path}, args...), "--watch", "0.1")
	a := &app{args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &errOut, getenv: func(string) string { return "" }}
	root := newRootCommand(a)
	root.SetArgs(args)
	done := make(chan exitCode)
	go func() { done <- a.report(root.ExecuteContext(ctx)) }()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		sofar := out.String()
		if during != nil {
			during(sofar)
		}
		if strings.Count(sofar, mark) >= n {
			break
		}
	}
	cancel(&signalError{syscall.SIGINT})
	return <-done, out.String(), errOut.String()
}

// TestWatch: rates between two samples, and 0 at Ctrl-C.
func TestWatch(t *testing.T) {
	asked := uint64(0)
	f := newNode(t, func(control.NodeRequest) control.NodeReply {
		s := nodeStatus()
		asked++
		s.Packets.RxInterests += 1000 * asked
		s.Faces[0].TxBytes += 125_000 * asked
		return control.NodeReply{Status: s}
	})
	code, out, _ := watch(t, f, `"type":"status"`, 3, nil, "--json=stream")
	if code != exitOK {
		t.Errorf("code %d", code)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var first, second, last struct {
		Type  string
		Rates *struct {
			IntervalMS      float64 `json:"interval_ms"`
			RxInterestsPerS float64 `json:"rx_interests_per_s"`
			TxBPS           float64 `json:"tx_bps"`
			Faces           []struct {
				TxBPS float64 `json:"tx_bps"`
			}
		}
	}
	for i, into := range map[int]any{0: &first, 1: &second, len(lines) - 1: &last} {
		if err := json.Unmarshal([]byte(lines[i]), into); err != nil {
			t.Fatal(err)
		}
	}
	if first.Rates != nil || second.Rates == nil || last.Type != "result" || last.Rates == nil {
		t.Fatalf("%s", out)
	}
	r := second.Rates
	if want := 1000 / (r.IntervalMS / 1e3); r.RxInterestsPerS < want*0.999 || r.RxInterestsPerS > want*1.001 || r.IntervalMS < 50 {
		t.Errorf("%+v", r)
	}
	if want := 1e6 / (r.IntervalMS / 1e3); r.TxBPS < want*0.999 || r.TxBPS > want*1.001 || len(r.Faces) != 2 || r.Faces[0].TxBPS != r.TxBPS {
		t.Errorf("%+v", r)
	}
	code, out, errOut := watch(t, f, "Traffic", 2, nil)
	if code != exitOK || errOut != "" || strings.Contains(out, "\x1b") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	holds(t, out, "every 100ms; Ctrl-C ends\n", "RECEIVED/S")
	code, out, _ = watch(t, f, "never", 0, nil, "--json")
	if code != exitOK && code != exitInterrupt || strings.Count(out, "\n") > 1 {
		t.Errorf("%d %s", code, out)
	}
}

// TestWatchReconnects: a forwarder that goes is told once, and waited for; the rates
// begin anew.
func TestWatchReconnects(t *testing.T) {
	f := newCefnetd(t)
	stage := 0
	var again *fakeControl
	code, out, errOut := watch(t, f, `"type":"status"`, 4, func(sofar string) {
		switch {
		case stage == 0 && strings.Count(sofar, `"type":"status"`) >= 2:
			f.stop()
			stage, again = 1, &fakeControl{path: f.path, text: f.text}
		case stage == 1 && strings.Contains(sofar, `"type":"lost"`):
			again.start(t)
			stage = 2
		}
	}, "--json=stream")
	if code != exitOK || strings.Count(out, `"type":"lost"`) != 1 || strings.Count(errOut, "waiting for it") != 1 {
		t.Fatalf("%d %s %s", code, out, errOut)
	}
	_, after, _ := strings.Cut(out, `"type":"lost"`)
	lines := strings.Split(after, "\n")
	if strings.Contains(lines[1], `"rates"`) || !strings.Contains(lines[2], `"rates"`) {
		t.Errorf("%s", after)
	}
}

// TestWatchFirst: a forwarder that is not there at first is an error.
func TestWatchFirst(t *testing.T) {
	f := newNode(t, func(control.NodeRequest) control.NodeReply { return control.NodeReply{Error: "no"} })
	if r := f.cefgo(t, "status", "--watch"); r.code != exitFailed {
		t.Errorf("%+v", r)
	}
}

func TestPer(t *testing.T) {
	for _, c := range []struct {
		d           span
		now, before uint64
		want        float64
	}{
		{0, 5, 0, 0}, {span(time.Second), 5, 0, 5}, {span(2 * time.Second), 25, 5, 10}, {span(time.Second), 3, 100, 3},
	} {
		if got := c.d.per(c.now, c.before); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", 6, "abcdef"}, {"abcdef", 5, "ab…ef"}, {"abcdef", 4, "ab…f"}, {"äöüß", 3, "ä…ß"}, {"abc", 1, "…"},
	} {
		if got := cut(c.s, c.n); got != c.want {
			t.Errorf("%q %d: %q", c.s, c.n, got)
		}
	}
}

// TestDrawFits: at 80 columns no line is longer, and what has to be read stays.
func TestDrawFits(t *testing.T) {
	s := nodeStatus()
	s.Routes[0].Prefix = "ccnx:/" + strings.Repeat("long/", 40)
	s.Pending[0].Name = "ccnx:/" + strings.Repeat("a", 300) + "/Chunk=7"
	s.Listening = append(s.Listening, control.Addr("tcp://["+strings.Repeat("1:", 40)+":]:1"))
	st := &statusSample{at: time.Now(), node: s}
	for _, prev := range []*statusSample{nil, st} {
		text := st.report(prev, nil).draw((&app{getenv: os.Getenv}).style(new(bytes.Buffer)), 80, defaultRows)
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
		holds(t, text, "/Chunk=7 (symbolic)", "  ccnx:/long/…", "  udp://192.0.2.7:9695  ", ", 7\n  evicted\n")
	}
}

// TestInPlace: a frame has no more lines than the terminal and never scrolls it.
func TestInPlace(t *testing.T) {
	frame := strings.Repeat("line\n", 30)
	got := inPlace(frame, 10)
	if strings.Count(got, "\n") != 9 || !strings.HasPrefix(got, homeCursor) || !strings.HasSuffix(got, "… and 21 lines more"+clearLine+clearBelow) {
		t.Errorf("%q", got)
	}
	if got := inPlace("a\nb\n", 10); got != homeCursor+"a"+clearLine+"\r\nb"+clearLine+clearBelow {
		t.Errorf("%q", got)
	}
}

func TestStatusUsage(t *testing.T) {
	for _, args := range []string{"status x", "status --watch x", "status --watch=0.01", "status --watch 0", "status --pit -1", "status --pit 1 --all", "status --watch 1 2"} {
		if r := runCefgo(t.Context(), nil, strings.Fields(args)...); r.code != exitUsage {
			t.Errorf("%s: %+v", args, r)
		}
	}
}
