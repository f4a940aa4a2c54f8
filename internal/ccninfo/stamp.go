package ccninfo

import (
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// epoch is what cefnetd adds to the Unix time, in seconds, before it takes the low 16
// bits: the distance to NTP's epoch modulo 2^16 (sheet k).
const epoch = 32384

// Stamp is t as CCNinfo writes it: 16 bits of seconds, then 16 bits of a fraction. It
// repeats after 18 hours.
func Stamp(t time.Time) uint32 {
	return uint32(t.Unix()+epoch)<<16 | uint32(int64(t.Nanosecond())<<16/int64(time.Second))
}

// Between is the time from one stamp to another, less than 9 hours before or after it;
// it is exact to 15 microseconds.
func Between(from, to uint32) time.Duration {
	return time.Duration(int64(int32(to-from)) * int64(time.Second) >> 16)
}

// Reason is a return code in words (RFC 9344).
func Reason(c tlv.InfoCode) string {
	if r, ok := reasons[c]; ok {
		return r
	}
	return fmt.Sprintf("unknown code 0x%02x", uint8(c))
}

var reasons = map[tlv.InfoCode]string{
	tlv.InfoNoError:   "no error",
	0x01:              "wrong interface",
	0x02:              "invalid request",
	tlv.InfoNoRoute:   "no route",
	tlv.InfoNoInfo:    "no information",
	tlv.InfoNoSpace:   "no space in the packet",
	0x06:              "information hidden",
	tlv.InfoAdminProh: "prohibited by the administrator",
	0x0F:              "unknown request",
}
