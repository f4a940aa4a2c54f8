package keys

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Permissions of what is written; the umask takes from them.
const (
	dirPerm     = 0o700
	privatePerm = 0o600
	publicPerm  = 0o644
)

// WriteFile writes k to a file of mode 0600. It appears at once, whole; one that is
// there is an *[ExistsError], or replaced. Other errors are the system's.
func (k PrivateKey) WriteFile(path string, replace bool) error {
	return install(path, k.PEM(), privatePerm, replace)
}

// WriteFile is [PrivateKey.WriteFile] with mode 0644.
func (k PublicKey) WriteFile(path string, replace bool) error {
	return install(path, k.PEM(), publicPerm, replace)
}

// install gives content the name path: who looks sees nothing, the old or all of the new.
func install(path string, content []byte, perm fs.FileMode, replace bool) error {
	temp := filepath.Join(filepath.Dir(path), ".cefgo-"+rand.Text())
	defer os.Remove(temp) // a renamed one has gone
	if err := writeNew(temp, content, perm); err != nil {
		return err
	}
	if replace {
		return os.Rename(temp, path)
	}
	err := os.Link(temp, path) // unlike a rename it never replaces
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{Path: path}
	}
	return err
}

// writeNew creates a file that nobody else may see before it has its permissions.
func writeNew(path string, content []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// alone runs f while no other process changes dir, which it creates.
func alone(dir string, f func() error) error {
	if err := os.MkdirAll(dir, dirPerm); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() // and with it goes the lock
	for {
		err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			return &fs.PathError{Op: "lock", Path: dir, Err: err}
		}
	}
	if err := f(); err != nil {
		return err
	}
	return d.Sync() // the names in it
}
