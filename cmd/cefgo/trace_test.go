package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/ccninfo"
	"github.com/cefgo/cefgo/internal/tlv"
)

// tracePath is how a fake answers a Request: the nodes on the way, and the code.
type tracePath struct {
	nodes  []string
	code   tlv.InfoCode
	blocks []tlv.InfoBlock
	alg    tlv.ValidationAlg
	id     uint16 // added to the ID
	cut    bool   // as cefnetd cuts an answer with a proof
}

// replies makes the Reply to a Request.
func (p *tracePath) reply(t *testing.T, pkt []byte) []byte {
	t.Helper()
	var i tlv.Info
	if err := i.Decode(pkt); err != nil || i.Type != tlv.PacketInfoRequest {
		t.Errorf("asked %x: %v", pkt, err)
		return nil
	}
	i.Type, i.Code, i.RequestID = tlv.PacketInfoReply, p.code, i.RequestID+p.id
	for k, n := range p.nodes {
		s := tlv.InfoStamp{Arrival: i.Request.Arrival + uint32(k+1)<<8, Node: nameOf(t, n)} // 3.906 ms each
		if k == len(p.nodes)-1 && p.code == tlv.InfoNoError {
			i.Reply, i.Blocks = tlv.Some(s), p.blocks
		} else {
			i.Reports = append(i.Reports, s)
		}
	}
	i.Validation = tlv.Validation{Alg: p.alg}
	out, err := i.AppendTo(nil)
	if err != nil {
		t.Error(err)
	}
	if p.cut {
		out = out[:len(out)-9]
		out[2], out[3] = byte(len(out)>>8), byte(len(out))
	}
	return out
}

func nameOf(t *testing.T, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// newTraced is a fake forwarder that answers Requests along these paths.
func newTraced(t *testing.T, paths ...tracePath) *fakeControl {
	t.Helper()
	f := &fakeControl{packet: func(pkt []byte) (out [][]byte) {
		for _, p := range paths {
			out = append(out, p.reply(t, pkt))
		}
		return out
	}}
	return f.start(t)
}

var cached = []tlv.InfoBlock{{Name: mustName("ccnx:/a/b"), Counters: [7]uint32{12, 3, 9, 0, 2, 40, 260}}}

func mustName(uri string) tlv.Name {
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		panic(err)
	}
	return n
}

func TestTrace(t *testing.T) {
	two := []string{"ccnx:/node-a", "ccnx:/node-b/r1"}
	owner := []tlv.InfoBlock{{Type: 1, Name: mustName("ccnx:/a"), Counters: [7]uint32{1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1}}}
	for _, c := range []struct {
		path    tracePath
		args    string
		code    exitCode
		out, er []string
	}{
		{tracePath{nodes: two}, "", exitOK, []string{"TRACE ccnx:/a/b\n", " 1  node-a        3.906 ms\n", " 2  node-b/r1     3.906 ms  has it (-c tells", "round trip "}, nil},
		{tracePath{nodes: two, blocks: cached}, "-c", exitOK, []string{"has it in its cache\n", "cache: ccnx:/a/b: 12 KB, 3 objects, chunks 0 to 2, 9 Interests, for 40 s, 260 s left\n"}, nil},
		{tracePath{nodes: two, blocks: owner}, "-c", exitOK, []string{"has its publisher\n", "publisher: ccnx:/a\n"}, nil},
		{tracePath{nodes: two[1:]}, "-o -s 1", exitOK, []string{" 2  node-b/r1     3.906 ms  has its publisher\n"}, nil},
		{tracePath{nodes: two, code: tlv.InfoNoRoute}, "", exitReturned, []string{" 2  node-b/r1     3.906 ms  no route\n"}, []string{"trace ccnx:/a/b: no route (CCNinfo code 0x03) at node-b/r1\n"}},
		{tracePath{nodes: two[:1], code: tlv.InfoNoInfo}, "-r 1", exitReturned, nil, []string{"no information (CCNinfo code 0x04) at node-a\n", "go further with -r"}},
		{tracePath{nodes: two, code: tlv.InfoNoInfo}, "", exitReturned, nil, []string{"no information (CCNinfo code 0x04) at node-b/r1\n"}},
		{tracePath{nodes: two[:1], code: tlv.InfoAdminProh}, "-f --timeout 0.2", exitReturned, nil, []string{"prohibited by the administrator (CCNinfo code 0x0e)", "without -f"}},
		{tracePath{code: tlv.InfoNoSpace}, "", exitReturned, nil, []string{"no space in the packet (CCNinfo code 0x05)\n", "-s"}},
		{tracePath{nodes: two, code: tlv.InfoFatal}, "", exitReturned, nil, []string{"the path leads in a circle"}},
		{tracePath{nodes: two, code: tlv.InfoFatal | tlv.InfoNoRoute}, "", exitReturned, nil, []string{"no route, and the path leads in a circle"}},
		{tracePath{nodes: two, alg: tlv.AlgCRC32C}, "-V", exitOK, nil, nil},
		{tracePath{nodes: two}, "-V", exitIntegrity, nil, []string{"the answer brings no proof"}},
		{tracePath{nodes: two, cut: true}, "-V", exitIntegrity, nil, []string{"the reply cannot be read", "without -V"}},
		{tracePath{nodes: two, id: 1}, "--timeout 0.2", exitTimeout, nil, []string{"no answer within 200ms"}},
	} {
		f := newTraced(t, c.path)
		r := f.cefgo(t, append([]string{"trace", "ccnx:/a/b"}, strings.Fields(c.args)...)...)
		if r.code != c.code || (c.er == nil) != (r.errOut == "") {
			t.Errorf("%+v %s: %+v", c.path, c.args, r)
		}
		holds(t, r.out, c.out...)
		holds(t, r.errOut, c.er...)
	}
}

func TestTraceJSON(t *testing.T) {
	f := newTraced(t, tracePath{nodes: []string{"ccnx:/n1", "ccnx:/n 2"}, blocks: cached})
	m := f.cefgo(t, "trace", "ccnx:/a/b", "-c", "--json").object(t)
	hop := m["hops"].([]any)[1].(map[string]any)
	if m["type"] != "result" || m["name"] != "ccnx:/a/b" || m["source"] != "cache" || m["responder"] != "ccnx:/0x6e2032" || m["reply_code"] != 0.0 || m["rtt_ms"] == nil ||
		hop["hop"] != 2.0 || hop["node"] != "ccnx:/0x6e2032" || hop["delay_ms"].(float64) != 3.90625 || m["validated"] != nil {
		t.Errorf("%v", m)
	}
	block := m["contents"].([]any)[0].(map[string]any)
	if block["size_kb"] != 12.0 || block["remaining_s"] != 260.0 || block["last_chunk"] != 2.0 || block["source"] != "cache" {
		t.Errorf("%v", block)
	}
	none := newTraced(t, tracePath{nodes: []string{"ccnx:/n1"}, code: tlv.InfoNoRoute})
	r := none.cefgo(t, "trace", "ccnx:/a/b", "--json")
	if e := r.object(t); r.code != exitReturned || e["type"] != "error" || e["reply_reason"] != "no route" || e["name"] != "ccnx:/a/b" || len(e["hops"].([]any)) != 1 || e["source"] != nil {
		t.Errorf("%+v", r)
	}
}

// TestTraceFull: all answers count, and one that has the name is the result.
func TestTraceFull(t *testing.T) {
	f := newTraced(t, tracePath{nodes: []string{"ccnx:/n1"}, code: tlv.InfoNoRoute}, tracePath{nodes: []string{"ccnx:/n2"}}, tracePath{nodes: []string{"ccnx:/n3"}})
	r := f.cefgo(t, "trace", "ccnx:/a/b", "-f", "--timeout", "0.3", "--json=stream")
	if r.code != exitOK || strings.Count(r.out, `"type":"reply"`) != 3 {
		t.Fatalf("%+v", r)
	}
	r.out = r.out[strings.LastIndex(strings.TrimSpace(r.out), "\n")+1:]
	if m := r.object(t); m["responder"] != "ccnx:/n2" || len(m["replies"].([]any)) != 3 {
		t.Errorf("%v", m)
	}
}

// TestTraceNobody: forwarders that are none.
func TestTraceNobody(t *testing.T) {
	if r := (&fakeControl{path: t.TempDir() + "/none"}).cefgo(t, "trace", "ccnx:/a"); r.code != exitForwarder {
		t.Errorf("%+v", r)
	}
	start := time.Now()
	if r := newTraced(t).cefgo(t, "trace", "ccnx:/a", "--timeout", "0.2"); r.code != exitTimeout || time.Since(start) > 3*time.Second {
		t.Errorf("%+v", r)
	}
	for what, answer := range map[string]string{"closes the connection": "", "resource busy": "ERROR:cefnetd is resource busy, #14.\n"} {
		path := t.TempDir() + "/s"
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Skip(err) // too long a path
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c, err := l.Accept(); err == nil {
				_, _ = c.Write([]byte(answer))
				c.Close()
			}
		}()
		if r := (&fakeControl{path: path}).cefgo(t, "trace", "ccnx:/a"); r.code != exitForwarder || !strings.Contains(r.errOut, what) && !strings.Contains(r.errOut, "no working forwarder") {
			t.Errorf("%s: %+v", what, r)
		}
		l.Close()
		<-done
	}
}

// TestTraceRemote: over UDP and TCP.
func TestTraceRemote(t *testing.T) {
	p := tracePath{nodes: []string{"ccnx:/n1"}}
	answer := func(in []byte) []byte {
		if string(in) == tlv.LinkRequest {
			return []byte(tlv.LinkReply)
		}
		return p.reply(t, in)
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udpDone, tcpDone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(udpDone)
		b := make([]byte, 1<<16)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = u.WriteTo(answer(b[:n]), from)
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(tcpDone)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 1<<16)
		for n, err := c.Read(b); err == nil; n, err = c.Read(b) {
			_, _ = c.Write(answer(b[:n]))
		}
	}()
	for _, fw := range []string{"udp://" + u.LocalAddr().String(), "tcp://" + l.Addr().String()} {
		if r := runCefgo(t.Context(), nil, "trace", "ccnx:/a", "--forwarder", fw); r.code != exitOK || !strings.Contains(r.out, " 1  n1") {
			t.Errorf("%s: %+v", fw, r)
		}
	}
	u.Close()
	l.Close()
	<-udpDone
	<-tcpDone
}

func TestTraceUsage(t *testing.T) {
	for _, args := range []string{"trace", "trace x", "trace ccnx:/a -s 16", "trace ccnx:/a -s -1", "trace ccnx:/a -r 0", "trace ccnx:/a -r 256", "trace ccnx:/a -s 3 -r 3", "trace ccnx:/a --timeout 0"} {
		if r := runCefgo(t.Context(), nil, strings.Fields(args)...); r.code != exitUsage || r.out != "" {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// TestTraceFlags: what is asked for is what the Request says.
func TestTraceFlags(t *testing.T) {
	for args, want := range map[string]uint8{"": 0, "-c": 1, "-o": 2, "-f": 4, "-V": 8, "-c -o -f -V": 15} {
		var got tlv.Info
		f := (&fakeControl{packet: func(pkt []byte) [][]byte { _ = got.Decode(pkt); return nil }}).start(t)
		f.cefgo(t, append([]string{"trace", "ccnx:/a/Chunk=3", "-s", "2", "-r", "9", "--timeout", "0.05"}, strings.Fields(args)...)...)
		f.mu.Lock()
		if k, ok := got.Name.Chunk(); got.Flags != want || got.SkipHop != 2 || got.HopLimit != 9 || !ok || k != 3 || got.RequestID&0x8080 != 0x8080 ||
			ccninfo.Between(got.Request.Arrival, ccninfo.Stamp(time.Now())).Abs() > time.Minute {
			t.Errorf("%s: %+v", args, got)
		}
		f.mu.Unlock()
	}
}
