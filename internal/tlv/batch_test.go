package tlv

import (
	"errors"
	"testing"
)

func TestBatch(t *testing.T) {
	var b Batch
	encode := func(s string, err error) func([]byte) ([]byte, error) {
		return func(buf []byte) ([]byte, error) { return append(buf, s...), err }
	}
	failed := errors.New("failed")
	for range 2 { // the second time in the memory of the first
		if b.Len() != 0 || b.Size() != 0 || len(b.Range(0, 0)) != 0 {
			t.Errorf("empty batch: Len %d, Size %d, Range %q", b.Len(), b.Size(), b.Range(0, 0))
		}
		b.Append([]byte("one"))
		if err := b.Encode(encode("two!", nil)); err != nil {
			t.Error(err)
		}
		if err := b.Encode(encode("lost", failed)); !errors.Is(err, failed) {
			t.Errorf("Encode: %v, want %v", err, failed)
		}
		b.Append([]byte("three"))
		if b.Len() != 3 || b.Size() != 12 {
			t.Errorf("Len %d, Size %d; want 3, 12", b.Len(), b.Size())
		}
		for i, want := range []string{"one", "two!", "three"} {
			if got := string(b.Packet(i)); got != want {
				t.Errorf("Packet(%d) = %q, want %q", i, got, want)
			}
		}
		all := "onetwo!three"
		ends := []int{0, 3, 7, 12}
		for i := range ends {
			for j := i; j < len(ends); j++ {
				if got, want := string(b.Range(i, j)), all[ends[i]:ends[j]]; got != want {
					t.Errorf("Range(%d, %d) = %q, want %q", i, j, got, want)
				}
			}
		}
		_, _ = append(b.Packet(0), "XX"...), append(b.Range(0, 2), "XX"...)
		if got := string(b.Range(0, 3)); got != all {
			t.Errorf("an append to a packet reached the next: %q", got)
		}
		b.Reset(1 << 20)
	}
}

func TestBatchReset(t *testing.T) {
	var b Batch
	b.Append(make([]byte, 1000))
	b.Reset(cap(b.buf))
	if cap(b.buf) < 1000 {
		t.Error("Reset gave up memory that it should keep")
	}
	b.Append(make([]byte, 1000))
	b.Reset(999)
	if cap(b.buf) != 0 || b.Len() != 0 {
		t.Errorf("Reset kept %d bytes, %d packets", cap(b.buf), b.Len())
	}
}

// TestBatchRoom: what is written behind the packets becomes one by being claimed.
func TestBatchRoom(t *testing.T) {
	var b Batch
	b.Append([]byte("one"))
	r := b.Room(100)
	if len(r) < 100 || b.Cap() < 103 || b.Len() != 1 || b.Size() != 3 {
		t.Fatalf("%d bytes of room in %d; Len %d, Size %d", len(r), b.Cap(), b.Len(), b.Size())
	}
	copy(r, "twothree, and more")
	b.Claim(3)
	b.Claim(5)
	b.Append([]byte("four"))
	if got := string(b.Range(0, b.Len())); b.Len() != 4 || got != "onetwothreefour" || string(b.Packet(2)) != "three" {
		t.Errorf("%d packets, %q", b.Len(), got)
	}
	if c := b.Cap(); len(b.Room(1)) != c-b.Size() || b.Cap() != c {
		t.Error("room that is there is not used")
	}
}
