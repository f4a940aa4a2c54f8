package testnet

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// whole is all of a content's bytes.
func whole(c *Content) (b []byte) {
	for k := range c.Chunks {
		b = c.AppendPayload(b, k)
	}
	return b
}

// A Data packet is whole, carries its chunk's bytes and tells the end.
func TestContentData(t *testing.T) {
	for _, block := range []int{0, 1, 7, 8, 9, 1024, 60000} {
		c := demo(t, 300, block)
		c.Object.Version = []byte("v1")
		for _, k := range []uint64{0, 1, 255, 299} {
			var o tlv.Object
			if err := o.Decode(c.Data(k)); err != nil {
				t.Fatal(err)
			}
			if err := o.Validation.Check(); err != nil || o.Validation.Alg != tlv.AlgCRC32C {
				t.Errorf("chunk %d of %d bytes: %v, algorithm %v", k, block, err, o.Validation.Alg)
			}
			want := c.AppendPayload(nil, k)
			if len(want) != block || !bytes.Equal(o.Payload, want) || !o.Name.Equal(c.Name.WithChunk(k)) ||
				o.EndChunk != tlv.Some[uint64](299) || string(o.Version) != "v1" {
				t.Errorf("chunk %d of %d bytes: %+v", k, block, o)
			}
		}
	}
}

// No chunk looks like another one.
func TestContentDiffers(t *testing.T) {
	c := demo(t, 10_000, 8)
	seen := make(map[string]bool)
	for k := range c.Chunks {
		seen[string(c.AppendPayload(nil, k))] = true
	}
	if len(seen) != int(c.Chunks) {
		t.Errorf("%d payloads for %d chunks", len(seen), c.Chunks)
	}
	big := demo(t, 2, 1024)
	if a, b := big.AppendPayload(nil, 0), big.AppendPayload(nil, 1); bytes.Equal(a[8:], b[8:]) {
		t.Error("chunks differ in their number only")
	}
}

// Only Interests for its chunks are answered.
func TestContentServe(t *testing.T) {
	c := demo(t, 3, 10)
	for _, tt := range []struct {
		name tlv.Name
		want bool
	}{
		{c.Name.WithChunk(0), true}, {c.Name.WithChunk(2), true}, {c.Name.WithChunk(3), false}, {c.Name, false},
		{mustName(t, "ccnx:/demo/file/meta").WithChunk(0), false}, {mustName(t, "ccnx:/demo").WithChunk(0), false},
	} {
		n := NewNetwork(Config{Producer: c.Serve})
		n.Consumer(ConsumerConfig{})
		pkt, err := (&tlv.Interest{Name: tt.name, HopLimit: 1}).AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		n.request.open(parcel{pkt: pkt, who: n.consumers[0]}, n.start)
		c.Serve(&n.request)
		if got := n.near.len() == 1; got != tt.want {
			t.Errorf("%v: answered %v", tt.name, got)
		}
		n.Close()
	}
}

// The verifier takes the content in whatever pieces, and the first wrong byte fails.
func TestVerifier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewContent(tlv.Name{}, uint64(rapid.IntRange(1, 5).Draw(t, "chunks")), rapid.IntRange(1, 20).Draw(t, "block"))
		b := whole(c)
		first := rapid.IntRange(0, int(c.Chunks)-1).Draw(t, "first") * c.Block
		wrong := rapid.IntRange(first, len(b)).Draw(t, "wrong") // len(b): none is
		if wrong < len(b) {
			b[wrong] ^= 0x80
		}
		v := c.Verify(uint64(first / c.Block))
		for at := first; at < len(b); {
			p := b[at:min(len(b), at+rapid.IntRange(0, 25).Draw(t, "piece"))]
			n, err := v.Write(p)
			if ok := wrong >= at+len(p); ok != (err == nil) || n != min(len(p), wrong-at) {
				t.Fatalf("Write of %d at %d of %d: %d, %v; byte %d is wrong", len(p), at, len(b), n, err, wrong)
			}
			at += n
			if done := v.Done() == nil; done != (at == len(b)) || v.At() != uint64(at) {
				t.Fatalf("done %v with %d of %d", done, at, len(b))
			}
			if err != nil {
				return
			}
		}
		if n, err := v.Write([]byte{1}); n != 0 || err == nil {
			t.Fatalf("a byte too many: %d, %v", n, err)
		}
	})
}

func TestVerifierOrder(t *testing.T) {
	c := demo(t, 3, 1024)
	for _, order := range [][]uint64{{1}, {0, 2}, {0, 0}} {
		v := c.Verify(0)
		last := len(order) - 1
		for i, k := range order {
			if _, err := v.Write(c.AppendPayload(nil, k)); (err == nil) != (i < last) {
				t.Errorf("chunks %v: %d gives %v", order, k, err)
			}
		}
	}
	if !slices.Equal(c.AppendPayload([]byte{1, 2}, 0)[2:], c.AppendPayload(nil, 0)) {
		t.Error("AppendPayload does not append")
	}
}
