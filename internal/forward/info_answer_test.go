package forward

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestInfoCache: what the store has of a name, as it is then.
func TestInfoCache(t *testing.T) {
	w := infoWorld(t)
	w.now = time.UnixMilli(begin.UnixMilli())
	asks, put := w.app(), w.app()
	start := w.now
	size := 0
	for k := range 3 {
		size += len(put.data(fmt.Sprintf("ccnx:/a/x/Chunk=%d", 4+k), payload(strings.Repeat("x", 1500)), expires(start.Add(time.Duration(40-10*k)*time.Second))))
		w.now = w.now.Add(time.Second)
	}
	put.data("ccnx:/a/x/y/Chunk=0")
	put.data("ccnx:/a/forever")
	for range 5 {
		asks.interest("ccnx:/a/x/Chunk=5")
		asks.takes(1)
	}
	w.now = w.now.Add(1500 * time.Millisecond) // 4.5 s after the first
	for _, c := range []struct {
		name string
		want [7]uint32
	}{
		{"ccnx:/a/x", [...]uint32{uint32(size / 1024), 3, 5, 4, 6, 4, 15}},
		{"ccnx:/a/x/Chunk=5", [...]uint32{uint32(size / 3 / 1024), 1, 5, 5, 5, 3, 25}},
		{"ccnx:/a/forever", [...]uint32{0, 1, 0, 0, 0, 1, 0}},
	} {
		pkt := asks.sends(infoRequest(t, infoName(t, c.name), infoFlags(tlv.InfoFlagCache)))
		asks.gets(w.answer(pkt, tlv.InfoBlock{Type: tlv.InfoBlockCache, Counters: c.want, Name: mustName(t, c.name)}))
	}
	w.now = start.Add(20 * time.Second) // the last chunk has lapsed
	pkt := asks.sends(infoRequest(t, infoFlags(tlv.InfoFlagCache)))
	asks.gets(w.answer(pkt, tlv.InfoBlock{Counters: [...]uint32{uint32(size * 2 / 3 / 1024), 2, 5, 4, 5, 20, 10}, Name: mustName(t, "ccnx:/a/x")}))
	w.now = start.Add(40 * time.Second)
	pkt = asks.sends(infoRequest(t))
	asks.gets(w.refusal(pkt, tlv.InfoNoRoute))
	if c := clamp(uint64(1 << 40)); c != 1<<32-1 {
		t.Errorf("2^40 is counted as %d", c)
	}
	if c := clamp(-time.Second); c != 0 {
		t.Errorf("-1 is counted as %d", c)
	}
}

// TestInfoPublisher: an application that is registered, or has a route, is known by the
// prefix; the one that asks is none.
func TestInfoPublisher(t *testing.T) {
	for _, c := range []struct {
		name   string
		setup  func(w *world, has *app)
		ask    string
		prefix string // "": no publisher
	}{
		{"registered", func(_ *world, has *app) { has.registers("ccnx:/a") }, "ccnx:/a/x/y", "ccnx:/a"},
		{"registered, the longest", func(_ *world, has *app) { has.registers("ccnx:/a", "ccnx:/a/x") }, "ccnx:/a/x/y/Chunk=1", "ccnx:/a/x"},
		{"registered, itself", func(_ *world, has *app) { has.registers("ccnx:/a/x") }, "ccnx:/a/x", "ccnx:/a/x"},
		{"registered below", func(_ *world, has *app) { has.registers("ccnx:/a/x/y") }, "ccnx:/a/x", ""},
		{"exactly", func(_ *world, has *app) { has.command(tlv.CommandRegister, "ccnx:/a/x") }, "ccnx:/a/x/Chunk=7", "ccnx:/a/x"},
		{"exactly above", func(_ *world, has *app) { has.command(tlv.CommandRegister, "ccnx:/a/x") }, "ccnx:/a/x/y", ""},
		{"exactly above a prefix", func(_ *world, has *app) {
			has.registers("ccnx:/a")
			has.command(tlv.CommandRegister, "ccnx:/a/x")
		}, "ccnx:/a/x/y", "ccnx:/a"},
		{"exactly below a prefix", func(_ *world, has *app) {
			has.registers("ccnx:/a")
			has.command(tlv.CommandRegister, "ccnx:/a/x")
		}, "ccnx:/a/x", "ccnx:/a/x"},
		{"above who asks", func(w *world, has *app) {
			has.registers("ccnx:/a")
			w.apps[0].registers("ccnx:/a/x")
		}, "ccnx:/a/x/y", "ccnx:/a"},
		{"for ccnx:/", func(_ *world, has *app) { has.registers("ccnx:/") }, "ccnx:/", "ccnx:/"},
		{"for ccnx:/, below", func(_ *world, has *app) { has.registers("ccnx:/") }, "ccnx:/a", ""},
		{"by a route", func(w *world, has *app) { w.route("ccnx:/a", w.link(), has) }, "ccnx:/a/x/y", "ccnx:/a"},
		{"by the default route", func(w *world, has *app) { w.route("ccnx:/", has) }, "ccnx:/a/x", "ccnx:/"},
		{"by a route that is down", func(w *world, has *app) {
			w.route("ccnx:/a", has)
			has.down(true)
		}, "ccnx:/a/x", ""},
		{"a neighbour", func(_ *world, has *app) { has.w.link().registers("ccnx:/a") }, "ccnx:/a/x", "ccnx:/a"},
		{"reflexive", func(_ *world, has *app) { has.registers("ccnx:/a/x") }, "ccnx:/a/0x0006=0x00112233445566778899aabbccddeeff/x", "ccnx:/a/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := infoWorld(t)
			asks, has := w.link(), w.app()
			c.setup(w, has)
			pkt := asks.sends(infoRequest(t, infoName(t, c.ask), infoFlags(tlv.InfoFlagCache)))
			if c.prefix == "" {
				asks.gets(w.refusal(pkt, tlv.InfoNoRoute))
				return
			}
			const all = 1<<32 - 1
			asks.gets(w.answer(pkt, tlv.InfoBlock{
				Type: tlv.InfoBlockPublisher, Counters: [...]uint32{all, all, all, all, all, all, all}, Name: mustName(t, c.prefix),
			}))
			pkt = asks.sends(infoRequest(t, infoName(t, c.ask)))
			asks.gets(w.answer(pkt))
		})
	}
	w := infoWorld(t)
	has := w.app().registers("ccnx:/a")
	w.route("ccnx:/a", has)
	pkt := has.sends(infoRequest(t))
	has.gets(w.refusal(pkt, tlv.InfoNoRoute))
	leaves := w.app().registers("ccnx:/b")
	leaves.leaves()
	pkt = has.sends(infoRequest(t, infoName(t, "ccnx:/b")))
	has.gets(w.refusal(pkt, tlv.InfoNoRoute))
}

// TestInfoValidation: a Reply has a checksum where the Request asks for it, and none
// else; a Request keeps its own.
func TestInfoValidation(t *testing.T) {
	for _, own := range []bool{false, true} {
		for _, asked := range []bool{false, true} {
			w := infoWorld(t)
			asks, on := w.link(), w.link()
			w.app().registers("ccnx:/a/here")
			w.route("ccnx:/a", on)
			var opts []func(*tlv.Info)
			if own {
				opts = append(opts, infoCRC)
			}
			if asked {
				opts = append(opts, infoFlags(tlv.InfoFlagValidate|tlv.InfoFlagCache))
			}
			for _, uri := range []string{"ccnx:/a/here", "ccnx:/b", "ccnx:/a/there"} {
				asks.sends(infoRequest(t, append(opts, infoName(t, uri))...))
				crc, to := asked, asks
				if uri == "ccnx:/a/there" {
					crc, to = own, on
				}
				i := decodeInfo(t, to.takes(1)[0])
				if got := i.Validation.Alg == tlv.AlgCRC32C; got != crc {
					t.Errorf("%s: own %v, asked for %v: checksum %v", uri, own, asked, got)
				}
			}
		}
	}
}

// raw is a CCNinfo packet in hex, for what no encoder makes.
type raw struct {
	typ, limit, code byte
	hop, msg         string
	crc              bool
}

func (r raw) bytes(t testing.TB) []byte {
	t.Helper()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		must(t, err)
		return b
	}
	hop, msg := unhex(r.hop), unhex(r.msg)
	header := tlv.FixedHeaderLen + len(hop)
	b := append([]byte{1, r.typ, 0, 0, r.limit, r.code, 0x77, byte(header)}, hop...)
	b = binary.BigEndian.AppendUint16(append(b, 0, 5), uint16(len(msg)))
	b = append(b, msg...)
	if r.crc {
		b = append(b, 0, 3, 0, 4, 0, 2, 0, 0)
		sum := crc32.Checksum(b[header:], crc32.MakeTable(crc32.Castagnoli))
		b = binary.BigEndian.AppendUint32(append(b, 0, 4, 0, 4), sum)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// TestInfoSplice: what passes a node is the same but for what the node has to change,
// and so is a Reply: unknown TLVs, flags and a reserved byte included.
func TestInfoSplice(t *testing.T) {
	const (
		unknown = "7abc 0003 010203"
		theirs  = "0009 000d 00000003 0000 0005 0001 0001 62" // of ccnx:/b
		ours    = "0009 0010 aabbccdd 0000 0008 0001 0004 68657265"
		message = "0000 0005 0001 0001 61 000d 000d 00000001 0000 0005 0001 0001 63 7abd 0001 ff 000f 0000"
		reply   = "000e 0010 aabbccdd 0000 0008 0001 0004 68657265"
	)
	for _, c := range []struct {
		name       string
		here       bool
		send, want raw
	}{
		{
			"passed on, skipped", false,
			raw{3, 9, 0, unknown + "0008 0004 8001 15f0" + theirs + unknown, message, true},
			raw{3, 8, 0, unknown + "0008 0004 8001 05f0" + theirs + unknown, message, true},
		},
		{
			"passed on", false,
			raw{3, 9, 7, unknown + "0008 0004 8001 05f8" + theirs + unknown, message, true},
			raw{3, 8, 7, unknown + "0008 0004 8001 05f8" + theirs + unknown + ours, message, true},
		},
		{
			"refused", false,
			raw{3, 1, 7, theirs + "0008 0004 8001 05f0" + unknown, message, true},
			raw{4, 1, 4, theirs + "0008 0004 8001 05f0" + unknown + ours, message, false},
		},
		{
			"refused, validated", false,
			raw{3, 1, 7, "0008 0004 8001 05f8" + unknown, message, false},
			raw{4, 1, 4, "0008 0004 8001 05f8" + unknown + ours, message, true},
		},
		{
			"answered", true,
			raw{3, 1, 7, theirs + "0008 0004 8001 05f0" + unknown, message, true},
			raw{4, 1, 0, theirs + "0008 0004 8001 05f0" + unknown, message + reply, false},
		},
		{
			"answered, validated", true,
			raw{3, 1, 7, theirs + "0008 0004 8001 05f8" + unknown, message, false},
			raw{4, 1, 0, theirs + "0008 0004 8001 05f8" + unknown, message + reply, true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := infoWorld(t)
			w.now = arrivedAt(t, 0xaabbccdd)
			asks, on := w.app(), w.link()
			w.route("ccnx:/a", on)
			if c.here {
				w.app().registers("ccnx:/a")
			}
			asks.sends(c.send.bytes(t))
			if c.want.typ == 3 {
				on.gets(c.want.bytes(t))
			} else {
				asks.gets(c.want.bytes(t))
			}
		})
	}
}

// TestInfoNoSpace: where a report does not fit into the header, or a Reply into 1280
// bytes, that is the answer.
func TestInfoNoSpace(t *testing.T) {
	const maxReply = 1280
	const report = 4 + 4 + 4 + 4 + len("here")
	// header is a Request whose header has n bytes.
	header := func(n int) []byte {
		return infoRequest(t, infoCRC, reports(t, "ccnx:/"+strings.Repeat("z", n-8-8-16)))
	}
	for n, fits := range map[int]bool{tlv.MaxHeaderLen - report: true, tlv.MaxHeaderLen - report + 1: false} {
		w := infoWorld(t)
		asks, on := w.app(), w.link()
		w.route("ccnx:/a", on)
		pkt := asks.sends(header(n))
		if fits {
			on.gets(w.hop(pkt))
			continue
		}
		asks.gets(bare(t, pkt, tlv.InfoNoSpace))
		w.infos(0)
		w.app().registers("ccnx:/a/x") // an answer needs no report
		asks.sends(pkt)
		asks.gets(w.answer(pkt))
	}
	w := infoWorld(t)
	asks := w.app()
	pkt := asks.sends(header(tlv.MaxHeaderLen)) // nor does a refusal fit
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	pkt = asks.sends(infoRequest(t, reports(t, "ccnx:/here", "ccnx:/"+strings.Repeat("z", 190))))
	asks.gets(bare(t, pkt, tlv.InfoFatal|tlv.InfoNoSpace))

	// long has a name and a client of so many bytes together.
	long := func(n int, opts ...func(*tlv.Info)) []byte {
		return infoRequest(t, append(opts, func(i *tlv.Info) {
			i.Name = mustName(t, "ccnx:/a/"+strings.Repeat("x", 900))
			i.Request.Node = mustName(t, "ccnx:/"+strings.Repeat("y", n-900))
		})...)
	}
	put := w.app()
	put.data("ccnx:/a/" + strings.Repeat("x", 900))
	n := 1000
	for len(w.answer(long(n))) < maxReply {
		n++
	}
	pkt = asks.sends(long(n))
	asks.gets(w.answer(pkt))
	pkt = asks.sends(long(n + 1))
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	pkt = asks.sends(long(n, infoFlags(tlv.InfoFlagValidate)))
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	pkt = asks.sends(long(900+20, infoFlags(tlv.InfoFlagCache)))
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))

	for len(w.refusal(long(n, infoHops(0, 0)), tlv.InfoNoInfo)) < maxReply {
		n++
	}
	w.f.drops = control.Drops{}
	pkt = asks.sends(long(n, infoHops(0, 0)))
	asks.gets(w.refusal(pkt, tlv.InfoNoInfo))
	pkt = asks.sends(long(n+1, infoHops(0, 0)))
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	w.drops(control.Drops{HopLimit: 2})
	for len(bare(t, long(n, infoHops(0, 0)), 0)) < maxReply {
		n++
	}
	pkt = asks.sends(long(n, infoHops(0, 0)))
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	w.drops(control.Drops{HopLimit: 1})
	asks.sends(long(n+1, infoHops(0, 0)))
	w.drops(control.Drops{HopLimit: 1, TooLarge: 1})
}

// bare is a refusal of pkt without a report.
func bare(t testing.TB, pkt []byte, code tlv.InfoCode) []byte {
	t.Helper()
	b, err := tlv.AppendInfoError(nil, pkt, code, tlv.InfoStamp{})
	must(t, err)
	return b
}

// TestInfoNarrowFaces: what does not fit a face does not go there.
func TestInfoNarrowFaces(t *testing.T) {
	w := infoWorld(t)
	pkt := infoRequest(t)
	n := len(w.hop(pkt))
	asks, fits, narrow := w.app(), w.face(FaceOptions{Kind: Link, MaxPacket: n}), w.face(FaceOptions{Kind: Link, MaxPacket: n - 1})
	w.route("ccnx:/a", narrow)
	asks.sends(pkt)
	asks.gets(bare(t, pkt, tlv.InfoNoSpace))
	w.route("ccnx:/a", narrow, fits)
	w.strategy("ccnx:/a", All)
	asks.sends(pkt)
	fits.gets(w.hop(pkt))

	on := w.link()
	w.route("ccnx:/b", on)
	narrow.sends(infoRequest(t, infoName(t, "ccnx:/b")))
	on.takes(1)
	on.sends(infoReply(t, infoName(t, "ccnx:/b"), func(i *tlv.Info) { i.Blocks = []tlv.InfoBlock{{Name: mustName(t, "ccnx:/b")}} }))
	w.drops(control.Drops{TooLarge: 1})
	w.infos(1)
}
