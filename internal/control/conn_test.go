package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// converseWith runs f with a Conn whose other end serves, and returns how long it took.
func converseWith(t *testing.T, serve func(net.Conn), f func(*Conn) error) (took time.Duration, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		serve(theirs)
	}()
	start := time.Now()
	err = f(&Conn{c: ours})
	took = time.Since(start)
	ours.Close()
	<-done
	return took, err
}

// says reads one request and answers, then listens on.
func says(answer string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 1<<16)); err == nil {
			_, _ = io.WriteString(c, answer)
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

func TestHello(t *testing.T) {
	node := string(tlv.AppendNodeReply(nil, 1000))
	for name, c := range map[string]struct {
		serve func(net.Conn)
		node  bool
		fails string
		took  time.Duration
	}{
		"cefnetd":    {says(tlv.LinkReply), false, "", 0},
		"cefgo":      {says(node), true, "", 0},
		"in pieces":  {pieces2(node), true, "", time.Duration(len(node)) * time.Millisecond},
		"busy":       {says("ERROR:cefnetd is resource busy, #14.\n"), false, "resource busy", 0},
		"short text": {says("ERR"), false, `"ERR"`, linkWait},
		"mute":       {says(""), false, "timeout", linkWait},
		"closes":     {func(net.Conn) {}, false, "closed", 0},
		"half":       {says(tlv.LinkReply[:20]), false, "timeout", linkWait},
		"an answer":  {says(tlv.LinkRequest), false, "answers a link request with 0100", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var isNode bool
			took, err := converseWith(t, c.serve, func(k *Conn) error {
				err := k.do(t.Context(), k.hello)
				isNode = k.IsNode()
				return err
			})
			switch {
			case c.fails == "" && err != nil, c.fails != "" && !errors.Is(err, ErrNoStatus), err != nil && !strings.Contains(err.Error(), c.fails):
				t.Errorf("%s: %v", name, err)
			case isNode != c.node || took != c.took:
				t.Errorf("%s: node %v, took %v, want %v", name, isNode, took, c.took)
			}
		})
	}
}

// pieces2 answers the first request byte by byte.
func pieces2(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1<<16))
		pieces(text, 1, time.Millisecond)(c)
	}
}

func TestHelloCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer time.AfterFunc(time.Second, func() { cancel(why) }).Stop()
		took, err := converseWith(t, says(""), func(c *Conn) error { return c.do(ctx, c.hello) })
		if err != why || took != time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestConnStatus: the request asks for counters and for a bounded number of pending
// Interests, in the machine's byte order, as cefstatus -s -n does.
func TestConnStatus(t *testing.T) {
	t.Setenv("USER", "root")
	for pit, field := range map[int]string{5: "\x05\x00", 0: "\x01\x00", -1: "\x01\x00", 1 << 20: "\xff\xff"} {
		var asked string
		took, err := converseWith(t, func(c net.Conn) {
			b := make([]byte, 1<<16)
			n, _ := c.Read(b)
			asked = string(b[:n])
			_, _ = io.WriteString(c, status)
			_, _ = io.Copy(io.Discard, c)
		}, func(c *Conn) error {
			st, err := c.Status(t.Context(), pit)
			if st.Port != 9695 {
				t.Errorf("%+v", st)
			}
			return err
		})
		want := "/CTRLSTATUSSTAT\x09\x00" + field + "root" + strings.Repeat("\x00", 252)
		if err != nil || asked != want || took > time.Second {
			t.Errorf("%d: %v, asked %q", pit, err, asked)
		}
	}
	if _, err := converseWith(t, says("ERROR:write(cefstatus_pipe)=-1\n"), func(c *Conn) error {
		_, err := c.Status(t.Context(), 1)
		return err
	}); !errors.Is(err, ErrNoStatus) {
		t.Errorf("%v", err)
	}
}

// TestConnAsk: one JSON line each way.
func TestConnAsk(t *testing.T) {
	q := NodeRequest{Op: OpRouteAdd, Prefix: "ccnx:/a", Via: []string{"udp://192.0.2.1:9695"}, Cost: 3, Strategy: "all"}
	var heard NodeRequest
	_, err := converseWith(t, func(c net.Conn) {
		b := make([]byte, 1<<16)
		n, _ := c.Read(b)
		body, ok := strings.CutPrefix(string(b[:n]), NodeVerb)
		if !ok || json.Unmarshal([]byte(body), &heard) != nil {
			t.Errorf("asked %q", b[:n])
		}
		pieces(`{"changed":true,"unknown":[1],"status":{"pid":7}}`+"\n", 9, 0)(c)
	}, func(c *Conn) error {
		r, err := c.Ask(t.Context(), q)
		if !r.Changed || r.Status == nil || r.Status.PID != 7 || r.Err() != nil {
			t.Errorf("%+v", r)
		}
		return err
	})
	if err != nil || !reflect.DeepEqual(heard, q) {
		t.Errorf("%v, heard %+v", err, heard)
	}
}

func TestConnAskFails(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		took  time.Duration
	}{
		"mute":    {says(""), longest},
		"no end":  {says(`{"changed":true}`), longest},
		"garbage": {says("ERROR:busy\n"), 0},
		"closes":  {func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<16)) }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			took, err := converseWith(t, c.serve, func(k *Conn) error {
				_, err := k.Ask(t.Context(), NodeRequest{Op: OpStatus})
				return err
			})
			if !errors.Is(err, ErrNoStatus) || took != c.took {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		})
	}
}

func TestNodeReplyErr(t *testing.T) {
	for _, c := range []struct {
		r    NodeReply
		is   error
		text string
	}{
		{NodeReply{Error: "not yours", Code: CodeDenied}, ErrDenied, "permission denied: not yours"},
		{NodeReply{Error: "permission denied"}, ErrDenied, "permission denied"},
		{NodeReply{Error: "permission denied", Code: CodeDenied}, ErrDenied, "permission denied"},
		{NodeReply{Error: "no strategy x", Code: CodeBadRequest}, ErrBadRequest, "bad request: no strategy x"},
		{NodeReply{Error: "too many routes"}, nil, "too many routes"},
		{NodeReply{Error: "odd", Code: "new"}, nil, "odd"},
	} {
		err := c.r.Err()
		if err == nil || err.Error() != c.text || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
}

// TestLineBound: an answer without end is read so far and no further.
func TestLineBound(t *testing.T) {
	_, err := converseWith(t, says(strings.Repeat("x", 5000)), func(c *Conn) error {
		if _, err := c.c.Write([]byte("?")); err != nil {
			return err
		}
		_, err := c.line(time.Second, 1000)
		return err
	})
	if !errors.Is(err, ErrNoStatus) || !strings.Contains(err.Error(), "over 1000 bytes") {
		t.Error(err)
	}
}

// TestDialAndClose: over a real socket; Close takes leave, alone in a write.
func TestDialAndClose(t *testing.T) {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	farewell := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			farewell <- err.Error()
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		_, _ = io.ReadFull(r, make([]byte, len(tlv.LinkRequest)))
		_, _ = io.WriteString(c, tlv.LinkReply)
		rest, _ := io.ReadAll(r)
		farewell <- string(rest)
	}()
	c, err := Dial(t.Context(), path)
	must(t, err)
	must(t, c.Close())
	if got := <-farewell; got != tlv.CloseText || c.IsNode() {
		t.Errorf("%q", got)
	}
	if _, err := Dial(t.Context(), path+"x"); err == nil {
		t.Error("nobody listens, and Dial succeeds")
	}
}

// FuzzNodeReply: what decodes encodes to what decodes equal; what does not is no
// reply.
func FuzzNodeReply(f *testing.F) {
	full, err := json.Marshal(NodeReply{Changed: true, Status: sampleStatus()})
	must(f, err)
	for _, line := range []string{string(full), `{}`, `{"error":"no","code":"denied"}`, `{"status":{"faces":null}}`, `null`, `[]`, `{"pit":-1}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := DecodeNodeReply(line)
		if err != nil {
			if !reflect.DeepEqual(r, NodeReply{}) || !errors.Is(err, ErrNoStatus) || len(err.Error()) > 1000 {
				t.Errorf("%+v, %v", r, err)
			}
			return
		}
		if (r.Err() == nil) != (r.Error == "") {
			t.Errorf("%+v: %v", r, r.Err())
		}
		b, err := json.Marshal(r)
		must(t, err)
		again, err := DecodeNodeReply(b)
		must(t, err)
		if c, err := json.Marshal(again); err != nil || string(b) != string(c) {
			t.Errorf("%s\nbecomes %s", b, c)
		}
		if r.Status != nil {
			must(t, WriteMetrics(io.Discard, r.Status))
		}
	})
}
