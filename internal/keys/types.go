package keys

import (
	"encoding/hex"
	"fmt"
)

// Bounds of what is taken.
const (
	// MinRSABits and MaxRSABits bound an RSA modulus, in bits.
	MinRSABits = 2048
	MaxRSABits = 8192
	// MaxFile bounds a key's file, in bytes.
	MaxFile = 64 << 10
)

// newRSABits is the modulus of a key that is made here.
const newRSABits = 3072

// Type is the type of a key.
type Type uint8

// The types of keys.
const (
	Ed25519 Type = 1
	RSA     Type = 2
)

var typeNames = map[Type]string{Ed25519: "ed25519", RSA: "rsa"}

func (t Type) String() string {
	if s := typeNames[t]; s != "" {
		return s
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// ParseType reads what [Type.String] writes.
func ParseType(s string) (Type, error) {
	for t, name := range typeNames {
		if s == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("a key is of type ed25519 or rsa, not %q", s)
}

// Algorithm is how a signature was made. The numbers stand in manifests.
type Algorithm uint8

// The algorithms; each fits one type of key.
const (
	SignEd25519   Algorithm = 1 // RFC 8032, pure
	SignRSASHA256 Algorithm = 2 // RSASSA-PKCS1-v1_5, RFC 8017
)

func (a Algorithm) String() string {
	switch a {
	case SignEd25519:
		return "ed25519"
	case SignRSASHA256:
		return "rsa-sha256"
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// ID names a key: the SHA-256 of its SubjectPublicKeyInfo's DER.
type ID [32]byte

// String is the 64 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first 16 digits, for people.
func (id ID) Short() string { return hex.EncodeToString(id[:8]) }
