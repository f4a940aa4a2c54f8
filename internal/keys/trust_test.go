package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// trustDir makes a trust directory with keys a, b, c and d, and these prefixes.
func trustDir(t testing.TB, prefixes string) (string, map[string]PrivateKey) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "trust")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]PrivateKey)
	for _, label := range []string{"a", "b", "c", "d"} {
		keys[label] = fresh(t)
		writeFile(t, filepath.Join(dir, label+".pub"), keys[label].Public().PEM(), 0o644)
	}
	writeFile(t, filepath.Join(dir, prefixesFile), []byte(prefixes), 0o644)
	return dir, keys
}

func labels(found []PublicKey, keys map[string]PrivateKey) string {
	var out []string
	for label, k := range keys {
		for _, p := range found {
			if p.Equal(k.Public()) {
				out = append(out, label)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func TestKeysFor(t *testing.T) {
	const lines = `# who signs what
ccnx:/example a.pub
ccnx:/example/bob b.pub

	ccnx:/example c.pub
ccnx:/example/bob/0x0004=v1 d.pub
ccnx:/example a.pub
ccnx:/ex a.pub
`
	dir, keys := trustDir(t, lines)
	for _, c := range []struct{ name, without, with string }{
		{"ccnx:/example", "ac", "ac"},
		{"ccnx:/example/x", "ac", "ac"},
		{"ccnx:/example/Chunk=3", "ac", "ac"},
		{"ccnx:/example/bob", "b", "b"}, // only the longest prefix counts
		{"ccnx:/example/bob/x", "b", "b"},
		{"ccnx:/example/bobby", "ac", "ac"}, // by segments
		{"ccnx:/example/bob/0x0004=v1/x", "d", "d"},
		{"ccnx:/example/bob/v1/x", "b", "b"}, // of another type
		{"ccnx:/ex", "a", "a"},
		{"ccnx:/examples", "", "d"},
		{"ccnx:/0x0004=example", "", "d"},
		{"ccnx:/", "", "d"},
	} {
		for prefixes, want := range map[string]string{lines: c.without, lines + "ccnx:/ d.pub": c.with} {
			writeFile(t, filepath.Join(dir, prefixesFile), []byte(prefixes), 0o644)
			trust, err := OpenTrust(dir)
			if err != nil {
				t.Fatal(err)
			}
			found := trust.KeysFor(name(t, c.name))
			if got := labels(found, keys); got != want || len(found) != len(want) {
				t.Errorf("%s: trusts %s, %d keys, want %s", c.name, got, len(found), want)
			}
			if trust.Covers(name(t, c.name)) != (want != "") {
				t.Errorf("%s: covered: %v", c.name, want == "")
			}
		}
	}
}

func TestTrustVerify(t *testing.T) {
	dir, keys := trustDir(t, "ccnx:/x a.pub\nccnx:/x b.pub\nccnx:/x/y c.pub\n")
	trust, err := OpenTrust(dir)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("m")
	for _, c := range []struct {
		name, signer string
		want         error
	}{
		{"ccnx:/x/1", "a", nil}, {"ccnx:/x", "b", nil}, {"ccnx:/x/y/z", "c", nil},
		{"ccnx:/x", "c", ErrUntrusted}, {"ccnx:/x/y", "a", ErrUntrusted}, {"ccnx:/z", "a", ErrUntrusted}, {"ccnx:/x", "d", ErrUntrusted},
	} {
		k, err := trust.Verify(name(t, c.name), message, keys[c.signer].Sign(message))
		if !errors.Is(err, c.want) || (err == nil && !k.Equal(keys[c.signer].Public())) {
			t.Errorf("%s by %s: %v, %v", c.name, c.signer, k, err)
		}
	}
	if _, err := trust.Verify(name(t, "ccnx:/x"), []byte("n"), keys["a"].Sign(message)); !errors.Is(err, ErrSignature) {
		t.Errorf("another message: %v", err)
	}
	// A key id costs nothing to claim.
	claimed := keys["d"].Sign(message)
	claimed.KeyID = keys["a"].Public().ID()
	if _, err := trust.Verify(name(t, "ccnx:/x"), message, claimed); !errors.Is(err, ErrSignature) {
		t.Errorf("a claimed key: %v", err)
	}
}

func TestTrustFile(t *testing.T) {
	k := fresh(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "k"), k.Public().PEM(), 0o644)
	trust, err := TrustFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"ccnx:/", "ccnx:/a", "ccnx:/a/b/Chunk=1", "ccnx:/App:1=x"} {
		if got := trust.KeysFor(name(t, n)); len(got) != 1 || !got[0].Equal(k.Public()) || !trust.Covers(name(t, n)) {
			t.Errorf("%s: %v", n, got)
		}
	}
	os.Chmod(path, 0o646)
	_, err = TrustFile(path)
	wantError(t, err, path, "0646", "chmod o-w")
	if _, err := TrustFile(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestTrustFailsClosed: whatever is broken, there is no set of keys at all, and the error
// says where.
func TestTrustFailsClosed(t *testing.T) {
	for _, c := range []struct {
		what  string
		line  string // the third
		do    func(dir string) error
		words []string
	}{
		{what: "one field", line: "ccnx:/x", words: []string{"prefixes: line 3: want a prefix and a key file"}},
		{what: "three fields", line: "ccnx:/x b.pub # bob", words: []string{"line 3: want"}},
		{what: "a key", line: "-----BEGIN KEY-----", words: []string{"line 3: want"}},
		{what: "no scheme", line: "/x b.pub", words: []string{"line 3: want"}},
		{what: "no name", line: "ccnx:x b.pub", words: []string{"line 3: bad name"}},
		{what: "empty segment", line: "ccnx://x b.pub", words: []string{"line 3: bad name"}},
		{what: "chunk", line: "ccnx:/x/Chunk=1 b.pub", words: []string{"line 3: a prefix has no chunk number"}},
		{what: "slash", line: "ccnx:/x ../b.pub", words: []string{"line 3: bad key file"}},
		{what: "hidden", line: "ccnx:/x .b.pub", words: []string{"line 3: bad key file"}},
		{what: "ending", line: "ccnx:/x b.key", words: []string{"line 3: bad key file"}},
		{what: "the prefixes", line: "ccnx:/x prefixes", words: []string{"line 3: bad key file"}},
		{what: "missing key", line: "ccnx:/x none.pub", words: []string{"line 3:", "none.pub", "no such file"}},
		{what: "broken key", line: "ccnx:/x b.pub", do: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "b.pub"), []byte("x"), 0)
		}, words: []string{"line 3:", "b.pub: no key"}},
		{what: "writable key", line: "ccnx:/x b.pub", do: func(dir string) error {
			return os.Chmod(filepath.Join(dir, "b.pub"), 0o666)
		}, words: []string{"line 3:", "b.pub: mode 0666", "chmod o-w"}},
		{what: "writable prefixes", do: func(dir string) error {
			return os.Chmod(filepath.Join(dir, prefixesFile), 0o646)
		}, words: []string{"prefixes: mode 0646", "chmod o-w"}},
		{what: "writable directory", do: func(dir string) error { return os.Chmod(dir, 0o1777) }, words: []string{"trust: mode 0777", "chmod o-w"}},
		{what: "no prefixes", do: func(dir string) error { return os.Remove(filepath.Join(dir, prefixesFile)) }, words: []string{"prefixes: no such file"}},
		{what: "large prefixes", do: func(dir string) error {
			return os.Truncate(filepath.Join(dir, prefixesFile), maxPrefixes+1)
		}, words: []string{"prefixes", "larger than"}},
		{what: "prefixes are a directory", do: func(dir string) error {
			p := filepath.Join(dir, prefixesFile)
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o700))
		}, words: []string{"prefixes: not a regular file"}},
	} {
		dir, _ := trustDir(t, "# prefixes\nccnx:/a a.pub\n"+c.line+"\nccnx:/c c.pub")
		if c.do != nil {
			if err := c.do(dir); err != nil {
				t.Fatal(err)
			}
		}
		trust, err := OpenTrust(dir)
		var te *TrustError
		if trust != nil || !errors.As(err, &te) || errors.Is(err, ErrNoTrust) {
			t.Errorf("%s: %v, %v", c.what, trust, err)
			continue
		}
		wantError(t, err, c.words...)
		most := 1
		if te.Line > 0 {
			most = 2 // the key file, too
		}
		if strings.Count(err.Error(), dir) > most {
			t.Errorf("%s: says the path too often: %v", c.what, err)
		}
	}
}

func TestNoTrust(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := OpenTrust(dir); !errors.Is(err, ErrNoTrust) {
		t.Error(err)
	}
	file := writeFile(t, filepath.Join(t.TempDir(), "file"), nil, 0o600)
	_, err := OpenTrust(file)
	wantError(t, err, file, "not a directory")
	// A directory with an empty file of prefixes trusts nobody, without an error.
	dir, _ = trustDir(t, "")
	trust, err := OpenTrust(dir)
	if err != nil || len(trust.All()) != 0 || trust.Covers(name(t, "ccnx:/a")) {
		t.Errorf("%v, %v", trust, err)
	}
}
