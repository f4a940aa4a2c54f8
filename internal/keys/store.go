package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Endings of a store's files.
const (
	privateEnding = ".key"
	publicEnding  = ".pub"
)

// maxName bounds the name of a key, in bytes.
const maxName = 64

// CheckName reports a text that is no name of a key as a *[NameError].
func CheckName(name string) error {
	if len(name) == 0 || len(name) > maxName || !isFileName(name) {
		return &NameError{name}
	}
	return nil
}

// isFileName reports whether s is of letters, digits, - _ and . only, and no option or
// hidden file.
func isFileName(s string) bool {
	other := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}
	return s != "" && s[0] != '.' && s[0] != '-' && strings.IndexFunc(s, other) < 0
}

// Store is a directory of keys by name. It is made when the first key is stored.
type Store struct{ Dir string }

// Entry is a key of a [Store].
type Entry struct {
	Name  string
	Key   PublicKey
	Signs bool     // there is a private key
	Files []string // paths
	Err   error    // why it cannot be used; Key may be zero then
}

func (s Store) path(name, ending string) string { return filepath.Join(s.Dir, name+ending) }

// Entry looks up a key. Its Err is a *[NameError], a *[MissingError] or one of [Read];
// files that do not belong together are one too.
func (s Store) Entry(name string) Entry {
	e := Entry{Name: name}
	if e.Err = CheckName(name); e.Err != nil {
		return e
	}
	private, perr := ReadPrivate(s.path(name, privateEnding))
	public, err := ReadPublic(s.path(name, publicEnding))
	e.Signs = e.found(s.path(name, privateEnding), perr)
	hasPublic := e.found(s.path(name, publicEnding), err)
	e.Key = public
	if e.Signs {
		e.Key = private.public
	}
	switch {
	case !e.Signs && !hasPublic:
		e.Err = &MissingError{Name: name, Dir: s.Dir}
	case e.Signs && perr != nil:
		e.Err = perr
	case hasPublic && err != nil:
		e.Err = err
	case e.Signs && hasPublic && !public.Equal(private.public):
		e.Err = fmt.Errorf("%s is not the public half of %s", e.Files[1], e.Files[0])
	}
	return e
}

// found notes a file that is there, whatever is wrong with it.
func (e *Entry) found(path string, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	e.Files = append(e.Files, path)
	return true
}

// List returns all keys by name, broken ones with their error.
func (s Store) List() ([]Entry, error) {
	files, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(f.Name(), privateEnding), publicEnding)
		if name != f.Name() && CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all []Entry
	for _, name := range slices.Compact(names) {
		all = append(all, s.Entry(name))
	}
	return all, nil
}
