package main

import (
	"fmt"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

// resumeCommand is the command that goes on where a fetch ended, "" where none does.
func (a *app) resumeCommand(name tlv.Name, o getOptions, t *target) string {
	if o.chunks.set || o.bytes.set || !t.resumable() && !t.earlier {
		return ""
	}
	return a.resumeLine([]tlv.Name{name}, o.output)
}

// resumeLine is the command that goes on with these names.
func (a *app) resumeLine(names []tlv.Name, output string) string {
	cmd := "cefgo get --resume " + a.namesOf(names)
	if _, elsewhere := a.global.origin["percent-decode"]; a.global.percent && !elsewhere {
		cmd += " --percent-decode"
	}
	if output != "" {
		cmd += " -o " + shellQuote(output)
	}
	return cmd + a.forwarderFlags()
}

// namesOf joins names for a command line on which % is what it is on this one.
func (a *app) namesOf(names []tlv.Name) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		uri := n.String()
		if a.global.percent {
			uri = strings.ReplaceAll(uri, "%", "%25")
		}
		quoted[i] = shellQuote(uri)
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
	add("config", "--config", g.config)
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
