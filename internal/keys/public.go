package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
)

// PublicKey is the public half of a key. Those that are not zero were checked when they
// were built. It is a small value, to be copied, and safe for concurrent use.
type PublicKey struct {
	key  crypto.PublicKey // ed25519.PublicKey or *rsa.PublicKey
	spki []byte           // DER of its SubjectPublicKeyInfo
	id   ID
}

// NewPublicKey wraps an ed25519.PublicKey or *rsa.PublicKey. Errors are *[FormatError].
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	if err := checkPublic(key); err != nil {
		return PublicKey{}, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, badKey("a public key that cannot be encoded")
	}
	return PublicKey{key, spki, sha256.Sum256(spki)}, nil
}

func checkPublic(key crypto.PublicKey) error {
	switch k := key.(type) {
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return badKey("an Ed25519 key of %d bytes", len(k))
		}
		return nil
	case *rsa.PublicKey:
		return checkRSA(k.N, k.E)
	}
	return badKey("a key of type %T", key)
}

// checkRSA takes moduli of the right size; they and the exponents are odd.
func checkRSA(n *big.Int, e int) error {
	if bits := n.BitLen(); bits < MinRSABits || bits > MaxRSABits {
		return badKey("an RSA key of %d bits; %d to %d are taken", bits, MinRSABits, MaxRSABits)
	}
	if n.Sign() < 0 || n.Bit(0) == 0 || e < 3 || e&1 == 0 {
		return badKey("an RSA key that cannot be one: modulus or exponent is even or too small")
	}
	return nil
}

// ID names k.
func (k PublicKey) ID() ID { return k.id }

// Type is [Ed25519] or [RSA]; 0 of the zero PublicKey.
func (k PublicKey) Type() Type {
	switch k.key.(type) {
	case ed25519.PublicKey:
		return Ed25519
	case *rsa.PublicKey:
		return RSA
	}
	return 0
}

// Algorithm is the one that k verifies.
func (k PublicKey) Algorithm() Algorithm { return algorithmOf[k.Type()] }

var algorithmOf = map[Type]Algorithm{Ed25519: SignEd25519, RSA: SignRSASHA256}

// Bits is the size of an RSA modulus, and 256 for Ed25519; 0 of the zero PublicKey.
func (k PublicKey) Bits() int {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return 8 * len(key)
	case *rsa.PublicKey:
		return key.N.BitLen()
	}
	return 0
}

// SPKI returns the DER of k's SubjectPublicKeyInfo, of which [PublicKey.ID] is the hash.
func (k PublicKey) SPKI() []byte { return slices.Clone(k.spki) }

// PEM returns k as a file holds it.
func (k PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemPublic, Bytes: k.spki})
}

// Equal reports whether both are the same key.
func (k PublicKey) Equal(o PublicKey) bool { return k.id == o.id && k.Type() == o.Type() }

// String is type and short ID.
func (k PublicKey) String() string { return fmt.Sprintf("%v key %s", k.Type(), k.id.Short()) }
