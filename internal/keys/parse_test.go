package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
)

func TestParseStrict(t *testing.T) {
	good := string(goldenPrivate(t, "ed25519.pem").PEM())
	public := string(golden(t, "ed25519.pub"))
	for what, text := range map[string]string{
		"no PEM":                       "",
		"damaged PEM":                  strings.Replace(good, "MC4C", "M*4C", 1),
		"damaged PEM before a good":    "-----BEGIN PRIVATE KEY-----\nMC4\n" + public,
		"damaged PEM, its end missing": good[:len(good)-10],
		"something else behind":        good + "x",
		"something else behind, a key": good + public,
		"larger than":                  good + strings.Repeat("\n", MaxFile),
		"damaged key":                  "-----BEGIN PRIVATE KEY-----\nMC4CAQA=\n-----END PRIVATE KEY-----\n",
		"no key of a known form":       strings.ReplaceAll(good, "PRIVATE KEY", "SECRET"),
		"headers":                      strings.Replace(good, "KEY-----\n", "KEY-----\nComment: x\n\n", 1),
	} {
		_, _, err := Parse([]byte(text))
		var f *FormatError
		word, _, _ := strings.Cut(what, ",")
		word, _, _ = strings.Cut(word, " before")
		if !errors.As(err, &f) || !strings.Contains(err.Error(), strings.TrimPrefix(word, "damaged ")) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{"\n\n" + good, "Comment\n" + good + " \n\t\n", strings.ReplaceAll(good, "\n", "\r\n")} {
		if _, err := ParsePrivate([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParsePrivate([]byte(public)); err == nil {
		t.Error("a public key was taken for a private one")
	}
}

// TestParseCutDER: no truncation of a key, and none with a byte more, is one.
func TestParseCutDER(t *testing.T) {
	for _, file := range []string{"ed25519.pem", "rsa-pkcs8.pem", "rsa.pem", "ed25519.pub", "rsa.pub", "rsa-pkcs1.pub"} {
		block, _ := pem.Decode(golden(t, file))
		der := append(bytes.Clone(block.Bytes), 0)
		for n := range len(der) + 1 {
			if n == len(der)-1 {
				continue // the key
			}
			text := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der[:n]})
			if _, _, err := Parse(text); err == nil {
				t.Errorf("%s: parses with %d of %d bytes", file, n, len(block.Bytes))
			}
		}
	}
}

func TestRSABounds(t *testing.T) {
	n := func(bits uint) *big.Int { return new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1) }
	for _, c := range []struct {
		n    *big.Int
		e    int
		good bool
	}{
		{n(2048), 3, true}, {n(2048), 65537, true}, {n(8192), 65537, true}, {n(3072), 65537, true},
		{n(2047), 65537, false}, {n(8193), 65537, false}, {n(1024), 65537, false},
		{n(2048), 1, false}, {n(2048), 65536, false},
		{new(big.Int).Sub(n(2048), big.NewInt(1)), 65537, false}, // one bit less
		{new(big.Int).Add(n(2048), big.NewInt(1)), 65537, false}, // even
	} {
		_, err := NewPublicKey(&rsa.PublicKey{N: c.n, E: c.e})
		if (err == nil) != c.good {
			t.Errorf("%d bits, exponent %d: %v", c.n.BitLen(), c.e, err)
		}
		der := x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: c.n, E: c.e})
		_, err = ParsePublic(pem.EncodeToMemory(&pem.Block{Type: pemPublicRSA, Bytes: der}))
		if (err == nil) != c.good {
			t.Errorf("parsed: %d bits, exponent %d: %v", c.n.BitLen(), c.e, err)
		}
	}
}

// TestMultiPrime: Go does not look at such keys, which no one makes any more.
func TestMultiPrime(t *testing.T) {
	//lint:ignore SA1019 that it is deprecated is why it is refused
	key, err := rsa.GenerateMultiPrimeKey(rand.Reader, 3, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParsePrivate(pem.EncodeToMemory(&pem.Block{Type: pemPKCS1, Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	wantError(t, err, "more than two primes")
}

// TestLargeRSA: the size is looked at before anything is computed.
func TestLargeRSA(t *testing.T) {
	head := struct {
		Version int
		N       *big.Int
		E       int
	}{0, new(big.Int).SetBit(big.NewInt(1), 99_999, 1), 65537}
	der, err := asn1.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParsePrivate(pem.EncodeToMemory(&pem.Block{Type: pemPKCS1, Bytes: der}))
	wantError(t, err, "an RSA key of 100000 bits")
}

// TestDamagedRSA: a private key that would sign wrong is refused when it is read.
func TestDamagedRSA(t *testing.T) {
	block, _ := pem.Decode(golden(t, "rsa.pem"))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(block.Bytes, key.Precomputed.Dp.Bytes())
	for _, where := range []int{at + 5, bytes.Index(block.Bytes, key.D.Bytes()) + 5, len(block.Bytes) - 3} {
		der := bytes.Clone(block.Bytes)
		der[where] ^= 1
		if _, err := ParsePrivate(pem.EncodeToMemory(&pem.Block{Type: pemPKCS1, Bytes: der})); err == nil {
			t.Errorf("byte %d of the key is wrong, and it parses", where)
		}
	}
}

// TestCompositeRSA: a key whose numbers fit one another, but of which one "prime" is a
// product, signs wrong. Only trying it tells.
func TestCompositeRSA(t *testing.T) {
	one := big.NewInt(1)
	prime := func(bits int) *big.Int {
		for {
			p, err := rand.Prime(rand.Reader, bits)
			if err != nil {
				t.Fatal(err)
			}
			if new(big.Int).Mod(p, big.NewInt(65537)).Cmp(one) != 0 {
				return p
			}
		}
	}
	e := big.NewInt(65537)
	for {
		p, q := new(big.Int).Mul(prime(512), prime(512)), prime(1024)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || n.BitLen() != 2048 {
			continue
		}
		mod := func(m *big.Int) *big.Int { return new(big.Int).Mod(d, new(big.Int).Sub(m, one)) }
		der, err := asn1.Marshal(struct{ V, N, E, D, P, Q, Dp, Dq, Qinv *big.Int }{
			new(big.Int), n, e, d, p, q, mod(p), mod(q), new(big.Int).ModInverse(q, p),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParsePrivate(pem.EncodeToMemory(&pem.Block{Type: pemPKCS1, Bytes: der}))
		wantError(t, err, "what it signs is wrong")
		return
	}
}

func TestGenerate(t *testing.T) {
	for typ, bits := range map[Type]int{Ed25519: 256, RSA: 3072} {
		k, err := Generate(typ)
		if err != nil {
			t.Fatal(err)
		}
		if k.Public().Type() != typ || k.Public().Bits() != bits {
			t.Errorf("%v: made a %v key of %d bits", typ, k.Public().Type(), k.Public().Bits())
		}
		again, err := ParsePrivate(k.PEM())
		if err != nil || !again.Public().Equal(k.Public()) {
			t.Errorf("%v: read back as %v, %v", typ, again, err)
		}
	}
	if _, err := Generate(3); err == nil {
		t.Error("made a key of no type")
	}
	if fresh(t).Public().Equal(fresh(t).Public()) {
		t.Error("made the same key twice")
	}
}

// TestPrintsNothing: however a private key is printed, none of its bytes are.
func TestPrintsNothing(t *testing.T) {
	k := goldenPrivate(t, "ed25519.pem")
	want := "private ed25519 key " + k.Public().ID().Short()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		if got := fmt.Sprintf(format, k); got != want {
			t.Errorf("%s: %s", format, got)
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", k, "pointer", &k)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "key", k)
	if n := strings.Count(log.String(), want); n != 2 || strings.Contains(log.String(), "[") {
		t.Errorf("logged as %s", log.String())
	}
}

func TestTypes(t *testing.T) {
	for _, typ := range []Type{Ed25519, RSA} {
		if got, err := ParseType(typ.String()); got != typ || err != nil {
			t.Errorf("%v is read as %v, %v", typ, got, err)
		}
	}
	if SignEd25519 != 1 || SignRSASHA256 != 2 {
		t.Error("the numbers of the algorithms, which stand in manifests, are others")
	}
	if _, err := ParseType("dsa"); err == nil {
		t.Error("dsa is a type")
	}
}

// weak is an RSA key of 1024 bits, which no constructor makes.
func weak(t *testing.T) (*rsa.PrivateKey, PublicKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key, PublicKey{key: &key.PublicKey, id: ID{1}}
}
