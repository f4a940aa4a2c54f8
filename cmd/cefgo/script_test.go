package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cefgo": main})
}

// socketIDs makes each script's socket its own.
var socketIDs atomic.Uint64

// TestScript runs the commands from outside. Beside testscript's own commands the
// scripts have:
//
//	publish [flags] PREFIX PATH   starts cefgo serve and waits until it is ready
//	forwarder [flags]             starts cefgo node and waits until it is ready
//	quit PREFIX|node              ends one of them by SIGTERM (it must end with 0), or a fake
//	fake MODE NAME                an application that answers for NAME in bad ways
//	forge MODE NAME               a publisher with a manifest that does something wrong
//	forged MODE WAY=N,… [flags]   gets what such a publisher has, which must end with N
//	forgetree MODE NAME           a publisher of a tree that does something wrong
//	code N cefgo ARGS…            runs cefgo, which must end with exit code N
//	makefile FILE SIZE            writes SIZE bytes that never repeat
//	deadsocket                    leaves a socket file that nobody listens at
//	broken MODE                   a forwarder that takes connections and is of no use
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			id := fmt.Sprintf("t%d.%d", os.Getpid(), socketIDs.Add(1))
			if len(id) > 16 {
				return fmt.Errorf("socket id %s is too long", id)
			}
			env.Setenv("CEFGO_SOCKET_ID", id)
			env.Setenv("CEFGO_PORT", "9695")
			env.Setenv("SOCKET", "/tmp/cef_9695."+id)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CEFORE_DIR", "")
			procs := &processes{byName: make(map[string]*process), fakes: make(map[string]func())}
			env.Values[procsKey] = procs
			env.Defer(func() {
				procs.killAll()
				os.Remove("/tmp/cef_9695." + id) // of those that were killed
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"publish":    cmdPublish,
			"forwarder":  cmdForwarder,
			"quit":       cmdQuit,
			"fake":       cmdFake,
			"forge":      cmdForge,
			"forged":     cmdForged,
			"forgetree":  cmdForgeTree,
			"code":       cmdCode,
			"makefile":   cmdMakefile,
			"deadsocket": cmdDeadSocket,
			"broken":     cmdBroken,
		},
	})
}

type key int

const procsKey key = 0

// processes are what a script has started.
type processes struct {
	byName map[string]*process
	fakes  map[string]func() // what ends them
}

type process struct {
	cmd  *exec.Cmd
	done chan error
}

func (p *processes) killAll() {
	for _, q := range p.byName {
		_ = q.cmd.Process.Kill()
		<-q.done
	}
}

// start runs cefgo in the background and waits for its ready event.
func start(ts *testscript.TestScript, name string, args ...string) {
	cmd := exec.Command("cefgo", args...)
	cmd.Path = lookPath(ts, "cefgo")
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = scriptEnv(ts)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	p := &process{cmd, make(chan error, 1)}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"type":"ready"`) {
				ready <- true
			}
		}
		p.done <- cmd.Wait()
		close(ready)
	}()
	if !<-ready {
		ts.Fatalf("%v ended before it was ready: %v", args, <-p.done)
	}
	ts.Value(procsKey).(*processes).byName[name] = p
}

func lookPath(ts *testscript.TestScript, file string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, file); exec.Command(p).Err == nil {
			if _, err := os.Stat(p); err == nil {
				return p
			}
		}
	}
	ts.Fatalf("%s is not on PATH", file)
	return ""
}

// scriptEnv is the environment that the script's own exec uses.
func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "WORK", "CEFGO_SOCKET_ID", "CEFGO_PORT", "CEFORE_DIR", "TMPDIR", "USER", "GOCOVERDIR", "XDG_CONFIG_HOME"} {
		if v := ts.Getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

func cmdPublish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: publish [flags] PREFIX PATH")
	}
	start(ts, args[len(args)-2], append([]string{"serve", "--json=stream"}, args...)...)
}

func cmdForwarder(ts *testscript.TestScript, neg bool, args []string) {
	start(ts, "node", append([]string{"node", "--json=stream"}, args...)...)
}

func cmdQuit(ts *testscript.TestScript, neg bool, args []string) {
	procs := ts.Value(procsKey).(*processes)
	if end := procs.fakes[args[0]]; end != nil {
		delete(procs.fakes, args[0])
		end()
		return
	}
	p := procs.byName[args[0]]
	if p == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	delete(procs.byName, args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.done:
		ts.Check(err)
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		ts.Fatalf("%s did not end by SIGTERM", args[0])
	}
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdMakefile(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pattern(n), 0o666))
}

// pattern is n bytes of which no two aligned runs of eight are equal.
func pattern(n int) []byte {
	b := make([]byte, 0, n+8)
	for i := uint64(1); len(b) < n; i++ {
		x := i * 0x9e3779b97f4a7c15
		b = append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24), byte(x>>32), byte(x>>40), byte(x>>48), byte(x>>56))
	}
	return b[:n]
}

func cmdDeadSocket(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: ts.Getenv("SOCKET"), Net: "unix"})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}
