package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/control"
)

// TestRouteCefnetd: changes of a cefnetd that does what it says, and what they print.
func TestRouteCefnetd(t *testing.T) {
	f := newCefnetd(t, "ccnx:/far udp 127.0.0.1:9773 7")
	for _, c := range []struct {
		args   string
		code   exitCode
		says   string
		routes []string
	}{
		{"add ccnx:/far 127.0.0.1:9773", exitOK, "ccnx:/far: routed via udp://127.0.0.1:9773, as before\n", []string{"ccnx:/far udp 127.0.0.1:9773 7"}},
		{"add ccnx:/far udp://127.0.0.1:9773 --cost 3", exitOK, "via udp://127.0.0.1:9773\n", []string{"ccnx:/far udp 127.0.0.1:9773 3"}},
		{"add ccnx:/far 127.0.0.1:9773 --cost 0", exitOK, "via udp://127.0.0.1:9773\n", []string{"ccnx:/far udp 127.0.0.1:9773 0"}},
		{"del ccnx:/far 127.0.0.1:9774", exitFailed, "there is no such route via udp://127.0.0.1:9774\n", []string{"ccnx:/far udp 127.0.0.1:9773 0"}},
		{"del ccnx:/far tcp://127.0.0.1:9773", exitFailed, "there is no such route via tcp://127.0.0.1:9773\n", []string{"ccnx:/far udp 127.0.0.1:9773 0"}},
		{"add ccnx:/ 192.0.2.1 ::1 tcp://[::1]:9 --cost 2", exitOK, "via udp://192.0.2.1:9695, udp://[::1]:9695, tcp://[::1]:9\n",
			[]string{"ccnx:/far udp 127.0.0.1:9773 0", "ccnx:/ udp 192.0.2.1:9695 2", "ccnx:/ udp [::1]:9695 2", "ccnx:/ tcp [::1]:9 2"}},
		{"del ccnx:/ udp://[::1]", exitOK, "ccnx:/: no longer routed via udp://[::1]:9695\n",
			[]string{"ccnx:/far udp 127.0.0.1:9773 0", "ccnx:/ udp 192.0.2.1:9695 2", "ccnx:/ tcp [::1]:9 2"}},
		{"del ccnx:/", exitOK, "ccnx:/: no longer routed via udp://192.0.2.1:9695, tcp://[::1]:9\n", []string{"ccnx:/far udp 127.0.0.1:9773 0"}},
		{"del ccnx:/", exitFailed, "route del ccnx:/: there is no such route\n", []string{"ccnx:/far udp 127.0.0.1:9773 0"}},
		{"del ccnx:/far localhost:9773", exitOK, "no longer routed", []string{}},
	} {
		r := f.cefgo(t, append([]string{"route"}, strings.Fields(c.args)...)...)
		if r.code != c.code || !strings.Contains(r.errOut, c.says) || r.out != "" || !reflect.DeepEqual(f.routesNow(), c.routes) {
			t.Errorf("%s: %+v\nleaves %q", c.args, r, f.routesNow())
		}
	}
	m := f.cefgo(t, "route", "add", "ccnx:/j", "192.0.2.1", "--json").object(t)
	if m["cmd"] != "route add" || m["changed"] != true || m["prefix"] != "ccnx:/j" || fmt.Sprint(m["via"]) != "[udp://192.0.2.1:9695]" {
		t.Errorf("%v", m)
	}
	if m := f.cefgo(t, "route", "add", "ccnx:/j", "192.0.2.1", "--json").object(t); m["changed"] != false {
		t.Errorf("%v", m)
	}
}

// TestRouteLies: cefnetd says "done" whatever has happened; the tables tell.
func TestRouteLies(t *testing.T) {
	f := newCefnetd(t, "ccnx:/far udp 127.0.0.1:9773 7")
	f.locked(func() { f.obeys = false })
	for args, says := range map[string]string{
		"add ccnx:/x 192.0.2.1":                 "cefnetd has not taken the route via udp://192.0.2.1:9695",
		"add ccnx:/x tcp://192.0.2.1":           "does a forwarder listen there?",
		"add ccnx:/far 127.0.0.1:9773 --cost 1": "cefnetd has kept the cost 7",
		"del ccnx:/far":                         "cefnetd has kept the route via udp://127.0.0.1:9773",
	} {
		if r := f.cefgo(t, append([]string{"route"}, strings.Fields(args)...)...); r.code != exitFailed || !strings.Contains(r.errOut, says) {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// TestRouteRefused: what cefnetd refuses, and what it cannot do.
func TestRouteRefused(t *testing.T) {
	f := newCefnetd(t)
	for _, c := range []struct {
		answer, args string
		code         exitCode
		says         string
	}{
		{"Permission denied (cefroute)\n", "add ccnx:/x 192.0.2.1", exitLocal, "by the variable USER"},
		{"failed. (cefroute)\n", "add ccnx:/x 192.0.2.1", exitFailed, "cefnetd refuses the route via udp://192.0.2.1:9695"},
		{"what?\n", "add ccnx:/x 192.0.2.1", exitForwarder, "no working forwarder"},
		{"", "strategy ccnx:/x best", exitUsage, "cefnetd has no strategy"},
		{"", "add ccnx:/x 192.0.2.1 --strategy all", exitUsage, "FORWARDING_STRATEGY"},
		{"", "add ccnx:/x face:3", exitUsage, "cefnetd takes no next hop face:3"},
		{"", "add ccnx:/x host.invalid", exitFailed, "unknown host host.invalid"},
		{"", "add ccnx:/" + strings.Repeat("a", 1019) + " 192.0.2.1", exitUsage, "too long for cefnetd"},
	} {
		f.locked(func() { f.says = c.answer })
		if r := f.cefgo(t, append([]string{"route"}, strings.Fields(c.args)...)...); r.code != c.code || !strings.Contains(r.errOut, c.says) || len(f.routesNow()) > 0 {
			t.Errorf("%.60s: %+v", c.args, r)
		}
	}
}

// TestRouteNode: what a forwarder of cefgo is asked, and how its answers end.
func TestRouteNode(t *testing.T) {
	reply := control.NodeReply{Changed: true}
	f := newNode(t, func(control.NodeRequest) control.NodeReply { return reply })
	for args, want := range map[string]control.NodeRequest{
		"add ccnx:/far 192.0.2.1 tcp://[::1]:7 face:3 --cost 4 --strategy lowest-rtt": {
			Op: control.OpRouteAdd, Prefix: "ccnx:/far", Via: []string{"udp://192.0.2.1:9695", "tcp://[::1]:7", "face:3"}, Cost: 4, Strategy: "lowest-rtt"},
		"del ccnx:/far":                 {Op: control.OpRouteDel, Prefix: "ccnx:/far"},
		"rm ccnx:/a=b udp://192.0.2.1":  {Op: control.OpRouteDel, Prefix: "ccnx:/0x613d62", Via: []string{"udp://192.0.2.1:9695"}},
		"strategy ccnx:/ round-robin":   {Op: control.OpStrategy, Prefix: "ccnx:/", Strategy: "round-robin"},
		"strategy ccnx:/far none":       {Op: control.OpStrategy, Prefix: "ccnx:/far"},
		"strategy ccnx:/far all --json": {Op: control.OpStrategy, Prefix: "ccnx:/far", Strategy: "all"},
	} {
		r := f.cefgo(t, append([]string{"route"}, strings.Fields(args)...)...)
		if asked := f.heard(); r.code != exitOK || len(asked) != 1 || !reflect.DeepEqual(asked[0], want) {
			t.Errorf("%s: %+v\nasked %+v", args, r, asked)
		}
	}
	for _, c := range []struct {
		reply control.NodeReply
		args  string
		code  exitCode
		says  string
	}{
		{control.NodeReply{Error: "routes are root's", Code: control.CodeDenied}, "add ccnx:/a 192.0.2.1", exitLocal, "permission denied: routes are root's"},
		{control.NodeReply{Error: "no such face", Code: control.CodeBadRequest}, "add ccnx:/a face:9", exitUsage, "no such face"},
		{control.NodeReply{Error: "too many routes"}, "add ccnx:/a 192.0.2.1", exitFailed, "route add ccnx:/a: too many routes"},
		{control.NodeReply{}, "del ccnx:/a", exitFailed, "there is no such route"},
		{control.NodeReply{}, "strategy ccnx:/a all", exitFailed, "there is no such route"},
		{control.NodeReply{}, "add ccnx:/a 192.0.2.1", exitOK, "as before"},
	} {
		f.locked(func() { reply = c.reply })
		if r := f.cefgo(t, append([]string{"route"}, strings.Fields(c.args)...)...); r.code != c.code || !strings.Contains(r.errOut, c.says) {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
}

func TestRouteListNode(t *testing.T) {
	f := newNode(t, func(control.NodeRequest) control.NodeReply { return control.NodeReply{Status: nodeStatus()} })
	r := f.cefgo(t, "route", "list")
	if r.code != exitOK || !strings.HasPrefix(r.out, "Routes 12\n  PREFIX ") {
		t.Errorf("%+v", r)
	}
	m := f.cefgo(t, "route", "list", "--json").object(t)
	if m["forwarder"] != "cefgo" || m["cmd"] != "route list" || m["route_count"] != 12.0 || len(m["routes"].([]any)) != 1 {
		t.Errorf("%v", m)
	}
}

func TestRouteUsage(t *testing.T) {
	for _, args := range []string{
		"add ccnx:/a", "add a 192.0.2.1", "add ccnx:/a/Chunk=1 192.0.2.1", "add ccnx:/a ftp://x", "add ccnx:/a unix:/x", "add ccnx:/a 1:2:3x", "add ccnx:/a h:0",
		"add ccnx:/a face:x", "add ccnx:/a h --cost -1", "add ccnx:/a h --strategy none", "add ccnx:/a h --strategy x", "del", "strategy ccnx:/a", "strategy ccnx:/a worst",
		"list x", "lits", "add ccnx:/a h --forwarder udp://192.0.2.1", "list --forwarder tcp://192.0.2.1", "list --forwarder embedded",
	} {
		if r := runCefgo(t.Context(), nil, append([]string{"route"}, strings.Fields(args)...)...); r.code != exitUsage || r.out != "" {
			t.Errorf("%s: %+v", args, r)
		}
	}
}
