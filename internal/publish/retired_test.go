package publish

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// What becomes of a version that is being read when its file changes, whenever the
// publisher looks at the path next: it is read to its end, or gone, and no chunk of it
// ever holds anything else.
func TestVersionBeingRead(t *testing.T) {
	const size, block = 50_000, 1000
	old, other := random(1, size), random(2, size)
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string)
		kept   bool
		now    []byte // under the plain name; nil: nothing
	}{
		{"replaced by rename", func(t *testing.T, path string) {
			check(t, os.Rename(write(t, filepath.Dir(path), "new", other), path))
		}, true, other},
		{"removed", func(t *testing.T, path string) { check(t, os.Remove(path)) }, true, nil},
		{"moved away", func(t *testing.T, path string) { check(t, os.Rename(path, path+".old")) }, true, nil},
		{"moved away, replaced and removed", func(t *testing.T, path string) {
			check(t, os.Rename(path, path+".old"))
			write(t, filepath.Dir(path), "file", other)
			check(t, os.Remove(path+".old"))
		}, true, other},
		{"replaced by a directory", func(t *testing.T, path string) {
			check(t, os.Remove(path))
			check(t, os.Mkdir(path, 0o700))
		}, true, nil},
		{"overwritten in place", func(t *testing.T, path string) { overwrite(t, path, other, 0) }, false, other},
		{"overwritten in place, its time set back", func(t *testing.T, path string) {
			fi, err := os.Stat(path)
			check(t, err)
			overwrite(t, path, other, 0)
			check(t, os.Chtimes(path, time.Time{}, fi.ModTime()))
		}, false, other},
		{"cut", func(t *testing.T, path string) { check(t, os.Truncate(path, size/2)) }, false, old[:size/2]},
		{"overwritten, then removed", func(t *testing.T, path string) {
			overwrite(t, path, other, 0)
			check(t, os.Remove(path))
		}, false, nil},
	} {
		for _, later := range []time.Duration{0, recheck} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, later), func(t *testing.T) {
				dir := t.TempDir()
				path := write(t, dir, "file", old)
				synctest.Test(t, func(t *testing.T) {
					s := serve(t, dir, Options{Blocks: []int{block}, Digests: pool(t)})
					name := mustName(t, "ccnx:/demo/file")
					m, _ := readManifest(t, s.answers(manifestOf(t, name)))
					for k := range uint64(3) {
						o := one(t, s.answers(versionChunk(t, name, m.Version, block, k)))
						if !bytes.Equal(o.Payload, old[k*block:(k+1)*block]) {
							t.Fatalf("chunk %d before", k)
						}
					}
					tick(t, path)
					tt.change(t, path)
					time.Sleep(later)
					for k := uint64(3); k < size/block; k++ {
						pkts := s.answers(versionChunk(t, name, m.Version, block, k))
						if !tt.kept {
							if len(pkts) > 0 {
								t.Fatalf("chunk %d of a version that is gone: %x", k, pkts)
							}
							continue
						}
						if o := one(t, pkts); !bytes.Equal(o.Payload, old[k*block:(k+1)*block]) || !bytes.Equal(o.Version, object.Mark(m.Version, block)) {
							t.Fatalf("chunk %d holds others", k)
						}
					}
					time.Sleep(recheck)
					if tt.kept && len(s.answers(versionChunk(t, name, m.Version, block, 0))) != 1 {
						t.Error("the version is gone")
					}
					pkts := s.answers(interest(t, name.WithChunk(1)))
					switch {
					case tt.now == nil && len(pkts) > 0:
						t.Errorf("the plain name: %x", pkts)
					case tt.now == nil:
					case !bytes.Equal(one(t, pkts).Payload, tt.now[block:2*block]):
						t.Error("the plain name has other content")
					}
					s.stop(nil)
				})
			})
		}
	}
}

// The plain name stands for what its path names from recheck on, however much the old
// version is asked for.
func TestRetiredIsNotPlain(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("old"))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Digests: pool(t)})
		name := mustName(t, "ccnx:/demo/file")
		plain := interest(t, name.WithChunk(0))
		m, _ := readManifest(t, s.answers(manifestOf(t, name)))
		runs, err := object.RunsName(name, m.Version)
		check(t, err)
		if o := one(t, s.answers(plain)); string(o.Payload) != "old" {
			t.Fatalf("%q", o.Payload)
		}
		check(t, os.Rename(write(t, dir, "new", []byte("new")), path))
		time.Sleep(recheck)
		s.answers(interest(t, runs.WithChunk(0))) // which retires the file, and is no chunk
		if o := one(t, s.answers(plain)); string(o.Payload) != "new" {
			t.Errorf("%q, want the new file", o.Payload)
		}
		s.stop(nil)
	})
}

// The Interest that finds out that the path names another file is not answered with the
// old one, where it was for the plain name.
func TestReplacedIsNotPlain(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", random(1, 1000))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Blocks: []int{100}})
		name := mustName(t, "ccnx:/demo/file")
		one(t, s.answers(interest(t, name.WithChunk(5))))
		tick(t, path)
		check(t, os.Rename(write(t, dir, "new", random(2, 1000)), path))
		if pkts := s.answers(interest(t, name.WithChunk(2))); len(pkts) > 0 {
			t.Errorf("%q", decode(t, pkts[0]).Payload)
		}
		if o := one(t, s.answers(interest(t, name.WithChunk(2)))); !bytes.Equal(o.Payload, random(2, 1000)[200:300]) {
			t.Errorf("%q, want the new file's", o.Payload)
		}
		s.stop(nil)
	})
}

// A retired file that somebody can still write to, under another name, is not the version
// any more once that happens, whatever its time says.
func TestRetiredIsWrittenTo(t *testing.T) {
	old := random(1, 1000)
	dir := t.TempDir()
	path := write(t, dir, "file", old)
	tree, now := openTree(t, dir), newClock()
	name := child(t, tree.prefix, "file")
	f := holds(t, tree, name, now.Time, old)
	tick(t, path)
	moved := filepath.Join(dir, "moved")
	check(t, os.Rename(path, moved))
	now.past()
	if g, err := tree.Version(name, []byte(f.hex), now.Time); err != nil || g != f || !bytes.Equal(all(t, g), old) {
		t.Fatalf("%v, %v: want the old version", g, err)
	}
	tick(t, moved)
	second := moved + "2"
	for round, change := range []func() error{func() error { return os.Link(moved, second) }, func() error { return os.Remove(moved) }} {
		check(t, change())
		if got, err := f.read(make([]byte, 1000), 0, 1000, uint64(round)+2); err != nil || !bytes.Equal(got, old) {
			t.Errorf("change %d of its names: %v", round, err)
		}
	}
	moved = second
	tick(t, moved)
	fi, err := os.Stat(moved)
	check(t, err)
	overwrite(t, moved, random(2, 1000), 0)
	check(t, os.Chtimes(moved, time.Time{}, fi.ModTime()))
	if _, err := f.read(make([]byte, 1000), 0, 1000, 9); !errors.Is(err, errChanged) {
		t.Errorf("%v, want %v", err, errChanged)
	}
}

// Retired files are bounded in number, the one that nobody has asked for longest goes
// first, and in time, without anybody asking; in the end all are closed.
func TestRetiredBounded(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("0"))
	before := openFiles(t)
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Digests: pool(t)})
		name := mustName(t, "ccnx:/demo/file")
		// Beside the directory and the file as it is. To look into the tree would be a race.
		kept := func() int {
			synctest.Wait()
			return openFiles(t) - before - 2
		}
		var versions [][]byte
		for i := range maxRetired + 3 {
			m, _ := readManifest(t, s.answers(manifestOf(t, name)))
			versions = append(versions, m.Version)
			check(t, os.Rename(write(t, dir, "new", fmt.Append(nil, i+1)), path))
			time.Sleep(recheck)
			if pkts := s.answers(versionChunk(t, name, versions[0], object.DefaultBlock, 0)); len(pkts) != 1 {
				t.Fatalf("after %d others: the version in use is gone", i+1)
			}
		}
		for i, v := range versions {
			want := 1
			if i == 1 || i == 2 || i == 3 { // what is in use is the newest
				want = 0
			}
			// The last one is retired, too.
			if pkts := s.answers(versionChunk(t, name, v, object.DefaultBlock, 0)); len(pkts) != want {
				t.Errorf("version %d: %d answers, want %d", i, len(pkts), want)
			}
		}
		if n := kept(); n != maxRetired {
			t.Errorf("%d retired, want %d", n, maxRetired)
		}
		time.Sleep(keepRetired - 1)
		s.answers(versionChunk(t, name, versions[9], object.DefaultBlock, 0))
		time.Sleep(time.Nanosecond)
		if n := kept(); n != 1 {
			t.Errorf("%d are kept after %v, want the one asked for meanwhile", n, keepRetired)
		}
		time.Sleep(keepRetired)
		if n := kept(); n != 0 {
			t.Errorf("%d are kept after twice that", n)
		}
		check(t, os.Rename(write(t, dir, "new", []byte("last")), path))
		time.Sleep(recheck)
		s.answers(interest(t, name.WithChunk(0)))
		if n := kept(); n != 1 {
			t.Errorf("%d are kept, want 1", n)
		}
		s.stop(nil)
		synctest.Wait()
		s.tree.Close()
		if n := openFiles(t); n > before {
			t.Errorf("%d files are open, and %d were", n, before)
		}
	})
}

// Whatever is asked in whatever order, and whatever happens to the files meanwhile, the
// publisher answers as one does that forgets each time what the name before stood for.
func TestMemo(t *testing.T) {
	const size, block = 900, 100
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		sub, err := os.MkdirTemp(dir, "")
		check(t, err)
		serial := 0
		change := func(path, how string) {
			path = filepath.Join(sub, path)
			serial++
			content := bytes.Repeat([]byte{byte(serial)}, size)
			switch how {
			case "replace":
				check(t, os.WriteFile(path+".tmp", content, 0o600))
				check(t, os.Rename(path+".tmp", path))
			case "overwrite":
				tick(t, sub)
				check(t, os.WriteFile(path, content, 0o600))
			case "remove":
				check(t, os.RemoveAll(path))
			}
		}
		paths := []string{"a", "b"}
		for _, p := range paths {
			change(p, "replace")
		}
		two := [2]*Publisher{}
		for i := range two {
			tree, err := OpenTree(mustName(t, "ccnx:/demo"), sub)
			check(t, err)
			defer tree.Close()
			two[i] = New(tree, Options{Blocks: []int{block, 2 * block}})
		}
		now := time.Now().Add(time.Hour)
		asked := []tlv.Name{mustName(t, "ccnx:/demo/a"), mustName(t, "ccnx:/demo/b"), mustName(t, "ccnx:/demo/none"), mustName(t, "ccnx:/demo/a/meta")}
		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			switch what := rapid.SampledFrom([]string{"ask", "ask", "ask", "learn", "wait", "replace", "overwrite", "remove", "rescan"}).Draw(r, "step"); what {
			case "ask":
				n := rapid.SampledFrom(asked).Draw(r, "name").WithChunk(rapid.Uint64Range(0, size/block).Draw(r, "chunk"))
				pkt := interest(t, n)
				var got [2]tlv.Batch
				two[1].memo.file = nil
				for i, p := range two {
					p.round++
					p.answer(bytes.Clone(pkt), &got[i], now)
				}
				if got[0].Len() != got[1].Len() || got[0].Len() > 0 && !bytes.Equal(got[0].Packet(0), got[1].Packet(0)) {
					r.Fatalf("%s: %d answers, %d without a memo", n, got[0].Len(), got[1].Len())
				}
			case "learn":
				n := mustName(t, "ccnx:/demo/"+rapid.SampledFrom(paths).Draw(r, "path"))
				for _, p := range two {
					f, err := p.tree.Lookup(n, now)
					if err != nil {
						continue
					}
					v, err := object.VersionName(n, f.version, rapid.SampledFrom([]int{block, 2 * block, 3 * block}).Draw(r, "block"))
					check(t, err)
					asked = append(asked, v)
				}
			case "wait":
				now = now.Add(rapid.SampledFrom([]time.Duration{1, recheck / 2, recheck, keepRetired}).Draw(r, "time"))
			case "rescan":
				for _, p := range two {
					p.tree.Rescan()
				}
			default:
				change(rapid.SampledFrom(paths).Draw(r, "path"), what)
			}
		}
	})
}
