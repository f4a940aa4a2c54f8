package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
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
	write(f, inside, "runs", random(9, (manifest.MaxInline+1)*object.RunSize))
	tree := openTree(f, inside)
	p := New(tree, Options{Blocks: []int{object.MinBlock, 100}, CacheTime: time.Minute, Expiry: time.Hour, Digests: pool(f)})
	now := newClock()
	digestAll(f, p, inside, now.Time)

	for _, uri := range []string{
		"large/Chunk=0", "large/Chunk=16", "large/Chunk=17", "large/Chunk=4294967295", "large", "empty/Chunk=0", "large/meta/Chunk=0", "d/e/a/Chunk=0",
		"dir/a/Chunk=0", "out/Chunk=0", "outdir/secret/Chunk=0", "../outside/secret/Chunk=0", "/Chunk=0", ".hidden/Chunk=0",
		".cefgo/ping/0011/Chunk=3", ".cefgo/ping/0011", "App:1=a/Chunk=0", "0x0004=a", "0x00/Chunk=0", "none/Chunk=0",
	} {
		name := mustName(f, "ccnx:/demo/"+uri)
		f.Add(interest(f, name))
		f.Add(interest(f, name, marked))
		f.Add(interest(f, name, marked, func(i *tlv.Interest) { i.Validation.Alg = tlv.AlgCRC32C; i.MsgVendor = tlv.VendorLongLife }))
		if n, err := object.ManifestName(name); err == nil {
			f.Add(interest(f, n.WithChunk(0)))
			f.Add(interest(f, n.WithChunk(1), marked))
		}
	}
	f.Add(manifestOf(f, tree.prefix))
	for _, file := range []string{"large", "empty", "runs", "d/e/a"} {
		name := mustName(f, "ccnx:/demo/"+file)
		g, err := tree.Lookup(name, now.Time)
		check(f, err)
		for _, k := range []uint64{0, 1, 9, 10} {
			for _, block := range []int{object.MinBlock, 100, 101} {
				f.Add(versionChunk(f, name, g.version, block, k))
			}
			runs, err := object.RunsName(name, g.version)
			check(f, err)
			f.Add(interest(f, runs.WithChunk(k)))
		}
		f.Add(versionChunk(f, name, []byte("another one"), 100, 0))
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
		if of, ok := strings.CutSuffix(i.Name.WithoutChunk().String(), "/.cefgo/manifest"); ok {
			checkManifest(t, p, inside, mustName(t, of), o.Payload)
			return
		}
		if want := expected(t, p, inside, i.Name); !bytes.Equal(o.Payload, want) {
			t.Fatalf("%s: %q, want %q", i.Name, o.Payload, want)
		}
	})
}

// digestAll has the digests of all files computed, so that no Interest waits for them.
func digestAll(f *testing.F, p *Publisher, dir string, now time.Time) {
	check(f, fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, _ error) error {
		name := child(f, p.tree.prefix, strings.Split(path, "/")...)
		g, err := p.tree.Lookup(name, now)
		if err != nil {
			return nil
		}
		p.o.Digests.Want(p.tree.job(g))
		for _, ok := p.o.Digests.Lookup(g.key); !ok; _, ok = p.o.Digests.Lookup(g.key) {
			<-p.o.Digests.Ready()
			p.o.Digests.Take()
		}
		return nil
	}))
}

// pathOf is the path that the name stands for, by a simpler rule than the tree's; "" where
// it may stand for none.
func pathOf(dir string, prefix, name tlv.Name) string {
	path := dir
	rest, ok := name.WithoutChunk().TrimPrefix(prefix)
	for s := range rest.Segments() {
		path += "/" + string(s.Value)
		if s.Type != tlv.SegmentName || len(s.Value) == 0 || s.Value[0] == '.' || strings.ContainsAny(string(s.Value), "/\x00") {
			return ""
		}
	}
	if !ok {
		return ""
	}
	return path
}

// checkManifest holds the manifest of a name against its file.
func checkManifest(t *testing.T, p *Publisher, dir string, of tlv.Name, payload []byte) {
	m, _, _, err := manifest.Decode(payload)
	check(t, err)
	if !m.Name.Equal(of) {
		t.Fatalf("the manifest of %s names %s", of, m.Name)
	}
	path := pathOf(dir, p.tree.prefix, of)
	fi, err := os.Stat(path)
	switch m.Status {
	case manifest.Directory:
		if err != nil || !fi.IsDir() {
			t.Fatalf("%s is a directory: %v", of, err)
		}
	case manifest.Object:
		content, err := os.ReadFile(path)
		check(t, err)
		if bytes.Contains(content, []byte(canary)) || m.Size != int64(len(content)) || m.Digests == nil || m.Digests.Whole != sha256.Sum256(content) {
			t.Fatalf("%s: %+v", of, m)
		}
	}
}

// expected is the payload that name must have, by a simpler rule than the tree's.
func expected(t *testing.T, p *Publisher, dir string, name tlv.Name) []byte {
	if object.IsPing(name) {
		return nil
	}
	k, ok := name.Chunk()
	if !ok {
		t.Fatalf("%s, which has no chunk, was answered", name)
	}
	block, runs := object.MinBlock, false
	if of, rest, ok := strings.Cut(name.WithoutChunk().String(), "/.cefgo/v/"); ok {
		name = mustName(t, of)
		g, err := p.tree.Lookup(name, time.Now())
		check(t, err)
		tail, ok := strings.CutPrefix(rest, g.hex+"/")
		if runs = tail == "runs"; tail == "100" {
			block = 100
		} else if !ok || tail != "60" && !runs {
			t.Fatalf("version %s was answered", rest)
		}
	}
	path := pathOf(dir, p.tree.prefix, name)
	if path == "" {
		t.Fatalf("%s was answered", name)
	}
	content, err := os.ReadFile(path)
	if runs {
		all := runsOf(content)
		content = nil
		for _, r := range all {
			content = append(content, r[:]...)
		}
	}
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
	content = content[min(int(k)*block, len(content)):]
	return content[:min(block, len(content))]
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
