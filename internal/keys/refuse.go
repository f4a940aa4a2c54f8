package keys

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

// refusals are the labels of PEM that hold something else, and what to say of it.
var refusals = map[string]string{
	"EC PRIVATE KEY":      "an EC key; Ed25519 and RSA are taken",
	"EC PARAMETERS":       "an EC key; Ed25519 and RSA are taken",
	"DSA PRIVATE KEY":     "a DSA key; Ed25519 and RSA are taken",
	"DSA PARAMETERS":      "a DSA key; Ed25519 and RSA are taken",
	"OPENSSH PRIVATE KEY": "an OpenSSH key; PEM of PKCS#8 is needed, as cefgo keys generate and openssl genpkey make it",
	"CERTIFICATE":         "a certificate; openssl x509 -pubkey -noout -in FILE prints its key",
	"CERTIFICATE REQUEST": "a certificate request, not a key",
}

// refuseLabel says why a PEM block of that label is none of ours; nil for one that is.
func refuseLabel(label string) error {
	switch label {
	case pemPKCS8, pemPKCS1, pemPublic, pemPublicRSA:
		return nil
	}
	if why := refusals[label]; why != "" {
		return badKey("%s", why)
	}
	return badKey("a PEM block that is no key of a known form")
}

var (
	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}
)

// otherAlgorithms are refused by name.
var otherAlgorithms = map[string]string{
	"1.2.840.10045.2.1":       "EC",
	"1.2.840.10040.4.1":       "DSA",
	"1.2.840.113549.1.1.10":   "RSA-PSS",
	"1.2.840.113549.1.3.1":    "DH",
	"1.3.101.110":             "X25519",
	"1.3.101.111":             "X448",
	"1.3.101.113":             "Ed448",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44",
	"2.16.840.1.101.3.4.3.18": "ML-DSA-65",
	"2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}

// checkAlgorithm looks at the algorithm of a PKCS#8 key or a SubjectPublicKeyInfo,
// which is all of der. inner is the PKCS#1 inside a private RSA key, else nil.
func checkAlgorithm(der []byte, private bool) (inner []byte, err error) {
	var p8 struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var rest []byte
	if private {
		rest, err = asn1.Unmarshal(der, &p8)
		spki.Algorithm = p8.Algorithm
	} else {
		rest, err = asn1.Unmarshal(der, &spki)
	}
	if err != nil || len(rest) > 0 {
		return nil, errDamaged
	}
	oid := spki.Algorithm.Algorithm
	switch {
	case oid.Equal(oidRSA) && private:
		return p8.Key, nil
	case oid.Equal(oidRSA), oid.Equal(oidEd25519):
		return nil, nil
	case otherAlgorithms[oid.String()] != "":
		return nil, badKey("a key of type %s; Ed25519 and RSA are taken", otherAlgorithms[oid.String()])
	}
	return nil, badKey("a key of an unknown type; Ed25519 and RSA are taken")
}
