package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"github.com/cefgo/cefgo/internal/object"
)

const (
	magic      = "cefgo digest\x00\x00\x00\x01"
	headerSize = len(magic) + len(Key{}) + 8 + sha256.Size
)

var errEntry = errors.New("not an entry of the cache")

// entrySize is the length, in bytes, of the entry of a file of size bytes.
func entrySize(size int64) int64 {
	return int64(headerSize) + (object.Runs(size)+1)*sha256.Size
}

func encodeEntry(k Key, s *Sums) []byte {
	b := make([]byte, 0, entrySize(s.Size))
	b = append(b, magic...)
	b = append(b, k[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Size))
	b = append(b, s.Whole[:]...)
	for i := range s.Runs {
		b = append(b, s.Runs[i][:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decodeEntry allocates no more than b holds, and keeps nothing of b. What it takes
// encodes to b again.
func decodeEntry(b []byte) (Key, *Sums, error) {
	if len(b) < headerSize || !bytes.HasPrefix(b, []byte(magic)) {
		return Key{}, nil, errEntry
	}
	k := Key(b[len(magic):])
	rest := b[len(magic)+len(k):]
	size := binary.BigEndian.Uint64(rest)
	if size > math.MaxInt64 || int64(len(b)) != entrySize(int64(size)) {
		return Key{}, nil, errEntry
	}
	end := len(b) - sha256.Size
	if sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]) {
		return Key{}, nil, errEntry
	}
	s := &Sums{Size: int64(size), Whole: [sha256.Size]byte(rest[8:])}
	s.Runs = make([][sha256.Size]byte, object.Runs(s.Size))
	for i := range s.Runs {
		s.Runs[i] = [sha256.Size]byte(b[headerSize+i*sha256.Size:])
	}
	return k, s, nil
}
