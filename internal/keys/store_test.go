package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func newStore(t testing.TB) Store { return Store{filepath.Join(t.TempDir(), "cefgo", "keys")} }

func save(t testing.TB, s Store, name string) PrivateKey {
	t.Helper()
	k := fresh(t)
	if err := s.Save(name, k, false); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestStoreSave(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // nobody's umask is to thank for the permissions
	s := newStore(t)
	k := save(t, s, "a")
	wantMode(t, s.Dir, 0o700)
	wantMode(t, s.path("a", ".key"), 0o600)
	wantMode(t, s.path("a", ".pub"), 0o644)
	if got := fileNames(t, s.Dir); got != "a.key a.pub" {
		t.Errorf("the store holds %s", got)
	}
	e := s.Entry("a")
	if e.Err != nil || !e.Signs || !e.Key.Equal(k.Public()) || len(e.Files) != 2 {
		t.Errorf("got %+v", e)
	}
	if got, err := s.Private("a"); err != nil || !got.Public().Equal(k.Public()) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestStoreKeeps: what is there is replaced only where that was asked for.
func TestStoreKeeps(t *testing.T) {
	s := newStore(t)
	old, other := save(t, s, "a"), fresh(t)
	var exists *ExistsError
	if err := s.Save("a", other, false); !errors.As(err, &exists) {
		t.Errorf("save: %v", err)
	}
	for _, replace := range []bool{false, true} {
		if err := s.SavePublic("a", other.Public(), replace); !errors.As(err, &exists) || !exists.Kept {
			t.Errorf("a public key over a private one: %v", err)
		}
	}
	if e := s.Entry("a"); e.Err != nil || !e.Key.Equal(old.Public()) {
		t.Errorf("the old key is not there: %+v", e)
	}
	if err := s.Save("a", other, true); err != nil {
		t.Fatal(err)
	}
	if e := s.Entry("a"); e.Err != nil || !e.Key.Equal(other.Public()) {
		t.Errorf("the new key is not there: %+v", e)
	}
	wantMode(t, s.path("a", ".key"), 0o600)
}

func TestStorePublic(t *testing.T) {
	s := newStore(t)
	bob, other := fresh(t), fresh(t)
	if err := s.SavePublic("bob", bob.Public(), false); err != nil {
		t.Fatal(err)
	}
	e := s.Entry("bob")
	if e.Err != nil || e.Signs || !e.Key.Equal(bob.Public()) || fileNames(t, s.Dir) != "bob.pub" {
		t.Errorf("got %+v", e)
	}
	_, err := s.Private("bob")
	wantError(t, err, "bob.pub", "a private one is needed")
	// A public key holds its name against others, private ones too.
	var exists *ExistsError
	if err := s.SavePublic("bob", other.Public(), false); !errors.As(err, &exists) {
		t.Errorf("another public key: %v", err)
	}
	if err := s.Save("bob", bob, false); !errors.As(err, &exists) || fileNames(t, s.Dir) != "bob.pub" {
		t.Errorf("a private key: %v; %s", err, fileNames(t, s.Dir))
	}
	if err := s.SavePublic("bob", other.Public(), true); err != nil || !s.Entry("bob").Key.Equal(other.Public()) {
		t.Errorf("replaced: %v", err)
	}
	if err := s.Save("bob", bob, true); err != nil || !s.Entry("bob").Signs || s.Entry("bob").Err != nil {
		t.Errorf("replaced by a private one: %v, %+v", err, s.Entry("bob"))
	}
}

func TestStoreBroken(t *testing.T) {
	s := newStore(t)
	save(t, s, "open")
	os.Chmod(s.path("open", ".key"), 0o640)
	save(t, s, "mixed")
	save(t, s, "torn")
	save(t, s, "wrong")
	save(t, s, "private")
	if err := fresh(t).Public().WriteFile(s.path("mixed", ".pub"), true); err != nil {
		t.Fatal(err)
	}
	writeFile(t, s.path("torn", ".key"), nil, 0o600)
	writeFile(t, s.path("wrong", ".pub"), []byte("x"), 0o600)
	save(t, s, "private.m") // its files stand between those of "private"
	if err := fresh(t).WriteFile(s.path("n", ".key"), false); err != nil {
		t.Fatal(err)
	}
	save(t, s, "n-n") // its files stand before those of "n"
	writeFile(t, filepath.Join(s.Dir, "note"), nil, 0o600)
	writeFile(t, filepath.Join(s.Dir, ".x.key"), nil, 0o600)
	want := map[string]string{"mixed": "mixed.pub is not the public half of", "open": "chmod 600", "n": "", "n-n": "", "private": "", "private.m": "", "torn": "torn.key: no key", "wrong": "wrong.pub: no key"}
	all, err := s.List()
	if err != nil || len(all) != len(want) {
		t.Fatalf("%d keys, %v", len(all), err)
	}
	last := ""
	for _, e := range all {
		if e.Name < last {
			t.Errorf("%s is listed behind %s", e.Name, last)
		}
		last = e.Name
		if want[e.Name] == "" {
			if e.Err != nil || !e.Signs {
				t.Errorf("%s: %+v", e.Name, e)
			}
			continue
		}
		wantError(t, e.Err, want[e.Name])
		if _, err := s.Private(e.Name); err == nil {
			t.Errorf("%s signs", e.Name)
		}
		if _, err := s.Find(e.Name); err == nil {
			t.Errorf("%s is found", e.Name)
		}
	}
}

func TestStoreFind(t *testing.T) {
	s := newStore(t)
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("a store that is not there: %v, %v", all, err)
	}
	t.Chdir(t.TempDir())
	stored, file := save(t, s, "k"), fresh(t)
	writeFile(t, "k", file.PEM(), 0o600)
	writeFile(t, "k.pub", file.Public().PEM(), 0o600)
	for arg, want := range map[string]PrivateKey{"k": stored, "./k": file, s.path("k", ".key"): stored} {
		if got, err := s.FindPrivate(arg); err != nil || !got.Public().Equal(want.Public()) {
			t.Errorf("%s: %v, %v", arg, got, err)
		}
		if e, err := s.Find(arg); err != nil || !e.Key.Equal(want.Public()) || !e.Signs {
			t.Errorf("%s: %+v, %v", arg, e, err)
		}
	}
	if e, err := s.Find("k.pub"); err != nil || e.Signs || e.Name != "" || !e.Key.Equal(file.Public()) {
		t.Errorf("k.pub: %+v, %v", e, err)
	}
	if e, err := (Store{}).Find("k"); err != nil || e.Name != "" || !e.Key.Equal(file.Public()) {
		t.Errorf("without a store: %+v, %v", e, err)
	}
	_, err := s.Find("none")
	wantError(t, err, "no key none in "+s.Dir, "no such file here")
	_, err = s.FindPrivate("no/ne")
	wantError(t, err, "open no/ne")
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(s.Entry("none").Err, fs.ErrNotExist) {
		t.Error("none exists")
	}
}

func TestStoreNames(t *testing.T) {
	s := newStore(t)
	for _, good := range []string{"a", "A-1_b.c", "9", strings.Repeat("x", 64), "a..b", "_"} {
		if err := CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".", "..", ".a", "-a", "a/b", "../a", "a b", "ä", "a\x00", "a\n", strings.Repeat("x", 65)} {
		var n *NameError
		for what, err := range map[string]error{
			"save":   s.Save(bad, fresh(t), true),
			"public": s.SavePublic(bad, fresh(t).Public(), true),
			"entry":  s.Entry(bad).Err,
		} {
			if !errors.As(err, &n) {
				t.Errorf("%s %q: %v", what, bad, err)
			}
		}
	}
	if _, err := os.Stat(s.Dir); err == nil {
		t.Error("a bad name made the store")
	}
}

// TestStoreRace: of many who store a key under one name, one does.
func TestStoreRace(t *testing.T) {
	s := newStore(t)
	var wg sync.WaitGroup
	var won atomic.Int32
	for range 20 {
		k := fresh(t)
		wg.Go(func() {
			if s.Save("a", k, false) == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || s.Entry("a").Err != nil || fileNames(t, s.Dir) != "a.key a.pub" {
		t.Errorf("%d have stored it: %v; %s", won.Load(), s.Entry("a").Err, fileNames(t, s.Dir))
	}
	for range 20 {
		k := fresh(t)
		wg.Go(func() {
			if err := s.Save("a", k, true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if e := s.Entry("a"); e.Err != nil {
		t.Errorf("replaced by many: %v", e.Err)
	}
}

// TestInstall: a file that is there is neither touched nor followed, and nothing is left.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	target := writeFile(t, filepath.Join(dir, "target"), []byte("old"), 0o644)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	k := fresh(t)
	var exists *ExistsError
	if err := k.WriteFile(link, false); !errors.As(err, &exists) {
		t.Errorf("over a symlink: %v", err)
	}
	if err := k.WriteFile(link, true); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(target); string(b) != "old" {
		t.Error("the target of a symlink was written")
	}
	if err := k.WriteFile(filepath.Join(dir, "no", "dir"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if err := k.WriteFile(target, true); err != nil {
		t.Error(err)
	}
	wantMode(t, target, 0o600)
	if got := fileNames(t, dir); got != "link target" {
		t.Errorf("left: %s", got)
	}
}

// TestSaveFails: where the second file cannot be written, the first does not stay.
func TestSaveFails(t *testing.T) {
	s := newStore(t)
	if err := os.MkdirAll(s.path("a", ".pub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, replace := range []bool{false, true} {
		if err := s.Save("a", fresh(t), replace); err == nil || fileNames(t, s.Dir) != "a.pub" {
			t.Errorf("replace %v: %v; left: %s", replace, err, fileNames(t, s.Dir))
		}
	}
	// A key that was there before is none that was just written.
	k := fresh(t)
	if err := errors.Join(os.WriteFile(filepath.Join(s.path("a", ".pub"), "x"), nil, 0o600), k.WriteFile(s.path("a", ".key"), false)); err != nil {
		t.Fatal(err)
	}
	for _, replace := range []bool{false, true} {
		if err := s.Save("a", fresh(t), replace); err == nil {
			t.Errorf("replace %v: saved", replace)
		}
		if old, err := ReadPrivate(s.path("a", ".key")); err != nil || !old.Public().Equal(k.Public()) {
			t.Errorf("replace %v: the old key has gone: %v", replace, err)
		}
	}
}

// TestSaveRemovesPublicFirst: a replacement that fails half-way leaves a key that works.
func TestSaveRemovesPublicFirst(t *testing.T) {
	s := newStore(t)
	save(t, s, "a")
	if err := os.Remove(s.path("a", ".key")); err != nil {
		t.Fatal(err)
	}
	// Nothing replaces a directory that is not empty.
	if err := os.MkdirAll(filepath.Join(s.path("a", ".key"), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Save("a", fresh(t), true); err == nil {
		t.Error("saved")
	}
	if got := fileNames(t, s.Dir); got != "a.key" {
		t.Errorf("left: %s", got)
	}
}
