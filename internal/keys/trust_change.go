package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

// AddTrust trusts key for the names below prefix: it copies it into the trust directory
// dir, which it makes where there is none, and adds a line to its prefixes. The file is
// called label.pub (key.pub where that is no name for a file), and tells the key's ID too
// where another key has that name. It returns the file's name, and false where the key was trusted for prefix already. A
// directory that [OpenTrust] refuses is left as it is, with that error.
func AddTrust(dir string, prefix tlv.Name, key PublicKey, label string) (file string, changed bool, err error) {
	if err := checkPrefix(prefix); err != nil {
		return "", false, err
	}
	err = alone(dir, func() error {
		c, err := openChange(dir)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(c.trust.all, func(e Trusted) bool { return e.Prefix.Equal(prefix) && e.Key.Equal(key) }); at >= 0 {
			file = c.trust.all[at].File
			return nil
		}
		if file, err = c.keyFile(key, label); err != nil {
			return err
		}
		changed = true
		return c.write(c.withLine(line{prefix: prefix, file: file}))
	})
	return file, changed, err
}

// RemoveTrust takes the lines of prefix out of the trust directory whose key file drop
// picks, and returns these files. The files stay. Other lines' keys need not be right, so
// that a broken directory can be mended.
func RemoveTrust(dir string, prefix tlv.Name, drop func(file string) bool) (files []string, err error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	err = alone(dir, func() error {
		lines, text, err := readPrefixes(dir)
		if err != nil {
			return err
		}
		gone := make(map[int]bool)
		for _, l := range lines {
			if l.prefix.Equal(prefix) && drop(l.file) {
				gone[l.number] = true
				files = append(files, l.file)
			}
		}
		if len(gone) == 0 {
			return nil
		}
		return (&change{dir: dir}).write(withoutLines(text, gone))
	})
	return files, err
}

// withoutLines is text without the lines of these numbers.
func withoutLines(text []byte, gone map[int]bool) []byte {
	var kept []byte
	number := 0
	for raw := range bytes.Lines(text) {
		if number++; !gone[number] {
			kept = append(kept, raw...)
		}
	}
	return kept
}

// change is a trust directory about to be changed.
type change struct {
	dir   string
	text  []byte // of its prefixes
	trust *Trust
}

// openChange reads a trust directory, which may be empty.
func openChange(dir string) (*change, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	lines, text, err := readPrefixes(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &change{dir: dir, trust: &Trust{}}, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := loadKeys(dir, lines)
	return &change{dir, text, t}, err
}

// keyFile is the file that holds key: one that does already, or a new one.
func (c *change) keyFile(key PublicKey, label string) (string, error) {
	if at := slices.IndexFunc(c.trust.all, func(e Trusted) bool { return e.Key.Equal(key) }); at >= 0 {
		return c.trust.all[at].File, nil
	}
	if checkKeyFile(label+publicEnding) != nil {
		label = "key"
	}
	var err error
	for _, file := range []string{label + publicEnding, label + "-" + key.ID().Short() + publicEnding} {
		err = key.WriteFile(filepath.Join(c.dir, file), false)
		if there := (*ExistsError)(nil); !errors.As(err, &there) {
			return file, err
		}
		if old, bad := readTrusted(filepath.Join(c.dir, file)); bad == nil && old.Equal(key) {
			return file, nil
		}
	}
	return "", err
}

// withLine is the prefixes with a line more.
func (c *change) withLine(l line) []byte {
	text := string(c.text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text + l.String() + "\n")
}

// write replaces the prefixes, also behind a symlink, and keeps their permissions.
func (c *change) write(text []byte) error {
	path := filepath.Join(c.dir, prefixesFile)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	perm := fs.FileMode(publicPerm)
	if info, err := os.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	return install(path, text, perm, true)
}
