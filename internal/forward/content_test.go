package forward

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestUnsolicitedData is kept: the publisher may leave.
func TestUnsolicitedData(t *testing.T) {
	w := newWorld(t, Options{})
	put, asks, has := w.app(), w.app(), w.app().registers("ccnx:/a")
	var d [4][]byte
	for k := range d {
		d[k] = put.data(fmt.Sprintf("ccnx:/a/x/Chunk=%d", k), payload(fmt.Sprint(k)), crc)
	}
	bare := put.data("ccnx:/a/x")
	put.leaves()
	for range 2 {
		for k := range d {
			asks.interest(fmt.Sprintf("ccnx:/a/x/Chunk=%d", k))
			asks.gets(d[k])
		}
		asks.interest("ccnx:/a/x")
		asks.gets(bare)
	}
	w.pending(0)
	w.quiet("answered from the store") // has included
	has.gets(asks.interest("ccnx:/a/x/Chunk=4"))
}

// TestOwnersData: what a registered application sends is not kept, for it can answer
// again, be it asked for or not; that of anybody else is.
func TestOwnersData(t *testing.T) {
	w := newWorld(t, Options{})
	asks, has, put := w.app(), w.app().registers("ccnx:/a"), w.app()
	has.gets(asks.interest("ccnx:/a/1"))
	asks.gets(has.data("ccnx:/a/1"))
	has.gets(asks.interest("ccnx:/a/1")) // asked again, not stored
	asks.gets(put.data("ccnx:/a/1", payload("put")))
	asks.interest("ccnx:/a/1")
	asks.gets(data(t, "ccnx:/a/1", payload("put")))
	has.data("ccnx:/a/2") // nobody asked, or no longer
	has.gets(asks.interest("ccnx:/a/2"))
	put.data("ccnx:/a/3")
	asks.interest("ccnx:/a/3")
	asks.gets(data(t, "ccnx:/a/3"))
	has.gets(asks.interest("ccnx:/a", symbolic))
	asks.gets(has.data("ccnx:/a/Chunk=0"))
	has.gets(asks.interest("ccnx:/a/Chunk=0"))
}

// TestKeptUntil: the earlier of expiry and recommended cache time; without either,
// as long as there is room. An expiry of 0 is none (sheet c).
func TestKeptUntil(t *testing.T) {
	const none = time.Duration(-1)
	for _, c := range []struct{ expiry, rct, kept time.Duration }{
		{none, none, time.Hour},
		{time.Minute, none, time.Minute},
		{none, time.Minute, time.Minute},
		{2 * time.Minute, time.Minute, time.Minute},
		{time.Minute, 2 * time.Minute, time.Minute},
		{0, none, 0},
		{none, 0, 0},
		{time.Minute, 0, 0},
		{0, time.Minute, 0},
		{-time.Minute, none, 0},
	} {
		t.Run(fmt.Sprintf("expiry %v, cache time %v", c.expiry, c.rct), func(t *testing.T) {
			w := newWorld(t, Options{})
			w.now = time.UnixMilli(begin.UnixMilli()) // as packets carry it
			start := w.now
			var opts []func(*tlv.Object)
			if c.expiry != none {
				opts = append(opts, expires(start.Add(c.expiry)))
			}
			if c.rct != none {
				opts = append(opts, cacheUntil(start.Add(c.rct)))
			}
			put, asks := w.app(), w.app()
			d := put.data("ccnx:/a", opts...)
			if c.kept > 0 {
				w.now = start.Add(c.kept - 1)
				asks.interest("ccnx:/a")
				asks.gets(d)
			}
			if c.kept == time.Hour {
				return
			}
			w.now = start.Add(c.kept)
			asks.interest("ccnx:/a")
			w.quiet("expired")
			if n := w.f.store.Stats().Objects; n != 0 {
				t.Errorf("%d objects stored", n)
			}
		})
	}
	w := newWorld(t, Options{})
	put, asks := w.app(), w.app()
	d := put.data("ccnx:/a", func(o *tlv.Object) { o.Expiry = tlv.Some[tlv.Timestamp](0) })
	asks.interest("ccnx:/a")
	asks.gets(d)
}

// TestPutAgain replaces, unlike cefnetd (sheet g); what may not be kept ends what was.
func TestPutAgain(t *testing.T) {
	w := newWorld(t, Options{})
	put, asks := w.app(), w.app()
	put.data("ccnx:/a/Chunk=0", payload("old"))
	d := put.data("ccnx:/a/Chunk=0", payload("new"))
	asks.interest("ccnx:/a/Chunk=0")
	asks.gets(d)
}

// TestRestrictions of an Interest are held against Data, stored or fresh; what does
// not meet them leaves it waiting (RFC 8569 2.1).
func TestRestrictions(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	signer, err := tlv.NewRSASigner(key)
	must(t, err)
	signed := func(o *tlv.Object) { o.Validation.Signer = signer }
	var o tlv.Object
	good := data(t, "ccnx:/a", signed)
	must(t, o.Decode(good))
	id, ok := o.Validation.KeyID()
	if !ok {
		t.Fatal("no key id")
	}
	sum := sha256.Sum256(good[tlv.FixedHeaderLen:])
	keyID := func(sum []byte) func(*tlv.Interest) {
		return func(i *tlv.Interest) { i.KeyID = tlv.Hash{Type: tlv.HashSHA256, Sum: sum} }
	}
	hash := func(sum []byte) func(*tlv.Interest) {
		return func(i *tlv.Interest) { i.ObjectHash = tlv.Hash{Type: tlv.HashSHA256, Sum: sum} }
	}
	wrong := make([]byte, 32)
	for _, c := range []struct {
		name      string
		opts      []func(*tlv.Interest)
		bad, good bool // which Data satisfies it
	}{
		{"none", nil, true, true},
		{"key id", []func(*tlv.Interest){keyID(id.Sum)}, false, true},
		{"another key id", []func(*tlv.Interest){keyID(wrong)}, false, false},
		{"hash", []func(*tlv.Interest){hash(sum[:])}, false, true},
		{"another hash", []func(*tlv.Interest){hash(wrong)}, false, false},
		{"both", []func(*tlv.Interest){keyID(id.Sum), hash(sum[:])}, false, true},
		{"key id and another hash", []func(*tlv.Interest){keyID(id.Sum), hash(wrong)}, false, false},
	} {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stored %v", c.name, stored), func(t *testing.T) {
				w := newWorld(t, Options{})
				asks, put := w.app(), w.app()
				for _, d := range []struct {
					pkt []byte
					ok  bool
				}{{data(t, "ccnx:/a"), c.bad}, {good, c.good}} {
					if stored {
						put.sends(d.pkt)
					}
					asks.interest("ccnx:/a", c.opts...)
					if !stored {
						put.sends(d.pkt)
					}
					if d.ok {
						asks.gets(d.pkt)
						w.pending(0)
					} else {
						w.quiet("restricted")
						w.pending(1)
					}
					asks.interest("ccnx:/a", cancel)
					asks.got = nil // from the store, where it was kept
					w.f = newForwarder(Options{PITSize: 10, CacheBytes: 1 << 20})
					asks.id, put.id = w.f.AddFace(asks, FaceOptions{}), w.f.AddFace(put, FaceOptions{})
				}
			})
		}
	}
}

// TestCorruptData goes only to those who check for themselves; it consumes nothing
// and is not kept.
func TestCorruptData(t *testing.T) {
	w := newWorld(t, Options{})
	ours, theirs, long, has := w.app(), w.app(), w.app(), w.app().registers("ccnx:/a")
	has.gets(ours.interest("ccnx:/a/Chunk=0", marked), theirs.interest("ccnx:/a/Chunk=0"), long.interest("ccnx:/a", symbolic))
	good := data(t, "ccnx:/a/Chunk=0", crc)
	bad := bytes.Clone(good)
	bad[len(bad)-20] ^= 1 // in the payload
	has.sends(bad)
	ours.gets(bad)
	w.quiet("corrupt")
	w.pending(2)
	has.sends(good)
	ours.gets(good)
	theirs.gets(good)
	long.gets(good)
	w.app().sends(bad) // unsolicited
	has.gets(theirs.interest("ccnx:/a/Chunk=0"))
	if w.f.drops.Corrupt != 2 || w.f.store.Stats().Objects != 0 {
		t.Errorf("%d corrupt, %+v", w.f.drops.Corrupt, w.f.store.Stats())
	}
	has.gets(ours.interest("ccnx:/a/Chunk=0", marked))
	ours.sends(bad) // its own
	w.quiet("corrupt Data of one who waits")
}

// TestUncheckableSignature: what this forwarder cannot check passes, as far as it is
// well formed.
func TestUncheckableSignature(t *testing.T) {
	w := newWorld(t, Options{})
	asks, put := w.app(), w.app()
	asks.interest("ccnx:/a")
	asks.gets(put.data("ccnx:/a", func(o *tlv.Object) {
		o.Validation = tlv.Validation{Alg: tlv.AlgHMACSHA256, Payload: make([]byte, 32)}
	}))
}
