package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// daemon is a real cefnetd with a configuration of its own.
type daemon struct {
	t    *testing.T
	dir  string
	id   string
	port int
	cmd  *exec.Cmd
}

// startCefnetd runs a real cefnetd, if the machine has one and CEFGO_INTEROP=1.
func startCefnetd(t *testing.T, settings string) *daemon {
	t.Helper()
	if os.Getenv("CEFGO_INTEROP") != "1" {
		t.Skip("CEFGO_INTEROP=1 runs the tests with a real cefnetd")
	}
	if _, err := exec.LookPath("cefnetd"); err != nil {
		t.Skip("cefnetd is not installed: ", err)
	}
	d := &daemon{t: t, dir: t.TempDir(), id: fmt.Sprintf("c%d", os.Getpid()), port: freePort(t)}
	conf := fmt.Sprintf("PORT_NUM=%d\nLOCAL_SOCK_ID=%s\nCEF_LOG_LEVEL=0\n%s", d.port, d.id, settings)
	must(t, os.WriteFile(filepath.Join(d.dir, "cefnetd.conf"), []byte(conf), 0o666))
	t.Cleanup(func() {
		d.stop()
		os.Remove(d.socket())
		os.Remove(fmt.Sprintf("/tmp/cefnetd_%d_%s.log", d.port, d.id))
	})
	d.start()
	return d
}

func freePort(t *testing.T) int {
	t.Helper()
	for port := 9730; port < 9750; port++ {
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func (d *daemon) socket() string { return fmt.Sprintf("/tmp/cef_%d.%s", d.port, d.id) }

func (d *daemon) start() {
	d.t.Helper()
	os.Remove(d.socket()) // it does not start beside a dead one
	d.cmd = exec.Command("cefnetd", "-d", d.dir, "-p", fmt.Sprint(d.port))
	d.cmd.Env = append(os.Environ(), "USER=root")
	must(d.t, d.cmd.Start())
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("unix", d.socket()); err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			d.t.Fatal("cefnetd does not listen")
		}
	}
}

// stop kills it, so that registrations and connections end without a word.
func (d *daemon) stop() {
	if d.cmd != nil {
		_ = d.cmd.Process.Signal(syscall.SIGKILL)
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

func (d *daemon) dialer(network string) Dialer {
	a := transport.Address{Network: network, Addr: d.socket()}
	if network != "unix" {
		a.Addr = fmt.Sprintf("127.0.0.1:%d", d.port)
	}
	return func(ctx context.Context) (transport.Conn, error) { return transport.Dial(ctx, a) }
}

func (d *daemon) client(network string) *Client {
	d.t.Helper()
	second := network
	if second == "udp" { // every port costs a face for ever
		second = "tcp"
	}
	c, err := New(d.t.Context(), Config{Dial: d.dialer(network), DialSecond: d.dialer(second)})
	must(d.t, err)
	d.t.Cleanup(func() { c.Close() })
	return c
}

// serve answers r's Interests with their names, until r ends.
func serve(t *testing.T, c *Client, r *Registration) {
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		var b, out tlv.Batch
		for {
			<-r.Ready()
			if r.Receive(&b) != nil {
				return
			}
			out.Reset(0)
			for k := range b.Len() {
				_, n, _ := tlv.PeekName(b.Packet(k))
				out.Append(data(t, n.String(), n.String()))
			}
			if c.Send(t.Context(), &out) != nil {
				return
			}
		}
	}()
}

func (d *daemon) fetches(c *Client, uri string) {
	d.t.Helper()
	a, err := c.Express(d.t.Context(), interest(d.t, uri))
	if err != nil || string(a.Payload) != uri {
		d.t.Errorf("%s: %v, %v", uri, a, err)
	}
}

func TestInteropRegister(t *testing.T) {
	d := startCefnetd(t, "CS_MODE=0\n")
	for _, network := range []string{"unix", "tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			asks, has := d.client(network), d.client(network)
			must(t, has.Alive(t.Context()))
			base := mustName(t, "ccnx:/interop/"+network)
			start := time.Now()
			r, err := has.Register(t.Context(), base, Prefix)
			must(t, err)
			t.Logf("registered in %v", time.Since(start))
			serve(t, has, r)
			for k := range 50 {
				d.fetches(asks, fmt.Sprintf("ccnx:/interop/%s/x/Chunk=%d", network, k))
			}
			other := d.client(network)
			if _, err := other.Register(t.Context(), base, Prefix); !errors.Is(err, ErrTaken) {
				t.Errorf("a second owner: %v", err)
			}
			d.fetches(asks, "ccnx:/interop/"+network+"/still")
			must(t, r.Deregister(t.Context()))
			must(t, has.Alive(t.Context()))
			e, err := other.Register(t.Context(), base, Exact)
			must(t, err)
			serve(t, other, e)
			d.fetches(asks, "ccnx:/interop/"+network)
			d.fetches(asks, "ccnx:/interop/"+network+"/Chunk=7")
			if a, err := asks.Express(t.Context(), interest(t, "ccnx:/interop/"+network+"/below", lifetime(100*time.Millisecond))); !errors.Is(err, ErrTimeout) {
				t.Errorf("below an exact one: %v, %v", a, err)
			}
		})
	}
}

// TestInteropDeadOwner: cefnetd keeps the registration of who is gone.
func TestInteropDeadOwner(t *testing.T) {
	d := startCefnetd(t, "CS_MODE=0\n")
	dead, err := d.dialer("unix")(t.Context())
	must(t, err)
	pkt, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/dead"))
	must(t, err)
	must(t, dead.Write(packet(append(pkt, tlv.LinkRequest...))))
	must(t, dead.Read(new(tlv.Batch)))
	dead.Close()
	asks, has := d.client("unix"), d.client("unix")
	r, err := has.Register(t.Context(), mustName(t, "ccnx:/dead"), Prefix)
	must(t, err)
	serve(t, has, r)
	d.fetches(asks, "ccnx:/dead/or/alive")
}

func TestInteropReturn(t *testing.T) {
	d := startCefnetd(t, "CS_MODE=0\nENABLE_INTEREST_RETURN=1\n")
	c := d.client("unix")
	var r *ReturnError
	if _, err := c.Express(t.Context(), interest(t, "ccnx:/nobody")); !errors.As(err, &r) || r.Code != tlv.ReturnNoRoute {
		t.Errorf("no route: %v", err)
	}
	start := time.Now()
	reg, err := c.Register(t.Context(), mustName(t, "ccnx:/somebody"), Prefix)
	must(t, err)
	t.Logf("registered in %v", time.Since(start))
	serve(t, c, reg)
	d.fetches(d.client("unix"), "ccnx:/somebody/else")
}

// TestInteropRestart: the daemon dies and comes back; what is registered is again,
// and what is asked for still comes.
func TestInteropRestart(t *testing.T) {
	d := startCefnetd(t, "CS_MODE=0\n")
	asks, has := d.client("unix"), d.client("unix")
	r, err := has.Register(t.Context(), mustName(t, "ccnx:/again"), Prefix)
	must(t, err)
	serve(t, has, r)
	d.fetches(asks, "ccnx:/again/1")
	d.stop()
	d.start()
	for end := time.Now().Add(20 * time.Second); ; { // both connect again, in whatever order
		a, err := asks.Express(t.Context(), interest(t, "ccnx:/again/2", lifetime(200*time.Millisecond)))
		if err == nil && bytes.Equal(a.Payload, []byte("ccnx:/again/2")) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nothing comes: %v", err)
		}
	}
	if asks.Stats().Reconnects == 0 || has.Stats().Reconnects == 0 {
		t.Errorf("%+v, %+v", asks.Stats(), has.Stats())
	}
}
