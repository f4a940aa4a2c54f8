// Package keys owns the keys that manifests are signed with: making, reading and
// storing them, signing and verifying, and which are trusted for which names.
//
// # Keys
//
// A key is of [Ed25519], or of [RSA] with a modulus of [MinRSABits] to [MaxRSABits].
// A file holds one key as PEM (RFC 7468), is of [MaxFile] bytes at most, and holds
// nothing behind the key; text before it is passed over.
//
//	PRIVATE KEY       PKCS#8 (RFC 5958): both types; the form that is written
//	RSA PRIVATE KEY   PKCS#1 (RFC 8017): openssl genrsa, Cefore's default-private-key
//	PUBLIC KEY        SubjectPublicKeyInfo (RFC 5280, RFC 8410); the form that is written
//	RSA PUBLIC KEY    PKCS#1
//
// What is encrypted is refused, and so are other algorithms, by name. A file with a
// private key that its group or others may touch is refused, as ssh does it. Keys come
// from files and standard input only, never from flags or the environment, and no error
// or log holds any of their bytes.
//
// An [ID] is the SHA-256 of the SubjectPublicKeyInfo's DER, as in Cefore's rsa-sha256
// (sheet c), so that a key is known by the same digits there and here.
//
// # Signatures
//
//	1  Ed25519, pure (RFC 8032 5.1)
//	2  RSASSA-PKCS1-v1_5 with SHA-256 and its DigestInfo (RFC 8017 8.2)
//
// Cefore signs the bare digest without the DigestInfo: its rsa-sha256 packets
// ([tlv.AlgRSASHA256]) are not signatures of this package, nor the other way round.
//
// # The store
//
// A [Store] is a directory (0700) with NAME.key (0600) and NAME.pub (0644) for each key.
// A file appears with its whole content or not at all.
//
// # Trust
//
// A trust directory holds public keys, *.pub and *.pem, and the file "prefixes":
//
//	# PREFIX            KEYFILE
//	ccnx:/              root.pub
//	ccnx:/example       alice.pub
//	ccnx:/example       carol.pub
//	ccnx:/example/bob   bob.pub
//
// The LONGEST prefix of a name decides alone, by whole segments: ccnx:/example/bob/x is
// signed by bob.pub, and neither alice.pub nor root.pub signs there any more. So a
// sub-tree is delegated by one line, and its parent's key loses it. ccnx:/ is the prefix
// of every name. A name without any prefix has no trusted key: see [Trust.Covers].
//
// A broken line, a missing or broken key, or a directory or file that anyone may write is
// an error of the whole, a [*TrustError]: never a smaller set.
package keys
