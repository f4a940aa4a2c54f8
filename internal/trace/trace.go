// Package trace owns the format of a fetch's trace: writing it and reading it.
//
// A trace is JSON Lines, one event a line, in the order in which they happened:
//
//	{"v":1,"t_ms":0,"type":"start","name":"ccnx:/a","cc":"cubic","window":4}
//	{"t_ms":12.034,"type":"data","chunk":0,"size_bytes":4096,"rtt_ms":11.874,"srtt_ms":11.874,"window":5,"in_flight":4}
//	{"t_ms":40.2,"type":"lost","chunk":7,"srtt_ms":12.1,"window":11.2,"in_flight":15}
//	{"t_ms":41.007,"type":"return","chunk":9,"code":6,"srtt_ms":12.1,"window":7.84,"in_flight":14}
//	{"t_ms":60.5,"type":"end"}
//
//	key         of             what
//	v           start          version of the format: 1
//	t_ms        all            time since the start of the run, milliseconds
//	type        all            see [Type]
//	fetch       all            which of the run's fetches, from 0; left out where 0
//	name, cc    start          what is fetched, and the congestion control
//	chunk       data, lost, timeout, spurious, return
//	size_bytes  data           payload
//	rtt_ms      data           round trip of this answer
//	srtt_ms     all but start and end: the smoothed round trip
//	window      all but end    Interests that may be in flight
//	in_flight   all but start and end: Interests that are
//	code        return         the Interest Return's code (RFC 8609, 3.2.3.3)
//	error       end            why it failed; left out where it did not
//
// What is not known is left out: rtt_ms where the Interest was sent more than once,
// so that nobody knows which one was answered (Karn), srtt_ms before the first round
// trip, name, cc and window where the writer was not told. Numbers carry at most three
// decimals: times are whole microseconds. A string has at most 4096 bytes, a line
// 64 KiB.
//
// Keys and types are only ever added; a reader passes over those it does not know, and
// over a key of an event that it does not belong to.
package trace

import (
	"time"
	"unicode/utf8"
)

// Version is the version of the format.
const Version = 1

// Type is what happened.
type Type string

const (
	Start    Type = "start"    // a fetch begins
	Data     Type = "data"     // a chunk arrived
	Lost     Type = "lost"     // an Interest was taken for lost, as later ones were answered
	Timeout  Type = "timeout"  // an Interest was taken for lost by its timer
	Spurious Type = "spurious" // one taken for lost was answered all the same
	Return   Type = "return"   // an Interest Return arrived
	Silence  Type = "silence"  // nothing arrives: from here one probe at a time
	Relink   Type = "relink"   // the connection was made anew
	End      Type = "end"      // a fetch is over
)

// Event is one line of a trace. The package's comment says which fields belong to
// which type; the others are not written.
type Event struct {
	At       time.Duration // since the start of the run
	Type     Type
	Fetch    int    // which of several fetches of the run, from 0
	Name, CC string // what is fetched, and how
	Chunk    uint64
	Size     int           // payload, bytes
	RTT      time.Duration // of this answer; 0: not known
	SRTT     time.Duration // smoothed; 0: not known
	Window   float64       // Interests that may be in flight; 0: not known
	InFlight int           // Interests that are
	Code     uint8         // Interest Return code
	Error    string        // "": it went well
}

// field is a set of an event's keys.
type field uint8

const (
	ofStart field = 1 << iota // v, name, cc
	ofChunk
	ofData // size_bytes, rtt_ms
	ofReturn
	ofWindow
	ofFlight // srtt_ms, in_flight
	ofEnd
)

// fieldsOf returns the keys that belong to events of type t, beside t_ms, type and
// fetch; 0: t is not known.
func fieldsOf(t Type) field {
	switch t {
	case Start:
		return ofStart | ofWindow
	case Data:
		return ofChunk | ofData | ofWindow | ofFlight
	case Lost, Timeout, Spurious:
		return ofChunk | ofWindow | ofFlight
	case Return:
		return ofChunk | ofReturn | ofWindow | ofFlight
	case Silence, Relink:
		return ofWindow | ofFlight
	case End:
		return ofEnd
	}
	return 0
}

const (
	// maxLine is the longest line, with its newline.
	maxLine = 64 << 10
	// maxString is the longest string in bytes. Two of them, each byte escaped in
	// six, leave room in a line.
	maxString = 4096
	// maxNumber bounds times in milliseconds (31 years) and windows: up to there
	// the third decimal of a float64 is exact.
	maxNumber = 1e12
)

// cut shortens s to maxString bytes.
func cut(s string) string {
	const mark = "…"
	if len(s) <= maxString {
		return s
	}
	n := maxString - len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}
