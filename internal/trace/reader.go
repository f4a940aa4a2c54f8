package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"
)

// ErrCut is the error of a last line that has no end, as a run that was killed
// leaves it. All before it has been read.
var ErrCut = errors.New("the trace is cut short")

// LineError is the error of a line that is none of a trace.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Read reads a trace, one line at a time. The first error, of r or a *LineError, is
// the last that it yields; after one that is ErrCut the events before it are good.
// Events of unknown types and empty lines are passed over.
func Read(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		b := bufio.NewReaderSize(r, maxLine)
		for n := 1; ; n++ {
			line, rerr := b.ReadSlice('\n')
			if rerr != nil && !errors.Is(rerr, io.EOF) {
				if errors.Is(rerr, bufio.ErrBufferFull) {
					rerr = &LineError{n, fmt.Errorf("longer than %d bytes", maxLine)}
				}
				yield(Event{}, rerr)
				return
			}
			line = bytes.TrimSpace(line)
			if len(line) > 0 {
				e, err := parse(line)
				if err != nil && rerr != nil && n > 1 {
					err = ErrCut
				}
				if err != nil {
					yield(Event{}, &LineError{n, err})
					return
				}
				if fieldsOf(e.Type) != 0 && !yield(e, nil) {
					return
				}
			}
			if rerr != nil {
				return
			}
		}
	}
}

// wireEvent is a line as it stands. Numbers are floats where they have decimals.
type wireEvent struct {
	V        int     `json:"v"`
	At       float64 `json:"t_ms"`
	Type     Type    `json:"type"`
	Fetch    int     `json:"fetch"`
	Name     string  `json:"name"`
	CC       string  `json:"cc"`
	Chunk    uint64  `json:"chunk"`
	Size     int     `json:"size_bytes"`
	RTT      float64 `json:"rtt_ms"`
	SRTT     float64 `json:"srtt_ms"`
	Window   float64 `json:"window"`
	InFlight int     `json:"in_flight"`
	Code     uint8   `json:"code"`
	Error    string  `json:"error"`
}

// absent stands for a number that a line must have and does not.
const absent = -1

// parse reads a line.
func parse(line []byte) (Event, error) {
	w := wireEvent{At: absent}
	if err := json.Unmarshal(line, &w); err != nil {
		return Event{}, fmt.Errorf("not an event of a trace: %w", err)
	}
	switch {
	case w.Type == "":
		return Event{}, errors.New("not an event of a trace: it has no type")
	case w.At == absent:
		return Event{}, errors.New("not an event of a trace: it has no t_ms")
	case w.V > Version:
		return Event{}, fmt.Errorf("version %d of the format is not known, only %d is", w.V, Version)
	}
	for _, f := range []float64{w.At, w.RTT, w.SRTT, w.Window, float64(w.Fetch), float64(w.Size), float64(w.InFlight)} {
		if f < 0 || f > maxNumber {
			return Event{}, fmt.Errorf("not an event of a trace: %v is out of range", f)
		}
	}
	return w.event(), nil
}

// event returns what w says, of what belongs to its type.
func (w *wireEvent) event() Event {
	e := Event{At: millis(w.At), Type: w.Type, Fetch: w.Fetch}
	has := fieldsOf(w.Type)
	if has&ofStart != 0 {
		e.Name, e.CC = cut(w.Name), cut(w.CC)
	}
	if has&ofChunk != 0 {
		e.Chunk = w.Chunk
	}
	if has&ofData != 0 {
		e.Size, e.RTT = w.Size, millis(w.RTT)
	}
	if has&ofReturn != 0 {
		e.Code = w.Code
	}
	if has&ofWindow != 0 {
		e.Window = math.Round(w.Window*1000) / 1000
	}
	if has&ofFlight != 0 {
		e.SRTT, e.InFlight = millis(w.SRTT), w.InFlight
	}
	if has&ofEnd != 0 {
		e.Error = cut(w.Error)
	}
	return e
}

// millis is the duration of ms milliseconds, in whole microseconds.
func millis(ms float64) time.Duration {
	return time.Duration(math.Round(ms*1000)) * time.Microsecond
}
