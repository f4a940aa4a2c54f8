package partfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrIsDirectory is wrapped by what Open and Commit return for a target that is a directory.
var ErrIsDirectory = errors.New("is a directory")

// Other reasons for which a target, or the part file beside it, is refused.
var (
	errSymlink    = errors.New("is a symbolic link")
	errDangling   = errors.New("is a symbolic link to nothing")
	errNotRegular = errors.New("is not a regular file")
	errReplaced   = errors.New("was removed or replaced by another program")
	errTampered   = errors.New("was cut or extended by somebody else")
)

// UnsafeNameError says that a name segment was not taken as a file name.
type UnsafeNameError struct {
	Segment []byte
	Reason  string
}

func (e *UnsafeNameError) Error() string {
	return fmt.Sprintf("name segment %.64q cannot name a file: %s; use -o FILE", e.Segment, e.Reason)
}

// ExistsError says that NoClobber protected a target. It matches fs.ErrExist.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s exists and is not to be replaced", e.Path)
}
func (e *ExistsError) Unwrap() error { return fs.ErrExist }

// LockedError says that another File, of this process or of another one, has the part file.
type LockedError struct{ Path string } // of the part file

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked: another fetch writes the same target", e.Path)
}

// WriteError says that bytes could not be stored: disk full, over quota, I/O error, reader gone. It
// wraps an *fs.PathError, and that Err.
type WriteError struct {
	Path string
	Err  error // most often a syscall.Errno
}

func (e *WriteError) Error() string { return e.Unwrap().Error() }
func (e *WriteError) Unwrap() error { return refused(e.Path, e.Err) }

// StateError says that a resume state is missing, torn or senseless, or does not fit its part file.
// Err matches fs.ErrNotExist where there is none.
type StateError struct {
	Path string // empty for a State that SaveState refused
	Err  error
}

func (e *StateError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("resume state: %v", e.Err)
	}
	return fmt.Sprintf("resume state %s: %v", e.Path, e.Err)
}

func (e *StateError) Unwrap() error { return e.Err }

// refused says, in the shape in which package os says it, why path is not written, so that a caller
// needs one case for both.
func refused(path string, err error) error { return &fs.PathError{Op: "write", Path: path, Err: err} }

// cause strips what package os wraps around an errno, for errors that name the path themselves.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
