//go:build linux

package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// barMemory bounds the memory of get, in MiB.
	barMemory = 64
	// memoryFree is how much disk the part needs: the content twice, and room.
	memoryFree = 6 << 30
	// pipeRate is how fast the slow reader reads, in bytes per second.
	pipeRate = 200e6
)

// memory fetches more than fits, to a file and to a reader that is slow, from a cefgo
// serve with a forwarder of its own.
func (f *field) memory(t *testing.T) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(os.TempDir(), &fs); err != nil || int64(fs.Bavail)*fs.Bsize < memoryFree {
		t.Skipf("%s has less than %d GiB free", os.TempDir(), memoryFree>>30)
	}
	t.Run("file", func(t *testing.T) {
		g := f.newGround(t)
		c := writeContent(t, g.file("content"), f.size(2<<30))
		g.serve(memoryURI, c.path)
		var hwm int64
		g.fresh()
		r := g.tryGet(t, memoryURI, c, func(p *os.Process) func() { return watchPeak(p, &hwm) })
		f.memoryRow(t, r, hwm, c)
	})
	t.Run("pipe", func(t *testing.T) {
		g := f.newGround(t)
		c := writeContent(t, g.file("content"), f.size(512<<20))
		g.serve(memoryURI, c.path)
		var hwm int64
		f.memoryRow(t, g.getToPipe(t, memoryURI, c, &hwm), hwm, c)
	})
}

const memoryURI = "ccnx:/field/memory"

func (f *field) memoryRow(t *testing.T, r *got, hwm int64, c content) {
	t.Helper()
	if !r.ok {
		t.Errorf("get: %v", r.ended)
	}
	const mib = 1 << 20
	peak := float64(hwm) / mib
	b := mdTable{}
	b.row("size", "MB/s by its own clock", "CPU s", "peak memory, MiB (VmHWM, seen at 10 ms)", "the same by wait4's Maxrss", "bar")
	b.row(bytesText(uint64(c.size)), figure(float64(c.size)/1e6/r.duration().Seconds()), figure(r.cpu.Seconds()), figure(peak), figure(float64(r.peak)/mib),
		f.bar(t, "peak memory of get", figure(peak)+" MiB", atMost(barMemory, peak, " MiB")))
	b.log(t)
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		t.Logf("Maxrss is no less than this test's own peak, %s MiB, which a program inherits by exec", figure(float64(own.Maxrss<<10)/mib))
	}
}

// watchPeak keeps the highest memory of a process, as the kernel counts it for the
// program alone, in *hwm until the returned function is called.
func watchPeak(p *os.Process, hwm *int64) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(growthTick)
		defer tick.Stop()
		for {
			*hwm = max(*hwm, vmHWM(p.Pid))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// vmHWM is 0 once the process has ended.
func vmHWM(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseInt(kib, 10, 64)
	return n << 10
}

// getToPipe fetches uri to a pipe that is read at pipeRate.
func (g *ground) getToPipe(t *testing.T, uri string, want content, hwm *int64) *got {
	t.Helper()
	args := append([]string{g.f.cefgo, "get", "-q", "--json", "-d", g.conf(), uri, "-o", "-"}, g.f.args...)
	cmd := boundCommand(t.Context(), g.env(), args...)
	r := &got{ended: new(ended)}
	var says strings.Builder // the result too, as the content goes to stdout
	cmd.Stderr = &says
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	end := watchPeak(cmd.Process, hwm)
	sum := sha256.New()
	_, copyErr := io.Copy(sum, &slowReader{r: pipe, begun: begun})
	r.ended = endedBy(cmd, cmd.Wait(), time.Since(begun))
	end()
	r.stderr = []byte(says.String())
	right := copyErr == nil && sumOf(sum) == want.sum
	if r.code == 0 && !right {
		t.Errorf("get -o - ended with 0 and other bytes")
	}
	r.ok = r.code == 0 && right && r.result(r.stderr) == nil
	return r
}

// slowReader reads no faster than pipeRate.
type slowReader struct {
	r     io.Reader
	begun time.Time
	n     int64
}

func (s *slowReader) Read(p []byte) (int, error) {
	due := s.begun.Add(time.Duration(float64(s.n) / pipeRate * float64(time.Second)))
	time.Sleep(time.Until(due)) // slowness is what is wanted
	n, err := s.r.Read(p)
	s.n += int64(n)
	return n, err
}
