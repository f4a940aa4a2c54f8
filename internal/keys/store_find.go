package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Private reads the private key of that name.
func (s Store) Private(name string) (PrivateKey, error) {
	switch e := s.Entry(name); {
	case e.Err != nil:
		return PrivateKey{}, e.Err
	case !e.Signs:
		return PrivateKey{}, fmt.Errorf("%s: %w", e.Files[0], badKey("a public key; a private one is needed"))
	}
	return ReadPrivate(s.path(name, privateEnding))
}

// FindPrivate is for a command line: a name of the store, or else a file. What has a
// slash is a file always.
func (s Store) FindPrivate(nameOrFile string) (PrivateKey, error) {
	if s.holds(nameOrFile) {
		return s.Private(nameOrFile)
	}
	k, err := ReadPrivate(nameOrFile)
	return k, s.notFound(nameOrFile, err)
}

// Find is [Store.FindPrivate] for a public key. A file is an Entry without a name.
func (s Store) Find(nameOrFile string) (Entry, error) {
	if s.holds(nameOrFile) {
		e := s.Entry(nameOrFile)
		return e, e.Err
	}
	public, private, err := Read(nameOrFile)
	return Entry{Key: public, Signs: private != nil, Files: []string{nameOrFile}}, s.notFound(nameOrFile, err)
}

func (s Store) holds(name string) bool {
	if s.Dir == "" || CheckName(name) != nil {
		return false
	}
	_, perr := os.Lstat(s.path(name, privateEnding))
	_, err := os.Lstat(s.path(name, publicEnding))
	return !errors.Is(perr, fs.ErrNotExist) || !errors.Is(err, fs.ErrNotExist)
}

// notFound says that the store was asked, too.
func (s Store) notFound(name string, err error) error {
	if s.Dir == "" || CheckName(name) != nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &MissingError{name, s.Dir, true}
}
