package keys

import (
	"bytes"
	"strings"
	"testing"
)

// TestGolden holds keys, their ids and signatures against OpenSSL's. Both algorithms
// have one signature only for a message and a key.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name     string
		typ      Type
		alg      Algorithm
		bits     int
		privates []string
		publics  []string
	}{
		{"ed25519", Ed25519, SignEd25519, 256, []string{"ed25519.pem"}, []string{"ed25519.pub", "ed25519.pem"}},
		{"rsa", RSA, SignRSASHA256, 2048, []string{"rsa.pem", "rsa-pkcs8.pem"}, []string{"rsa.pub", "rsa-pkcs1.pub", "rsa.pem", "rsa-pkcs8.pem"}},
	} {
		id := strings.TrimSpace(string(golden(t, c.name+".id")))
		message, signature := golden(t, "message"), golden(t, c.name+".sig")
		for _, file := range c.publics {
			k, err := ParsePublic(golden(t, file))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if k.ID().String() != id || k.ID().Short() != id[:16] || k.Type() != c.typ || k.Bits() != c.bits || k.Algorithm() != c.alg {
				t.Errorf("%s: got %v %v of %d bits, %v", file, k.ID(), k.Type(), k.Bits(), k.Algorithm())
			}
			if err := k.Verify(message, Signature{c.alg, k.ID(), signature}); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if !bytes.Equal(k.PEM(), golden(t, c.name+".pub")) {
				t.Errorf("%s: written as\n%s", file, k.PEM())
			}
		}
		for _, file := range c.privates {
			k := goldenPrivate(t, file)
			if s := k.Sign(message); s.Algorithm != c.alg || s.KeyID.String() != id || !bytes.Equal(s.Bytes, signature) {
				t.Errorf("%s: signed as %v %v %x", file, s.Algorithm, s.KeyID, s.Bytes)
			}
		}
	}
}

// TestPrivatePEM: the form that is written is OpenSSL's PKCS#8.
func TestPrivatePEM(t *testing.T) {
	for from, to := range map[string]string{"ed25519.pem": "ed25519.pem", "rsa.pem": "rsa-pkcs8.pem"} {
		_, want, _ := strings.Cut(string(golden(t, to)), "\n") // behind the line about the key
		if got := goldenPrivate(t, from).PEM(); string(got) != want {
			t.Errorf("%s is written otherwise than %s", from, to)
		}
	}
}

func TestRefused(t *testing.T) {
	for file, words := range map[string]string{
		"refuse-ec.pem":               "type EC",
		"refuse-ec.pub":               "type EC",
		"refuse-ec-sec1.pem":          "an EC key",
		"refuse-dsa.pem":              "type DSA",
		"refuse-dsa.pub":              "type DSA",
		"refuse-dsa-both.pem":         "a DSA key",
		"refuse-x25519.pem":           "type X25519",
		"refuse-x25519.pub":           "type X25519",
		"refuse-rsapss.pub":           "type RSA-PSS",
		"refuse-rsa1024.pem":          "RSA key of 1024 bits",
		"refuse-rsa1024.pub":          "RSA key of 1024 bits",
		"refuse-encrypted.pem":        "an encrypted private key",
		"refuse-encrypted-legacy.pem": "an encrypted private key",
		"refuse-openssh.pem":          "OpenSSH",
		"../openssl/README":           "no PEM",
		"message":                     "no PEM",
	} {
		public, private, err := Parse(golden(t, file))
		if private != nil || public.Type() != 0 {
			t.Errorf("%s: a key beside the error", file)
		}
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", file, err, words)
		}
	}
}
