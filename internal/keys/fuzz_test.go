package keys

import (
	"os"
	"strings"
	"testing"
)

// addSeeds seeds f with the golden files and some that are bent.
func addSeeds(f *testing.F) {
	files, err := os.ReadDir("testdata/openssl")
	if err != nil || len(files) < 20 {
		f.Fatalf("%d seeds, %v", len(files), err)
	}
	for _, file := range files {
		b := golden(f, file.Name())
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(append(b, b...))
	}
}

// FuzzParsePrivate: what parses signs, and is read back from what it is written as.
func FuzzParsePrivate(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParsePrivate(text)
		if err != nil {
			return
		}
		again, err := ParsePrivate(k.PEM())
		if err != nil || !again.Public().Equal(k.Public()) || string(again.PEM()) != string(k.PEM()) {
			t.Fatalf("read back as %v, %v", again, err)
		}
		if err := k.Public().Verify(text, again.Sign(text)); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParsePublic: what parses is read back from what it is written as, and is one of
// the keys that are taken.
func FuzzParsePublic(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParsePublic(text)
		if err != nil {
			return
		}
		again, err := ParsePublic(k.PEM())
		if err != nil || !again.Equal(k) || string(again.SPKI()) != string(k.SPKI()) || again.ID() != k.ID() {
			t.Fatalf("read back as %v, %v", again, err)
		}
		if bits := k.Bits(); k.Type() == Ed25519 && bits != 256 || k.Type() == RSA && (bits < MinRSABits || bits > MaxRSABits) || k.Type() == 0 {
			t.Fatalf("a key of %d bits: %v", bits, k)
		}
	})
}

// FuzzPrefixes: what parses is read back from what it is written as.
func FuzzPrefixes(f *testing.F) {
	f.Add([]byte("# PREFIX KEYFILE\nccnx:/ root.pub\n\n ccnx:/a/b\tbob.pem\r\nccnx:/0x00ff/App:3=x/0x0004=v a-1_b.pub"))
	f.Add([]byte("ccnx:/a a.pub\nccnx:/a\n"))
	f.Add([]byte("ccnx:/a\"b ../a.pub\n"))
	f.Add([]byte("ccnx:/a/Chunk=1 a.pub\nccnx:/a\u00a0a.pub\u0085"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := parsePrefixes("prefixes", text)
		if err != nil {
			if lines != nil {
				t.Fatal("lines beside an error")
			}
			return
		}
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(l.String() + "\n")
		}
		again, err := parsePrefixes("prefixes", []byte(b.String()))
		if err != nil || len(again) != len(lines) {
			t.Fatalf("%q: %v", b.String(), err)
		}
		for i, l := range lines {
			if !again[i].prefix.Equal(l.prefix) || again[i].file != l.file || again[i].number != i+1 || strings.ContainsAny(l.file, "/\x00") {
				t.Fatalf("%q is read back as %q", l, again[i])
			}
		}
	})
}
