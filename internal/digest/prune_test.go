package digest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// place writes a file of n bytes, last used at that time.
func place(t *testing.T, path string, n int, used time.Time) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	check(t, os.WriteFile(path, make([]byte, n), 0o600))
	check(t, os.Chtimes(path, used, used))
}

// TestPruneAge: what is too old goes, but only what is the cache's.
func TestPruneAge(t *testing.T) {
	dir := t.TempDir()
	d := newDisk(dir, nil)
	now := time.Now().Truncate(time.Second)
	const day = 24 * time.Hour
	entry := func(i int) string { return d.path(keyOf(fmt.Sprint(i))) }
	ages := map[string]time.Duration{
		entry(0):                                                30 * day,
		entry(1):                                                0,
		filepath.Join(dir, "ab", "tmp-1"):                       time.Hour,
		filepath.Join(dir, "ab", "tmp-2"):                       time.Minute,
		filepath.Join(dir, "tmp-1"):                             400 * day,
		filepath.Join(dir, "thesis"):                            400 * day,
		filepath.Join(dir, "ab", "abacus"):                      400 * day,
		filepath.Join(dir, "ab", strings.Repeat("ab", 33)):      400 * day,
		filepath.Join(dir, "AB", strings.Repeat("AB", 32)):      400 * day,
		filepath.Join(dir, "ab", "thesis"):                      400 * day,
		filepath.Join(dir, "cd", filepath.Base(entry(0))):       400 * day, // of another directory
		filepath.Join(dir, "AB", filepath.Base(entry(0))):       400 * day,
		filepath.Join(dir, "photos", filepath.Base(entry(0))):   400 * day,
		filepath.Join(dir, "photos", "tmp-1"):                   400 * day,
		filepath.Join(dir, "ab", "cd", filepath.Base(entry(0))): 400 * day,
	}
	want := []string{}
	for path, age := range ages {
		place(t, path, 1, now.Add(-age))
		want = append(want, path)
	}
	place(t, entry(2), 1, now.Add(-30*day-time.Second))
	place(t, filepath.Join(dir, "ab", "tmp-3"), 1, now.Add(-time.Hour-time.Second))
	folder := filepath.Join(dir, "ab", "tmp-folder")
	check(t, os.Mkdir(folder, 0o700))
	check(t, os.Chtimes(folder, time.Unix(0, 0), time.Unix(0, 0)))
	d.prune(context.Background(), now)
	if _, err := os.Stat(folder); err != nil {
		t.Error(err)
	}
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left: %q\nwant: %q", got, want)
	}
}

// TestPruneTotal: the least recently used go, by what they take on disk; what is being
// written stays.
func TestPruneTotal(t *testing.T) {
	dir := t.TempDir()
	d := newDisk(dir, nil)
	d.total = 6 * 4096
	now := time.Now()
	path := func(i int) string { return d.path(keyOf(fmt.Sprint(i))) }
	for i := range 10 {
		place(t, path(i), 4097, now.Add(-time.Duration(i)*time.Minute))
	}
	tmp := filepath.Join(dir, "ab", "tmp-1")
	place(t, tmp, 1, now.Add(-time.Hour))
	d.prune(context.Background(), now)
	want := []string{path(0), path(1), path(2), tmp}
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left: %q\nwant: %q", got, want)
	}
}

// TestPruneEnds: a Pool that is closed does not wait for it.
func TestPruneEnds(t *testing.T) {
	d := newDisk(t.TempDir(), nil)
	place(t, d.path(keyOf("a")), 1, time.Now().Add(-2*entryAge))
	ctx, end := context.WithCancel(context.Background())
	end()
	d.prune(ctx, time.Now())
	if len(files(t, d.dir)) != 1 {
		t.Error("it was removed")
	}
}

// TestNewPrunes: and what is used stays, be it as old.
func TestNewPrunes(t *testing.T) {
	content := random(1, diskFrom)
	dir := filled(t, "a", content)
	d := newDisk(dir, nil)
	place(t, d.path(keyOf("old")), 1, time.Now().Add(-entryAge-time.Minute))
	old := time.Now().Add(-entryAge + time.Hour)
	check(t, os.Chtimes(d.path(keyOf("a")), old, old))
	p := open(t, Options{Dir: dir})
	p.wg.Wait() // for nothing but that
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("left: %q", got)
	}
	wantSums(t, p, notOpened(t, "a", diskFrom), sumsOf(content))
	d.prune(context.Background(), time.Now().Add(2*time.Hour))
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("left after it was used: %q", got)
	}
}

// TestGrowthIsPruned: a Pool that lives long keeps to the bound as well.
func TestGrowthIsPruned(t *testing.T) {
	dir := t.TempDir()
	p := New(Options{Dir: dir, Workers: 2})
	p.wg.Wait()
	p.disk.total = 8 * 4096
	content := random(1, diskFrom)
	for i := range 24 {
		wantSums(t, p, newFake(content).job(fmt.Sprint(i)), sumsOf(content))
		p.wg.Wait()
		if n := len(files(t, dir)); n > 8+2 || i > 10 && n < 8 {
			t.Fatalf("after %d: %d entries", i+1, n)
		}
	}
	p.Close()
}

// TestGrown: prune is called for after a quarter of the bound, and then after another.
func TestGrown(t *testing.T) {
	d := newDisk(t.TempDir(), nil)
	d.total = 16 * 4096
	for range 3 {
		for i := range 5 {
			if got := d.store(keyOf("a"), sumsOf(nil)); got != (i == 4) {
				t.Errorf("entry %d: %v", i, got)
			}
		}
		d.prune(context.Background(), time.Now())
	}
}

// TestNothingToPrune: a directory that is not there yet is not worth a warning.
func TestNothingToPrune(t *testing.T) {
	var j journal
	newDisk(filepath.Join(t.TempDir(), "none"), j.log()).prune(context.Background(), time.Now())
	if got := j.lines(); len(got) > 0 {
		t.Errorf("logged %q", got)
	}
}
