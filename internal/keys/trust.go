package keys

import (
	"errors"
	"slices"

	"github.com/cefgo/cefgo/internal/tlv"
)

// ErrNoTrust says that there is no trust directory.
var ErrNoTrust = errors.New("there is no trust directory")

// Trust says which keys are trusted for which names. It does not change, and is safe for
// concurrent use.
type Trust struct{ all []Trusted }

// Trusted is a key that is trusted for the names below a prefix; ccnx:/ is the prefix of
// every name.
type Trusted struct {
	Prefix tlv.Name
	Key    PublicKey
	File   string // its name in the trust directory; the path for [TrustFile]
}

// root is the prefix of every name.
var root = func() tlv.Name {
	n, err := tlv.NewName([]byte{})
	if err != nil {
		panic("keys: bug: ccnx:/ is no name")
	}
	return n
}()

// All returns what is trusted, in the order of the prefixes file.
func (t *Trust) All() []Trusted { return slices.Clone(t.all) }

// Covers reports whether any prefix of name is known. For one that is not covered no
// key is trusted; whether its content may be used without proof is the caller's to say.
func (t *Trust) Covers(name tlv.Name) bool {
	_, ok := t.Prefix(name)
	return ok
}

// Prefix returns the prefix that decides about name, its longest, and false where none does.
func (t *Trust) Prefix(name tlv.Name) (prefix tlv.Name, ok bool) {
	longest := -1
	for _, e := range t.all {
		if n, fits := e.reach(name); fits && n > longest {
			longest, prefix = n, e.Prefix
		}
	}
	return prefix, longest >= 0
}

// KeysFor returns the keys that are trusted for name: those of its longest prefix, alone.
func (t *Trust) KeysFor(name tlv.Name) []PublicKey {
	prefix, ok := t.Prefix(name)
	var keys []PublicKey
	for _, e := range t.all {
		if ok && e.Prefix.Equal(prefix) && !slices.ContainsFunc(keys, e.Key.Equal) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// reach reports whether e's prefix is one of name, and its length in bytes. Of two
// prefixes of one name the one with more segments has more bytes.
func (e *Trusted) reach(name tlv.Name) (int, bool) {
	if e.Prefix.IsDefault() {
		return 0, true
	}
	return len(e.Prefix.Bytes()), name.HasPrefix(e.Prefix)
}

// Verify checks that s is the signature over message of a key that is trusted for name,
// and returns that key. Errors are [ErrUntrusted] and [ErrSignature].
func (t *Trust) Verify(name tlv.Name, message []byte, s Signature) (PublicKey, error) {
	for _, k := range t.KeysFor(name) {
		if k.ID() == s.KeyID {
			return k, k.Verify(message, s)
		}
	}
	return PublicKey{}, ErrUntrusted
}
