package trace

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// bufferSize is how much a Writer keeps before it writes.
	bufferSize = 64 << 10
	// flushAfter is how far, in the events' time, what was written may lag behind.
	flushAfter = time.Second
)

// Writer writes a trace. What it was given reaches the io.Writer in large pieces, at
// the latest with the first event a second after it; a run that is killed leaves a
// trace that ends in the middle of a line at worst. A Writer is for one goroutine.
type Writer struct {
	w       io.Writer
	buf     []byte
	flushed time.Duration // the event time of the latest write
	err     error
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, buf: make([]byte, 0, bufferSize+maxLine)}
}

// Add writes an event. It does nothing after an error, which Flush returns.
func (w *Writer) Add(e Event) {
	if w.err != nil {
		return
	}
	if fieldsOf(e.Type) == 0 {
		w.err = fmt.Errorf("trace: unknown type of event %q", e.Type)
		return
	}
	w.buf = e.appendTo(w.buf)
	if len(w.buf) >= bufferSize || e.At-w.flushed >= flushAfter {
		w.flushed = e.At
		_ = w.Flush()
	}
}

// Flush writes what is buffered, and returns the first error of all that was written
// so far.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.buf, w.err = w.buf[:0], err
	return err
}

// appendTo appends e as a line.
func (e *Event) appendTo(b []byte) []byte {
	has := fieldsOf(e.Type)
	b = append(b, '{')
	if has&ofStart != 0 {
		b = append(b, `"v":1,`...)
	}
	b = append(b, `"t_ms":`...)
	b = appendMillis(b, e.At)
	b = append(b, `,"type":"`...)
	b = append(b, e.Type...)
	b = append(b, '"')
	if e.Fetch > 0 {
		b = append(b, `,"fetch":`...)
		b = strconv.AppendInt(b, int64(e.Fetch), 10)
	}
	if has&ofStart != 0 {
		b = appendText(b, `,"name":`, e.Name)
		b = appendText(b, `,"cc":`, e.CC)
	}
	if has&ofChunk != 0 {
		b = append(b, `,"chunk":`...)
		b = strconv.AppendUint(b, e.Chunk, 10)
	}
	if has&ofData != 0 {
		b = append(b, `,"size_bytes":`...)
		b = strconv.AppendInt(b, int64(max(e.Size, 0)), 10)
		b = appendRTT(b, `,"rtt_ms":`, e.RTT)
	}
	if has&ofReturn != 0 {
		b = append(b, `,"code":`...)
		b = strconv.AppendUint(b, uint64(e.Code), 10)
	}
	if has&ofFlight != 0 {
		b = appendRTT(b, `,"srtt_ms":`, e.SRTT)
	}
	if has&ofWindow != 0 && e.Window >= 0.001 && e.Window <= maxNumber {
		b = append(b, `,"window":`...)
		b = appendThousandths(b, uint64(math.Round(e.Window*1000)))
	}
	if has&ofFlight != 0 {
		b = append(b, `,"in_flight":`...)
		b = strconv.AppendInt(b, int64(max(e.InFlight, 0)), 10)
	}
	if has&ofEnd != 0 {
		b = appendText(b, `,"error":`, e.Error)
	}
	return append(b, '}', '\n')
}

// appendRTT appends a round trip, unless it is not known. One of less than a
// microsecond is one, not none.
func appendRTT(b []byte, key string, d time.Duration) []byte {
	if d <= 0 {
		return b
	}
	return appendMillis(append(b, key...), max(d, time.Microsecond))
}

// appendMillis appends d in milliseconds.
func appendMillis(b []byte, d time.Duration) []byte {
	us := max(d.Round(time.Microsecond), 0) / time.Microsecond
	return appendThousandths(b, min(uint64(us), maxNumber*1000))
}

// appendThousandths appends n/1000.
func appendThousandths(b []byte, n uint64) []byte {
	b = strconv.AppendUint(b, n/1000, 10)
	n %= 1000
	if n == 0 {
		return b
	}
	b = append(b, '.', byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// appendText appends a string as JSON, unless it is empty.
func appendText(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	b = append(append(b, key...), '"')
	for _, r := range cut(s) {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default: // a byte that is not UTF-8 is U+FFFD here
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
