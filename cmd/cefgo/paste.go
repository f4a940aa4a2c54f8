package main

import (
	"fmt"
	"strings"
)

// resumeCommand is the command that goes on where a fetch ended, "" where none does.
func (a *app) resumeCommand(uri string, o getOptions, t *target) string {
	if o.chunks.set || o.bytes.set || !t.resumable() {
		return ""
	}
	return a.resumeLine([]string{uri}, o.output)
}

// resumeLine is the command that goes on with these names.
func (a *app) resumeLine(uris []string, output string) string {
	cmd := "cefgo get --resume " + namesOf(uris)
	if output != "" {
		cmd += " -o " + shellQuote(output)
	}
	return cmd + a.forwarderFlags()
}

// namesOf joins names for a command line.
func namesOf(uris []string) string {
	quoted := make([]string, len(uris))
	for i, u := range uris {
		quoted[i] = shellQuote(u)
	}
	return strings.Join(quoted, " ")
}

// forwarderFlags are the flags of this command line by which another cefgo finds
// the same forwarder. What came from the environment or a file holds there too.
func (a *app) forwarderFlags() string {
	g, out := &a.global, ""
	add := func(name, flag, v string) {
		if _, elsewhere := g.origin[name]; v != "" && !elsewhere {
			out += " " + flag + " " + shellQuote(v)
		}
	}
	if g.forwarder != "auto" && g.forwarder != "embedded" {
		add("forwarder", "--forwarder", g.forwarder)
	}
	add("cefore-dir", "-d", g.ceforeDir)
	if g.port != 0 {
		add("port", "-p", fmt.Sprint(g.port))
	}
	add("socket-id", "--socket-id", g.socketID)
	return out
}

// shellQuote makes s one word of a POSIX shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
