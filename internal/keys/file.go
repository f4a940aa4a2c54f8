package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

var errNotRegular = errors.New("not a regular file")

// Read reads a key from a file; private is nil where it holds a public key only. A
// symlink is followed. Errors are *fs.PathError, *[PermissionError] for a private key
// that is not its owner's alone, or wrap a *[FormatError]; all name the file.
func Read(path string) (public PublicKey, private *PrivateKey, err error) {
	public, private, _, err = readKey(path)
	return public, private, err
}

// readKey is [Read] and tells the file's permission bits.
func readKey(path string) (public PublicKey, private *PrivateKey, mode fs.FileMode, err error) {
	text, mode, err := readFile(path, MaxFile)
	if err != nil {
		return PublicKey{}, nil, 0, err
	}
	public, private, err = Parse(text)
	switch {
	case err != nil:
		return PublicKey{}, nil, 0, fmt.Errorf("%s: %w", path, err)
	case private != nil && mode&0o077 != 0:
		return PublicKey{}, nil, 0, &PermissionError{path, mode, true}
	}
	return public, private, mode, nil
}

// ReadPrivate reads a private key from a file. Errors are those of [Read].
func ReadPrivate(path string) (PrivateKey, error) {
	_, private, err := Read(path)
	if err != nil {
		return PrivateKey{}, err
	}
	if private == nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, badKey("a public key; a private one is needed"))
	}
	return *private, nil
}

// ReadPublic reads a public key from a file, or the public half of a private one.
// Errors are those of [Read].
func ReadPublic(path string) (PublicKey, error) {
	public, _, err := Read(path)
	return public, err
}

// readFile reads a regular file of at most limit bytes. It does not wait at a FIFO.
func readFile(path string, limit int64) ([]byte, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", limit)}
	}
	return b, info.Mode().Perm(), err
}
