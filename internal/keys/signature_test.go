package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"testing"
)

// TestVerifyRefuses bends each part of a signature.
func TestVerifyRefuses(t *testing.T) {
	message := []byte("message")
	for _, file := range []string{"ed25519.pem", "rsa.pem"} {
		k := goldenPrivate(t, file)
		good := k.Sign(message)
		refuse := func(what string, message []byte, s Signature) {
			t.Helper()
			if err := k.Public().Verify(message, s); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %s: %v", file, what, err)
			}
		}
		refuse("another message", []byte("messagf"), good)
		refuse("no message", nil, good)
		for at := range good.Bytes {
			s := good
			s.Bytes = bytes.Clone(good.Bytes)
			s.Bytes[at] ^= 0x10
			refuse("a byte is wrong", message, s)
		}
		for _, b := range [][]byte{nil, good.Bytes[1:], good.Bytes[:len(good.Bytes)-1], append(bytes.Clone(good.Bytes), 0), make([]byte, len(good.Bytes))} {
			refuse("length", message, Signature{good.Algorithm, good.KeyID, b})
		}
		for alg := range Algorithm(10) {
			if alg != good.Algorithm {
				refuse("algorithm", message, Signature{alg, good.KeyID, good.Bytes})
			}
		}
		refuse("key", message, Signature{good.Algorithm, ID{}, good.Bytes})
		if err := fresh(t).Public().Verify(message, good); !errors.Is(err, ErrSignature) {
			t.Errorf("another key: %v", err)
		}
		if err := k.Public().Verify(message, good); err != nil {
			t.Errorf("%s: the signature itself: %v", file, err)
		}
	}
}

// TestVerifyRefusesBareDigest: Cefore's form lacks the DigestInfo.
func TestVerifyRefusesBareDigest(t *testing.T) {
	k := goldenPrivate(t, "rsa.pem")
	digest := sha256.Sum256([]byte("message"))
	b, err := rsa.SignPKCS1v15(nil, k.signer.(*rsa.PrivateKey), 0, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Public().Verify([]byte("message"), Signature{SignRSASHA256, k.Public().ID(), b}); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
	b, err = rsa.SignPSS(rand.Reader, k.signer.(*rsa.PrivateKey), crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Public().Verify([]byte("message"), Signature{SignRSASHA256, k.Public().ID(), b}); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

// TestVerifyRefusesWeakKey: also one that came past the constructors.
func TestVerifyRefusesWeakKey(t *testing.T) {
	private, public := weak(t)
	digest := sha256.Sum256([]byte("message"))
	b, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := public.Verify([]byte("message"), Signature{SignRSASHA256, public.ID(), b}); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
	if _, err := newPrivate(private); err == nil {
		t.Error("it became a private key")
	}
}

func TestZeroKeys(t *testing.T) {
	if err := (PublicKey{}).Verify(nil, Signature{}); !errors.Is(err, ErrSignature) {
		t.Errorf("the zero key verifies: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero key signs")
		}
	}()
	PrivateKey{}.Sign(nil)
}
