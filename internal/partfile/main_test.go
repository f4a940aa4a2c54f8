package partfile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// children are what this test binary does instead of testing when PARTFILE_CHILD names one of them:
// things that end a process, or change it for good.
var children = map[string]func(args []string) error{
	"churn":        churnChild,
	"crash":        crashChild,
	"fillfsize":    fillFsizeChild,
	"stream":       streamChild,
	"unprivileged": unprivilegedChild,
}

func TestMain(m *testing.M) {
	name := os.Getenv("PARTFILE_CHILD")
	if name == "" {
		os.Exit(m.Run())
	}
	run := children[name]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no child", name)
		os.Exit(1)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child prepares a command that runs children[name].
func child(t *testing.T, name string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	check(t, err)
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), "PARTFILE_CHILD="+name)
	cmd.Stderr = t.Output()
	return cmd
}

const blockSize = 1000 // no divisor of the buffer's size, so that what a crash leaves is ragged

func testState() State { return State{Name: "ccnx:/demo/file", BlockSize: blockSize, Tag: "0a1b"} }

// content is a block nobody would write by accident, different for each number.
func content(number uint64) []byte {
	b := make([]byte, blockSize)
	for i := range b {
		b[i] = byte(number*31 + number>>8 + uint64(i)*7)
	}
	return b
}

func contents(blocks uint64) []byte {
	var b []byte
	for i := range blocks {
		b = append(b, content(i)...)
	}
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, target string, opts Options) *File {
	t.Helper()
	f, err := Open(target, opts)
	check(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f *File, data []byte) {
	t.Helper()
	n, err := f.Write(data)
	check(t, err)
	if n != len(data) {
		t.Fatalf("wrote %d of %d bytes", n, len(data))
	}
}

func put(t *testing.T, path, data string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(data), 0o644))
}

func wantFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s holds %d bytes %.20q, want %d bytes %.20q", path, len(got), got, len(want), want)
	}
}

// wantNames says what the whole directory holds.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("directory holds %q, want %q", got, want)
	}
}

// left fakes what an earlier run left behind: so many blocks, some bytes of the next one, and a state.
func left(t *testing.T, target string, blocks uint64, extra string, state string) {
	t.Helper()
	put(t, target+partSuffix, string(contents(blocks))+extra)
	if state != "" {
		put(t, target+stateSuffix, state)
	}
}

func goodState() string {
	s := testState()
	s.V = 1
	return string(s.encode())
}

// device returns a node of the same device as path, in a directory of its own where this process could
// remove the real one: a test that fails must not take the machine's /dev/null along.
func device(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Skip("no such device here:", err)
	}
	if unix.Access(filepath.Dir(path), unix.W_OK) != nil {
		return path
	}
	node := inTemp(t, filepath.Base(path))
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(info.Sys().(*syscall.Stat_t).Rdev)); err != nil {
		t.Skip("cannot make a device node:", err)
	}
	fd, err := os.OpenFile(node, os.O_WRONLY, 0)
	if err != nil {
		t.Skip("device nodes do not work here:", err)
	}
	fd.Close()
	return node
}

func inTemp(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }
