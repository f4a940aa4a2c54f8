package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// golden is a file that OpenSSL made; testdata/openssl/README says how.
func golden(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/openssl", file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldenPrivate(t testing.TB, file string) PrivateKey {
	t.Helper()
	k, err := ParsePrivate(golden(t, file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return k
}

// fresh makes an Ed25519 key.
func fresh(t testing.TB) PrivateKey {
	t.Helper()
	k, err := Generate(Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func name(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func writeFile(t testing.TB, path string, content []byte, perm os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError wants an error that says all of these.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Fatalf("%q does not say %q", err, w)
		}
	}
}

func wantMode(t testing.TB, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want {
		t.Errorf("%s: mode %04o, want %04o", path, info.Mode().Perm(), want)
	}
}

func fileNames(t testing.TB, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return strings.Join(names, " ")
}
