package transport

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestPeerUID(t *testing.T) {
	_, local := localPair(t)
	uid, ok := PeerUID(local)
	if want := runtime.GOOS == "linux" || runtime.GOOS == "darwin"; ok != want || ok && uid != os.Getuid() {
		t.Errorf("%d, %v, want %d, %v", uid, ok, os.Getuid(), want)
	}
	local.Close()
	if uid, ok := PeerUID(local); ok {
		t.Errorf("closed: %d", uid)
	}
	a, b := net.Pipe()
	defer a.Close()
	if uid, ok := PeerUID(newStream(b, resync)); ok {
		t.Errorf("no socket: %d", uid)
	}
	if uid, ok := PeerUID(&other{}); ok {
		t.Errorf("another's connection: %d", uid)
	}
	Unlimit(&other{})
}

// other is a LocalConn of another package.
type other struct{ LocalConn }

// TestPeerUIDOther: it is the other end's user, not ours.
func TestPeerUIDOther(t *testing.T) {
	const nobody = 65534
	if path := os.Getenv("CEFGO_TEST_DIAL"); path != "" {
		c, err := Dial(t.Context(), Address{"unix", path})
		must(t, err)
		_, _ = read(c) // until it is closed
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	path := socketPath(t)
	must(t, os.Chmod(filepath.Dir(path), 0o755))
	l, err := ListenUnix(path)
	must(t, err)
	defer l.Close()
	must(t, os.Chmod(path, 0o777))
	exe, err := os.Executable()
	must(t, err)
	// The test's own program may lie where nobody else may read.
	b, err := os.ReadFile(exe)
	must(t, err)
	exe = filepath.Join(filepath.Dir(path), "dial")
	must(t, os.WriteFile(exe, b, 0o755))
	cmd := exec.Command(exe, "-test.run=^TestPeerUIDOther$")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "CEFGO_TEST_DIAL="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		l.Close() // unblocks Accept
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("%v: %v, %s", err, <-ended, out.Bytes())
	}
	uid, ok := PeerUID(c)
	if !ok || uid != nobody {
		t.Errorf("%d, %v, want %d", uid, ok, nobody)
	}
	c.Close()
	if err := await(t, "the other process", ended); err != nil {
		t.Errorf("%v: %s", err, out.Bytes())
	}
}

// TestUnlimit: from then on, writes are as large as they can be, and of whole
// packets still.
func TestUnlimit(t *testing.T) {
	var sizes []int
	conn := &script{wrote: func(b []byte) { sizes = append(sizes, len(b)) }}
	c := newStream(conn, resync)
	c.maxWrite.Store(tlv.MaxAtomicLen) // as on a unix socket
	write := func() {
		b := new(tlv.Batch)
		for i := range 10 {
			b.Append(packet(tlv.MaxAtomicLen-10, i))
		}
		must(t, c.Write(b))
	}
	write()
	Unlimit(c)
	write()
	one := tlv.MaxAtomicLen - 10
	want := []int{one, one, one, one, one, one, one, one, one, one, 5 * one, 5 * one}
	if fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("writes of %v bytes, want %v", sizes, want)
	}
	c.maxWrite.Store(0) // as on TCP
	Unlimit(c)
	sizes = nil
	write()
	if fmt.Sprint(sizes) != fmt.Sprint([]int{10 * one}) {
		t.Errorf("without a limit before: writes of %v bytes", sizes)
	}
}

// TestUnlimitWhileWriting: it may come at any time.
func TestUnlimitWhileWriting(t *testing.T) {
	app, local := localPair(t)
	var batches [][][]byte
	for i := range 50 {
		batches = append(batches, [][]byte{packet(30000, 3*i), packet(30000, 3*i+1), packet(100, 3*i+2)})
	}
	var wg sync.WaitGroup
	wg.Go(func() { Unlimit(local) })
	exchange(t, local, app, batches)
	wg.Wait()
}
