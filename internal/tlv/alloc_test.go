package tlv

import "testing"

// TestAllocs: the paths that every chunk takes stay off the heap.
func TestAllocs(t *testing.T) {
	interestPkt := golden(t, "interest/libcefore/keyidrestr-1")
	symbolicPkt := golden(t, "interest/cefgetfile/symbolic-1")
	dataPkt := golden(t, "data/cefputfile/crc32c-data-1")
	orgPkt := golden(t, "data/cefpyco/org-1")
	interest, object := benchInterest(t), benchObject(t, 1024)
	summed := benchObject(t, 1024)
	summed.Summed, summed.Validation = true, Validation{}
	summedPkt, err := summed.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	var batch Batch
	buf := make([]byte, 0, MaxPacketLen)
	ok := true
	tests := []struct {
		name string
		f    func()
	}{
		{"encode Interest", func() { _, err := interest.AppendTo(buf); ok = ok && err == nil }},
		{"encode Object with crc32c", func() { _, err := object.AppendTo(buf); ok = ok && err == nil }},
		{"encode summed Object", func() { _, err := summed.AppendTo(buf); ok = ok && err == nil }},
		{"decode and check summed Object", func() { var o Object; ok = ok && o.Decode(summedPkt) == nil && o.Summed && o.Check() == nil }},
		{"encode chunk names", func() { buf = interest.Name.WithChunk(77).AppendTo(buf)[:0] }},
		{"decode Interest", func() { var i Interest; ok = ok && i.Decode(interestPkt) == nil }},
		{"decode symbolic Interest", func() { var i Interest; ok = ok && i.Decode(symbolicPkt) == nil && i.Symbolic() }},
		{"decode Object", func() { var o Object; ok = ok && o.Decode(orgPkt) == nil }},
		{"decode and check Object", func() { var o Object; ok = ok && o.Decode(dataPkt) == nil && o.Validation.Check() == nil }},
		{"peek", func() { typ, _, err := PeekName(dataPkt); ok = ok && err == nil && typ == PacketObject }},
		{"batch", func() {
			for range 8 {
				batch.Append(dataPkt)
				ok = ok && batch.Encode(interest.AppendTo) == nil
			}
			batch.Reset(1 << 20)
		}},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 || !ok {
			t.Errorf("%s: %v allocations, success %v; want 0, true", tt.name, n, ok)
		}
	}
}
