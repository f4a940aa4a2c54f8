package partfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSegment leaves room in a 255-byte file name for the longest suffix that Open appends.
const maxSegment = 255 - len(stateSuffix)

// TargetPath chooses where a fetched object goes: into output itself, or, where output is empty (the
// current directory), an existing directory or ends with a slash, into a file there that is named by
// the last segment of the object's name. The error is an *UnsafeNameError.
//
// A segment picks a file, never a device: where a device, FIFO or socket of that name stands in the
// directory it is refused. Only output itself may point at one.
func TargetPath(output string, lastSegment []byte) (string, error) {
	if output != "" && !os.IsPathSeparator(output[len(output)-1]) && !isDir(output) {
		return output, nil
	}
	if err := CheckSegment(lastSegment); err != nil {
		return "", err
	}
	path := inDir(output, string(lastSegment))
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return "", &UnsafeNameError{lastSegment, "a device, FIFO or socket is there"}
	}
	return path, nil
}

// CheckSegment says whether one name segment, sent by whoever publishes, may become one file or
// directory name: not empty, not "." or "..", without slash and control characters, not too long, and
// not one that this package keeps for its own files. Bytes need not be UTF-8. The error is an
// *UnsafeNameError.
func CheckSegment(segment []byte) error {
	if reason := unsafe(segment); reason != "" {
		return &UnsafeNameError{segment, reason}
	}
	return nil
}

func unsafe(segment []byte) string {
	control := func(r rune) bool { return r < 0x20 || r == 0x7f }
	switch s := string(segment); {
	case s == "":
		return "it is empty"
	case s == "." || s == "..":
		return "it means a directory"
	case strings.ContainsRune(s, '/'):
		return "it contains a slash"
	case bytes.ContainsFunc(segment, control):
		return "it contains a control character"
	case len(s) > maxSegment:
		return fmt.Sprintf("it is longer than %d bytes", maxSegment)
	case strings.HasSuffix(s, partSuffix), strings.HasSuffix(s, stateSuffix), strings.HasSuffix(s, tmpSuffix):
		return "its ending is kept for unfinished fetches"
	}
	return ""
}

// inDir does not clean: a/link/../b is wherever the system says, which filepath.Join would change.
func inDir(dir, name string) string {
	switch {
	case dir == "" && name[0] == '-':
		return "./" + name // neither "-", which is stdout, nor an option in a printed command
	case dir == "" || os.IsPathSeparator(dir[len(dir)-1]):
		return dir + name
	}
	return dir + "/" + name
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A place is a target as Open finds it.
type place struct {
	path string      // what a rename must replace: symbolic links are followed
	old  fs.FileInfo // what is there; nil: nothing
}

// direct says that the place takes bytes as they come and cannot be replaced by a rename.
func (p place) direct() bool { return p.old != nil && !p.old.Mode().IsRegular() }

func resolve(target string, opts Options) (place, error) {
	entry, err := os.Lstat(target)
	if err != nil {
		return place{path: target}, missing(target, err)
	}
	link := entry.Mode()&fs.ModeSymlink != 0
	if link && opts.Untrusted {
		return place{}, refused(target, errSymlink)
	}
	p := place{path: target}
	p.old, err = os.Stat(target)
	switch {
	case link && errors.Is(err, fs.ErrNotExist):
		return place{}, refused(target, errDangling)
	case err != nil:
		return place{}, err
	case p.old.IsDir():
		return place{}, refused(target, ErrIsDirectory)
	case opts.NoClobber:
		return place{}, &ExistsError{target}
	case p.direct() && opts.Untrusted:
		return place{}, refused(target, errNotRegular)
	case p.direct():
		return p, nil // /dev/stdout links to no path that EvalSymlinks could follow
	}
	if link {
		if p.path, err = filepath.EvalSymlinks(target); err != nil {
			return place{}, err
		}
	}
	return p, writable(p.path)
}

// missing turns the failure to look at target into what is wrong, and into nil where a file can be made.
func missing(target string, err error) error {
	dir, _ := filepath.Split(target)
	if dir == "" {
		dir = "."
	}
	if _, derr := os.Stat(dir); derr != nil {
		return &fs.PathError{Op: "open directory", Path: dir, Err: cause(derr)}
	}
	if target != "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writable refuses what a rename would replace but its owner has protected against writing.
func writable(path string) error {
	if err := unix.Access(path, unix.W_OK); err != nil {
		return refused(path, err)
	}
	return nil
}
