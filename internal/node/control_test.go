package node

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// request writes text after the verb of cefgo's requests, and reads one reply.
func request(t testing.TB, c net.Conn, text string) (r control.NodeReply) {
	t.Helper()
	_, err := io.WriteString(c, control.NodeVerb+text)
	must(t, err)
	return reply(t, c)
}

func reply(t testing.TB, c net.Conn) (r control.NodeReply) {
	t.Helper()
	var line []byte
	for one := make([]byte, 1); len(line) == 0 || line[len(line)-1] != '\n'; line = append(line, one[0]) {
		if _, err := io.ReadFull(c, one); err != nil {
			t.Fatalf("%v after %q", err, line)
		}
	}
	must(t, json.Unmarshal(line, &r))
	return r
}

func carryOut(t testing.TB, c net.Conn, q control.NodeRequest) control.NodeReply {
	t.Helper()
	b, err := json.Marshal(q)
	must(t, err)
	return request(t, c, string(b))
}

// TestRouteRequests: what the control socket can do with routes.
func TestRouteRequests(t *testing.T) {
	n := startNear(t, Options{Routes: []Route{route(t, "ccnx:/conf", via1)}})
	c := raw(t, n)
	conf := "ccnx:/conf best " + via1 + "=0"
	for i, tt := range []struct {
		q     control.NodeRequest
		reply control.NodeReply // of an error, a part
		then  []string
	}{
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/a", Via: []string{via2, via4}, Cost: 3}, control.NodeReply{Changed: true}, []string{"ccnx:/a best " + via2 + "=3 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/a", Via: []string{via2}, Cost: 1, Strategy: "lowest-rtt"}, control.NodeReply{Changed: true}, []string{"ccnx:/a lowest-rtt " + via2 + "=1 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "strategy", Prefix: "ccnx:/a", Strategy: "all"}, control.NodeReply{Changed: true}, []string{"ccnx:/a all " + via2 + "=1 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "strategy", Prefix: "ccnx:/a"}, control.NodeReply{Changed: true}, []string{"ccnx:/a best " + via2 + "=1 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "strategy", Prefix: "ccnx:/none", Strategy: "all"}, control.NodeReply{}, []string{"ccnx:/a best " + via2 + "=1 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "strategy", Prefix: "ccnx:/a", Strategy: "worst"}, control.NodeReply{Error: `no strategy "worst"`}, []string{"ccnx:/a best " + via2 + "=1 " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/a", Via: []string{via2}}, control.NodeReply{Changed: true}, []string{"ccnx:/a best " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/a", Via: []string{via2}}, control.NodeReply{}, []string{"ccnx:/a best " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/", Via: []string{via3}}, control.NodeReply{Changed: true}, []string{"ccnx:/ best " + via3 + "=0", "ccnx:/a best " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/"}, control.NodeReply{Changed: true}, []string{"ccnx:/a best " + via4 + "=3", conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/a"}, control.NodeReply{Changed: true}, []string{conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/a"}, control.NodeReply{}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "a", Via: []string{via3}}, control.NodeReply{Error: "must start with"}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/x", Via: []string{"udp://host.example"}}, control.NodeReply{Error: "must be an address"}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/x", Via: []string{n.url(t, "tcp")}}, control.NodeReply{Error: "this node itself"}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/x", Via: []string{"face:77"}}, control.NodeReply{Error: "no face 77"}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/x", Via: []string{via2}, Cost: -1}, control.NodeReply{Error: "a cost is"}, []string{conf}},
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/x"}, control.NodeReply{Error: "no next hop"}, []string{conf}},
		{control.NodeRequest{Op: "route-del", Prefix: "ccnx:/x", Via: []string{"there"}}, control.NodeReply{Error: "no next hop"}, []string{conf}},
		{control.NodeRequest{Op: "dance", Prefix: "ccnx:/x"}, control.NodeReply{Error: "unknown operation dance"}, []string{conf}},
		{control.NodeRequest{Op: "dance"}, control.NodeReply{Error: "unknown operation dance"}, []string{conf}},
		{control.NodeRequest{}, control.NodeReply{Error: "unknown operation"}, []string{conf}},
		// All, or none.
		{control.NodeRequest{Op: "route-add", Prefix: "ccnx:/y", Via: []string{via2, "bad", via3}}, control.NodeReply{Error: "no next hop"}, []string{conf}},
	} {
		r := carryOut(t, c, tt.q)
		if r.Changed != tt.reply.Changed || (r.Error == "") != (tt.reply.Error == "") || !strings.Contains(r.Error, tt.reply.Error) || r.Status != nil {
			t.Errorf("%d: %+v is answered with %+v, want %+v", i, tt.q, r, tt.reply)
		}
		if want := map[bool]string{true: control.CodeBadRequest}[r.Error != ""]; r.Code != want {
			t.Errorf("%d: code %q, want %q", i, r.Code, want)
		}
		n.hasRoutes(t, fmt.Sprint(i), tt.then...)
	}
}

// TestStatusRequest: as long as it is asked to be.
func TestStatusRequest(t *testing.T) {
	n := startNear(t, Options{Port: 4711, Version: "v9", Routes: []Route{route(t, "ccnx:/a", via1), route(t, "ccnx:/b", via1), route(t, "ccnx:/c", via4)}})
	p := dial(t, n).registers("ccnx:/app")
	for k := range 5 {
		p.sends(interest(t, fmt.Sprintf("ccnx:/app2/%d", k)))
	}
	p.settled()
	c := raw(t, n)
	for _, tt := range []struct{ pit, fib, wantPIT, wantFIB int }{{0, 0, 0, 0}, {2, 1, 2, 1}, {5, 3, 5, 3}, {1000, 1000, 5, 3}, {-1, -1, 0, 0}} {
		s := carryOut(t, c, control.NodeRequest{Op: "status", PIT: tt.pit, FIB: tt.fib}).Status
		if s == nil {
			t.Fatal("no status")
		}
		if len(s.Pending) != tt.wantPIT || len(s.Routes) != tt.wantFIB || s.PIT.Entries != 5 || s.RouteNum != 3 {
			t.Errorf("%+v: %d of %d Interests, %d of %d routes", tt, len(s.Pending), s.PIT.Entries, len(s.Routes), s.RouteNum)
		}
		if s.Port != 4711 || s.Version != "v9" || s.Socket != n.Socket() || len(s.Listening) != 2 || len(s.Apps) != 1 || len(s.Faces) != 4 || s.NodeName == "" || s.PID == 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestBadRequests: each has an answer or none, and the connection goes on.
func TestBadRequests(t *testing.T) {
	n := start(t, Options{})
	has := dial(t, n).registers("ccnx:/a")
	for _, text := range []string{"", "{", "garbage", "[]", `"x"`, "{}{}", `{"op":3}`, `{"op":"status","pit":"x"}`, "\x00\xff", `{"op":"status"} and more`} {
		c := raw(t, n)
		if r := request(t, c, text); !strings.HasPrefix(r.Error, "not a request: ") || r.Code != control.CodeBadRequest || r.Changed || r.Status != nil {
			t.Errorf("%q is answered with %+v", text, r)
		}
		if r := request(t, c, `{"op":"status","later":1}`); r.Status == nil {
			t.Errorf("after %q: %+v", text, r)
		}
	}
	// What comes in two writes is no request, and its second part nothing at all.
	c := raw(t, n)
	if r := request(t, c, `{"op":"sta`); r.Error == "" {
		t.Errorf("half a request is answered with %+v", r)
	}
	_, err := io.WriteString(c, `tus"}`+tlv.LinkRequest)
	must(t, err)
	_, err = io.ReadFull(c, make([]byte, len(tlv.AppendNodeReply(nil, forward.DefaultPITSize))))
	must(t, err)
	if r := request(t, c, `{"op":"status"}`); r.Status == nil {
		t.Errorf("after two halves: %+v", r)
	}
	// More than anybody reads at once.
	huge := raw(t, n)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(huge, control.NodeVerb+`{"op":"status","prefix":"`+strings.Repeat("x", 4<<20)+`"}`)
	}()
	if r := reply(t, huge); r.Error == "" {
		t.Errorf("4 MiB are answered with %+v", r)
	}
	exchange(t, dial(t, n), has, "ccnx:/a/1")
	huge.Close()
	<-done
	n.until(t, "gone", func(c *core) bool { return len(c.streams) < 20 })
}

// routeMsg is cefroute's message.
func routeMsg(op, network byte, uri, options string, hosts ...string) []byte {
	b := append([]byte(verbRoute), make([]byte, routeUserLen)...)
	b = append(b, op, network)
	b = binary.NativeEndian.AppendUint16(b, uint16(len(uri)))
	b = append(append(b, uri...), options...)
	for _, h := range hosts {
		b = append(append(b, byte(len(h))), h...)
	}
	return b
}

// TestCeforeRoute: cefroute's own messages, and what they make.
func TestCeforeRoute(t *testing.T) {
	n := startNear(t, Options{})
	c := raw(t, n)
	messages := make(map[string]string)
	for _, v := range load[vector](t, "vectors.json") {
		messages[v.ID] = string(v.bytes(t))
	}
	const (
		p11 = "udp://127.0.0.1:9711=0"
		far = "ccnx:/far best " + p11
		tcp = "ccnx:/far2 best tcp://127.0.0.1:9711=0"
		m   = "ccnx:/m best " + p11
	)
	step := func(what, message, answer string, then ...string) {
		t.Helper()
		if message == "" {
			t.Fatalf("no message %s", what)
		}
		if got := ask(t, c, message); got != answer {
			t.Errorf("%s is answered with %q", what, got)
		}
		n.hasRoutes(t, what, then...)
	}
	vector := func(id string, then ...string) {
		t.Helper()
		step(id, messages["control/"+id], routeDone, then...)
	}
	vector("cefroute/route-add-udp-1", far)
	vector("cefroute/route-add-udp-1", far)
	vector("cefroute/route-add-tcp-1", far, tcp)
	vector("cefctrl/route-add-rtcost-1", far, tcp, "ccnx:/far3 best udp://127.0.0.1:9711=7")
	vector("cefctrl/route-add-keyid-1", far, tcp, "ccnx:/far3 best udp://127.0.0.1:9711=7", "ccnx:/far4 best "+p11)
	vector("cefroute/route-del-1", far, tcp, "ccnx:/far4 best "+p11)
	vector("cefroute/route-del-1", far, tcp, "ccnx:/far4 best "+p11)
	vector("cefroute/route-del-2", far, tcp)
	vector("cefroute/route-add-bad-uri-1", far, tcp)
	// Who is at the socket's other end counts, not whom the message names.
	vector("cefroute/route-add-as-other-user-1", far, tcp, m)
	two := "ccnx:/far5 best " + p11 + " udp://127.0.0.1:9713=0"
	vector("cefroute/route-add-two-hosts-1", far, tcp, two, m)

	all := []string{far, tcp, two, m}
	own := strings.TrimPrefix(n.url(t, "udp"), "udp://")
	for what, msg := range map[string][]byte{
		"its own address":   routeMsg(1, 2, "ccnx:/self", "", own),
		"a host name":       routeMsg(1, 2, "ccnx:/x", "", "host.example"),
		"no host":           routeMsg(1, 2, "ccnx:/x", ""),
		"an empty host":     routeMsg(1, 2, "ccnx:/x", "", ""),
		"network 3":         routeMsg(1, 3, "ccnx:/x", "", "127.0.0.1:7"),
		"operation 3":       routeMsg(3, 2, "ccnx:/far", "", "127.0.0.1:9711"),
		"operation 0":       routeMsg(0, 2, "ccnx:/far", "", "127.0.0.1:9711"),
		"a negative cost":   routeMsg(1, 2, "ccnx:/x", costWord+"\xff\xff\xff\xff", "127.0.0.1:7"),
		"half a cost":       routeMsg(1, 2, "ccnx:/x", costWord+"\x01\x00"),
		"half a key":        routeMsg(1, 2, "ccnx:/x", keyIDWord+"\x01\x00"),
		"a cut name":        routeMsg(1, 2, "ccnx:/x", "")[:len(verbRoute)+routeUserLen+4+len("ccnx:/")],
		"a cut host":        routeMsg(1, 2, "ccnx:/x", "", "127.0.0.1:7")[:300-12],
		"a port beyond all": routeMsg(1, 2, "ccnx:/x", "", "127.0.0.1:70000"),
	} {
		step(what, string(msg), routeFailed, all...)
	}
	step("both options, and IPv6", string(routeMsg(1, 1, "ccnx:/z", costWord+"\x05\x00\x00\x00"+keyIDWord+strings.Repeat("k", keyIDLen), "[::1]:7")), routeDone, append(all, "ccnx:/z best tcp://[::1]:7=5")...)
	step("del of two", string(routeMsg(2, 2, "ccnx:/far5", "", "127.0.0.1:9711", "127.0.0.1:9713")), routeDone, far, tcp, m, "ccnx:/z best tcp://[::1]:7=5")
	step("a chunk", string(routeMsg(2, 1, "ccnx:/z/Chunk=4", "", "[::1]:7")), routeDone, far, tcp, m)
	step("the default route", string(routeMsg(1, 2, "ccnx:/", "", "127.0.0.1:9711")), routeDone, "ccnx:/ best "+p11, far, tcp, m)
}

func FuzzRouteMessage(f *testing.F) {
	for _, v := range load[vector](f, "vectors.json") {
		if msg, is := bytes.CutPrefix(v.bytes(f), []byte(verbRoute)); is {
			f.Add(msg)
		}
	}
	f.Add(routeMsg(1, 1, "ccnx:/z", costWord+"\x05\x00\x00\x00"+keyIDWord+strings.Repeat("k", keyIDLen), "[::1]:7", "x")[len(verbRoute):])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parseRoute(b)
		if !ok {
			return
		}
		op, network, options := byte(2), byte(routeUDP), ""
		if m.add {
			op = 1
		}
		if m.network == "tcp" {
			network = routeTCP
		}
		again := routeMsg(op, network, m.uri, "", m.hosts...)[len(verbRoute)+routeUserLen:]
		head := 4 + len(m.uri)
		rest := b[routeUserLen+head:]
		if w := costWord; bytes.HasPrefix(rest, []byte(w)) {
			if got := int32(binary.NativeEndian.Uint32(rest[len(w):])); int(got) != m.cost {
				t.Errorf("cost %d is read as %d", got, m.cost)
			}
			options += string(rest[:len(w)+4])
			rest = rest[len(w)+4:]
		} else if m.cost != 0 {
			t.Errorf("a cost of %d out of nothing", m.cost)
		}
		if bytes.HasPrefix(rest, []byte(keyIDWord)) {
			options += string(rest[:len(keyIDWord)+keyIDLen])
		}
		want := cat(again[:head], []byte(options), again[head:])
		if !bytes.Equal(b[routeUserLen:], want) || len(m.hosts) == 0 {
			t.Errorf("%x is read as %+v, which is %x", b[routeUserLen:], m, want)
		}
	})
}

// TestStop: who may end the node, and who not.
func TestStop(t *testing.T) {
	stopped := make(chan struct{}, 1)
	n := start(t, Options{OnStop: func() { stopped <- struct{}{} }})
	c := raw(t, n)
	_, err := io.WriteString(c, verbStop+"root"+strings.Repeat("\x00", routeUserLen-4))
	must(t, err)
	<-stopped
	p := dial(t, n)
	p.settled()

	// Without anybody to tell, it is no more than a text.
	n = start(t, Options{})
	c = raw(t, n)
	_, err = io.WriteString(c, verbStop)
	must(t, err)
	c.Close()
	n.until(t, "the text taken", faces(0))
	dial(t, n).settled()
	// A neighbour's text says nothing.
	n = startNear(t, Options{OnStop: func() { t.Error("stopped by a neighbour") }})
	s := stranger(t, n, "tcp")
	for _, text := range []string{verbStop, verbStatus, control.NodeVerb + `{"op":"status"}`, tlv.CloseText} {
		c, err := net.Dial("tcp", n.port(t, "tcp").String())
		must(t, err)
		defer c.Close()
		deadline(t, c)
		_, err = io.WriteString(c, text)
		must(t, err)
		_, err = io.WriteString(c, tlv.LinkRequest)
		must(t, err)
		got := make([]byte, len(tlv.LinkReply))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != tlv.LinkReply {
			t.Errorf("after %q: %q, %v", text, got, err)
		}
	}
	s.sends([]byte(tlv.LinkRequest))
	s.gets([]byte(tlv.LinkReply))
}
