package partfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockPart opens the part file, made where there is none, and locks it. The lock is on the inode, and
// the name may move on while we wait for it: a lock counts only once the name is seen to lead to it.
// From then on it stays so, because only the holder of the lock renames or removes the name.
func lockPart(path string) (*os.File, error) {
	for range 100 {
		fd, err := openPart(path)
		if err != nil {
			return nil, err
		}
		held, err := lock(fd, path)
		if held {
			return fd, nil
		}
		fd.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, &LockedError{path} // others come and go faster than we can look
}

func openPart(path string) (*os.File, error) {
	fd, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o666)
	if errors.Is(err, syscall.ELOOP) {
		return nil, refused(path, errSymlink)
	}
	if err != nil {
		return nil, err
	}
	info, err := fd.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refused(path, errNotRegular)
	}
	if err != nil {
		fd.Close()
		return nil, err
	}
	return fd, nil
}

// lock reports false without an error where path does not lead to fd, so that another try is due.
func lock(fd *os.File, path string) (bool, error) {
	if err := flock(fd, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return false, &LockedError{path}
	} else if err != nil {
		return false, &fs.PathError{Op: "lock", Path: path, Err: err}
	}
	same, err := names(path, fd)
	if err != nil || !same {
		return false, err
	}
	info, err := fd.Stat()
	if err != nil {
		return false, err
	}
	if info.Sys().(*syscall.Stat_t).Nlink > 1 {
		// Somebody's backup, or the very target, where a Commit died between link and unlink:
		// what we write must not show up there.
		return false, os.Remove(path)
	}
	return true, nil
}

// names says whether path itself, not a link there, is the file that fd has open.
func names(path string, fd *os.File) (bool, error) {
	open, err := fd.Stat()
	if err != nil {
		return false, err
	}
	entry, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, entry), err
}

// unlock goes before every close: a child between fork and exec would keep the lock a moment longer.
func unlock(fd *os.File) { _ = flock(fd, unix.LOCK_UN) }

func flock(fd *os.File, how int) error {
	for {
		if err := unix.Flock(int(fd.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
