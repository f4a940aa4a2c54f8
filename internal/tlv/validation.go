package tlv

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// ValidationAlg is a validation algorithm (RFC 8609 3.6.4.1).
type ValidationAlg uint16

// Validation algorithms. crc32c and rsa-sha256 are made and checked here, the
// others carried. cefnetd drops packets with HMAC or EC (sheet c): do not send
// those through it.
const (
	AlgNone       ValidationAlg = 0
	AlgCRC32C     ValidationAlg = 2
	AlgHMACSHA256 ValidationAlg = 4
	AlgRSASHA256  ValidationAlg = 5
	AlgEC256K1    ValidationAlg = 6
	AlgEC384R1    ValidationAlg = 7
)

// Types of algorithm dependent data (RFC 8609 3.6.4.1.4).
const (
	depKeyID     = 0x0009
	depPublicKey = 0x000B
)

// Validation is the trailer of a packet: the algorithm TLV and its payload. Both
// algorithms cover the packet from its message TLV through the algorithm TLV; the
// hop-by-hop part is not covered (sheet c). The zero Validation is no trailer.
type Validation struct {
	Alg ValidationAlg
	// Dependent is the algorithm dependent data: TLVs such as the key id and
	// the public key.
	Dependent []byte
	// Payload is the checksum or signature. Encoding with AlgCRC32C and no
	// Payload computes it.
	Payload []byte
	// Signer, where set, makes Alg, Dependent and Payload when encoding.
	Signer *RSASigner

	covered []byte // of a decoded packet
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decodeValidation reads what follows the message TLV. covered is the packet
// from its message TLV on, rest its tail behind that TLV.
func decodeValidation(covered, rest []byte) (v Validation, err error) {
	if len(rest) == 0 {
		return v, nil
	}
	typ, alg, tail, ok := next(rest)
	if !ok || typ != typeValidationAlg {
		return v, bad("bytes behind the message", ErrValidation)
	}
	v.covered = covered[:len(covered)-len(tail)]
	typ, sum, tail, ok := next(tail)
	if !ok || typ != typeValidationPayload || len(tail) > 0 {
		return v, bad("validation payload", ErrValidation)
	}
	v.Payload = sum
	typ, dep, tail, ok := next(alg)
	if !ok || len(tail) > 0 {
		return v, bad("validation algorithm", ErrLength)
	}
	v.Alg, v.Dependent = ValidationAlg(typ), dep
	switch v.Alg {
	case AlgCRC32C:
		if len(dep) != 0 || len(sum) != 4 {
			return v, bad("crc32c", ErrLength)
		}
	case AlgRSASHA256, AlgHMACSHA256, AlgEC256K1, AlgEC384R1:
		err = v.checkDependent()
	default:
		return v, bad("validation algorithm "+hexType(typ), ErrValidation)
	}
	return v, err
}

func (v *Validation) checkDependent() error {
	for rest := v.Dependent; len(rest) > 0; {
		typ, val, r, ok := next(rest)
		if !ok {
			return bad("algorithm dependent data", ErrLength)
		}
		if typ == depKeyID {
			if _, err := decodeHash("key id", val); err != nil {
				return err
			}
		}
		rest = r
	}
	return nil
}

// dependent returns the value of the first dependent TLV of that type.
func (v *Validation) dependent(want uint16) []byte {
	for rest := v.Dependent; len(rest) > 0; {
		typ, val, r, ok := next(rest)
		if !ok {
			return nil
		}
		if typ == want {
			return val
		}
		rest = r
	}
	return nil
}

// KeyID returns the id of the key that signed: SHA-256 over its public key's DER.
func (v *Validation) KeyID() (Hash, bool) {
	val := v.dependent(depKeyID)
	if val == nil {
		return Hash{}, false
	}
	h, err := decodeHash("key id", val)
	return h, err == nil
}

// PublicKeyDER returns the public key that the packet brings along, as DER of a
// SubjectPublicKeyInfo; nil where it brings none. It proves nothing by itself.
func (v *Validation) PublicKeyDER() []byte { return v.dependent(depPublicKey) }

// maxRSABits bounds the keys that Check believes a packet to be signed with: one
// packet can bring a key that keeps a processor busy for seconds.
const maxRSABits = 8192

// Check checks what a packet can prove by itself: its crc32c, or its rsa-sha256
// signature with the public key that it brings along (whose id must match the
// stated one). Whether that key is to be trusted is the caller's question. A
// packet without a trailer, without its key, or of an algorithm that this package
// only carries, passes: look at Alg and PublicKeyDER for what was proved.
// The error wraps [ErrChecksum].
func (v *Validation) Check() error {
	switch v.Alg {
	case AlgCRC32C:
		if len(v.Payload) != 4 || crc32.Checksum(v.covered, castagnoli) != binary.BigEndian.Uint32(v.Payload) {
			return bad("crc32c", ErrChecksum)
		}
	case AlgRSASHA256:
		der := v.PublicKeyDER()
		if der == nil {
			return nil
		}
		sum := sha256.Sum256(der)
		if id, ok := v.KeyID(); ok && !bytes.Equal(id.Sum, sum[:]) {
			return bad("key id", ErrChecksum)
		}
		key, err := x509.ParsePKIXPublicKey(der)
		pub, ok := key.(*rsa.PublicKey)
		if err != nil || !ok || pub.N.BitLen() > maxRSABits {
			return bad("public key", ErrChecksum)
		}
		return v.CheckRSA(pub)
	}
	return nil
}

// Proves reports whether [Validation.Check] has anything to check.
func (v *Validation) Proves() bool {
	return v.Alg == AlgCRC32C || v.Alg == AlgRSASHA256 && v.PublicKeyDER() != nil
}

// CheckRSA checks an rsa-sha256 signature with pub. Cefore signs the bare digest
// by PKCS #1 v1.5, without the DigestInfo prefix of RFC 8017 (sheet c).
func (v *Validation) CheckRSA(pub *rsa.PublicKey) error {
	digest := sha256.Sum256(v.covered)
	if v.Alg != AlgRSASHA256 || rsa.VerifyPKCS1v15(pub, crypto.Hash(0), digest[:], v.Payload) != nil {
		return bad("rsa-sha256", ErrChecksum)
	}
	return nil
}

// RSASigner makes rsa-sha256 trailers as Cefore's library does. It may be used
// by several goroutines at once.
type RSASigner struct {
	key       *rsa.PrivateKey
	dependent []byte
}

// NewRSASigner returns a signer with key, which it keeps.
func NewRSASigner(key *rsa.PrivateKey) (*RSASigner, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("rsa-sha256 key: %w", err)
	}
	sum := sha256.Sum256(der)
	dep := appendHash(nil, depKeyID, Hash{HashSHA256, sum[:]})
	s := &RSASigner{key, appendTLV(dep, depPublicKey, der)}
	if _, err := s.sign(nil); err != nil {
		return nil, fmt.Errorf("rsa-sha256 key: %w", err)
	}
	return s, nil
}

func (s *RSASigner) sign(covered []byte) ([]byte, error) {
	digest := sha256.Sum256(covered)
	return rsa.SignPKCS1v15(nil, s.key, crypto.Hash(0), digest[:])
}

// appendTo appends the trailer over b[covered:].
func (v *Validation) appendTo(b []byte, covered int) []byte {
	alg, dep := v.Alg, v.Dependent
	if v.Signer != nil {
		alg, dep = AlgRSASHA256, v.Signer.dependent
	}
	if alg == AlgNone {
		return b
	}
	b, at := open(b, typeValidationAlg)
	b = appendTLV(b, uint16(alg), dep)
	shut(b, at)
	switch {
	case v.Signer != nil:
		sig, err := v.Signer.sign(b[covered:])
		if err != nil {
			panic("tlv: bug: a key that signed in NewRSASigner no longer does: " + err.Error())
		}
		return appendTLV(b, typeValidationPayload, sig)
	case alg == AlgCRC32C && v.Payload == nil:
		sum := crc32.Checksum(b[covered:], castagnoli)
		b = append(b, 0, typeValidationPayload, 0, 4)
		return binary.BigEndian.AppendUint32(b, sum)
	}
	return appendTLV(b, typeValidationPayload, v.Payload)
}
