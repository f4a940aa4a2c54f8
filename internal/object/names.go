// Package object owns the conventions by which content becomes Content Objects:
// how it is cut into chunks, what every chunk carries, and the names beside it. It
// imports tlv only and does no I/O.
package object

import (
	"encoding/hex"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Names that cefgo keeps for itself lie below a plain segment ".cefgo": typed ones
// right under a registered prefix never reach an application through cefnetd
// (sheet e).
const (
	Reserved     = ".cefgo"
	pingWord     = "ping"
	metaWord     = "meta"
	manifestWord = "manifest"
	versionWord  = "v"
	runsWord     = "runs"
	listWord     = "list"
)

// MetaName is where cefapp's producer tells the number of name's chunks, and where
// its consumer asks for it (sheet h).
func MetaName(name tlv.Name) (tlv.Name, error) { return name.WithoutChunk().Child(metaWord) }

// IsMeta splits NAME/meta into NAME.
func IsMeta(name tlv.Name) (of tlv.Name, ok bool) {
	up, s, ok := name.Parent()
	return up, ok && isPlain(s, metaWord)
}

// PingName is a name below prefix that a publisher of prefix answers and no cache
// holds: PREFIX/.cefgo/ping/NONCE, to be asked for by chunk.
func PingName(prefix tlv.Name, nonce [8]byte) (tlv.Name, error) {
	return ReservedName(prefix, pingWord, hex.EncodeToString(nonce[:]))
}

// ReservedName is PREFIX/.cefgo/words….
func ReservedName(prefix tlv.Name, words ...string) (tlv.Name, error) {
	n, err := prefix.WithoutChunk().Child(Reserved)
	for _, w := range words {
		if err == nil {
			n, err = n.Child(w)
		}
	}
	return n, err
}

// IsPing reports whether name is a [PingName] of whatever prefix.
func IsPing(name tlv.Name) bool { return IsReserved(name, pingWord) }

// IsReserved reports whether name is PREFIX/.cefgo/word/ANY of whatever prefix.
func IsReserved(name tlv.Name, word string) bool {
	up, _, _ := name.Parent()
	up, w, _ := up.Parent()
	_, r, ok := up.Parent()
	return ok && isPlain(w, word) && isPlain(r, Reserved)
}

func isPlain(s tlv.Segment, text string) bool {
	return s.Type == tlv.SegmentName && string(s.Value) == text
}
