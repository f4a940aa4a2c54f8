package main

import (
	"fmt"
	"strings"
)

// proof is how well it is shown that a content is right.
type proof int

// The kinds of proof, each one better than the one before.
const (
	proofNone      proof = iota
	proofChecksum        // each chunk's checksum holds
	proofManifest        // the bytes are those whose digests the manifest tells
	proofSignature       // and somebody trusted signed it
)

var proofWords = []string{"none", "checksum", "manifest", "signature"}

func (p proof) String() string { return proofWords[p] }

// proofValue is a flag that takes a kind of proof, or "auto".
type proofValue struct {
	least proof
	set   bool
}

func (v *proofValue) Type() string { return "proof" }

func (v *proofValue) String() string {
	if !v.set {
		return "auto"
	}
	return v.least.String()
}

func (v *proofValue) Set(s string) error {
	*v = proofValue{}
	if s == "auto" {
		return nil
	}
	for p, word := range proofWords {
		if s == word {
			*v = proofValue{proof(p), true}
			return nil
		}
	}
	return fmt.Errorf("want auto, %s", strings.Join(proofWords, ", "))
}

// wantsManifest reports whether a manifest would be of use.
func (v *proofValue) wantsManifest() bool { return !v.set || v.least >= proofManifest }

// demands reports whether nothing less than that is enough.
func (v *proofValue) demands(p proof) bool { return v.set && v.least >= p }

// lacks fails where a content with that proof is not good enough.
func (v *proofValue) lacks(got proof) error {
	if !v.set || got >= v.least {
		return nil
	}
	why := map[proof]string{
		proofChecksum:  "not every chunk carried a checksum",
		proofManifest:  "there is no manifest that could prove it",
		proofSignature: "no trusted signature proves it",
	}[v.least]
	return &failure{code: exitIntegrity, err: fmt.Errorf("--verify %v: %s", v.least, why), hint: "without --verify the strongest proof that there is will do, and is named"}
}
