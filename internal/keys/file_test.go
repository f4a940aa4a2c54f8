package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReadPermissions(t *testing.T) {
	private := goldenPrivate(t, "ed25519.pem").PEM()
	path := filepath.Join(t.TempDir(), "my key")
	for _, perm := range []fs.FileMode{0o600, 0o400, 0o700} {
		writeFile(t, path, private, perm)
		if _, err := ReadPrivate(path); err != nil {
			t.Errorf("mode %04o: %v", perm, err)
		}
		os.Remove(path)
	}
	for _, perm := range []fs.FileMode{0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o601, 0o666} {
		writeFile(t, path, private, perm)
		_, err := ReadPrivate(path)
		var p *PermissionError
		if !errors.As(err, &p) || p.Path != path || p.Mode != perm || !p.Private {
			t.Errorf("mode %04o: %v", perm, err)
		}
		wantError(t, err, path, "chmod 600 mends it")
		if _, err := ReadPublic(path); !errors.As(err, &p) {
			t.Errorf("its public half, mode %04o: %v", perm, err)
		}
		os.Remove(path)
	}
	writeFile(t, path, golden(t, "ed25519.pub"), 0o644)
	if _, err := ReadPublic(path); err != nil {
		t.Error(err)
	}
	_, err := ReadPrivate(path)
	wantError(t, err, path, "a public key")
}

func TestReadOddFiles(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, filepath.Join(dir, "good"), fresh(t).PEM(), 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrivate(link); err != nil {
		t.Errorf("a symlink to a good file: %v", err)
	}
	os.Chmod(good, 0o644)
	if _, err := ReadPrivate(link); err == nil {
		t.Error("a symlink to a file that others may read")
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{fifo: "not a regular file", dir: "not a regular file", os.DevNull: "not a regular file", filepath.Join(dir, "none"): "no such file"} {
		_, err := ReadPrivate(path)
		wantError(t, err, path, words)
	}
}

func TestReadLimit(t *testing.T) {
	key := fresh(t).PEM()
	path := filepath.Join(t.TempDir(), "key")
	writeFile(t, path, append(key, bytes.Repeat([]byte("\n"), MaxFile-len(key))...), 0o600)
	if _, err := ReadPrivate(path); err != nil {
		t.Errorf("%d bytes: %v", MaxFile, err)
	}
	writeFile(t, path, append(key, bytes.Repeat([]byte("\n"), MaxFile-len(key)+1)...), 0o600)
	_, err := ReadPrivate(path)
	wantError(t, err, path, "larger than 65536 bytes")
}
