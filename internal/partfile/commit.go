package partfile

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Commit gives the content its final name, with the permission bits of the file it replaces, removes
// the state and ends the File. With NoClobber a target that has appeared since Open is an *ExistsError.
// After any error before the rename the target is untouched, the File is open, and Keep and Discard
// still work. (Only a failing sync of the directory, or close, comes later; it ends the File.)
//
// Commit does not fsync unless Options.Sync is set: for gigabytes that can take longer than the fetch,
// and what is promised, no incomplete file under the final name after the death of the process, holds
// without. A power failure can still undo it, on file systems that rename before they write.
func (f *File) Commit() error {
	if f.closed {
		return fs.ErrClosed
	}
	if err := f.Flush(); err != nil {
		return err
	}
	if f.direct {
		return f.end()
	}
	if err := f.prepare(); err != nil {
		return err
	}
	if err := f.install(); err != nil {
		return err
	}
	var err error
	if f.opts.Sync {
		err = syncDir(f.path)
	}
	return cmp.Or(err, f.end())
}

// prepare does all that can fail before anything is changed.
func (f *File) prepare() error {
	if err := f.stillOurs(); err != nil {
		return err
	}
	old, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case old.IsDir():
		return refused(f.path, ErrIsDirectory)
	case !old.Mode().IsRegular():
		return refused(f.path, errNotRegular)
	case f.opts.NoClobber:
		return &ExistsError{f.path}
	default:
		if err := f.chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if f.opts.Sync {
		if err := f.fd.Sync(); err != nil {
			return f.fail(err)
		}
	}
	return f.closeCopy()
}

// closeCopy makes network file systems, which may report a full disk no sooner than at close, do so
// before the rename. A copy is closed because the descriptor itself holds the lock.
func (f *File) closeCopy() error {
	fd, err := unix.FcntlInt(f.fd.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	if err != nil {
		return f.fail(err)
	}
	return nil
}

// install removes the state first: once the part file has left its name the next Open has the lock,
// and the state may be its own.
func (f *File) install() error {
	state := f.state
	if err := f.dropState(); err != nil {
		return err
	}
	err := f.rename()
	if err != nil && state != nil && f.writeState(*state) == nil {
		f.state = state
	}
	return err
}

func (f *File) rename() error {
	if !f.opts.NoClobber {
		return os.Rename(f.part(), f.path)
	}
	err := renameNew(f.part(), f.path)
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{f.path}
	}
	return err
}

// renameNew renames unless there is a file at to. Between them its two ways cover the file systems:
// NFS has no exclusive rename, FAT no links.
func renameNew(from, to string) error {
	err := renameExcl(from, to)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return linkNew(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func linkNew(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	_ = os.Remove(from) // the target is in place; a second name left over is dropped by the next Open
	return nil
}

// Keep ends the File for now: what was accepted stays in the part file, with its state, for a later run
// to resume. Where nothing was accepted, nothing stays. After a failed write Keep saves what is stored
// and does not repeat the error. On an ended File it does nothing.
func (f *File) Keep() error {
	if f.closed {
		return nil
	}
	var err error
	if f.err == nil {
		err = f.Flush()
	}
	if !f.direct && f.stored == 0 {
		err = cmp.Or(err, f.removeAll())
	}
	return cmp.Or(err, f.end())
}

// Close is Keep, for a defer that guards every way out; after Commit it does nothing.
func (f *File) Close() error { return f.Keep() }

// Discard ends the File and removes the part file and the state. On an ended File it does nothing. What
// a direct target got already stays there.
func (f *File) Discard() error {
	if f.closed {
		return nil
	}
	var err error
	if !f.direct {
		err = f.removeAll()
	}
	f.buf.Reset(nil)
	f.stored = 0
	return cmp.Or(err, f.end())
}

// removeAll takes the part file last, as with it goes the lock.
func (f *File) removeAll() error {
	if err := f.stillOurs(); err != nil {
		return err
	}
	return cmp.Or(f.dropState(), os.Remove(f.part()))
}

// stillOurs guards renames and removals against somebody who moved the part file away by hand.
func (f *File) stillOurs() error {
	same, err := names(f.part(), f.fd)
	if err != nil {
		return err
	}
	if !same {
		return refused(f.part(), errReplaced)
	}
	info, err := f.fd.Stat()
	if err == nil && info.Size() != f.stored {
		err = refused(f.part(), errTampered)
	}
	return err
}

// part is built from the target's path and never taken from the descriptor, which on a direct target
// is the device itself: what is removed or renamed always ends in .cefgo-part.
func (f *File) part() string { return f.path + partSuffix }

func (f *File) end() error {
	f.closed = true
	if !f.direct {
		unlock(f.fd)
	}
	if err := f.fd.Close(); err != nil {
		return f.fail(err)
	}
	return nil
}

// chmod leaves alone what is right already, for file systems that know no permissions.
func (f *File) chmod(perm fs.FileMode) error {
	info, err := f.fd.Stat()
	if err != nil || info.Mode().Perm() == perm {
		return err
	}
	return f.fd.Chmod(perm)
}

func syncDir(path string) error {
	dir, _ := filepath.Split(path)
	d, err := os.Open(cmp.Or(dir, "."))
	if err != nil {
		return err
	}
	return cmp.Or(d.Sync(), d.Close())
}
