//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// served is a directory that is served, and the readers' environment.
type served struct {
	t    *testing.T
	dir  string
	home *nodeHome
}

// serveDir serves an empty directory as ccnx:/s, over the node that runs there if any.
func serveDir(t *testing.T, home *nodeHome) *served {
	t.Helper()
	s := &served{t, t.TempDir(), home}
	runBeside(t, home.env, `"type":"ready"`, "cefgo", "serve", "--json=stream", "ccnx:/s", s.dir)
	return s
}

// replace puts a file in place at once.
func (s *served) replace(file string, content []byte) {
	s.t.Helper()
	path := filepath.Join(s.dir, file)
	if err := errors.Join(os.WriteFile(path+".tmp", content, 0o666), os.Rename(path+".tmp", path)); err != nil {
		s.t.Fatal(err)
	}
}

// get is a command that runs in an empty directory of its own.
func (s *served) get(home *nodeHome, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), "cefgo", append([]string{"get"}, args...)...)
	cmd.Env, cmd.Dir = home.env, s.t.TempDir()
	return cmd
}

// seeded is content that differs from seed to seed in each of its bytes, or nearly.
func seeded(seed uint64, size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// A reader that is in the middle of a large file when that changes: of what is replaced
// or removed it gets the old version, whole, however long it dawdles; of what is written
// to in place a right first part, and soon the exit code 12.
func TestChangedWhileRead(t *testing.T) {
	const size = 24 << 20 // more than all that lies between the file and a pipe nobody reads
	old, other := seeded(1, size), seeded(2, size)
	for _, tt := range []struct {
		name   string
		change func(s *served) error
		code   int
	}{
		{"replaced", func(s *served) error { s.replace("f", other); return nil }, 0},
		{"replaced twice", func(s *served) error { s.replace("f", other); s.replace("f", other[1:]); return nil }, 0},
		{"removed", func(s *served) error { return os.Remove(filepath.Join(s.dir, "f")) }, 0},
		{"overwritten", func(s *served) error {
			f, err := os.OpenFile(filepath.Join(s.dir, "f"), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(other)
			return errors.Join(err, f.Close())
		}, 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serveDir(t, newNodeHome(t))
			s.replace("f", old)
			// The digests are known from here on, so that the reader holds runs back.
			if out, err := s.get(s.home, "ccnx:/s/f", "--verify", "manifest").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			cmd := s.get(s.home, "ccnx:/s/f", "-o", "-", "--stall-timeout", "1h")
			var says bytes.Buffer
			cmd.Stderr = &says
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 1<<10)
			if _, err := io.ReadFull(out, got); err != nil {
				t.Fatalf("%v: %s", err, says.String())
			}
			if err := tt.change(s); err != nil {
				t.Fatal(err)
			}
			if tt.code == 0 {
				// Long enough for the reader to ask what has become of its version.
				time.Sleep(4 * watchEvery)
			}
			rest, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rest...)
			_ = cmd.Wait()
			code := cmd.ProcessState.ExitCode()
			if code != tt.code || !bytes.HasPrefix(old, got) || (code == 0) != (len(got) == size) {
				t.Errorf("exit code %d, want %d; %d bytes, a first part of the old version: %v; it says %s", code, tt.code, len(got), bytes.HasPrefix(old, got), says.String())
			}
		})
	}
}

// Files that change all the time, by rename and in place, while readers fetch them through
// a node that caches: each reader ends with exactly one of the versions, or with an error
// that says so, and no file under the final name. With CEFGO_SOAK=1 for longer, or with
// CEFGO_SOAK=N for N changes.
func TestChangesNeverMix(t *testing.T) {
	changes, size, readers := 5, 2<<20, 4
	if n, _ := strconv.Atoi(os.Getenv("CEFGO_SOAK")); n > 0 {
		if changes = n; n == 1 {
			changes = 300
		}
		size, readers = 8<<20, 6
	}
	source, cache := newNodeHome(t), newNodeHome(t)
	at, free := takePort(t)
	free()
	source.start(nil, "--listen", "tcp://"+at)
	s := serveDir(t, source)
	cache.start(nil, "--listen", "none", "--route", "ccnx:/s tcp://"+at)
	mixing(t, s, cache, changes, size, readers)
}

// versions are the contents that a file has had, by their sums.
type versions struct {
	mu  sync.Mutex
	all map[[32]byte]int
}

func (v *versions) add(content []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all[sha256.Sum256(content)] = len(v.all)
}

func (v *versions) has(content []byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.all[sha256.Sum256(content)]
	return ok
}

func mixing(t *testing.T, s *served, h *nodeHome, changes, size, readers int) {
	random := rand.New(rand.NewPCG(1, 2))
	v := &versions{all: make(map[[32]byte]int)}
	content := seeded(0, size)
	v.add(content)
	s.replace("f", content)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ends := make(map[int]int)
	over := make(chan struct{})
	done := make(chan struct{}, readers) // tokens: fetches that have ended
	for i := range readers {
		flags := [][]string{{"-o", "out"}, {"-o", "-"}, {"-o", "out", "--verify", "manifest"}, {"-o", "-", "--verify", "manifest"}}[i%4]
		wg.Go(func() {
			for n := 0; ; n++ {
				cmd := s.get(h, append([]string{"ccnx:/s/f", "--stall-timeout", "5s", "--timeout", "5s"}, flags...)...)
				var out, says bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &says
				_ = cmd.Run()
				code := cmd.ProcessState.ExitCode()
				got := out.Bytes()
				file, err := os.ReadFile(filepath.Join(cmd.Dir, "out"))
				if flags[1] == "out" {
					got = file
				}
				mu.Lock()
				ends[code]++
				mu.Unlock()
				switch {
				case code == 0 && !v.has(got):
					t.Errorf("exit code 0 with %d bytes that the file never was", len(got))
				case code != 0 && err == nil:
					t.Errorf("exit code %d, and a file of %d bytes", code, len(file))
				case code == 6 && strings.Contains(says.String(), "there is no manifest"): // in time, while the file was changing
				case code != 0 && code != 12 && code != 7:
					t.Errorf("exit code %d: %s", code, says.String())
				}
				select {
				case done <- struct{}{}:
				default:
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	for g := 1; g <= changes; g++ {
		<-done // somebody is in the middle, as the others go on
		next := seeded(uint64(g), size)
		if random.IntN(2) == 0 {
			v.add(next)
			s.replace("f", next)
			content = next
			continue
		}
		f, err := os.OpenFile(filepath.Join(s.dir, "f"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for off, step := 0, size/32; off < size; off += step {
			copy(content[off:], next[off:off+step])
			v.add(content) // what the file is for a moment is a version of it
			if _, err := f.WriteAt(content[off:off+step], int64(off)); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
	}
	close(over)
	wg.Wait()
	t.Logf("exit codes: %v", ends)
	if ends[0] == 0 {
		t.Error("nobody got anything")
	}
}
