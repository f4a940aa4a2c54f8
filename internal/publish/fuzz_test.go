package publish

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// FuzzAnswer holds whatever arrives against the law of answering: at most one
// packet, for the name of the Interest that was asked, and where that is of a chunk,
// with the bytes that stand there in a file that may be served.
func FuzzAnswer(f *testing.F) {
	inside, _ := forest(f)
	write(f, inside, "large", random(9, 1000))
	write(f, inside, "empty", nil)
	tree := openTree(f, inside)
	p := New(tree, Options{Blocks: []int{object.MinBlock}, CacheTime: time.Minute, Expiry: time.Hour})
	now := newClock()

	for _, uri := range []string{
		"large/Chunk=0", "large/Chunk=16", "large/Chunk=17", "large/Chunk=4294967295", "large", "empty/Chunk=0", "large/meta/Chunk=0", "d/e/a/Chunk=0",
		"dir/a/Chunk=0", "out/Chunk=0", "outdir/secret/Chunk=0", "../outside/secret/Chunk=0", "/Chunk=0", ".hidden/Chunk=0",
		".cefgo/ping/0011/Chunk=3", ".cefgo/ping/0011", "App:1=a/Chunk=0", "0x0004=a", "0x00/Chunk=0", "none/Chunk=0",
	} {
		name := mustName(f, "ccnx:/demo/"+uri)
		f.Add(interest(f, name))
		f.Add(interest(f, name, marked))
		f.Add(interest(f, name, marked, func(i *tlv.Interest) { i.Validation.Alg = tlv.AlgCRC32C; i.MsgVendor = tlv.VendorLongLife }))
	}
	for _, pkt := range captured(f) {
		f.Add(pkt)
	}
	f.Fuzz(func(t *testing.T, pkt []byte) {
		var data tlv.Batch
		asked := bytes.Clone(pkt)
		p.answer(pkt, &data, now.Time)
		if !bytes.Equal(pkt, asked) {
			t.Fatalf("the Interest was written to: %x", pkt)
		}
		var i tlv.Interest
		if i.Decode(pkt) != nil {
			if data.Len() > 0 {
				t.Fatalf("no Interest was answered with %x", data.Packet(0))
			}
			return
		}
		switch data.Len() {
		case 0:
			return
		case 1:
		default:
			t.Fatalf("%d answers", data.Len())
		}
		answer := data.Packet(0)
		var r tlv.Return
		if r.Decode(answer) == nil {
			if !r.Name.Equal(i.Name) || !i.Mark || r.Code != tlv.ReturnNoRoute {
				t.Fatalf("Interest Return %x", answer)
			}
			return
		}
		o := decode(t, answer)
		if !o.Name.Equal(i.Name) {
			t.Fatalf("%s was answered with %s", i.Name, o.Name)
		}
		if want := expected(t, inside, tree.prefix, i.Name); !bytes.Equal(o.Payload, want) {
			t.Fatalf("%s: %q, want %q", i.Name, o.Payload, want)
		}
	})
}

// expected is the payload that name must have, by a simpler rule than the tree's.
func expected(t *testing.T, dir string, prefix, name tlv.Name) []byte {
	if object.IsPing(name) {
		return nil
	}
	k, ok := name.Chunk()
	if !ok {
		t.Fatalf("%s, which has no chunk, was answered", name)
	}
	path := dir
	rest, _ := name.WithoutChunk().TrimPrefix(prefix)
	for s := range rest.Segments() {
		path += "/" + string(s.Value)
		if s.Type != tlv.SegmentName || len(s.Value) == 0 || s.Value[0] == '.' || strings.ContainsAny(string(s.Value), "/\x00") {
			t.Fatalf("%s was answered", name)
		}
	}
	content, err := os.ReadFile(path)
	if of, isFile := strings.CutSuffix(path, "/meta"); err != nil && isFile && k == 0 {
		content, err = os.ReadFile(of)
		check(t, err)
		l := object.Layout{Size: int64(len(content)), BlockSize: object.MinBlock}
		return []byte(fmt.Sprint(l.Chunks()))
	}
	check(t, err)
	if bytes.Contains(content, []byte(canary)) {
		t.Fatalf("%s was answered from outside", name)
	}
	content = content[min(int(k)*object.MinBlock, len(content)):]
	return content[:min(object.MinBlock, len(content))]
}

// captured is the packets of the codec's own test data: real ones and bad ones.
func captured(f *testing.F) (pkts [][]byte) {
	for _, file := range []string{"vectors.json", "bad-packets.json"} {
		b, err := os.ReadFile("../tlv/testdata/" + file)
		check(f, err)
		var entries []struct {
			Hex string `json:"packet_hex"`
		}
		check(f, json.Unmarshal(b, &entries))
		for _, e := range entries {
			if pkt, err := hex.DecodeString(e.Hex); err == nil && len(pkt) > 0 {
				pkts = append(pkts, pkt)
			}
		}
	}
	if len(pkts) < 100 {
		f.Fatalf("%d captured packets; is the test data still there?", len(pkts))
	}
	return pkts
}
