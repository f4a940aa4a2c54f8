package keys

import (
	"errors"
	"io/fs"
	"os"
)

// Save stores a private key and its public half under name. A key of that name is an
// *[ExistsError], or replaced: whoever reads meanwhile sees the old pair, the new one, or
// a private key alone. After an error there is no private key where there was none.
func (s Store) Save(name string, k PrivateKey, replace bool) error {
	if err := CheckName(name); err != nil {
		return err
	}
	private, public := s.path(name, privateEnding), s.path(name, publicEnding)
	return alone(s.Dir, func() error {
		_, err := os.Lstat(private)
		existed := !errors.Is(err, fs.ErrNotExist)
		if existed && replace { // the public half goes first, so that the two never differ
			if err := os.Remove(public); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := k.WriteFile(private, replace); err != nil {
			return err
		}
		err = k.Public().WriteFile(public, replace)
		if err != nil && !existed {
			_ = os.Remove(private) // the one just written
		}
		return err
	})
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
