package pipeline

import "github.com/cefgo/cefgo/internal/tlv"

// Beginning is what a fetch knows of the content when it is about to write its
// first payload.
type Beginning struct {
	First       uint64          // the chunk that comes first
	PayloadSize int             // of that chunk, in bytes
	Version     []byte          // see Result.Version
	End         tlv.Opt[uint64] // the content's last chunk, where it is known already
}

// begin tells Options.Begin, before the first payload.
func (f *fetch) begin(payload []byte) error {
	if f.begun || f.o.Begin == nil {
		return nil
	}
	f.begun = true
	b := Beginning{First: f.base, PayloadSize: len(payload), Version: f.version}
	if k, ok := f.contentEnd(); ok {
		b.End = tlv.Some(k)
	}
	return f.o.Begin(b)
}
