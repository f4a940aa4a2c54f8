package object

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// longName is a name of n bytes of segments.
func longName(t testing.TB, n int) tlv.Name {
	t.Helper()
	return mustName(t, "ccnx:/"+strings.Repeat("x", n-4))
}

// longest is the most bytes of segments behind which a chunk number fits.
const longest = tlv.MaxNameLen - 8

var now = time.UnixMilli(1_700_000_000_000)

func TestLayoutSpans(t *testing.T) {
	type span struct {
		off int64
		n   int
	}
	const block = 100
	for _, tt := range []struct {
		size   int64
		block  int
		chunks uint64
		spans  map[uint64]span
	}{
		{0, block, 1, map[uint64]span{0: {0, 0}}},
		{1, block, 1, map[uint64]span{0: {0, 1}}},
		{block - 1, block, 1, map[uint64]span{0: {0, 99}}},
		{block, block, 1, map[uint64]span{0: {0, 100}}},
		{block + 1, block, 2, map[uint64]span{0: {0, 100}, 1: {100, 1}}},
		{2 * block, block, 2, map[uint64]span{0: {0, 100}, 1: {100, 100}}},
		{1 << 40, 4095, 268_501_009, map[uint64]span{0: {0, 4095}, 268_501_008: {268_501_008 * 4095, 16}}},
		{math.MaxInt64, MaxBlock, 160_842_843_834_661, map[uint64]span{160_842_843_834_660: {160_842_843_834_660 * MaxBlock, 32767}}},
	} {
		l := Layout{Size: tt.size, BlockSize: tt.block}
		if got := l.Chunks(); got != tt.chunks {
			t.Errorf("%d bytes by %d: %d chunks, want %d", tt.size, tt.block, got, tt.chunks)
		}
		for k, want := range tt.spans {
			if off, n, ok := l.Span(k); !ok || off != want.off || n != want.n {
				t.Errorf("%d bytes by %d: chunk %d is %d bytes at %d (%v), want %d at %d", tt.size, tt.block, k, n, off, ok, want.n, want.off)
			}
		}
		for _, k := range []uint64{tt.chunks, tt.chunks + 1, 1 << 63, math.MaxUint64} {
			if off, n, ok := l.Span(k); ok {
				t.Errorf("%d bytes by %d: chunk %d beyond the end is %d bytes at %d", tt.size, tt.block, k, n, off)
			}
		}
	}
}

// The spans tile the content: each starts where the one before it ends, all but the
// last are whole blocks, and none but that of empty content is empty.
func TestLayoutTiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		block := rapid.IntRange(MinBlock, MaxBlock).Draw(t, "block")
		chunks := rapid.Int64Range(0, 300).Draw(t, "whole chunks")
		l := Layout{BlockSize: block, Size: chunks*int64(block) + rapid.Int64Range(0, int64(block)-1).Draw(t, "rest")}
		var end int64
		for k := range l.Chunks() {
			off, n, ok := l.Span(k)
			switch {
			case !ok || off != end:
				t.Fatalf("chunk %d starts at %d (%v), the one before it ends at %d", k, off, ok, end)
			case n > block || n < block && k != l.Chunks()-1:
				t.Fatalf("chunk %d of %d is %d bytes", k, l.Chunks(), n)
			case n == 0 && l.Size > 0:
				t.Fatalf("chunk %d is empty", k)
			}
			end += int64(n)
		}
		if end != l.Size {
			t.Fatalf("the chunks are %d bytes of %d", end, l.Size)
		}
	})
}

func decode(t testing.TB, pkt []byte) tlv.Object {
	t.Helper()
	var o tlv.Object
	if err := o.Decode(pkt); err != nil {
		t.Fatalf("%x: %v", pkt, err)
	}
	return o
}

// appended calls encode with something before the packet, which must stay.
func appended(t testing.TB, encode func([]byte) ([]byte, error)) []byte {
	t.Helper()
	b, err := encode([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	pkt, ok := bytes.CutPrefix(b, []byte("before"))
	if !ok {
		t.Fatalf("what was before the packet became %q", b[:6])
	}
	return pkt
}

// checkSum checks that pkt carries a checksum of that kind that notices one wrong bit.
func checkSum(t testing.TB, pkt []byte, sum Sum) {
	t.Helper()
	o := decode(t, pkt)
	behind := map[Sum]int{SumTrailer: 16}[sum] // bytes
	if err := o.Check(); err != nil || o.Summed != (sum == SumMessage) || (o.Validation.Alg == tlv.AlgCRC32C) != (sum == SumTrailer) {
		t.Errorf("sum %v, algorithm %v, check %v; want kind %d that holds", o.Summed, o.Validation.Alg, err, sum)
	}
	if o.Proves() != (sum != SumNone) {
		t.Errorf("kind %d proves: %v", sum, o.Proves())
	}
	if sum == SumNone {
		return
	}
	carries := len(o.Payload) > 0 // else it is a length that goes wrong
	bad := bytes.Clone(pkt)
	bad[len(bad)-behind-1] ^= 1 // the last byte that is covered
	err := o.Decode(bad)
	if err == nil {
		err = o.Check()
	}
	if carries && !errors.Is(err, tlv.ErrChecksum) || err == nil {
		t.Errorf("check of a damaged packet: %v, want %v", err, tlv.ErrChecksum)
	}
}

func TestAppendChunk(t *testing.T) {
	l := Layout{
		Name: mustName(t, "ccnx:/a"), Size: 250, BlockSize: 100, Version: []byte{0xee, 0xff},
		CacheTime: time.Minute, Expiry: time.Hour,
	}
	for k := range uint64(3) {
		l.Sum = Sum(k)
		_, n, _ := l.Span(k)
		payload := bytes.Repeat([]byte{byte(k + 1)}, n)
		pkt := appended(t, func(b []byte) ([]byte, error) { return l.AppendChunk(b, k, payload, now) })
		checkSum(t, pkt, l.Sum)
		o := decode(t, pkt)
		want := tlv.Object{
			HopByHop: tlv.HopByHop{CacheTime: tlv.Some(tlv.Timestamp(1_700_000_060_000))},
			Name:     l.Name.WithChunk(k), Expiry: tlv.Some(tlv.Timestamp(1_700_003_600_000)), EndChunk: tlv.Some[uint64](2),
			Version: l.Version, Payload: payload,
		}
		checkObject(t, o, want)
	}
}

func checkObject(t testing.TB, got, want tlv.Object) {
	t.Helper()
	switch {
	case !got.Name.Equal(want.Name):
		t.Errorf("name %s, want %s", got.Name, want.Name)
	case got.CacheTime != want.CacheTime || got.Expiry != want.Expiry:
		t.Errorf("%s: cache time %v, expiry %v; want %v and %v", got.Name, got.CacheTime, got.Expiry, want.CacheTime, want.Expiry)
	case got.EndChunk != want.EndChunk:
		t.Errorf("%s: end chunk %v, want %v", got.Name, got.EndChunk, want.EndChunk)
	case !bytes.Equal(got.Version, want.Version):
		t.Errorf("%s: version %x, want %x", got.Name, got.Version, want.Version)
	case !bytes.Equal(got.Payload, want.Payload):
		t.Errorf("%s: payload %q, want %q", got.Name, got.Payload, want.Payload)
	case got.HopLimit != 0 || got.Lifetime.OK || got.Vendor != nil || got.MsgVendor != nil || got.Mark || got.Command != 0:
		t.Errorf("%s: it carries what nobody asked for: %+v", got.Name, got)
	}
}

// unhex reads hexadecimal digits; what follows a ";" on a line is a label.
func unhex(t testing.TB, labelled string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(labelled) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The packet of one chunk, byte by byte.
func TestAppendChunkGolden(t *testing.T) {
	want := unhex(t, `
		01 01 004b 00 00 00 14        ; version, Content Object, packet length, hop limit, header length
		0002 0008 0000018bcfe65260    ; recommended cache time
		0002 0033                     ; Content Object
		0000 000a 0001 0001 61 0005 0001 01 ; name /a/Chunk=1
		1cf0 0004 e0d5d8f7            ; checksum
		0006 0008 0000018bd01c5680    ; expiry
		0008 0001 01                  ; end chunk number
		1cef 0002 eeff                ; version
		0001 0002 6869                ; payload
`)
	l := Layout{
		Name: mustName(t, "ccnx:/a"), Size: 102, BlockSize: 100, Version: []byte{0xee, 0xff},
		CacheTime: time.Minute, Expiry: time.Hour,
	}
	pkt := appended(t, func(b []byte) ([]byte, error) { return l.AppendChunk(b, 1, []byte("hi"), now) })
	checkSum(t, pkt, SumMessage)
	if !bytes.Equal(pkt, want) {
		t.Errorf("\n got %x\nwant %x", pkt, want)
	}
}

func TestAppendChunkWithout(t *testing.T) {
	second := tlv.Some(tlv.Timestamp(1_700_000_001_000))
	for _, tt := range []struct {
		name    string
		l       Layout
		payload []byte
		want    tlv.Object
	}{
		{"anything", Layout{Sum: SumNone}, nil, tlv.Object{}},
		{"payload", Layout{}, []byte{}, tlv.Object{}},
		{"cache time", Layout{Expiry: time.Second}, []byte("x"), tlv.Object{Expiry: second, Payload: []byte("x")}},
		{"expiry", Layout{CacheTime: time.Second}, []byte("x"), tlv.Object{HopByHop: tlv.HopByHop{CacheTime: second}, Payload: []byte("x")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.l
			l.Name, l.Size, l.BlockSize = mustName(t, "ccnx:/a"), int64(len(tt.payload)), MinBlock
			pkt := appended(t, func(b []byte) ([]byte, error) { return l.AppendChunk(b, 0, tt.payload, now) })
			o := decode(t, pkt)
			tt.want.Name, tt.want.EndChunk = l.Name.WithChunk(0), tlv.Some[uint64](0)
			checkObject(t, o, tt.want)
			if (o.Payload != nil) != (len(tt.payload) > 0) {
				t.Errorf("payload %#v: that of an empty chunk is left out, as Cefore does", o.Payload)
			}
			checkSum(t, pkt, l.Sum)
		})
	}
}

func TestAppendMeta(t *testing.T) {
	l := Layout{
		Name: mustName(t, "ccnx:/a"), Size: 1050, BlockSize: 100, Version: []byte{1},
		CacheTime: time.Minute, Expiry: time.Hour,
	}
	for _, lasting := range []bool{true, false} {
		pkt := appended(t, func(b []byte) ([]byte, error) { return l.AppendMeta(b, lasting, now) })
		checkSum(t, pkt, SumMessage)
		want := tlv.Object{
			Name: mustName(t, "ccnx:/a/meta/Chunk=0"), EndChunk: tlv.Some[uint64](0), Version: l.Version,
			Expiry: tlv.Some(tlv.Timestamp(1_700_003_600_000)), Payload: []byte("11"),
		}
		if lasting {
			want.CacheTime = tlv.Some(tlv.Timestamp(1_700_000_060_000))
		}
		checkObject(t, decode(t, pkt), want)
	}
	l.Sum, l.CacheTime, l.Size = SumNone, 0, 0
	o := decode(t, appended(t, func(b []byte) ([]byte, error) { return l.AppendMeta(b, true, now) }))
	if o.Proves() || o.CacheTime.OK || string(o.Payload) != "1" {
		t.Errorf("of empty content, with SumNone and no cache time: %+v", o)
	}
	for n, want := range map[int]error{longest - 8: nil, longest - 7: tlv.ErrTooLarge, longest: tlv.ErrTooLarge} {
		l.Name = longName(t, n)
		if _, err := l.AppendMeta(nil, true, now); !errors.Is(err, want) {
			t.Errorf("meta of a name of %d bytes: %v, want %v", n, err, want)
		}
	}
}

func TestAppendPong(t *testing.T) {
	name := mustName(t, "ccnx:/a/.cefgo/ping/0011/Chunk=7")
	for _, payload := range []string{"", "hello"} {
		pkt := appended(t, func(b []byte) ([]byte, error) { return AppendPong(b, name, []byte(payload)) })
		checkSum(t, pkt, SumMessage)
		checkObject(t, decode(t, pkt), tlv.Object{Name: name, Payload: []byte(payload)})
	}
	if _, err := AppendPong(nil, name, make([]byte, tlv.MaxPacketLen)); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("with a payload that fits no packet: %v, want %v", err, tlv.ErrTooLarge)
	}
}

func TestLayoutCheck(t *testing.T) {
	ok := Layout{Name: mustName(t, "ccnx:/a"), Size: 1 << 30, BlockSize: DefaultBlock}
	for _, tt := range []struct {
		name   string
		change func(*Layout)
		is     error
		says   string
	}{
		{"block too small", func(l *Layout) { l.BlockSize = MinBlock - 1 }, nil, "block size 59 is not within 60 and 57344"},
		{"block too large", func(l *Layout) { l.BlockSize = MaxBlock + 1 }, nil, "block size 57345 "},
		{"no block size", func(l *Layout) { l.BlockSize = 0 }, nil, "block size 0 "},
		{"negative size", func(l *Layout) { l.Size = -1 }, nil, "-1 bytes"},
		{"name without room for a chunk", func(l *Layout) { l.Name = longName(t, longest+1) }, tlv.ErrTooLarge, "no room for a chunk number"},
		{"no name", func(l *Layout) { l.Name = tlv.Name{} }, tlv.ErrName, ""},
		{"too many chunks", func(l *Layout) { l.Size = MaxChunks*DefaultBlock + 1 }, nil, "use larger blocks"},
		{"version too long", func(l *Layout) { l.Version = make([]byte, tlv.MaxVersionLen+1) }, tlv.ErrTooLarge, ""},
	} {
		l := ok
		tt.change(&l)
		switch err := l.Check(); {
		case err == nil:
			t.Errorf("%s: no error", tt.name)
		case !strings.Contains(err.Error(), tt.says) || tt.is != nil && !errors.Is(err, tt.is):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for name, change := range map[string]func(*Layout){
		"as it is":      func(*Layout) {},
		"empty":         func(l *Layout) { l.Size = 0 },
		"most chunks":   func(l *Layout) { l.Size = MaxChunks * DefaultBlock },
		"longest name":  func(l *Layout) { l.Name = longName(t, longest) },
		"default name":  func(l *Layout) { l.Name = mustName(t, "ccnx:/") },
		"small block":   func(l *Layout) { l.BlockSize = MinBlock },
		"largest block": func(l *Layout) { l.BlockSize = MaxBlock },
	} {
		l := ok
		change(&l)
		if err := l.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the block size, the largest chunk of the longest name fits a packet.
func TestEveryBlockSizeFits(t *testing.T) {
	const crcLen = 16
	payload, b := make([]byte, MaxBlock), make([]byte, 0, tlv.MaxPacketLen)
	l := Layout{Name: longName(t, longest), Version: make([]byte, tlv.MaxVersionLen), CacheTime: time.Hour, Expiry: time.Hour}
	for l.BlockSize = MinBlock; l.BlockSize <= MaxBlock; l.BlockSize++ {
		l.Size = MaxChunks * int64(l.BlockSize)
		l.Sum = SumNone // a checksum takes its time
		pkt, err := l.AppendChunk(b[:0], MaxChunks-1, payload[:l.BlockSize], now)
		if err != nil || len(pkt) < l.BlockSize || len(pkt)+crcLen > tlv.MaxPacketLen {
			t.Fatalf("block size %d: a packet of %d bytes, error %v", l.BlockSize, len(pkt), err)
		}
		if l.BlockSize <= MaxFastBlock && len(pkt)+crcLen > tlv.MaxAtomicLen {
			t.Fatalf("block size %d: a packet of %d bytes, which cefnetd may cut", l.BlockSize, len(pkt))
		}
		if l.BlockSize%1000 == 0 || l.BlockSize == MinBlock || l.BlockSize == MaxBlock {
			l.Sum = SumTrailer // the longest
			if err := l.Check(); err != nil {
				t.Errorf("block size %d: %v", l.BlockSize, err)
			}
		}
	}
}

// The same content cut otherwise has other chunks under the same numbers: its mark
// must differ, or a fetch through a cache mixes the two.
func TestMarkTellsTheCut(t *testing.T) {
	v := []byte{1, 2, 3}
	if bytes.Equal(Mark(v, 4000), Mark(v, 4010)) || bytes.Equal(Mark(v, 4000), Mark([]byte{1, 2, 4}, 4000)) {
		t.Error("two versions have one mark")
	}
	if !bytes.Equal(Mark(v, MaxBlock), Mark(v, MaxBlock)) || !bytes.Equal(v, []byte{1, 2, 3}) {
		t.Error("one version has two marks, or was changed")
	}
}
