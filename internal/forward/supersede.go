package forward

import (
	"bytes"

	"github.com/cefgo/cefgo/internal/tlv"
)

// supersede drops from the store the chunks of an older content that o's begins to
// replace, so that no reader gets a mix of the two when the newer one is pushed only
// in part. cefnetd keeps whatever it has of the old one (sheet g).
//
// That another content begins shows where a chunk replaces one of another payload, or
// of another version mark. What belongs to the newer one has its mark; without marks,
// its times, which cefputfile states alike in all chunks of one run. Where a producer
// states each chunk's own times, only the content's first chunk is taken for a
// beginning.
func (f *Forwarder) supersede(o *tlv.Object) {
	k, hasChunk := o.Name.Chunk()
	stored := f.store.Peek(o.Name)
	var old tlv.Object
	if !hasChunk || stored == nil || old.Decode(stored) != nil {
		return
	}
	marked := len(o.Version) > 0 || len(old.Version) > 0
	if marked && bytes.Equal(o.Version, old.Version) || !marked && bytes.Equal(o.Payload, old.Payload) {
		return
	}
	if !marked && k > 0 && !f.sameRun(o, f.store.Peek(o.Name.WithChunk(k-1))) {
		return
	}
	f.store.Retain(o.Name, func(pkt []byte) bool { return f.sameRun(o, pkt) })
}

// sameRun reports whether the packet pkt, which may be nil, was published together
// with o: under the same mark, or, where neither has one, with the same times.
func (f *Forwarder) sameRun(o *tlv.Object, pkt []byte) bool {
	var p tlv.Object
	return pkt != nil && p.Decode(pkt) == nil && bytes.Equal(p.Version, o.Version) &&
		(len(o.Version) > 0 || p.CacheTime == o.CacheTime && p.Expiry == o.Expiry)
}
