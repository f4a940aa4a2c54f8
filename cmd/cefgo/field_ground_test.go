//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// ground is a place to measure at: a directory, a cefnetd.conf with a port and a socket
// of its own, and, once started, a forwarder that runs by it.
type ground struct {
	t      *testing.T
	f      *field
	dir    string // holds the content, and cefore/cefnetd.conf
	port   int
	socket string
	log    string // of a cefnetd

	args      []string // of the forwarder
	networked bool     // it takes TCP connections at port
	fwd       *beside  // nil: none
}

// Ports of the forwarders, TCP and UDP.
const (
	firstPort = 21000
	lastPort  = 21999
)

// grounds counts them, so that each has its own socket.
var grounds atomic.Int64

// newGround makes a place without a forwarder. settings are lines of its cefnetd.conf.
func (f *field) newGround(t *testing.T, settings ...string) *ground {
	t.Helper()
	g := &ground{t: t, f: f, dir: t.TempDir(), port: unusedPort(t)}
	id := fmt.Sprintf("bn%d.%d", os.Getpid()%100000, grounds.Add(1))
	g.socket = fmt.Sprintf("/tmp/cef_%d.%s", g.port, id)
	g.log = fmt.Sprintf("/tmp/cefnetd_%d_%s.log", g.port, id)
	if err := os.Mkdir(g.conf(), 0o777); err != nil {
		t.Fatal(err)
	}
	settings = append(settings, fmt.Sprint("PORT_NUM=", g.port), "LOCAL_SOCK_ID="+id, "CEF_LOG_LEVEL=0")
	if err := os.WriteFile(filepath.Join(g.conf(), "cefnetd.conf"), []byte(strings.Join(settings, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(g.socket) // cefnetd leaves both
		os.Remove(g.log)
		os.Remove(g.socket + ".lock")
	})
	return g
}

// withCefnetd makes a place with a real cefnetd.
func (f *field) withCefnetd(t *testing.T, settings ...string) *ground {
	t.Helper()
	haveOnPath(t, "cefnetd")
	g := f.newGround(t, settings...)
	g.args, g.networked = []string{"cefnetd", "-d", g.conf(), "-p", fmt.Sprint(g.port)}, true
	if err := g.start(); err != nil {
		t.Fatal(err)
	}
	return g
}

// withNode makes a place with cefgo's forwarder.
func (f *field) withNode(t *testing.T, settings ...string) *ground {
	t.Helper()
	g := f.newGround(t, settings...)
	g.args = []string{f.cefgo, "node", "-d", g.conf()}
	if err := g.start(); err != nil {
		t.Fatal(err)
	}
	return g
}

// start starts the forwarder and waits until it takes connections: over the network too,
// where it is one that does, as somebody else may answer at its socket.
func (g *ground) start() error {
	g.fwd = runBeside(g.t, g.env(), "", g.args...)
	return pollUntil(g.args[0], func() (bool, error) {
		select {
		case <-g.fwd.done:
			return false, fmt.Errorf("%v ended at once: %s", g.args, g.lastWords())
		default:
		}
		return takes("unix", g.socket) && (!g.networked || takes("tcp", fmt.Sprint("127.0.0.1:", g.port))), nil
	})
}

// lastWords is the last that a forwarder said; cefnetd says it in its log.
func (g *ground) lastWords() string {
	log, _ := os.ReadFile(g.log)
	return lastLine(log) + " " + g.fwd.said()
}

// takes reports whether somebody takes connections there.
func takes(network, addr string) bool {
	c, err := net.Dial(network, addr)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// stop ends the forwarder and takes its socket away, beside which no cefnetd starts.
func (g *ground) stop() error {
	g.fwd.stop()
	if err := os.Remove(g.socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// restart ends the forwarder and starts it anew: it has lost all it knew.
func (g *ground) restart() error {
	if err := g.stop(); err != nil {
		return err
	}
	return g.start()
}

func (g *ground) conf() string { return filepath.Join(g.dir, "cefore") }

// file is a path in the place's directory.
func (g *ground) file(name string) string { return filepath.Join(g.dir, name) }

// env is the environment by which Cefore's programs find the place; cefnetd and
// cefctrl need USER.
func (g *ground) env() []string {
	return append(os.Environ(), "CEFORE_DIR="+g.dir, "USER=root")
}

// run runs a program to its end.
func (g *ground) run(t *testing.T, args ...string) *ended {
	t.Helper()
	return program{env: g.env(), args: args}.run(t)
}

// serve publishes a file under uri.
func (g *ground) serve(uri, file string, flags ...string) *beside {
	g.t.Helper()
	args := append([]string{g.f.cefgo, "serve", "--json=stream", "-q", "-d", g.conf(), uri, file}, flags...)
	return runBeside(g.t, g.env(), `"type":"ready"`, args...)
}

// fetchable waits until chunk 0 of uri can be had.
func (g *ground) fetchable(uri string) {
	g.t.Helper()
	waitUntil(g.t, uri, func() bool {
		return g.run(g.t, g.f.cefgo, "ping", "-q", "-d", g.conf(), uri, "--chunk", "0", "-c", "1", "--lifetime", "500ms").code == 0
	})
}

// unusedPort is one that nobody listens at, by TCP or UDP.
func unusedPort(t *testing.T) int {
	t.Helper()
	const ports = lastPort - firstPort + 1
	for i := range ports {
		port := firstPort + (os.Getpid()+int(grounds.Load())+i)%ports
		if isUnused(port) {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func isUnused(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	defer u.Close()
	sockets, _ := filepath.Glob(fmt.Sprintf("/tmp/cef_%d.*", port))
	return len(sockets) == 0
}
