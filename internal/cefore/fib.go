package cefore

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// FIBEntry is a line of cefnetd.fib: a prefix and the neighbours that it is behind.
type FIBEntry struct {
	Line     int    // counted from 1
	URI      string // of the prefix, unchecked
	Protocol string // "udp" or "tcp"
	Hosts    []string
}

// FIBPath is where cefnetd looks for its static routes: beside its cefnetd.conf, whose
// path is given.
func FIBPath(config string) string { return filepath.Join(filepath.Dir(config), "cefnetd.fib") }

// LoadFIB reads the cefnetd.fib at path by Cefore's line grammar: URI, protocol and one or
// more hosts, with blanks or tabs between them; a line that begins with '#' or a blank
// counts for nothing. What cefnetd skips with a line in its log comes back as a
// problem, and so does the protocol quic, which nothing here speaks.
func LoadFIB(path string) (entries []FIBEntry, problems []error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() // only read
	return parseFIB(path, f)
}

func parseFIB(path string, r io.Reader) (entries []FIBEntry, problems []error, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > maxFile {
		return nil, nil, &ConfigError{Path: path, Reason: fmt.Sprintf("larger than %d bytes", maxFile)}
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" || strings.ContainsRune("# \t\v\f", rune(line[0])) {
			continue
		}
		e, reason := fibEntry(n, line)
		if reason != "" {
			problems = append(problems, &ConfigError{Path: path, Line: n, Reason: reason})
			continue
		}
		entries = append(entries, e)
	}
	return entries, problems, nil
}

func fibEntry(n int, line string) (e FIBEntry, reason string) {
	if len(line) > maxLine {
		return e, fmt.Sprintf("line longer than %d bytes", maxLine)
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	switch {
	case len(words) < 3:
		return e, "want a prefix, udp or tcp, and a host"
	case words[1] != "udp" && words[1] != "tcp":
		return e, fmt.Sprintf("protocol %q is not udp or tcp", words[1])
	}
	return FIBEntry{Line: n, URI: words[0], Protocol: words[1], Hosts: words[2:]}, ""
}
