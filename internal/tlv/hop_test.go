package tlv

import (
	"bytes"
	"math"
	"testing"
	"time"
)

func TestLifetime(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want uint64
	}{
		{math.MinInt64, 1},
		{0, 1},
		{1, 1},
		{time.Millisecond, 1},
		{time.Millisecond + 1, 2},
		{4 * time.Second, 4000},
		{65535 * time.Millisecond, 65535},
		{65535*time.Millisecond + 1, 65535},
		{time.Hour, 65535},
		{math.MaxInt64, 65535},
	}
	for _, tt := range tests {
		got := Lifetime(tt.d)
		if got != Some(tt.want) {
			t.Errorf("%v: %v, want %d", tt.d, got, tt.want)
		}
		h := HopByHop{Lifetime: got}
		if h.LifetimeOf() != time.Duration(tt.want)*time.Millisecond {
			t.Errorf("%v: LifetimeOf %v", tt.d, h.LifetimeOf())
		}
	}
	for want, h := range map[time.Duration]HopByHop{
		DefaultLifetime:                   {},
		0:                                 {Lifetime: CancelLifetime},
		math.MaxInt64 / 1000000 * 1000000: {Lifetime: Some[uint64](math.MaxUint64)},
	} {
		if got := h.LifetimeOf(); got != want {
			t.Errorf("%+v: LifetimeOf %v, want %v", h.Lifetime, got, want)
		}
	}
}

func TestTimestamp(t *testing.T) {
	at := time.Date(2026, 11, 20, 1, 2, 3, 4e6, time.UTC)
	if got := TimestampOf(at).Time(); !got.Equal(at) {
		t.Errorf("%v, want %v", got, at)
	}
	if got := TimestampOf(time.Time{}); got != 0 {
		t.Errorf("the zero time: %d, want 0", got)
	}
	tests := []struct {
		ts   Timestamp
		want time.Time
	}{
		{0, time.Unix(0, 0)},
		{978274799999999, time.UnixMilli(978274799999999)},
		{978274800000000, time.UnixMicro(978274800000000)},
		{math.MaxUint64, time.UnixMicro(math.MaxInt64)},
	}
	for _, tt := range tests {
		if got := tt.ts.Time(); !got.Equal(tt.want) {
			t.Errorf("%d: %v, want %v", tt.ts, got, tt.want)
		}
	}
}

// TestMark: cefgo's mark is a vendor TLV that Cefore has no eyes for.
func TestMark(t *testing.T) {
	i := Interest{Name: mustName(t, "ccnx:/a")}
	i.Mark = true
	pkt, err := i.AppendTo(nil)
	if want := unhex(t, "0fff 0008 007ed9 636566676f"); err != nil || !bytes.Equal(pkt[FixedHeaderLen:pkt[7]], want) {
		t.Fatalf("%x, %v; want %x", pkt[FixedHeaderLen:pkt[7]], err, want)
	}
	var got Interest
	if err := got.Decode(pkt); err != nil || !got.Mark || got.Vendor != nil {
		t.Errorf("%+v, %v", got, err)
	}
	pkt[FixedHeaderLen+7] = 'x'
	if err := got.Decode(pkt); err != nil || got.Mark {
		t.Errorf("changed: %+v, %v", got, err)
	}
}

func TestVendor(t *testing.T) {
	v := Vendor(unhex(t, "0001 8005 0004 00000009 0013 8004 0000"))
	var got []VendorItem
	for i := range v.Items() {
		got = append(got, i)
	}
	if len(got) != 4 || got[0].Value != nil || !bytes.Equal(got[1].Value, []byte{0, 0, 0, 9}) || got[3].Value == nil {
		t.Errorf("items %+v", got)
	}
	for flag, want := range map[uint16]bool{FlagSymbolic: true, FlagReflexive: true, 0x8004: true, FlagLongLife: false, 0: false, 9: false} {
		if v.Has(flag) != want || Vendor(nil).Has(flag) {
			t.Errorf("Has(%#x) = %v", flag, v.Has(flag))
		}
	}
	for range v.Items() {
		break // stops
	}
}
