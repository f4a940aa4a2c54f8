package keys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func add(t testing.TB, dir, prefix string, k PrivateKey, label string) (string, bool) {
	t.Helper()
	file, changed, err := AddTrust(dir, name(t, prefix), k.Public(), label)
	if err != nil {
		t.Fatal(err)
	}
	return file, changed
}

func wantPrefixes(t testing.TB, dir, want string) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(dir, prefixesFile)); err != nil || string(got) != want {
		t.Errorf("prefixes hold %q, %v, want %q", got, err, want)
	}
	if _, err := OpenTrust(dir); err != nil {
		t.Error(err)
	}
}

func TestAddTrust(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cefgo", "trust")
	bob, other := fresh(t), fresh(t)
	short := other.Public().ID().Short()
	for _, c := range []struct {
		prefix  string
		key     PrivateKey
		label   string
		file    string
		changed bool
	}{
		{"ccnx:/bob", bob, "bob", "bob.pub", true},
		{"ccnx:/bob", bob, "bob", "bob.pub", false},
		{"ccnx:/bob", bob, "robert", "bob.pub", false},
		{"ccnx:/bob/2", bob, "robert", "bob.pub", true},                 // one file a key
		{"ccnx:/other", other, "bob", "bob-" + short + ".pub", true},    // the name is taken
		{"ccnx:/bob", other, "whatever", "bob-" + short + ".pub", true}, // two keys a prefix
		{"ccnx:/a b", bob, "x", "bob.pub", true},                        // written as Cefore reads it
		{"ccnx:/strange", fresh(t), "-o /etc/passwd", "key.pub", true},  // no name for a file
		{"ccnx:/", bob, "bob", "bob.pub", true},
	} {
		if file, changed := add(t, dir, c.prefix, c.key, c.label); file != c.file || changed != c.changed {
			t.Errorf("%s %s: %s, %v", c.prefix, c.label, file, changed)
		}
	}
	wantPrefixes(t, dir, "ccnx:/bob bob.pub\nccnx:/bob/2 bob.pub\nccnx:/other bob-"+short+".pub\nccnx:/bob bob-"+short+".pub\nccnx:/0x612062 bob.pub\nccnx:/strange key.pub\nccnx:/ bob.pub\n")
	wantMode(t, dir, 0o700)
	if got := fileNames(t, dir); strings.Contains(got, ".cefgo") || strings.Contains(got, "robert") {
		t.Errorf("the directory holds %s", got)
	}
	// Files that no line names are used where they hold the key, else left alone.
	third := fresh(t)
	writeFile(t, filepath.Join(dir, "third.pub"), third.Public().PEM(), 0o600)
	writeFile(t, filepath.Join(dir, "broken.pub"), []byte("x"), 0o600)
	if file, _ := add(t, dir, "ccnx:/3", third, "third"); file != "third.pub" {
		t.Errorf("took %s", file)
	}
	fourth := fresh(t)
	if file, _ := add(t, dir, "ccnx:/4", fourth, "broken"); file != "broken-"+fourth.Public().ID().Short()+".pub" {
		t.Errorf("took %s", file)
	}
}

// TestAddTrustKeeps: comments, permissions and a symlink stay.
func TestAddTrustKeeps(t *testing.T) {
	dir, keys := trustDir(t, "# mine\n\n  ccnx:/a   a.pub\n# last")
	real := filepath.Join(t.TempDir(), "dotfiles")
	path := filepath.Join(dir, prefixesFile)
	if err := errors.Join(os.Rename(path, real), os.Symlink(real, path), os.Chmod(real, 0o640)); err != nil {
		t.Fatal(err)
	}
	add(t, dir, "ccnx:/b", keys["b"], "x")
	want := "# mine\n\n  ccnx:/a   a.pub\n# last\nccnx:/b b.pub\n"
	// b.pub is named by no line, so its key comes under the name asked for.
	wantPrefixes(t, dir, strings.Replace(want, "b.pub", "x.pub", 1))
	wantMode(t, real, 0o640)
	if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
		t.Error("the symlink was replaced")
	}
	drop := func(string) bool { return true }
	if files, err := RemoveTrust(dir, name(t, "ccnx:/a"), drop); err != nil || !slices.Equal(files, []string{"a.pub"}) {
		t.Errorf("removed %v, %v", files, err)
	}
	wantPrefixes(t, dir, "# mine\n\n# last\nccnx:/b x.pub\n")
	wantMode(t, real, 0o640)
}

// TestAddTrustBroken: a directory that is broken is not added to.
func TestAddTrustBroken(t *testing.T) {
	for _, line := range []string{"ccnx:/x", "ccnx:/x none.pub"} {
		dir, keys := trustDir(t, line)
		before := fileNames(t, dir)
		_, _, err := AddTrust(dir, name(t, "ccnx:/y"), keys["a"].Public(), "y")
		wantError(t, err, "prefixes: line 1:")
		if b, _ := os.ReadFile(filepath.Join(dir, prefixesFile)); string(b) != line || fileNames(t, dir) != before {
			t.Errorf("changed: %q; %s", b, fileNames(t, dir))
		}
	}
	dir, keys := trustDir(t, "")
	os.Chmod(dir, 0o777)
	_, _, err := AddTrust(dir, name(t, "ccnx:/y"), keys["a"].Public(), "y")
	wantError(t, err, "chmod o-w")
	if _, _, err := AddTrust(dir, name(t, "ccnx:/y/Chunk=1"), keys["a"].Public(), "y"); err == nil {
		t.Error("added a chunk")
	}
}

func TestRemoveTrust(t *testing.T) {
	// A key that is missing does not keep its line from being removed.
	dir, _ := trustDir(t, "ccnx:/x a.pub\nccnx:/x gone.pub\nccnx:/x/y b.pub\nccnx:/x c.pub\n")
	remove := func(prefix, file string) []string {
		t.Helper()
		files, err := RemoveTrust(dir, name(t, prefix), func(f string) bool { return file == "" || f == file })
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if got := remove("ccnx:/x", "gone.pub"); !slices.Equal(got, []string{"gone.pub"}) {
		t.Errorf("removed %v", got)
	}
	wantPrefixes(t, dir, "ccnx:/x a.pub\nccnx:/x/y b.pub\nccnx:/x c.pub\n")
	for _, none := range []string{"ccnx:/", "ccnx:/x/y/z", "ccnx:/X"} {
		if got := remove(none, ""); got != nil {
			t.Errorf("%s: removed %v", none, got)
		}
	}
	if got := remove("ccnx:/x", ""); !slices.Equal(got, []string{"a.pub", "c.pub"}) {
		t.Errorf("removed %v", got)
	}
	wantPrefixes(t, dir, "ccnx:/x/y b.pub\n")
	remove("ccnx:/x/y", "b.pub")
	wantPrefixes(t, dir, "")
	if got := fileNames(t, dir); !strings.Contains(got, "a.pub b.pub c.pub") {
		t.Errorf("the keys have gone: %s", got)
	}
	if _, err := RemoveTrust(dir+"x", name(t, "ccnx:/x"), nil); !errors.Is(err, ErrNoTrust) {
		t.Error(err)
	}
	if _, err := os.Stat(dir + "x"); err == nil {
		t.Error("made a directory to remove from")
	}
}

// TestAddTrustRace: of many who add at once, no line is lost.
func TestAddTrustRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust")
	var wg sync.WaitGroup
	for i := range 30 {
		k := fresh(t)
		wg.Go(func() {
			if _, _, err := AddTrust(dir, name(t, fmt.Sprintf("ccnx:/%d", i)), k.Public(), "default"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	trust, err := OpenTrust(dir)
	if err != nil || len(trust.All()) != 30 {
		t.Fatalf("%v: %v", trust, err)
	}
}
