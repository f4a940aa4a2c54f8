//go:build linux

package main

import (
	"crypto/sha256"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

// content is a file to publish, and what it is known by. None of it is held in memory:
// a program that is started inherits this one's peak as its own (getrusage).
type content struct {
	path string
	size int64
	sum  [sha256.Size]byte
}

// writeContent makes content of which no two blocks are equal. It is ASCII text without
// a backslash, because cefapp handles nothing else.
func writeContent(t *testing.T, path string, size int64) content {
	t.Helper()
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, sum), &letters{rand.NewChaCha8([32]byte{1})}, size); err != nil {
		t.Fatal(err)
	}
	return content{path, size, sumOf(sum)}
}

// letters are random ones from a to p, for ever.
type letters struct{ *rand.ChaCha8 }

func (l *letters) Read(b []byte) (int, error) {
	n, err := l.ChaCha8.Read(b)
	for i := range b[:n] {
		b[i] = 'a' + b[i]&15
	}
	return n, err
}

func sumOf(h hash.Hash) (sum [sha256.Size]byte) {
	h.Sum(sum[:0])
	return sum
}

// holds reports whether path holds the content.
func (c content) holds(path string) bool {
	r, err := os.Open(path)
	if err != nil {
		return false
	}
	defer r.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, r)
	return err == nil && sumOf(sum) == c.sum
}
