package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
)

// PrivateKey signs. The zero one does not. It is a small value, to be copied, and safe
// for concurrent use. Printing it prints its [ID] only.
type PrivateKey struct {
	signer crypto.Signer // ed25519.PrivateKey or *rsa.PrivateKey
	public PublicKey
}

// Generate makes a key; one of [RSA] has 3072 bits, which takes the better part of a second.
func Generate(t Type) (PrivateKey, error) {
	switch t {
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return PrivateKey{}, err
		}
		return newPrivate(key)
	case RSA:
		key, err := rsa.GenerateKey(rand.Reader, newRSABits)
		if err != nil {
			return PrivateKey{}, err
		}
		return newPrivate(key)
	}
	return PrivateKey{}, fmt.Errorf("keys: no such type: %v", t)
}

// newPrivate tries the key once, so that [PrivateKey.Sign] cannot fail.
func newPrivate(key crypto.Signer) (PrivateKey, error) {
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return PrivateKey{}, err
	}
	k := PrivateKey{key, public}
	if _, err := k.sign([]byte("cefgo")); err != nil { // which looks at what it has computed
		return PrivateKey{}, badKey("a damaged private key: what it signs is wrong")
	}
	return k, nil
}

// Public is the public half.
func (k PrivateKey) Public() PublicKey { return k.public }

// PEM returns k as a file holds it, PKCS#8, not encrypted.
func (k PrivateKey) PEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		panic("keys: bug: a private key that cannot be encoded")
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPKCS8, Bytes: der})
}

// Format prints what the key is called, whatever the verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, "private "+k.public.String()) }
