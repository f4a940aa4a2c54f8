package tlv

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
)

// TestVectorsTampered: no covered byte can be changed behind the validation's back.
func TestVectorsTampered(t *testing.T) {
	for _, v := range packetVectors(t) {
		val := v.Decoded.Validation
		if val == nil {
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			pkt := unhex(t, v.Hex)
			for at := range pkt {
				b := bytes.Clone(pkt)
				b[at] ^= 1
				p, err := receive(b)
				switch {
				case err != nil:
					checkTyped(t, err)
				case at < val.Covered[0]: // the hop-by-hop part changes on the way
				case val.Alg == "rsa-sha256" && validation(p).Alg == AlgHMACSHA256:
				case val.Alg == "rsa-sha256" && validation(p).PublicKeyDER() == nil:
					// It no longer claims what Check could refute.
				default:
					t.Errorf("byte %d changed: no error", at)
				}
				if text := val.Covered[0] + 3*tlHeaderLen; at == text && !errors.Is(err, ErrChecksum) {
					t.Errorf("text of the name changed: %v, want %v", err, ErrChecksum)
				}
			}
		})
	}
}

// TestSummedTampered: no byte of the message can be changed behind its checksum's back,
// but for the checksum's own type, without which the Object no longer claims a proof.
func TestSummedTampered(t *testing.T) {
	in := Object{Name: mustName(t, "ccnx:/a/Chunk=1"), EndChunk: Some[uint64](9), Version: []byte{1}, Payload: []byte("payload"), Summed: true}
	in.CacheTime = Some[Timestamp](7) // not covered
	pkt, err := in.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	message := int(pkt[7])
	sumType := bytes.Index(pkt, []byte{msgChecksum >> 8, msgChecksum & 0xff})
	for at := range pkt {
		for bit := range 8 {
			b := bytes.Clone(pkt)
			b[at] ^= 1 << bit
			var o Object
			err := o.Decode(b)
			if err == nil {
				err = o.Check()
			}
			switch claims := err == nil && o.Proves(); {
			case err != nil:
				checkTyped(t, err)
			case at < message && claims: // changes on the way
			case at >= sumType && at < sumType+2 && !claims:
			default:
				t.Errorf("bit %d of byte %d changed: no error, proves %v", bit, at, claims)
			}
			if at == bytes.Index(pkt, []byte("payload")) && !errors.Is(err, ErrChecksum) {
				t.Errorf("payload changed: %v, want %v", err, ErrChecksum)
			}
		}
	}
}

// Two checksums are both checked.
func TestSummedAndTrailer(t *testing.T) {
	in := Object{Name: mustName(t, "ccnx:/a/Chunk=1"), Payload: []byte("payload"), Summed: true, Validation: Validation{Alg: AlgCRC32C, Payload: make([]byte, 4)}}
	pkt, err := in.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	var o Object
	if err := o.Decode(pkt); err != nil {
		t.Fatal(err)
	}
	if err := o.Check(); !o.Summed || !errors.Is(err, ErrChecksum) {
		t.Errorf("the message's checksum is right (%v), the trailer's wrong: %v, want %v", o.Summed, err, ErrChecksum)
	}
}

func TestRSASigner(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewRSASigner(key)
	if err != nil {
		t.Fatal(err)
	}
	in := Object{Name: mustName(t, "ccnx:/a/Chunk=1"), Payload: []byte("signed"), Validation: Validation{Signer: signer}}
	in.Lifetime = Some[uint64](7) // not covered
	pkt, err := in.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	var o Object
	if err := o.Decode(pkt); err != nil {
		t.Fatal(err)
	}
	v := &o.Validation
	if err := errors.Join(v.Check(), v.CheckRSA(&key.PublicKey)); err != nil {
		t.Error(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	if id, ok := v.KeyID(); !ok || id.Type != HashSHA256 || !bytes.Equal(id.Sum, sum[:]) || !bytes.Equal(v.PublicKeyDER(), der) {
		t.Errorf("key id %x, public key %x; want %x, %x", id.Sum, v.PublicKeyDER(), sum, der)
	}
	// 606 bytes: what Cefore's trailer takes with a key of 2048 bits.
	in.Validation = Validation{}
	if plain, err := in.AppendTo(nil); err != nil || len(pkt)-len(plain) != 606 {
		t.Errorf("trailer of %d bytes, %v; want 606", len(pkt)-len(plain), err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CheckRSA(&other.PublicKey); !errors.Is(err, ErrChecksum) {
		t.Errorf("another key: %v, want %v", err, ErrChecksum)
	}
	v.Alg = AlgHMACSHA256
	if err := v.CheckRSA(&key.PublicKey); !errors.Is(err, ErrChecksum) {
		t.Errorf("another algorithm: %v, want %v", err, ErrChecksum)
	}
	v.Alg = AlgRSASHA256
	o.Payload[0] ^= 1 // aliases what is covered
	if err := v.Check(); !errors.Is(err, ErrChecksum) {
		t.Errorf("changed payload: %v, want %v", err, ErrChecksum)
	}
}

// TestRSAKeyID: a good signature does not make up for the id of another key.
func TestRSAKeyID(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewRSASigner(key)
	if err != nil {
		t.Fatal(err)
	}
	der := (&Validation{Dependent: signer.dependent}).PublicKeyDER()
	wrongID := appendHash(nil, depKeyID, Hash{HashSHA256, make([]byte, sha256.Size)})
	tests := []struct {
		name      string
		dependent []byte
		err       error
	}{
		{"right id", signer.dependent, nil},
		{"no id", appendTLV(nil, depPublicKey, der), nil},
		{"id of another key", appendTLV(wrongID, depPublicKey, der), ErrChecksum},
		{"no key to check with", wrongID, nil},
		{"not a key", appendTLV(nil, depPublicKey, der[:len(der)-1]), ErrChecksum},
	}
	for _, tt := range tests {
		i := Interest{Name: mustName(t, "ccnx:/a"), Validation: Validation{Signer: &RSASigner{key, tt.dependent}}}
		pkt, err := i.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := receive(pkt); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
	}
}

// TestRSALargeKey: a packet cannot keep its receiver busy with a huge key.
func TestRSALargeKey(t *testing.T) {
	for bits, want := range map[int]string{maxRSABits: "rsa-sha256", maxRSABits + 8: "public key"} {
		n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(bits)), big.NewInt(1))
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		v := Validation{Alg: AlgRSASHA256, Dependent: appendTLV(nil, depPublicKey, der), Payload: make([]byte, bits/8)}
		var de *DecodeError
		if err := v.Check(); !errors.Is(err, ErrChecksum) || !errors.As(err, &de) || de.Element != want {
			t.Errorf("%d bits: %v, want %q to be wrong", bits, err, want)
		}
	}
}

// TestNewRSASignerSmallKey: a key that cannot sign is refused at once.
func TestNewRSASignerSmallKey(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODEBUG", "rsa1024min=1")
	if _, err := NewRSASigner(key); err == nil {
		t.Error("a key of 512 bits: no error")
	}
}

// TestCheckNothing: Check refutes; it does not say that there was something to check.
func TestCheckNothing(t *testing.T) {
	for _, v := range []Validation{{}, {Alg: AlgHMACSHA256}, {Alg: AlgEC256K1}, {Alg: AlgRSASHA256}} {
		if err := v.Check(); err != nil {
			t.Errorf("algorithm %d: %v", v.Alg, err)
		}
	}
	if err := (&Validation{Alg: AlgCRC32C}).Check(); !errors.Is(err, ErrChecksum) {
		t.Errorf("crc32c not of a packet: %v, want %v", err, ErrChecksum)
	}
}
