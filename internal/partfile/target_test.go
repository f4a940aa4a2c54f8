package partfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTargetPath(t *testing.T) {
	t.Chdir(t.TempDir())
	check(t, os.Mkdir("dir", 0o755))
	check(t, os.Symlink("dir", "link"))
	put(t, "file", "")
	for _, tt := range []struct{ output, segment, want string }{
		{"", "name", "name"},
		{"", "-", "./-"},
		{"", "-rf", "./-rf"},
		{"", "...", "..."},
		{"", "a\\b", "a\\b"},
		{"", "\xff\xfe", "\xff\xfe"},
		{"", strings.Repeat("n", 243), strings.Repeat("n", 243)},
		{"file", "name", "file"},
		{"new", "name", "new"},
		{"new", "..", "new"}, // with -o FILE the segment does not matter
		{"new", "", "new"},
		{"dir", "name", "dir/name"},
		{"dir/", "name", "dir/name"},
		{"dir", "-rf", "dir/-rf"},
		{"link", "name", "link/name"},
		{"link/..", "name", "link/../name"}, // as it stands
		{"nodir/", "name", "nodir/name"},
		{".", "name", "./name"},
		{"/", "name", "/name"},
	} {
		got, err := TargetPath(tt.output, []byte(tt.segment))
		if got != tt.want || err != nil {
			t.Errorf("TargetPath(%q, %q) = %q, %v, want %q", tt.output, tt.segment, got, err, tt.want)
		}
	}
}

func TestTargetPathRefusesUnsafeSegments(t *testing.T) {
	dir := t.TempDir()
	for _, segment := range []string{
		"", ".", "..", "/", "a/b", "/etc/passwd", "/dev/null", "a\x00", "\n", "a\x1f", "\x7f", "\x1b[2J",
		strings.Repeat("n", 244), "x.cefgo-part", "x.cefgo-state", "x.cefgo-tmp",
	} {
		for _, output := range []string{"", dir, dir + "/"} {
			got, err := TargetPath(output, []byte(segment))
			e, ok := errors.AsType[*UnsafeNameError](err)
			if !ok || string(e.Segment) != segment || e.Reason == "" || got != "" {
				t.Errorf("TargetPath(%q, %q) = %q, %v", output, segment, got, err)
			} else if !strings.Contains(err.Error(), "use -o FILE") || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
				t.Errorf("message %q", err)
			}
		}
		if CheckSegment([]byte(segment)) == nil {
			t.Errorf("CheckSegment(%q) accepts", segment)
		}
	}
}

func TestLongestSegmentFitsFileSystem(t *testing.T) {
	target, err := TargetPath(t.TempDir(), []byte(strings.Repeat("n", maxSegment)))
	check(t, err)
	f := open(t, target, Options{})
	check(t, f.SaveState(testState()))
	write(t, f, content(0))
	check(t, f.Commit())
	wantFile(t, target, content(0))
}

func TestSegmentNeverPicksDevice(t *testing.T) {
	if _, err := TargetPath("/dev", []byte("null")); err == nil {
		t.Error("null in -o /dev is accepted")
	}
	dir := t.TempDir()
	check(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	_, err := TargetPath(dir, []byte("pipe"))
	if _, ok := errors.AsType[*UnsafeNameError](err); !ok {
		t.Errorf("FIFO: %v", err)
	}
	if got, err := TargetPath(filepath.Join(dir, "pipe"), []byte("x")); err != nil {
		t.Errorf("-o pipe: %q, %v", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	check(t, os.Mkdir("dir", 0o755))
	put(t, "file", "old")
	put(t, "other", "other")
	check(t, os.Symlink("dir", "dirlink"))
	check(t, os.Symlink("nothing", "dangling"))
	check(t, os.Symlink("loop", "loop"))
	check(t, os.Symlink("file", "link"))
	check(t, os.Symlink("other", "partlink"+partSuffix))
	check(t, os.Mkdir("partdir"+partSuffix, 0o755))
	check(t, syscall.Mkfifo("partpipe"+partSuffix, 0o644))
	check(t, syscall.Mkfifo("pipe", 0o644))
	long := strings.Repeat("n", 250)
	for _, tt := range []struct {
		target string
		opts   Options
		is     error
		says   string
	}{
		{"", Options{}, fs.ErrNotExist, ""},
		{"dir", Options{}, ErrIsDirectory, "write dir: is a directory"},
		{"dir", Options{NoClobber: true}, ErrIsDirectory, ""},
		{"dirlink", Options{}, ErrIsDirectory, "write dirlink: is a directory"},
		{"no/such/file", Options{}, fs.ErrNotExist, "open directory no/such/: no such file or directory"},
		{"nodir/", Options{}, fs.ErrNotExist, "open directory nodir/: no such file or directory"},
		{"file/x", Options{}, syscall.ENOTDIR, "open directory file/: not a directory"},
		{"file/", Options{}, syscall.ENOTDIR, ""},
		{"dangling", Options{}, nil, "write dangling: is a symbolic link to nothing"},
		{"loop", Options{}, syscall.ELOOP, ""},
		{"link", Options{Untrusted: true}, nil, "write link: is a symbolic link"},
		{"dangling", Options{Untrusted: true}, nil, "write dangling: is a symbolic link"},
		{"pipe", Options{Untrusted: true}, nil, "write pipe: is not a regular file"},
		{"file", Options{NoClobber: true}, fs.ErrExist, "file exists and is not to be replaced"},
		{"link", Options{NoClobber: true}, fs.ErrExist, ""},
		{"partlink", Options{}, nil, "write partlink.cefgo-part: is a symbolic link"},
		{"partdir", Options{}, syscall.EISDIR, ""},
		{"partpipe", Options{}, nil, "write partpipe.cefgo-part: is not a regular file"},
		{long, Options{}, syscall.ENAMETOOLONG, ""},
	} {
		f, err := Open(tt.target, tt.opts)
		if err == nil {
			f.Discard()
			t.Errorf("Open(%q, %+v) succeeds", tt.target, tt.opts)
			continue
		}
		if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Open(%q, %+v) = %v, want %v, %q", tt.target, tt.opts, err, tt.is, tt.says)
		}
		_, exists := errors.AsType[*ExistsError](err)
		if _, path := errors.AsType[*fs.PathError](err); !path && !exists {
			t.Errorf("Open(%q, %+v) = %T, on which no caller can branch", tt.target, tt.opts, err)
		}
	}
	_, err := Open("file", Options{NoClobber: true})
	if e, ok := errors.AsType[*ExistsError](err); !ok || e.Path != "file" {
		t.Errorf("NoClobber: %#v", err)
	}
	wantFile(t, "file", []byte("old"))
	wantFile(t, "other", []byte("other"))
	wantNames(t, ".", "dangling", "dir", "dirlink", "file", "link", "loop", "other", "partdir.cefgo-part",
		"partlink.cefgo-part", "partpipe.cefgo-part", "pipe")
}

func TestPermissionDenied(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "readonly"), 0o555))
	check(t, os.Mkdir(filepath.Join(dir, "open"), 0o777))
	check(t, os.Chmod(filepath.Join(dir, "open"), 0o777))
	put(t, filepath.Join(dir, "open/protected"), "old")
	check(t, os.Chmod(filepath.Join(dir, "open/protected"), 0o444))
	cmd := child(t, "unprivileged")
	cmd.Dir = dir // relative paths: the way to a temporary directory may be closed to others
	check(t, cmd.Run())
	wantFile(t, filepath.Join(dir, "open/new"), []byte("new"))
	wantFile(t, filepath.Join(dir, "open/protected"), []byte("old"))
}

func unprivilegedChild([]string) error {
	if os.Getuid() == 0 { // nothing is denied to root
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
	}
	for _, target := range []string{"readonly/new", "open/protected"} {
		f, err := Open(target, Options{})
		if err == nil {
			return errors.Join(errors.New(target+" can be opened"), f.Discard())
		}
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), target) {
			return err
		}
	}
	f, err := Open("open/new", Options{})
	if err != nil {
		return err
	}
	_, err = f.Write([]byte("new"))
	return errors.Join(err, f.Commit())
}
