package node

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// tools are Cefore's own programs, which take a node for cefnetd.
type tools struct {
	t    *testing.T
	n    *Node
	dir  string
	port int
}

func newTools(t *testing.T, o Options, programs ...string) *tools {
	t.Helper()
	if os.Getenv("CEFGO_INTEROP") != "1" {
		t.Skip("CEFGO_INTEROP=1 runs the tests with Cefore's programs")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: %v", p, err)
		}
	}
	c := &tools{t: t, dir: t.TempDir(), port: 9740 + os.Getpid()%10}
	id := fmt.Sprintf("n%d", os.Getpid())
	must(t, os.WriteFile(filepath.Join(c.dir, "cefnetd.conf"), fmt.Appendf(nil, "PORT_NUM=%d\nLOCAL_SOCK_ID=%s\n", c.port, id), 0o666))
	o.Socket, o.Port = fmt.Sprintf("/tmp/cef_%d.%s", c.port, id), c.port
	c.n = start(t, o)
	return c
}

// run runs a program in the tools' directory and returns what it printed.
func (c *tools) run(program string, args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), program, append(args, "-d", c.dir, "-p", fmt.Sprint(c.port))...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "USER=root")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Errorf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// TestInteropPutAndGet: the publisher may leave before the consumer comes.
func TestInteropPutAndGet(t *testing.T) {
	c := newTools(t, Options{}, "cefputfile", "cefgetfile", "cefgetchunk")
	src := bytes.Repeat([]byte("what is put can be got\n"), 10_000)
	must(t, os.WriteFile(filepath.Join(c.dir, "src"), src, 0o666))
	c.run("cefputfile", "ccnx:/interop/put", "-f", "src", "-r", "100")
	c.n.until(t, "closed", faces(0))
	c.run("cefgetfile", "ccnx:/interop/put", "-f", "dst")
	if got, err := os.ReadFile(filepath.Join(c.dir, "dst")); !bytes.Equal(got, src) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(src))
	}
	if out := c.run("cefgetchunk", "ccnx:/interop/put", "-c", "3"); !strings.Contains(out, string(src[3*1024:4*1024])) {
		t.Errorf("cefgetchunk printed %q", out)
	}
}

// TestInteropServe: cefgetfile from a live application, whose chunks are no larger
// than the tool takes in one piece.
func TestInteropServe(t *testing.T) {
	c := newTools(t, Options{}, "cefgetfile")
	has := dial(t, c.n).registers("ccnx:/interop/live")
	const block, last = 32_000, 20
	src := bytes.Repeat([]byte("0123456789abcdef"), block*(last+1)/16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pkt := range has.in {
			_, n, _ := tlv.PeekName(pkt)
			k, _ := n.Chunk()
			if k > last {
				continue
			}
			o := tlv.Object{Name: n, EndChunk: tlv.Some[uint64](last), Payload: src[k*block : (k+1)*block], Validation: tlv.Validation{Alg: tlv.AlgCRC32C}}
			var b tlv.Batch
			if b.Encode(o.AppendTo) != nil || has.conn.Write(&b) != nil {
				return
			}
		}
	}()
	c.run("cefgetfile", "ccnx:/interop/live/file", "-f", "dst")
	if got, err := os.ReadFile(filepath.Join(c.dir, "dst")); !bytes.Equal(got, src) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(src))
	}
	c.n.Close()
	<-done
}

// TestInteropStatus: cefstatus prints the whole of what the node tells.
func TestInteropStatus(t *testing.T) {
	c := newTools(t, Options{}, "cefstatus", "cefroute")
	has := dial(t, c.n).registers("ccnx:/interop/status")
	dial(t, c.n).sends(interest(t, "ccnx:/interop/status/x/Chunk=4", lifetime(time.Minute)))
	has.next()
	out := c.run("cefstatus")
	want := ""
	c.n.until(t, "cefstatus gone", faces(2))
	c.n.until(t, "", func(c *core) bool { want = string(c.statusText()()); return true })
	_, want, _ = strings.Cut(want, "FIB(App)")
	if !strings.Contains(out, want) || !strings.Contains(out, fmt.Sprintf("Port             : %d\n", c.port)) {
		t.Errorf("cefstatus printed\n%s\nwant\n%s", out, want)
	}
	cmd := exec.CommandContext(t.Context(), "cefroute", "add", "ccnx:/far", "udp", "127.0.0.1:1", "-d", c.dir, "-p", fmt.Sprint(c.port))
	cmd.Env = append(os.Environ(), "USER=root")
	if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "done. (cefroute)") {
		t.Errorf("cefroute printed %s", out)
	}
	if out := c.run("cefstatus"); !strings.Contains(out, "FIB : 1\n  ccnx:/far\n    Faces : ") || !strings.Contains(out, "address = 127.0.0.1:1 (udp)") {
		t.Errorf("no route in\n%s", out)
	}
	has.settled()
}
