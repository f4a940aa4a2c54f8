package keys

import (
	"bytes"
	"encoding/pem"
	"strings"
)

// Labels of the PEM that is read.
const (
	pemPKCS8     = "PRIVATE KEY"
	pemPKCS1     = "RSA PRIVATE KEY"
	pemPublic    = "PUBLIC KEY"
	pemPublicRSA = "RSA PUBLIC KEY"
)

// Parse reads a key from PEM. private is nil where the text holds a public key only.
// Errors are *[FormatError].
func Parse(text []byte) (public PublicKey, private *PrivateKey, err error) {
	block, err := onlyBlock(text)
	if err != nil {
		return PublicKey{}, nil, err
	}
	switch block.Type {
	case pemPKCS8:
		private, err = parsePKCS8(block.Bytes)
	case pemPKCS1:
		private, err = parsePKCS1(block.Bytes)
	case pemPublic:
		public, err = parseSPKI(block.Bytes)
	case pemPublicRSA:
		public, err = parsePublicRSA(block.Bytes)
	default:
		err = refuseLabel(block.Type)
	}
	if private != nil {
		public = private.public
	}
	return public, private, err
}

// ParsePrivate reads a private key from PEM. Errors are *[FormatError].
func ParsePrivate(text []byte) (PrivateKey, error) {
	_, private, err := Parse(text)
	if err != nil {
		return PrivateKey{}, err
	}
	if private == nil {
		return PrivateKey{}, badKey("a public key; a private one is needed")
	}
	return *private, nil
}

// ParsePublic reads a public key from PEM, or the public half of a private one. Errors
// are *[FormatError].
func ParsePublic(text []byte) (PublicKey, error) {
	public, _, err := Parse(text)
	return public, err
}

const pemBegin = "-----BEGIN"

// onlyBlock finds the one PEM block of text, behind which only blanks may stand. Text
// before it is passed over (RFC 7468 2), but not a block that is broken.
func onlyBlock(text []byte) (*pem.Block, error) {
	if len(text) > MaxFile {
		return nil, badKey("no key: larger than %d bytes", MaxFile)
	}
	at := bytes.Index(text, []byte(pemBegin))
	if at < 0 {
		return nil, badKey("no key: no PEM in it")
	}
	block, rest := pem.Decode(text[at:])
	switch {
	case block == nil, bytes.Count(text[at:len(text)-len(rest)], []byte(pemBegin)) != 1:
		return nil, badKey("a damaged PEM block")
	case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, badKey("an encrypted private key; decrypt it with openssl pkey -in FILE -out NEWFILE")
	case refuseLabel(block.Type) != nil:
		return nil, refuseLabel(block.Type) // before what stands behind: EC keys come in two blocks
	case len(block.Headers) > 0:
		return nil, badKey("a PEM block with headers, which a key has only where it is encrypted")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, badKey("something else behind the key")
	}
	return block, nil
}
