package control

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// captured is what a cefnetd 0.12.0 said to cefstatus -s -m: routes of every kind, and
// pending Interests.
func captured(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/cefnetd-status.txt")
	must(t, err)
	return string(b)
}

// TestParseAll: every table of a captured status, as its JSON.
func TestParseAll(t *testing.T) {
	s, err := Parse(captured(t))
	must(t, err)
	if want := []StatusPending{
		{Name: "ccnx:/far/x/Chunk=3", Down: []uint64{45}, Up: []uint64{35}}, {Name: "ccnx:/fars/y/Chunk=3", Down: []uint64{46}, Up: []uint64{35}},
	}; !reflect.DeepEqual(s.PIT.Pending, want) {
		t.Errorf("%+v", s.PIT.Pending)
	}
	got, err := json.MarshalIndent(s, "", "\t")
	must(t, err)
	want, err := os.ReadFile("testdata/cefnetd-status.json")
	must(t, err)
	if strings.TrimSpace(string(want)) != string(got) {
		t.Errorf("got\n%s", got)
	}
}

// TestParseLines: lines that the capture has not.
func TestParseLines(t *testing.T) {
	const head = "CCNx Version     : 1\nPort             : 9695\n"
	seven := uint64(7)
	on := true
	for text, want := range map[string]Status{
		"Interest Return  : Enabled\n":  {Returns: &on},
		"FWD Strategy     : flooding\n": {Strategy: "flooding"},
		"Faces : 5\n  faceid =  75 : address = 127.0.0.1:9711 (udp) # down\n  faceid =   1 : Local face (for cefbabeld)\n" +
			"  faceid =  80 : address = [fe80::1%eth0]:9695 (tcp) # 12\n  faceid =   9 : Local face # down\n  faceid =  81 : IPv6 Listen Face ([::1]:9700/tcp)\n" +
			"  faceid =  82 : something else\n  face 83 : Local face\n": {
			Listening: []Addr{"tcp://[::1]:9700"},
			Faces: []StatusFace{
				{ID: 1, Kind: "babel"}, {ID: 9, Kind: "app", Down: true},
				{ID: 75, Kind: "udp", Addr: "udp://127.0.0.1:9711", Down: true}, {ID: 80, Kind: "tcp", Addr: "tcp://[fe80::1%eth0]:9695"},
			},
		},
		"FIB(App) : 2\n    Faces : 1\n  ccnx:/b\n    Faces : 32\n  ccnx:/a\n    Faces : 33 34 \n": {
			Apps: []App{{Prefix: "ccnx:/a", Faces: []uint64{33, 34}}, {Prefix: "ccnx:/b", Faces: []uint64{32}}},
		},
		// of cefgo's forwarder: faces in one line, without flags
		"FIB : 1\n    Faces : 1\n  ccnx:/a\n    Faces : 33 34\n                     TxInt=7 (RGL[7], SYM[0], SEL[0])\n": {
			RouteNum: 1, Routes: []StatusRoute{{Prefix: "ccnx:/a", NextHops: []StatusHop{{Face: 33}, {Face: 34, Interests: &seven}}}},
		},
		"FIB : 1\n  ccnx:/a\n    Faces : (csd) x\n    Faces : 1 (csd) RtCost=-2 \n": {
			RouteNum: 1, Routes: []StatusRoute{{Prefix: "ccnx:/a", NextHops: []StatusHop{{Face: 1, Origin: "controller+static+dynamic", Cost: -2}}}},
		},
		"PIT(App) : 1\n  ccnx:/s\n    DownFaces : 4 \n    UpFaces   : \n": {
			AppPIT: StatusPIT{Entries: 1, Pending: []StatusPending{{Name: "ccnx:/s", Down: []uint64{4}, Up: []uint64{}}}},
		},
		"PIT : 200\n    DownFaces : 4 \n  ccnx:/a/Chunk=1\n    DownFaces : 4 5 \n    UpFaces   : 6 \nand more...\n    DownFaces : 9 \n": {
			PIT: StatusPIT{Entries: 200, Pending: []StatusPending{{Name: "ccnx:/a/Chunk=1", Down: []uint64{4, 5}, Up: []uint64{6}}}},
		},
	} {
		got, err := Parse(head + text)
		want.Text, want.Port = head+text, 9695
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

// TestRoute: a name is found among the prefixes as cefnetd prints them.
func TestRoute(t *testing.T) {
	s, err := Parse(captured(t))
	must(t, err)
	for uri, hops := range map[string]int{
		"ccnx:/far": 3, "ccnx:/": 1, "ccnx:/0x61ff/App:5=x/0x0004=v/0x3d3d": 2, "ccnx:/fa": 0, "ccnx:/far/x": 0, "ccnx:/far4": 1,
	} {
		name, err := tlv.ParseName(uri, tlv.PercentLiteral)
		must(t, err)
		r, ok := s.Route(name)
		if ok != (hops > 0) || len(r.NextHops) != hops {
			t.Errorf("%s: %+v, %v", uri, r, ok)
		}
	}
}

// FuzzParse: whatever a forwarder says, fields are within their bounds, tables are in
// order, and without a status there are none.
func FuzzParse(f *testing.F) {
	for _, text := range vectors(f) {
		f.Add(text)
	}
	f.Add(status)
	f.Add(captured(f))
	f.Fuzz(func(t *testing.T, text string) {
		st, err := Parse(text)
		if err != nil {
			if !reflect.DeepEqual(st, Status{}) || !errors.Is(err, ErrNoStatus) {
				t.Errorf("%+v, %v", st, err)
			}
			return
		}
		if st.Text != text || st.Port < 0 || st.Port > 65535 || st.CacheCapacity < 0 || st.CacheMode != strings.TrimSpace(st.CacheMode) || st.PIT.Entries < 0 || st.RouteNum < 0 {
			t.Errorf("%+v", st)
		}
		if !slices.IsSortedFunc(st.Routes, func(a, b StatusRoute) int { return strings.Compare(a.Prefix, b.Prefix) }) {
			t.Error("routes in no order")
		}
		for _, r := range st.Routes {
			if !strings.HasPrefix(r.Prefix, "ccnx:/") || r.NextHops == nil {
				t.Errorf("%+v", r)
			}
		}
		if _, err := json.Marshal(st); err != nil {
			t.Error(err)
		}
	})
}
