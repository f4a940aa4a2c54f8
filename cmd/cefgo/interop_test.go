package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The interoperability table: every publisher with every consumer over every
// forwarder at every size. It runs with CEFGO_INTEROP=1 (make interop) and needs
// Cefore 0.12.0's programs on PATH, and cefpyco's demo as a program "cefapp"; what
// is not there is skipped, saying so.

// interopBlock is the chunk size of all publishers, in bytes: the most that cefpyco
// can receive.
const interopBlock = 4095

var interopSizes = []int{0, 1, interopBlock - 1, interopBlock, interopBlock + 1, 10 << 20}

// site is a directory with a cefnetd.conf and a forwarder that runs by it.
type site struct {
	t      *testing.T
	cefgo  string
	dir    string // of the content
	conf   string // directory of cefnetd.conf
	socket string
}

// publisher makes content available under a name.
type publisher struct {
	name, needs string
	// start returns when the content can be fetched, or fails.
	start func(s *site, uri, file string) (stop func(), err error)
	// cannot says why a cell is beyond the program itself; "" where it is not.
	cannot func(size int) string
}

type consumer struct {
	name, needs string
	args        func(s *site, uri, out string) []string
	cannot      func(publisher string, size int) string
}

var publishers = []publisher{
	{"cefgo serve", "cefgo", startServe, can},
	{"cefgo put", "cefgo", startPut, can},
	{"cefputfile", "cefputfile", startPutfile, func(size int) string {
		if size == 0 {
			return "cefputfile sends nothing for an empty file"
		}
		return ""
	}},
	{"cefapp producer", "cefapp", startProducer, func(size int) string {
		if size == 0 {
			return "cefapp's producer fails on empty input"
		}
		return ""
	}},
}

func can(int) string { return "" }

var consumers = []consumer{
	{"cefgo get", "cefgo", func(s *site, uri, out string) []string {
		return []string{s.cefgo, "get", "-q", uri, "-o", out, "-d", s.conf, "--timeout", "5s", "--stall-timeout", "5s"}
	}, func(string, int) string { return "" }},
	{"cefgetfile", "cefgetfile", func(s *site, uri, out string) []string {
		return []string{"cefgetfile", uri, "-f", out, "-d", s.conf}
	}, func(p string, _ int) string {
		if p == "cefapp producer" {
			return "cefapp sends no EndChunkNumber, without which cefgetfile never ends well"
		}
		return ""
	}},
	{"cefapp consumer", "cefapp", func(s *site, uri, out string) []string {
		return []string{"cefapp", "consumer", uri, "-o", "file", "-f", out, "-t", "2", "-q"}
	}, func(p string, size int) string {
		switch {
		case p == "cefputfile":
			return "cefputfile publishes no /meta, without which cefapp finds nothing"
		case size == 0:
			return "cefapp's consumer takes an empty chunk for a text"
		}
		return ""
	}},
}

func TestInterop(t *testing.T) {
	if os.Getenv("CEFGO_INTEROP") == "" {
		t.Skip("set CEFGO_INTEROP=1 (make interop) to run against Cefore's programs")
	}
	cefgo := buildCefgo(t)
	table := new(strings.Builder)
	for _, forwarder := range []string{"cefnetd", "cefgo node"} {
		t.Run(forwarder, func(t *testing.T) {
			if forwarder == "cefnetd" {
				need(t, "cefnetd")
			}
			s := newSite(t, cefgo, forwarder)
			for _, p := range publishers {
				t.Run(p.name, func(t *testing.T) { runPublisher(t, s, p, forwarder, table) })
			}
		})
	}
	t.Logf("sha256 compared:\n%s", table)
}

func runPublisher(t *testing.T, s *site, p publisher, forwarder string, table *strings.Builder) {
	need(t, p.needs)
	rows := make(map[string][]string)
	for i, size := range interopSizes {
		uri := fmt.Sprintf("ccnx:/interop/%s/%d-%d", strings.ReplaceAll(p.name, " ", "-"), i, size)
		file := filepath.Join(s.dir, fmt.Sprintf("src%d", size))
		if err := os.WriteFile(file, asciiPattern(size), 0o666); err != nil {
			t.Fatal(err)
		}
		if why := p.cannot(size); why != "" {
			for _, c := range consumers {
				rows[c.name] = append(rows[c.name], "–")
			}
			t.Logf("%s, %d B: %s", p.name, size, why)
			continue
		}
		stop, err := p.start(s, uri, file)
		if err != nil {
			t.Errorf("%s, %d B: %v", p.name, size, err)
			continue
		}
		for _, c := range consumers {
			rows[c.name] = append(rows[c.name], runCell(t, s, p, c, uri, file, size))
		}
		stop()
	}
	for _, c := range consumers {
		fmt.Fprintf(table, "| %s | %s | %s | %s |\n", forwarder, p.name, c.name, strings.Join(rows[c.name], " | "))
	}
}

// runCell fetches once and says how that went. A cell that the programs can do must
// be equal; in no other may cefgo end with 0.
func runCell(t *testing.T, s *site, p publisher, c consumer, uri, file string, size int) string {
	if _, err := exec.LookPath(c.needs); err != nil && c.needs != "cefgo" {
		t.Logf("%s is not installed: skipped", c.needs)
		return "skipped"
	}
	out := filepath.Join(s.dir, "out")
	os.Remove(out)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := c.args(s, uri, out)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = s.env()
	said, err := cmd.CombinedOutput()
	equal := sameFile(file, out)
	why := c.cannot(p.name, size)
	switch {
	case equal && err == nil:
		return "equal"
	case why != "":
		t.Logf("%s -> %s, %d B: %s (%v: %s)", p.name, c.name, size, why, err, lastLine(said))
		if c.name == "cefgo get" && err == nil {
			t.Errorf("cefgo get ended with 0 and other bytes")
		}
		return "–"
	}
	t.Errorf("%s -> %s, %d B: equal %v, %v\n%s", p.name, c.name, size, equal, err, said)
	return "FAILED"
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

func sameFile(a, b string) bool {
	x, err := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	return err == nil && err2 == nil && sha256.Sum256(x) == sha256.Sum256(y)
}

// asciiPattern is n bytes of text, as cefapp handles nothing else.
func asciiPattern(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d of a text\n", i)
	}
	return b.Bytes()[:n]
}

func need(t *testing.T, program string) {
	t.Helper()
	if program == "cefgo" {
		return
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not on PATH", program)
	}
}

func buildCefgo(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "cefgo")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// newSite starts a forwarder.
func newSite(t *testing.T, cefgo, forwarder string) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, cefgo: cefgo, dir: dir, conf: filepath.Join(dir, "cefore")}
	port, id := freePort(t), fmt.Sprintf("i%d", os.Getpid())
	s.socket = fmt.Sprintf("/tmp/cef_%d.%s", port, id)
	if err := os.Mkdir(s.conf, 0o777); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("PORT_NUM=%d\nLOCAL_SOCK_ID=%s\nCS_MODE=1\nCEF_LOG_LEVEL=0\n", port, id)
	if err := os.WriteFile(filepath.Join(s.conf, "cefnetd.conf"), []byte(conf), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{cefgo, "node", "-d", s.conf}
	if forwarder == "cefnetd" {
		args = []string{"cefnetd", "-d", s.conf, "-p", fmt.Sprint(port)}
	}
	stop := s.background(args...)
	t.Cleanup(func() {
		stop()
		os.Remove(s.socket) // cefnetd leaves it
		os.Remove(fmt.Sprintf("/tmp/cefnetd_%d_%s.log", port, id))
	})
	s.wait("the forwarder", func() bool {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	for port := 21000 + os.Getpid()%9000; port < 40000; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func (s *site) env() []string {
	return append(os.Environ(), "CEFORE_DIR="+s.dir, "USER=root")
}

// background starts a program and returns what ends it.
func (s *site) background(args ...string) (stop func()) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = s.env()
	cmd.Dir = s.dir
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
}

// wait looks until ok, for programs that do not tell when they are ready.
func (s *site) wait(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s did not come up", what)
		}
	}
}

// fetchable waits until chunk 0 of uri can be had.
func (s *site) fetchable(uri string) error {
	var last []byte
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command(s.cefgo, "ping", "-d", s.conf, uri, "--chunk", "0", "-c", "1", "--lifetime", "500ms").CombinedOutput()
		if err == nil {
			return nil
		}
		last = out
	}
	return fmt.Errorf("chunk 0 of %s does not come: %s", uri, last)
}

func startServe(s *site, uri, file string) (func(), error) {
	stop := s.background(s.cefgo, "serve", "-q", "-d", s.conf, uri, file)
	return stop, s.fetchable(uri)
}

func startPut(s *site, uri, file string) (func(), error) {
	out, err := exec.Command(s.cefgo, "put", "-d", s.conf, uri, file).CombinedOutput()
	if err != nil {
		err = errors.New(string(out))
	}
	return func() {}, err
}

func startPutfile(s *site, uri, file string) (func(), error) {
	cmd := exec.Command("cefputfile", uri, "-f", file, "-b", fmt.Sprint(interopBlock), "-r", "100", "-d", s.conf)
	cmd.Env = s.env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return func() {}, s.fetchable(uri)
}

func startProducer(s *site, uri, file string) (func(), error) {
	stop := s.background("cefapp", "producer", uri, file, "-i", "file", "-b", fmt.Sprint(interopBlock), "-t", "1000", "-q")
	return stop, s.fetchable(uri)
}
