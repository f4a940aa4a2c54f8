package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// interopTree is a directory with what a publisher may meet.
func interopTree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	random := rand.NewChaCha8([32]byte{1})
	put := func(path string, size int) {
		t.Helper()
		path = filepath.Join(dir, path)
		b := make([]byte, size)
		_, _ = random.Read(b)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("binary", 300_000)
	put("block", 4095)
	put("empty", 0)
	put("huge", 40_000_000)
	put("sp ace", 9)
	put("50%25=+:@é", 10)
	put("0xzz", 11)
	put("Chunk=7", 12)
	put("App:1=x", 13)
	put("...", 14) // begins with a dot: hidden
	put(strings.Repeat("deep/", 20)+"file", 5000)
	put("manifest", 15)
	put("meta", 16)
	if err := os.WriteFile(filepath.Join(dir, "sparse"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "sparse"), 5_000_000); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInteropTree serves a tree, and fetches it by get -R and file by file by cefgetfile,
// through cefnetd and through the node.
func TestInteropTree(t *testing.T) {
	if os.Getenv("CEFGO_INTEROP") == "" {
		t.Skip("set CEFGO_INTEROP=1 (make interop) to run against Cefore's programs")
	}
	cefgo := buildCefgo(t)
	dir := interopTree(t)
	for _, forwarder := range []string{"cefnetd", "cefgo node"} {
		t.Run(forwarder, func(t *testing.T) {
			if forwarder == "cefnetd" {
				need(t, "cefnetd")
			}
			s := newSite(t, cefgo, forwarder)
			stop := s.background(cefgo, "serve", "-q", "-d", s.conf, "ccnx:/interop/tree", dir)
			defer stop()
			if err := s.fetchable("ccnx:/interop/tree/block"); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(s.dir, "got")
			if said, err := exec.Command(cefgo, "get", "-R", "-d", s.conf, "ccnx:/interop/tree", "-o", out).CombinedOutput(); err != nil {
				t.Fatalf("get -R: %v\n%s", err, said)
			}
			files := 0
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				rel, _ := filepath.Rel(dir, path)
				if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
					return err
				}
				files++
				if !sameFile(path, filepath.Join(out, rel)) {
					t.Errorf("get -R: %q differs", rel)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("get -R: %d files equal", files)
			s.getEachFile(t, dir, files)
		})
	}
}

// getEachFile fetches each file that ls tells of by cefgetfile.
func (s *site) getEachFile(t *testing.T, dir string, want int) {
	t.Helper()
	need(t, "cefgetfile")
	// A cefnetd that stores what it has just seen answers nobody for seconds.
	listed, err := exec.Command(s.cefgo, "ls", "-R", "--json=stream", "-d", s.conf, "--wait", "30s", "ccnx:/interop/tree").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for line := range bytes.Lines(listed) {
		var e struct{ Kind, Name, Path string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != "file" {
			continue
		}
		files++
		out := filepath.Join(s.dir, "out")
		os.Remove(out)
		cmd := exec.Command("cefgetfile", e.Name, "-f", out, "-d", s.conf)
		cmd.Env = s.env()
		if said, err := cmd.CombinedOutput(); err != nil || !sameFile(filepath.Join(dir, e.Path), out) {
			t.Errorf("cefgetfile %s: %v: %s", e.Name, err, lastLine(said))
		}
	}
	if files != want {
		t.Errorf("ls tells of %d files, want %d", files, want)
	}
	t.Logf("cefgetfile: %d files", files)
}

// TestInteropChange warms a cache with an old version by cefgetfile, and changes the file:
// get brings the new version, which no cached chunk of the old one is in.
func TestInteropChange(t *testing.T) {
	if os.Getenv("CEFGO_INTEROP") == "" {
		t.Skip("set CEFGO_INTEROP=1 (make interop) to run against Cefore's programs")
	}
	cefgo := buildCefgo(t)
	need(t, "cefgetfile")
	for _, forwarder := range []string{"cefnetd", "cefgo node"} {
		t.Run(forwarder, func(t *testing.T) {
			if forwarder == "cefnetd" {
				need(t, "cefnetd")
			}
			s := newSite(t, cefgo, forwarder)
			file, out := filepath.Join(s.dir, "file"), filepath.Join(s.dir, "out")
			old := asciiPattern(3_000_000)
			if err := os.WriteFile(file, old, 0o666); err != nil {
				t.Fatal(err)
			}
			stop := s.background(cefgo, "serve", "-q", "-d", s.conf, "-t", "300", "ccnx:/interop/change", file)
			defer stop()
			if err := s.fetchable("ccnx:/interop/change"); err != nil {
				t.Fatal(err)
			}
			getfile := func() {
				t.Helper()
				cmd := exec.Command("cefgetfile", "ccnx:/interop/change", "-f", out, "-d", s.conf)
				cmd.Env = s.env()
				if said, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("cefgetfile: %v: %s", err, lastLine(said))
				}
			}
			getfile()
			if !sameFile(file, out) {
				t.Fatal("cefgetfile got other bytes")
			}
			if err := os.WriteFile(file, bytes.ToUpper(old[:2_000_000]), 0o666); err != nil {
				t.Fatal(err)
			}
			getfile()
			t.Logf("cefgetfile after the change: the new version %v", sameFile(file, out))
			said, err := exec.Command(cefgo, "get", "-d", s.conf, "ccnx:/interop/change", "-o", out).CombinedOutput()
			if err != nil || !sameFile(file, out) {
				t.Errorf("get: %v, the new version %v\n%s", err, sameFile(file, out), said)
			}
		})
	}
}
