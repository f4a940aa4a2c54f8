package manifest

// Signature is of a manifest: by whom, and over [Decode]'s signed bytes.
type Signature struct {
	Algorithm uint8  // 1 Ed25519, 2 RSASSA-PKCS1-v1_5 with SHA-256
	KeyID     Digest // SHA-256 of the public key's SubjectPublicKeyInfo
	Bytes     []byte
}

// context stands before what is signed, so that no signature of anything else counts for
// a manifest.
const context = "cefgo manifest 1\r\n"

// message is what is signed of an encoded manifest, or page.
func message(context string, b []byte) []byte { return append([]byte(context), b...) }

// maxSignature is of RSA with 8192 bits, in bytes.
const maxSignature = 1024

// MaxSignatureLen is at most how many bytes a signature adds to what it is of.
const MaxSignatureLen = header + 1 + len(Digest{}) + maxSignature

func (s *Signature) appendTo(b []byte) []byte {
	v := append([]byte{s.Algorithm}, s.KeyID[:]...)
	return appendTLV(b, typeSignature, append(v, s.Bytes...))
}

func decodeSignature(b []byte) (*Signature, error) {
	typ, v, rest, ok := next(b)
	const head = 1 + len(Digest{})
	if !ok || typ != typeSignature || len(rest) > 0 || len(v) <= head || len(v) > head+maxSignature {
		return nil, bad("signature")
	}
	return &Signature{v[0], Digest(v[1:head]), append([]byte(nil), v[head:]...)}, nil
}
