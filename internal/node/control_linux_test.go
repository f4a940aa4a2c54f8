package node

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/control"
)

// nobody is the user of no one.
const nobody = 65534

// dialAs connects to a node as another user: a socket's owner is who connected.
func dialAs(t *testing.T, uid int, n *Node) net.Conn {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	must(t, os.Chmod(filepath.Dir(n.Socket()), 0o755))
	must(t, os.Chmod(n.Socket(), 0o777))
	type result struct {
		c   net.Conn
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its user
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
			done <- result{nil, errno}
			return
		}
		c, err := net.Dial("unix", n.Socket())
		done <- result{c, err}
	}()
	r := <-done
	must(t, r.err)
	t.Cleanup(func() { r.c.Close() })
	must(t, r.c.SetDeadline(time.Now().Add(patience)))
	return r.c
}

// TestPermission: another user may look, and change nothing.
func TestPermission(t *testing.T) {
	n := start(t, Options{Routes: []Route{route(t, "ccnx:/a", via1)}, OnStop: func() { t.Error("stopped by another user") }})
	c := dialAs(t, nobody, n)
	for _, q := range []control.NodeRequest{
		{Op: "route-add", Prefix: "ccnx:/b", Via: []string{via1}},
		{Op: "route-del", Prefix: "ccnx:/a"},
		{Op: "strategy", Prefix: "ccnx:/a", Strategy: "all"},
		{Op: "nonsense"},
	} {
		if r := carryOut(t, c, q); r != (control.NodeReply{Error: "permission denied", Code: control.CodeDenied}) {
			t.Errorf("%+v is answered with %+v", q, r)
		}
	}
	root := "root" + strings.Repeat("\x00", routeUserLen-4)
	for _, msg := range []string{
		string(routeMsg(2, 2, "ccnx:/a", "", "127.0.0.1:1")),
		strings.Replace(string(routeMsg(1, 2, "ccnx:/b", "", "127.0.0.1:1")), strings.Repeat("\x00", routeUserLen), root, 1),
		verbRoute,
	} {
		if got := ask(t, c, msg); got != routeDenied {
			t.Errorf("%.20q is answered with %q", msg, got)
		}
	}
	stop := dialAs(t, nobody, n)
	_, err := io.WriteString(stop, verbStop+root)
	must(t, err)
	stop.Close()
	n.until(t, "the text taken", faces(1))
	if s := carryOut(t, c, control.NodeRequest{Op: "status", FIB: 9}).Status; s == nil || routesOf(s) != "ccnx:/a best "+via1+"=0\n" {
		t.Errorf("status %+v", s)
	}
	if text := ask(t, c, verbStatus); !strings.HasPrefix(text, "CCNx Version") {
		t.Errorf("status %q", text)
	}
	// The node's own user may, and root with any user's.
	own := dialAs(t, os.Geteuid(), n)
	if r := carryOut(t, own, control.NodeRequest{Op: "route-del", Prefix: "ccnx:/a"}); !r.Changed || r.Error != "" {
		t.Errorf("the own user: %+v", r)
	}
}
