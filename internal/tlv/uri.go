package tlv

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// uriScheme starts every name's URI (sheet d).
const uriScheme = "ccnx:/"

// NameError says why a URI is not a name.
type NameError struct {
	URI    string
	Reason string
}

func (e *NameError) Error() string {
	return fmt.Sprintf("bad name %q: %s", e.URI, e.Reason)
}

// URIMode says how "%" in a URI is read.
type URIMode bool

const (
	// PercentLiteral leaves "%" an ordinary character, as Cefore does.
	PercentLiteral URIMode = false
	// PercentDecode reads "%XX" as one byte (RFC 3986 2.1).
	PercentDecode URIMode = true
)

// ParseName reads a name from its URI by the rules of Cefore's own parser
// (sheet d), so that a URI means the same name in every tool:
//
//	ccnx:/a/b           plain segments; ccnx:/ is one empty segment
//	0xdeadbeef          a segment of these bytes
//	0x0004=v, App:5=v   a segment of that type; v may be 0x… too
//	NAME=v              the plain segment v
//	Chunk=7             a chunk number (at most 4294967295), at the end only
//
// A double quote is dropped, as Cefore drops it. Where Cefore refuses a
// character (a space, UTF-8, "=", "+", ":"), it stands for its own bytes.
// Errors are *[NameError].
func ParseName(uri string, mode URIMode) (Name, error) {
	fail := func(format string, args ...any) (Name, error) {
		return Name{}, &NameError{uri, fmt.Sprintf(format, args...)}
	}
	rest, ok := strings.CutPrefix(uri, uriScheme)
	if !ok {
		return fail("it must start with %s", uriScheme)
	}
	if strings.HasPrefix(rest, "/") {
		return fail("an empty first segment is written 0x0001=")
	}
	var n Name
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		s, chunk, err := parseSegment(strings.ReplaceAll(part, `"`, ""), mode)
		if err != nil {
			return fail("segment %q: %v", part, err)
		}
		if !chunk.OK {
			if n, err = n.Append(s); err != nil {
				return fail("longer than %d bytes", MaxNameLen)
			}
			continue
		}
		switch {
		case i == 0:
			return fail("a chunk number needs a name before it")
		case i != len(parts)-1:
			return fail("a chunk number must be the last segment")
		case !n.CanChunk():
			return fail("longer than %d bytes", MaxNameLen)
		}
		n = n.WithChunk(chunk.V)
	}
	return n, nil
}

// parseSegment reads one segment, or a chunk number.
func parseSegment(part string, mode URIMode) (Segment, Opt[uint64], error) {
	typ := SegmentName
	value := part
	if label, v, ok := strings.Cut(part, "="); ok {
		switch {
		case strings.EqualFold(label, "NAME"):
			value = v
		case strings.EqualFold(label, "Chunk"):
			return parseChunk(v)
		case hasFoldPrefix(label, "App:"):
			n, err := strconv.ParseUint(label[len("App:"):], 10, 16)
			if err != nil || n > uint64(SegmentAppLast-SegmentAppFirst) {
				return Segment{}, Opt[uint64]{}, fmt.Errorf("an application segment is App:0= to App:%d=", SegmentAppLast-SegmentAppFirst)
			}
			typ, value = SegmentAppFirst+SegmentType(n), v
		case hasFoldPrefix(label, "0x"):
			n, err := strconv.ParseUint(label[2:], 16, 16)
			if err != nil || len(label) != 6 {
				return Segment{}, Opt[uint64]{}, fmt.Errorf("a segment type is four hexadecimal digits, as in 0x0004=")
			}
			typ, value = SegmentType(n), v
			if typ == SegmentChunk {
				return parseChunk(v)
			}
		}
	}
	b, err := parseValue(value, mode)
	return Segment{typ, b}, Opt[uint64]{}, err
}

func parseChunk(digits string) (Segment, Opt[uint64], error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return Segment{}, Opt[uint64]{}, fmt.Errorf("a chunk number is 0 to 4294967295")
	}
	return Segment{}, Some(n), nil
}

func parseValue(v string, mode URIMode) ([]byte, error) {
	if digits, ok := strings.CutPrefix(v, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) == 0 {
			return nil, fmt.Errorf("0x needs an even number of hexadecimal digits behind it")
		}
		return b, nil
	}
	if mode == PercentLiteral || !strings.Contains(v, "%") {
		return []byte(v), nil
	}
	var b []byte
	for i := 0; i < len(v); i++ {
		if v[i] != '%' {
			b = append(b, v[i])
			continue
		}
		if i+2 >= len(v) {
			return nil, fmt.Errorf("%% needs two hexadecimal digits behind it")
		}
		c, err := hex.DecodeString(v[i+1 : i+3])
		if err != nil {
			return nil, fmt.Errorf("%% needs two hexadecimal digits behind it")
		}
		b = append(b, c...)
		i += 2
	}
	return b, nil
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// String returns the URI of n, which [ParseName] with [PercentLiteral] reads back
// as n, unless its chunk number is over 4294967295. So does Cefore's own parser, but
// for an empty first segment, of which it takes ccnx:/ only. A segment that Cefore
// could not read as text is written 0x….
func (n Name) String() string {
	if n.IsZero() {
		return ""
	}
	var b strings.Builder
	b.WriteString(uriScheme)
	alone := n.IsDefault()
	for at, s := range n.segments() {
		if at > 0 {
			b.WriteByte('/')
		}
		switch {
		case s.Type == SegmentName:
			if at == 0 && len(s.Value) == 0 && !alone {
				b.WriteString("0x0001=")
			}
		case s.Type >= SegmentAppFirst && s.Type <= SegmentAppLast:
			fmt.Fprintf(&b, "App:%d=", s.Type-SegmentAppFirst)
		default:
			fmt.Fprintf(&b, "0x%04x=", uint16(s.Type))
		}
		if isPlainText(s.Value) {
			b.Write(s.Value)
		} else {
			b.WriteString("0x" + hex.EncodeToString(s.Value))
		}
	}
	if k, ok := n.Chunk(); ok {
		fmt.Fprintf(&b, "/Chunk=%d", k)
	}
	return b.String()
}

// Display is [Name.String] for people: where a segment had to be written in
// hexadecimal but is readable text, the text of the whole name stands beside it.
func (n Name) Display() string {
	uri := n.String()
	var b strings.Builder
	readable, differs := true, false
	for s := range n.Segments() {
		b.WriteByte('/')
		b.Write(s.Value)
		differs = differs || (len(s.Value) > 0 && !isPlainText(s.Value))
		readable = readable && isReadable(s.Value)
	}
	if !differs || !readable {
		return uri
	}
	return fmt.Sprintf("%s (%q)", uri, b.String())
}

// isPlainText reports whether Cefore's parser takes v as it stands.
func isPlainText(v []byte) bool {
	if len(v) >= 2 && v[0] == '0' && v[1] == 'x' {
		return false
	}
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		case strings.IndexByte("-.?%&_~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

func isReadable(v []byte) bool {
	if !utf8.Valid(v) {
		return false
	}
	for _, r := range string(v) {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
