//go:build linux

package main

import "testing"

// barVerified is the part of an unverified fetch's rate that a verified one has at least.
const barVerified = 0.75

// verify compares a fetch that is verified by its manifest with one that is not, of the
// same chunks over the node, to a file and to a pipe.
func (f *field) verify(t *testing.T) {
	g := f.withNode(t)
	c := writeContent(t, g.file("content"), f.size(512_000_000))
	const uri = "ccnx:/field/verify"
	g.serve(uri, c.path, "-b", "16000")
	g.warm(t, uri, c)
	to := func(output string, flags ...string) func() sample {
		return func() sample {
			g.fresh()
			p := program{env: g.env(), args: append([]string{f.cefgo, "get", "-d", g.conf(), "-q", uri, "-o", output}, flags...)}
			if output == "-" {
				p.to = g.file(gotFile)
			}
			return g.moved(p.run(t), c)
		}
	}
	file := g.file(gotFile)
	all := inTurn(t, f.turns, []contestant{
		{"verified, to a file", to(file, "--verify", "manifest")},
		{"unverified, to a file", to(file, "--verify", "none")},
		{"verified, to standard output", to("-", "--verify", "manifest")},
		{"unverified, to standard output", to("-", "--verify", "none")},
	})
	b := mdTable{}
	b.row("case", "MB/s of the whole process: median (least–most)", "CPU s of get")
	for _, m := range all {
		b.row(m.name, m.wall.String(), m.cpu.String())
	}
	for i, where := range []string{"file", "standard output"} {
		r := ratioOf(all[2*i].wall, all[2*i+1].wall)
		what := "verified / unverified, " + where
		b.row(what, figure(r)+" "+f.bar(t, what, figure(r), atLeast(barVerified, r)))
	}
	b.log(t)
}
