package control

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

// printedByCefnetd is how cefnetd's tables print name, which its own parser does not
// always read back: a printable byte that a URI may not hold becomes two hexadecimal
// digits with no mark (sheet d). Two names can be printed alike.
func printedByCefnetd(name tlv.Name) string {
	var b strings.Builder
	b.WriteString("ccnx:")
	for s := range name.Segments() {
		b.WriteByte('/')
		switch {
		case s.Type >= tlv.SegmentAppFirst && s.Type <= tlv.SegmentAppLast:
			fmt.Fprintf(&b, "APP:%d=", s.Type-tlv.SegmentAppFirst)
		case s.Type != tlv.SegmentName:
			fmt.Fprintf(&b, "0x%04x=", uint16(s.Type))
		}
		writeValue(&b, s.Value)
	}
	return b.String()
}

func writeValue(b *strings.Builder, v []byte) {
	for _, c := range v {
		if c < ' ' || c > '~' {
			b.WriteString("0x" + hex.EncodeToString(v))
			return
		}
	}
	for _, c := range v {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-./_?%&~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, "%02x", c)
		}
	}
}
