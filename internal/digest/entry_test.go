package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// goldenEntry is of "aaaa…", RunSize+1 bytes, under the key of "key".
const goldenEntry = "" +
	"magic 636566676f20646967657374 version 00000001" +
	"key 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683" +
	"size 0000000000040001" +
	"whole c592f4a6b099700b5050ce8bc67367f0c8f44810203124e86405c3e7b6f1a2ba" +
	"run dd3dde87623d9a6b354c68c943d189c89c63652d945e7bbdf0986cae91a49521" +
	"run ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" +
	"checksum f3af2e15507de813b3dd7ce0423e7af03738356a1b42b3ff4268b9242e5e2077"

// unlabelled drops the words from labelled hex.
func unlabelled(t testing.TB, s string) []byte {
	t.Helper()
	for _, word := range []string{"magic", "version", "key", "size", "whole", "run", "checksum", " "} {
		s = strings.ReplaceAll(s, word, "")
	}
	b, err := hex.DecodeString(s)
	check(t, err)
	return b
}

func TestGoldenEntry(t *testing.T) {
	want := unlabelled(t, goldenEntry)
	s := sumsOf(bytes.Repeat([]byte("a"), RunSize+1))
	if got := encodeEntry(keyOf("key"), s); !bytes.Equal(got, want) {
		t.Errorf("encoded %x", got)
	}
	k, got, err := decodeEntry(want)
	if err != nil || k != keyOf("key") || !equal(got, s) {
		t.Errorf("decoded %x, %v, %v", k, got, err)
	}
}

// sealed is b with the checksum that makes an entry of it.
func sealed(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(bytes.Clone(b), sum[:]...)
}

// TestNoEntry: no other length, no bit changed, and no other format, sealed or not.
func TestNoEntry(t *testing.T) {
	good := unlabelled(t, goldenEntry)
	refuse := func(b []byte, why string, at int) {
		t.Helper()
		if _, s, err := decodeEntry(b); err == nil || s != nil {
			t.Errorf("%s %d: taken", why, at)
		}
	}
	body := good[:len(good)-sha256.Size]
	for n := range good {
		refuse(good[:n], "cut to", n)
		bad := bytes.Clone(good)
		bad[n] ^= 1
		refuse(bad, "changed byte", n)
		if n < len(body) {
			refuse(sealed(body[:n]), "cut and sealed to", n)
		}
	}
	refuse(append(bytes.Clone(good), 0), "longer by", 1)
	refuse(sealed(append(bytes.Clone(body), 0)), "longer and sealed by", 1)
	below := bytes.Clone(body[:headerSize])
	copy(below[len(magic)+32:], bytes.Repeat([]byte{0xff}, 8))
	refuse(sealed(below), "size", -1)
	for at := range len(magic) {
		bad := bytes.Clone(body)
		bad[at] ^= 1
		refuse(sealed(bad), "other format, byte", at)
	}
	for at := range 8 {
		bad := bytes.Clone(body)
		bad[len(magic)+32+at] ^= 0x80
		if at != 5 && at != 6 && at != 7 { // in these it is another size of as many runs
			refuse(sealed(bad), "other size, byte", at)
		}
	}
}

// TestEntries: what was encoded decodes to the same.
func TestEntries(t *testing.T) {
	for _, size := range []int{0, 1, RunSize - 1, RunSize, RunSize + 1, 3 * RunSize} {
		want := sumsOf(random(1, size))
		if k, s, err := decodeEntry(encodeEntry(keyOf("a"), want)); err != nil || k != keyOf("a") || !equal(s, want) {
			t.Errorf("%d bytes: %v, %v, %v", size, k, s, err)
		}
	}
}

// FuzzDecodeEntry: what decodes encodes to the same bytes. What is fuzzed is tried as it
// is, and with the right checksum, without which nothing would get anywhere.
func FuzzDecodeEntry(f *testing.F) {
	good := unlabelled(f, goldenEntry)
	f.Add(good)
	f.Add(good[:len(good)-sha256.Size])
	f.Add([]byte(magic))
	for _, size := range []int{0, 1, RunSize, 3 * RunSize} {
		b := encodeEntry(keyOf("other"), sumsOf(random(1, size)))
		f.Add(b)
		f.Add(b[:len(b)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			k, s, err := decodeEntry(b)
			if err == nil && !bytes.Equal(encodeEntry(k, s), b) {
				t.Errorf("%x encodes to %x", b, encodeEntry(k, s))
			}
		}
	})
}
