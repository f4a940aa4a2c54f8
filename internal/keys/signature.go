package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
)

// Signature is a signature and what is needed to check it.
type Signature struct {
	Algorithm Algorithm
	KeyID     ID
	Bytes     []byte // 64 for Ed25519, as many as the modulus has for RSA
}

// Sign signs message. What one key signs in two formats must differ in its first bytes:
// that is the caller's to see to. It panics for the zero key, and where the machine
// computes wrong: a key was tried when it was read.
func (k PrivateKey) Sign(message []byte) Signature {
	s, err := k.sign(message)
	if err != nil {
		panic("keys: a key that has signed before does not sign")
	}
	return s
}

func (k PrivateKey) sign(message []byte) (Signature, error) {
	s := Signature{Algorithm: k.public.Algorithm(), KeyID: k.public.id}
	var err error
	switch s.Algorithm {
	case SignEd25519:
		s.Bytes, err = k.signer.Sign(rand.Reader, message, crypto.Hash(0))
	case SignRSASHA256:
		digest := sha256.Sum256(message)
		s.Bytes, err = k.signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	default:
		err = fmt.Errorf("keys: the zero key does not sign")
	}
	return s, err
}

// Verify checks that s is k's signature over message; any other is [ErrSignature], also
// one whose algorithm is not k's, or whose key is named as another.
func (k PublicKey) Verify(message []byte, s Signature) error {
	if s.KeyID != k.id || s.Algorithm != k.Algorithm() || !k.verify(message, s.Bytes) {
		return ErrSignature
	}
	return nil
}

func (k PublicKey) verify(message, signature []byte) bool {
	if checkPublic(k.key) != nil {
		return false // no key that NewPublicKey has built
	}
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		digest := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}
