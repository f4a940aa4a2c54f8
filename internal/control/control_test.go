package control

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// vectors are the control texts among vectors.json, by id.
func vectors(t testing.TB) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../tlv/testdata/vectors.json")
	must(t, err)
	var all []struct {
		ID  string `json:"id"`
		Hex string `json:"packet_hex"`
	}
	must(t, json.Unmarshal(b, &all))
	texts := make(map[string]string)
	for _, v := range all {
		if strings.HasPrefix(v.ID, "control") {
			text, err := hex.DecodeString(v.Hex)
			must(t, err)
			texts[v.ID] = string(text)
		}
	}
	return texts
}

// status is what cefgo's forwarder says of itself.
const status = `CCNx Version     : 1
Port             : 9695
Cache Mode       : Localcache
Cache Size       : 236 of 67108864 bytes, 1 objects
FIB(App) : 1
  ccnx:/Port : 1
    Faces : 2
PIT(App) :
  Entry is empty
PIT :
  Entry is empty
`

// plain is s without its tables and counters.
func plain(s Status) Status {
	return Status{Text: s.Text, Port: s.Port, CacheMode: s.CacheMode, CacheCapacity: s.CacheCapacity}
}

func TestParse(t *testing.T) {
	v := vectors(t)
	for id, want := range map[string]Status{
		"control-reply/cefstatus/status-2": {Port: 9712, CacheMode: "Localcache"},
		"control-reply/cefstatus/status-3": {Port: 9712, CacheMode: "Localcache"},
	} {
		want.Text = v[id]
		got, err := Parse(v[id])
		if got = plain(got); !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	for text, want := range map[string]Status{
		status:                   {Port: 9695, CacheMode: "Localcache", CacheCapacity: 64 << 20},
		"CCNx Version     : 1\n": {},
		"CCNx Version":           {},
		"CCNx Version : 1\nPort : 65536\nCache Mode : None\n":                         {CacheMode: "None"},
		"CCNx Version : 1\nPort : -1\nCache Size : 1 of -5 bytes\n":                   {},
		"CCNx Version : 1\nPort : x\nCache Size : 1 of 9223372036854775808 bytes\n":   {},
		"CCNx Version : 1\nPort : 1\nCache Size : 1 of 9223372036854775807 bytes\n":   {Port: 1, CacheCapacity: 1<<63 - 1},
		"CCNx Version : 1\n  Port : 7\nCache Size : full\nCache Mode : Excache":       {CacheMode: "Excache"},
		"CCNx Version : 1\nPIT : 1\n  ccnx:/a\n Cache Mode : None\nand more...\n\n\n": {},
	} {
		want.Text = text
		got, err := Parse(text)
		if got = plain(got); !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestParseNoStatus(t *testing.T) {
	v := vectors(t)
	refused := 0
	for id, text := range v {
		if !strings.HasPrefix(id, "control-reply/cefstatus") {
			refused++
			if got, err := Parse(text); !reflect.DeepEqual(got, Status{}) || !errors.Is(err, ErrNoStatus) {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
	}
	if refused == 0 {
		t.Error("no other text among the vectors")
	}
	for _, text := range []string{"", " CCNx Version", "ERROR:cefnetd is resource busy, #14.\n", "\x01\x00\x00"} {
		if got, err := Parse(text); !reflect.DeepEqual(got, Status{}) || !errors.Is(err, ErrNoStatus) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if _, err := Parse(strings.Repeat("x", 1<<20)); len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// talk asks a forwarder without a socket, which does what serve says once it has read
// the request, and returns how long it took.
func talk(t *testing.T, ctx context.Context, serve func(net.Conn)) (st Status, took time.Duration, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	start := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		if _, err := io.ReadFull(theirs, make([]byte, len(statusVerb)+userLen)); err == nil {
			serve(theirs)
		}
	}()
	st, err = ask(ctx, func(context.Context) (net.Conn, error) { return ours, nil })
	took = time.Since(start)
	<-done
	return st, took, err
}

// pieces sends text in pieces of n bytes with a pause before each, then nothing more.
func pieces(text string, n int, pause time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		for len(text) > 0 {
			time.Sleep(pause)
			p := text[:min(n, len(text))]
			if _, err := io.WriteString(c, p); err != nil {
				return
			}
			text = text[len(p):]
		}
		_, _ = io.Copy(io.Discard, c) // until the other end closes
	}
}

func TestAskInPieces(t *testing.T) {
	withPIT := strings.TrimSuffix(status, "PIT :\n  Entry is empty\n") + "PIT : 1\n  ccnx:/a\n    DownFaces : 33 \n    UpFaces   : 32 \n"
	for _, c := range []struct {
		text  string
		n     int
		pause time.Duration
		took  time.Duration
	}{
		{status, 1 << 16, 0, 0}, // complete: nothing to wait for
		{status, 10, 99 * time.Millisecond, time.Duration((len(status)+9)/10) * 99 * time.Millisecond},
		{status, 1, 0, 0},
		{withPIT, 1 << 16, 0, quiet}, // its end shows by silence
		{withPIT, 1, 0, quiet},
		{withPIT, 50, 90 * time.Millisecond, time.Duration((len(withPIT)+49)/50)*90*time.Millisecond + quiet},
		{withPIT, 1 << 16, 2900 * time.Millisecond, 2900*time.Millisecond + quiet}, // a slow start
	} {
		synctest.Test(t, func(t *testing.T) {
			st, took, err := talk(t, t.Context(), pieces(c.text, c.n, c.pause))
			if err != nil || st.Text != c.text || st.CacheCapacity != 64<<20 || took != c.took {
				t.Errorf("pieces of %d each %v: %d of %d bytes, %v, took %v, want %v", c.n, c.pause, len(st.Text), len(c.text), err, took, c.took)
			}
		})
	}
}

func TestAskNoStatus(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		took  time.Duration
	}{
		"silence":  {pieces("", 1, 0), firstWait},
		"end":      {func(net.Conn) {}, 0},
		"too late": {pieces(status, 1<<16, firstWait+1), firstWait},
		"garbage":  {pieces("\x00\xff garbage", 1, 0), quiet},
		"busy":     {pieces("ERROR:cefnetd is resource busy, #14.\n", 100, 0), quiet},
		"no end":   {pieces(strings.Repeat("CCNx Version : 1\n", 1000), 1, quiet/2), longest},
		"too much": {pieces(strings.Repeat("x", maxStatus+1<<20), 1<<16, 0), quiet}, // nobody hears the farewell
	} {
		synctest.Test(t, func(t *testing.T) {
			st, took, err := talk(t, t.Context(), c.serve)
			if !reflect.DeepEqual(st, Status{}) || !errors.Is(err, ErrNoStatus) || took != c.took {
				t.Errorf("%s: %+v, %v, took %v, want %v", name, st, err, took, c.took)
			}
		})
	}
}

// TestAskTooMuch: a status beyond the bound is read so far and no further.
func TestAskTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endless := "CCNx Version : 1\n" + strings.Repeat("x", 2*maxStatus)
		st, _, err := talk(t, t.Context(), pieces(endless, 1<<20, 0))
		if err != nil || len(st.Text) < maxStatus || len(st.Text) > maxStatus+1<<16 {
			t.Errorf("%d bytes, %v", len(st.Text), err)
		}
	})
}

func TestAskCancelled(t *testing.T) {
	why := errors.New("enough")
	for _, after := range []time.Duration{0, time.Second, firstWait + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer time.AfterFunc(after, func() { cancel(why) }).Stop()
			if after == 0 {
				cancel(why)
			}
			st, took, err := talk(t, ctx, pieces(strings.Repeat("CCNx Version : 1\n", 1000), 1, quiet/2))
			if !reflect.DeepEqual(st, Status{}) || err != why || took != after {
				t.Errorf("%+v, %v, took %v, want %v", st, err, took, after)
			}
		})
	}
}

// socketPath returns a path that is short enough for a socket.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cefgo")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// TestAskSocket: over a real one, with the very bytes that cefstatus sends, and its
// farewell.
func TestAskSocket(t *testing.T) {
	t.Setenv("USER", "root")
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	must(t, err)
	heard := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			heard <- err.Error()
			return
		}
		defer c.Close()
		buf := make([]byte, 1000)
		n, _ := c.Read(buf)
		_, _ = io.WriteString(c, status[:100])
		_, _ = io.WriteString(c, status[100:])
		rest, _ := io.ReadAll(c)
		heard <- string(buf[:n]) + string(rest)
	}()
	st, err := Ask(t.Context(), path)
	if err != nil || st.Text != status || st.Port != 9695 {
		t.Errorf("%+v, %v", st, err)
	}
	if got, want := <-heard, vectors(t)["control/cefstatus/status-1"]+tlv.CloseText; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	l.Close()
	if _, err := Ask(t.Context(), path); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestAskFullBacklog: cefnetd's is short; Ask waits until there is room.
func TestAskFullBacklog(t *testing.T) {
	path := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer syscall.Close(fd)
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	must(t, syscall.Listen(fd, 0))
	for k := 0; ; k++ {
		c, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if must(t, err); k > 100 {
			t.Skip("this system's backlog has no end")
		}
		defer c.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(20*time.Millisecond, cancel).Stop()
	if _, err := Ask(ctx, path); err == nil || ctx.Err() == nil {
		t.Errorf("Ask did not wait: %v", err)
	}
}
