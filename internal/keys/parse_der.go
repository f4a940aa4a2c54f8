package keys

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
)

var errDamaged = badKey("a damaged key: its DER does not parse")

func parsePKCS8(der []byte) (*PrivateKey, error) {
	inner, err := checkAlgorithm(der, true)
	if err != nil {
		return nil, err
	}
	if inner != nil {
		return parsePKCS1(inner)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	return wrapPrivate(key, err)
}

func parsePKCS1(der []byte) (*PrivateKey, error) {
	if err := checkModulus(der); err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	return wrapPrivate(key, err)
}

// wrapPrivate drops the text of err, which may come from the key's bytes.
func wrapPrivate(key any, err error) (*PrivateKey, error) {
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errDamaged
	}
	k, err := newPrivate(signer)
	if err != nil {
		return nil, err
	}
	return &k, nil
}

// checkModulus looks at the form and size of an RSA key before anything is computed.
func checkModulus(der []byte) error {
	var head struct {
		Version int
		N       *big.Int
		E       int
	}
	if _, err := asn1.Unmarshal(der, &head); err != nil {
		return errDamaged
	}
	if head.Version != 0 {
		return badKey("an RSA key of more than two primes")
	}
	return checkRSA(head.N, head.E)
}

func parseSPKI(der []byte) (PublicKey, error) {
	if _, err := checkAlgorithm(der, false); err != nil {
		return PublicKey{}, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return PublicKey{}, errDamaged
	}
	return NewPublicKey(key)
}

func parsePublicRSA(der []byte) (PublicKey, error) {
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return PublicKey{}, errDamaged
	}
	return NewPublicKey(key)
}
