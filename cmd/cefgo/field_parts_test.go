//go:build linux

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestField measures cefgo against Cefore's own programs and against what the path
// can carry, and leads it through bad days:
//
//	CEFGO_FIELD=1 go test ./cmd/cefgo -run TestField -v -count=1 -timeout 60m
//	CEFGO_FIELD=1 go test ./cmd/cefgo -run TestField/live/block=1024 -v -count=1
//
// CEFGO_FIELD=small takes about a tenth of the sizes and few runs, to see that it
// works. CEFGO_FIELD_ARGS are further arguments of every cefgo get, CEFGO_FIELD_RUNS is
// how often the contestants of a comparison take their turns, and CEFGO_FIELD_BIN is a
// cefgo to measure in place of one that is built here.
//
// Every output of cefgo is compared with what was published: a wrong byte, or an exit
// code that should not be, is a failure. A missed bar is none: the rows tell. What
// needs a program that is not there is skipped, saying so.
func TestField(t *testing.T) {
	f := newField(t)
	for _, part := range []struct {
		name string
		run  func(*field, *testing.T)
	}{
		{"live", (*field).live},
		{"cache", (*field).cache},
		{"buffers", (*field).buffers},
		{"relay", (*field).relay},
		{"memory", (*field).memory},
		{"resume", (*field).resume},
		{"pit", (*field).pit},
		{"node", (*field).node},
		{"verify", (*field).verify},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(f, t) })
	}
	f.summary.log(t)
}

// field is what the parts of one TestField share.
type field struct {
	cefgo   string // the program
	small   bool
	turns   int      // of each contestant in a comparison
	args    []string // of every cefgo get
	summary mdTable  // all bars
}

func newField(t *testing.T) *field {
	mode := os.Getenv("CEFGO_FIELD")
	if mode == "" {
		t.Skip("set CEFGO_FIELD=1 (make field) to measure against Cefore's programs")
	}
	f := &field{
		cefgo: os.Getenv("CEFGO_FIELD_BIN"),
		small: mode == "small",
		turns: 5,
		args:  strings.Fields(os.Getenv("CEFGO_FIELD_ARGS")),
	}
	if f.cefgo == "" {
		f.cefgo = buildCefgo(t)
	}
	if f.small {
		f.turns = 2
	}
	if s := os.Getenv("CEFGO_FIELD_RUNS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("CEFGO_FIELD_RUNS=%s: want a number of runs", s)
		}
		f.turns = n
	}
	f.summary.row("part", "what", "measured", "bar")
	t.Logf("%s\nwmem_default %s, load %s; extra arguments of get: %q", machine(), kernelValue("net/core/wmem_default"), loadavg(), f.args)
	return f
}

// size is n, or about a tenth of it.
func (f *field) size(n int64) int64 {
	if f.small {
		return n/10 + 1
	}
	return n
}

// times is n, or few.
func (f *field) times(n int) int {
	if f.small {
		return min(n, 2)
	}
	return n
}

// bar notes a bar in the summary and returns how it went, for the part's own table.
func (f *field) bar(t *testing.T, what, measured, bar string) string {
	part := strings.TrimPrefix(t.Name(), "TestField/")
	f.summary.row(part, what, measured, bar)
	return bar
}

// haveOnPath skips where one of the programs is not there.
func haveOnPath(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not on PATH", p)
		}
	}
}

// machine says on what was measured.
func machine() string {
	var u syscall.Utsname
	_ = syscall.Uname(&u)
	release := new(strings.Builder)
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		release.WriteByte(byte(c))
	}
	return "Linux " + release.String() + ", " + strconv.Itoa(runtime.NumCPU()) + " CPUs, " + runtime.Version()
}

// kernelValue is a setting below /proc/sys.
func kernelValue(name string) string {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(b))
}

// loadavg tells how busy the machine was in the last minute: what is measured on a busy
// one says little.
func loadavg() string {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	return first
}
