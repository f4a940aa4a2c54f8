package cefore

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Bounds of what is read. Cefore has neither: it splits a line after 1022 bytes and takes the rest for a
// line of its own.
const (
	maxLine = 4096 // bytes, without the line feed
	maxFile = 1 << 20
)

// Load reads the file at path. Its errors are a *ConfigError, or the operating system's, which names path
// and works with errors.Is (fs.ErrNotExist).
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, err
	}
	defer f.Close() // only read
	return parse(path, f)
}

// Parse reads a cefnetd.conf by Cefore's line grammar (sheet a): '#' in column 1 begins a comment; blanks
// and tabs are deleted anywhere; a line has exactly one '=', else it counts for nothing; there is no quoting;
// a carriage return ends the line; the last value wins; unknown keys are ignored.
//
// Where Cefore guesses, Parse returns a *ConfigError: for the first known key with a value that is not
// numeric or not accepted, for a line over 4096 bytes, and for a file over 1 MiB. Errors of r come back as
// they are.
func Parse(r io.Reader) (Config, error) {
	return parse("", r)
}

func parse(path string, r io.Reader) (Config, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Config{}, err
	}
	if len(b) > maxFile {
		return Config{}, &ConfigError{Path: path, Reason: fmt.Sprintf("larger than %d bytes", maxFile)}
	}
	c := Default()
	c.Path, c.Lines = path, map[Key]int{}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if err := c.apply(n, strings.TrimSuffix(line, "\n")); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// apply lets line n of the file change c.
func (c *Config) apply(n int, line string) error {
	if len(line) > maxLine {
		return &ConfigError{Path: c.Path, Line: n, Reason: fmt.Sprintf("line longer than %d bytes", maxLine)}
	}
	key, value, ok := splitLine(line)
	if !ok {
		return nil
	}
	s, ok := lookup(key)
	if !ok {
		return nil
	}
	if err := s.set(c, value); err != nil {
		return &ConfigError{Path: c.Path, Line: n, Key: s.key, Value: value, Reason: err.Error()}
	}
	c.Lines[s.key] = n
	return nil
}

var deleteBlanks = strings.NewReplacer(" ", "", "\t", "")

// splitLine returns the two sides of a line's only '='. ok is false for a line without meaning.
func splitLine(line string) (key, value string, ok bool) {
	if strings.HasPrefix(line, "#") {
		return "", "", false
	}
	line, _, _ = strings.Cut(line, "\r")
	key, value, ok = strings.Cut(deleteBlanks.Replace(line), "=")
	if !ok || strings.Contains(value, "=") {
		return "", "", false
	}
	return key, value, true
}
