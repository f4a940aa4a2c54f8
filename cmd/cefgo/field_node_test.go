//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const (
	barNDND    = 4.0 // of ndnd's rate
	barNDNDCPU = 0.5 // of its processor time
	barStream  = 0.5 // of the rate of a bare stream relay
	barPackets = 3.0 // of what goes through cefnetd
)

// node compares cefgo's forwarder with ndnd and with a bare relay of the same bytes, and
// with cefnetd by packets.
func (f *field) node(t *testing.T) {
	t.Run("bytes", f.nodeBytes)
	t.Run("packets", f.nodePackets)
}

// nodeBytes moves a file through serve, node and get, through ndnd's put, fw and cat, and
// through a bare relay, three processes each, in turn.
func (f *field) nodeBytes(t *testing.T) {
	g := f.withNode(t)
	c := writeContent(t, g.file("content"), f.size(512_000_000))
	const uri = "ccnx:/field/node"
	publisher := g.serve(uri, c.path)
	g.warm(t, uri, c)
	contestants := []contestant{
		{"cefgo", func() sample {
			fwd, pub := g.fwd.cpu(), publisher.cpu()
			e := program{env: g.env(), args: []string{f.cefgo, "get", "-d", g.conf(), "-q", uri, "-o", "-"}, to: g.file(gotFile)}.run(t)
			s := g.moved(e, c)
			s.cpu, s.fwd = s.cpu+publisher.cpu()-pub+g.fwd.cpu()-fwd, g.fwd.cpu()-fwd
			return s
		}},
		{"bare relay", func() sample { return g.stream(t, c) }},
	}
	n, err := g.ndnd(t, c)
	if err != nil {
		t.Log("without ndnd: ", err)
	} else {
		contestants = append(contestants, contestant{"ndnd", func() sample { return n.cat(t) }})
	}
	all := inTurn(t, f.turns, contestants)
	b := mdTable{}
	b.row("case", "MB/s of the whole process: median (least–most)", "CPU s of all three processes", "forwarder CPU s", "runs")
	for _, m := range all {
		b.row(m.name, m.wall.String(), m.cpu.String(), m.fwd.String(), fmt.Sprintf("%d of %d", len(m.wall), len(m.wall)+len(m.failed)))
	}
	rate := func(other *measured, bar float64) {
		r := ratioOf(all[0].wall, other.wall)
		b.row("cefgo / "+other.name, figure(r)+" "+f.bar(t, "cefgo / "+other.name+", rate", figure(r), atLeast(bar, r)))
	}
	rate(all[1], barStream)
	if len(all) > 2 {
		rate(all[2], barNDND)
		r := ratioOf(all[0].cpu, all[2].cpu)
		b.row("cefgo / ndnd, CPU", "", figure(r)+" "+f.bar(t, "cefgo / ndnd, CPU", figure(r), atMost(barNDNDCPU, r, "")))
	}
	b.log(t)
}

// moved makes a sample of a program that has written the content.
func (g *ground) moved(e *ended, c content) sample {
	if e.code != 0 {
		return sample{note: e.String()}
	}
	if !c.holds(g.file(gotFile)) {
		g.t.Error("what arrived is not what was sent")
		return sample{note: "other bytes"}
	}
	return sample{bytes: c.size, wall: e.wall, cpu: e.cpu}
}

// stream moves the content through a bare relay.
func (g *ground) stream(t *testing.T, c content) sample {
	one, two := g.file("one"), g.file("two")
	os.Remove(one)
	os.Remove(two)
	role := func(name string, o bareOptions) (env, args []string) {
		env, args = g.bareCommand(name, o)
		return env, append(args, "-socket", o.Socket)
	}
	env, args := role("stream-source", bareOptions{Socket: one, Prefix: c.path})
	source := runBeside(t, env, "ready", args...)
	defer source.stop()
	env, args = role("stream-relay", bareOptions{Socket: two, Prefix: one})
	relay := runBeside(t, env, "ready", args...)
	defer relay.stop()
	env, args = role("stream-sink", bareOptions{Socket: two})
	return g.moved(program{env: env, args: args, to: g.file(gotFile)}.run(t), c)
}

// ndndGround is an ndnd forwarder with the content published on it.
type ndndGround struct {
	g       *ground
	c       content
	env     []string
	fw, put *beside
}

// ndnd starts named-data's forwarder and publisher, where they are installed.
func (g *ground) ndnd(t *testing.T, c content) (*ndndGround, error) {
	path, err := exec.LookPath("ndnd")
	if err != nil {
		return nil, err
	}
	socket := g.file("nfd.sock")
	conf := g.file("fw.yml")
	text := fmt.Sprintf("core: {log_level: ERROR}\nfaces:\n  udp: {enabled_unicast: false, enabled_multicast: false}\n"+
		"  tcp: {enabled: false}\n  websocket: {enabled: false}\n  http3: {enabled: false}\n  unix: {enabled: true, socket_path: %s}\n", socket)
	if err := os.WriteFile(conf, []byte(text), 0o666); err != nil {
		return nil, err
	}
	n := &ndndGround{g: g, c: c, env: append(g.env(), "NDN_CLIENT_TRANSPORT=unix://"+socket)}
	n.fw = runBeside(t, n.env, "", path, "fw", "run", conf)
	waitUntil(t, "ndnd's socket", func() bool { _, err := os.Stat(socket); return err == nil })
	n.put = runBeside(t, n.env, "", "/bin/sh", "-c", `exec "$0" put --expose /field/node < "$1"`, path, c.path)
	waitUntil(t, "ndnd's content", func() bool { return n.cat(t).note == "" })
	return n, nil
}

func (n *ndndGround) cat(t *testing.T) sample {
	fw, put := n.fw.cpu(), n.put.cpu()
	e := program{env: n.env, args: []string{"ndnd", "cat", "/field/node"}, to: n.g.file(gotFile)}.run(t)
	if e.code == 0 && !n.c.holds(n.g.file(gotFile)) {
		return sample{note: "ndnd cat wrote other bytes"}
	}
	s := n.g.moved(e, n.c)
	s.fwd = n.fw.cpu() - fw
	s.cpu += s.fwd + n.put.cpu() - put
	return s
}

// nodePackets fetches content of tiny chunks through cefgo's forwarder and through
// cefnetd by the same get.
func (f *field) nodePackets(t *testing.T) {
	const uri, block = "ccnx:/field/tiny", 64
	grounds := []*ground{f.withNode(t), f.withCefnetd(t, "CS_MODE=0")}
	var contestants []contestant
	for i, g := range grounds {
		c := writeContent(t, g.file("content"), f.size(6_400_000))
		g.serve(uri, c.path, "-b", fmt.Sprint(block))
		g.warm(t, uri, c)
		contestants = append(contestants, g.contestant([]string{"node", "cefnetd"}[i], func() sample { return ofGet(g.get(t, uri, c), c.size) }))
	}
	all := inTurn(t, f.turns, contestants)
	b := mdTable{}
	b.row("forwarder", "packets/s: median", "MB/s by get's own clock", "CPU s", "forwarder CPU s")
	for _, m := range all {
		b.row(m.name, fmt.Sprintf("%.0f", m.own.median()*1e6/block), m.own.String(), m.cpu.String(), m.fwd.String())
	}
	f.compare(t, &b, all[0], all[1], barPackets)
	b.log(t)
}
