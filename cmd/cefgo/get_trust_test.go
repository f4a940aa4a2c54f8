package main

import (
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
)

// A signature counts while its manifest is valid, give or take a clock that is wrong.
func TestJudgeTime(t *testing.T) {
	key, err := keys.Generate(keys.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	issued := time.UnixMilli(1_700_000_000_000)
	m := &manifest.Manifest{
		Status: manifest.Object, Name: mustName("ccnx:/a"), Issued: issued, Expires: issued.Add(10 * time.Minute),
		Version: []byte{1}, Blocks: []int{4095}, Digests: &manifest.Digests{},
	}
	b, err := m.Encode(func(message []byte) (manifest.Signature, error) {
		s := key.Sign(message)
		return manifest.Signature{Algorithm: uint8(s.Algorithm), KeyID: manifest.Digest(s.KeyID), Bytes: s.Bytes}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, signed, sig, err := manifest.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	j := &getJob{name: m.Name, verify: proofValue{proofSignature, true}}
	trust := keys.TrustKey(key.Public(), "")
	for after, want := range map[time.Duration]exitCode{
		-5*time.Minute - time.Millisecond: exitIntegrity, -5 * time.Minute: exitOK, 0: exitOK,
		15 * time.Minute: exitOK, 15*time.Minute + time.Millisecond: exitIntegrity,
	} {
		got, by, err := j.judge(trust, dated{m.Issued, m.Expires, true}, signed, sig, issued.Add(after))
		switch {
		case want != exitOK && (err == nil || newFailure(err).code != want || got != proofNone):
			t.Errorf("%v after it was issued: %v, %v; want exit code %d", after, got, err, want)
		case want == exitOK && (err != nil || got != proofSignature || by != key.Public().ID()):
			t.Errorf("%v after it was issued: %v, %v, %v; want %v", after, got, by, err, proofSignature)
		}
	}
	signed[len(signed)-1] ^= 1
	if got, _, err := j.judge(trust, dated{m.Issued, m.Expires, true}, signed, sig, issued); err == nil || newFailure(err).code != exitIntegrity || got != proofNone {
		t.Errorf("another message: %v, %v", got, err)
	}
}
