package main

import (
	"errors"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
)

// noKey is what --key says where nothing is to be signed.
const noKey = "none"

// signer is what signs manifests, and its key: the one that is named, else the one called
// default; nil where there is none.
func (a *app) signer(nameOrFile string) (sign func([]byte) (manifest.Signature, error), id keys.ID, err error) {
	if nameOrFile == noKey {
		return nil, id, nil
	}
	store, err := a.keyStore()
	if err != nil && nameOrFile == "" {
		return nil, id, nil // there is no home, and so no key in it
	}
	if err != nil {
		return nil, id, err
	}
	var key keys.PrivateKey
	if nameOrFile == "" {
		key, err = store.Private(defaultKey)
		if missing := (*keys.MissingError)(nil); errors.As(err, &missing) {
			return nil, id, nil
		}
	} else {
		key, err = store.FindPrivate(nameOrFile)
	}
	if err != nil {
		return nil, id, err
	}
	return func(message []byte) (manifest.Signature, error) {
		s := key.Sign(message)
		return manifest.Signature{Algorithm: uint8(s.Algorithm), KeyID: manifest.Digest(s.KeyID), Bytes: s.Bytes}, nil
	}, key.Public().ID(), nil
}
