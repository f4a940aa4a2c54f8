package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/tlv"
)

// clockSkew is how wrong a clock may be, where a signed manifest tells the time.
const clockSkew = 5 * time.Minute

// openTrust reads which keys are trusted.
func (r *getRun) openTrust() error {
	o, err := &r.o, error(nil)
	switch {
	case o.trust != "" && o.trustDir != "":
		return usage("", "--trust and --trust-dir exclude each other")
	case o.trust != "" && o.verify.set && o.verify.least < proofSignature:
		return usage("", "--trust insists on a signature, and --verify %v does not", o.verify.least)
	case !o.verify.wantsManifest():
		return nil
	case o.trust != "":
		r.trust, err = r.a.trustKey(o.trust)
		return err
	case o.trustDir != "":
		r.trust, err = keys.OpenTrust(o.trustDir)
		return err
	}
	dir, err := r.a.trustDir()
	if err != nil {
		return nil // there is no home, and so nothing in it
	}
	if r.trust, err = keys.OpenTrust(dir); errors.Is(err, keys.ErrNoTrust) {
		r.trust, err = nil, nil
	}
	return err
}

// trustKey trusts one key for all names: that of a file, or of the user's store.
func (a *app) trustKey(nameOrFile string) (*keys.Trust, error) {
	store, err := a.keyStore()
	if err != nil {
		return keys.TrustFile(nameOrFile)
	}
	entry, err := store.Find(nameOrFile)
	if err != nil {
		return nil, err
	}
	return keys.TrustKey(entry.Key, nameOrFile), nil
}

// demand is the proof that the content of name needs: what --verify says, and a signature
// where somebody is trusted for the name.
func (r *getRun) demand(name tlv.Name) proofValue {
	if v := r.o.verify; v.set || r.trust == nil || !r.trust.Covers(name) {
		return v
	}
	return proofValue{proofSignature, true}
}

// dated is what is signed, as far as it matters here.
type dated struct {
	issued, expires time.Time
	tells           bool // more than that there is nothing, or nothing yet
}

// judge says what a manifest proves, and whose signature on it counts.
func (j *getJob) judge(trust *keys.Trust, m dated, signed []byte, s *manifest.Signature, now time.Time) (proof, keys.ID, error) {
	switch {
	case s == nil && m.tells && j.verify.demands(proofSignature):
		return proofNone, keys.ID{}, &failure{
			code: exitIntegrity, err: errors.New("its manifest is not signed"),
			hint: "its publisher does not sign, or something on the path takes the signature away",
		}
	case s == nil || trust == nil || !trust.Covers(j.name):
		return proofManifest, keys.ID{}, j.untrusted(s)
	}
	key, err := trust.Verify(j.name, signed, keys.Signature{Algorithm: keys.Algorithm(s.Algorithm), KeyID: keys.ID(s.KeyID), Bytes: s.Bytes})
	switch {
	case errors.Is(err, keys.ErrUntrusted) && !j.verify.demands(proofSignature):
		return proofManifest, keys.ID{}, nil
	case err != nil:
		return proofNone, keys.ID{}, forged(fmt.Errorf("its manifest: %w (key %s)", err, keys.ID(s.KeyID).Short()))
	case now.Before(m.issued.Add(-clockSkew)), now.After(m.expires.Add(clockSkew)):
		return proofNone, keys.ID{}, &failure{
			code: exitIntegrity, err: fmt.Errorf("its manifest was valid from %s to %s", utc(m.issued), utc(m.expires)),
			hint: "an old manifest is played back, or a clock is wrong here or there",
		}
	}
	return proofSignature, key.ID(), nil
}

// untrusted fails where a signature is asked for that nobody here can judge.
func (j *getJob) untrusted(s *manifest.Signature) error {
	if s == nil || !j.verify.demands(proofSignature) {
		return nil
	}
	return &failure{
		code: exitIntegrity, err: fmt.Errorf("its manifest is signed by key %s, and nobody is trusted for that name", keys.ID(s.KeyID).Short()),
		hint: "cefgo keys trust says whom to trust, or --trust KEYFILE",
	}
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// how tells people how well the content is proven.
func (o *outcome) how() string {
	switch o.proof {
	case proofSignature:
		return "verified, signed by " + o.signer.Short()
	case proofManifest:
		return "verified by its manifest"
	case proofChecksum:
		return "unverified, checksums right"
	}
	return "unverified"
}

// addManifest adds what the manifest told.
func (o *outcome) addManifest(f fields) {
	m := o.manifest
	if m == nil {
		return
	}
	f["content_version"] = fmt.Sprintf("%x", m.Version)
	if !m.Modified.IsZero() {
		f["modified"] = m.Modified.UTC().Format(time.RFC3339Nano)
	}
	if m.MediaType != "" {
		f["media_type"] = m.MediaType
	}
	if m.Digests != nil {
		f["sha256"] = fmt.Sprintf("%x", m.Digests.Whole)
	}
	if o.signer != (keys.ID{}) {
		f["signer"] = o.signer.String()
	}
}
