package object

import (
	"encoding/hex"
	"strconv"

	"github.com/cefgo/cefgo/internal/tlv"
)

// ManifestName is where the manifest of name is, as its chunk 0 (docs/objects.md).
func ManifestName(name tlv.Name) (tlv.Name, error) { return ReservedName(name, manifestWord) }

// VersionName is the name under which one version of name is read in blocks of that
// many bytes.
func VersionName(name tlv.Name, version []byte, block int) (tlv.Name, error) {
	return ReservedName(name, versionWord, hex.EncodeToString(version), strconv.Itoa(block))
}

// RunsName is the name of the digests of a version's runs.
func RunsName(name tlv.Name, version []byte) (tlv.Name, error) {
	return ReservedName(name, versionWord, hex.EncodeToString(version), runsWord)
}

// ListName is the name of the list of what is in a directory, in one version.
func ListName(name tlv.Name, version []byte) (tlv.Name, error) {
	return ReservedName(name, versionWord, hex.EncodeToString(version), listWord)
}

// Kind is what a name stands for beside an object.
type Kind int

// What a name can stand for.
const (
	KindPlain    Kind = iota // the object itself
	KindManifest             // ManifestName
	KindVersion              // VersionName
	KindRuns                 // RunsName
	KindList                 // ListName
)

// Part is a name taken apart.
type Part struct {
	Kind Kind
	Of   tlv.Name // the object, without chunk
	// Version is that of all kinds behind KindManifest, in hexadecimal digits; it aliases
	// the name.
	Version []byte
	Block   int // of KindVersion, in bytes
}

// Split tells what name, whose chunk does not matter, stands for. ok is false where it
// lies below a segment ".cefgo" and stands for none of these.
func Split(name tlv.Name) (p Part, ok bool) {
	up, last, _ := name.Parent()
	if isPlain(last, manifestWord) {
		if of, ok := reservedParent(up); ok {
			return Part{Kind: KindManifest, Of: of}, true
		}
	}
	if p, ok := splitVersion(up, last); ok {
		return p, true
	}
	return Part{Of: name.WithoutChunk()}, !hasReserved(name)
}

// splitVersion reads NAME/.cefgo/v/VERSION and what is behind it.
func splitVersion(up tlv.Name, last tlv.Segment) (p Part, ok bool) {
	up, version, _ := up.Parent()
	up, word, _ := up.Parent()
	if !isPlain(word, versionWord) || version.Type != tlv.SegmentName || last.Type != tlv.SegmentName {
		return p, false
	}
	if p.Of, ok = reservedParent(up); !ok {
		return p, false
	}
	p.Version = version.Value
	switch string(last.Value) {
	case runsWord:
		p.Kind = KindRuns
		return p, true
	case listWord:
		p.Kind = KindList
		return p, true
	}
	p.Kind = KindVersion
	p.Block, ok = blockSize(last.Value)
	return p, ok
}

// blockSize reads a decimal number without leading zeros.
func blockSize(digits []byte) (n int, ok bool) {
	for i, c := range digits {
		if c < '0' || c > '9' || i == 0 && c == '0' || n > MaxBlock {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n >= MinBlock && n <= MaxBlock
}

// reservedParent splits NAME/.cefgo into NAME.
func reservedParent(name tlv.Name) (of tlv.Name, ok bool) {
	of, s, ok := name.Parent()
	return of, ok && isPlain(s, Reserved) && !of.IsZero()
}

func hasReserved(name tlv.Name) bool {
	for s := range name.Segments() {
		if isPlain(s, Reserved) {
			return true
		}
	}
	return false
}
