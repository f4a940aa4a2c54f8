package keys

import (
	"errors"
	"io/fs"
	"os"
)

// Save stores a private key and its public half under name. A key of that name is an
// *[ExistsError], or replaced. Whoever reads meanwhile sees the old pair, the new one,
// or a private key alone; after an error without replace there is nothing new.
func (s Store) Save(name string, k PrivateKey, replace bool) error {
	if err := CheckName(name); err != nil {
		return err
	}
	private, public := s.path(name, privateEnding), s.path(name, publicEnding)
	return alone(s.Dir, func() error {
		if err := vacate(replace, private, public); err != nil {
			return err
		}
		if err := k.WriteFile(private, replace); err != nil {
			return err
		}
		err := k.Public().WriteFile(public, replace)
		if err != nil && !replace {
			_ = os.Remove(private) // the one just written
		}
		return err
	})
}

// vacate refuses to replace either file; or it makes room for a key's public half before
// its private one changes, so that the two never differ.
func vacate(replace bool, private, public string) error {
	if replace {
		if err := os.Remove(public); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	for _, path := range []string{private, public} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return &ExistsError{Path: path}
		}
	}
	return nil
}

// SavePublic stores a public key alone. Another one of that name is an *[ExistsError],
// or replaced; a private key of that name is one always.
func (s Store) SavePublic(name string, k PublicKey, replace bool) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return alone(s.Dir, func() error {
		private := s.path(name, privateEnding)
		if _, err := os.Lstat(private); !errors.Is(err, fs.ErrNotExist) {
			return &ExistsError{Path: private, Kept: true}
		}
		return k.WriteFile(s.path(name, publicEnding), replace)
	})
}
