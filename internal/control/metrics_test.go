package control

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
)

// sampleStatus is a status with something in each of its parts.
func sampleStatus() *NodeStatus {
	return &NodeStatus{
		Version: "1.2", PID: 7, UptimeMS: 61500, NodeName: "ccnx:/n1", Socket: "/tmp/cef_9695.0", Port: 9695, Listening: []Addr{"udp://127.0.0.1:9695"},
		Faces: []Face{
			{ID: 3, Kind: "app", RxPackets: 10, TxPackets: 20, RxBytes: 1000, TxBytes: 2000, QueueDrops: 1, Pending: 2},
			{ID: 4, Kind: "udp", Addr: "udp://192.0.2.7:9695", Static: true, Down: true, RxPackets: 1 << 53},
		},
		Apps: []App{{Prefix: "ccnx:/secret", Faces: []uint64{3}}}, AppNum: 1,
		Routes:   []Route{{Prefix: "ccnx:/far", Strategy: "best", NextHops: []NextHop{{Face: 4, Addr: "udp://192.0.2.7:9695", Cost: 1, Down: true, RTTMS: 2.5, Interests: 9, Answered: 8}}}},
		RouteNum: 12,
		PIT:      PIT{Entries: 2, Size: 65535, PerFace: 1000, Expired: 4},
		Store:    Store{Objects: 3, Bytes: 4096, Capacity: 1 << 20, Policy: "lru", Hits: 5, Misses: 6, Evicted: 7},
		Packets:  Packets{RxInterests: 100, TxInterests: 90, RxSymbolic: 1, RxData: 80, TxData: 85, RxReturns: 2, TxReturns: 3, Aggregated: 4, RxInfo: 5},
		Drops:    Drops{Malformed: 1, Corrupt: 2, HopLimit: 3, NoRoute: 4, PITFull: 5, FaceQuota: 6, Unsolicited: 7, Unexpected: 8, RemoteApp: 9, Rejected: 10, FacesFull: 11, RestrictFail: 12, TooLarge: 13}, Garbage: 14,
		Sockets: []Socket{{Addr: "udp://127.0.0.1:9695", Refused: 1, TooLarge: 2, Fragmented: 3, QueueDrops: 4}},
		Pending: []Pending{{Name: "ccnx:/secret/Chunk=1", Down: []uint64{3}, Up: []uint64{4}, ExpiresMS: 100}},
	}
}

func TestWriteMetrics(t *testing.T) {
	var b strings.Builder
	must(t, WriteMetrics(&b, sampleStatus()))
	want, err := os.ReadFile("testdata/metrics.txt")
	must(t, err)
	if b.String() != string(want) {
		t.Errorf("got\n%s", b.String())
	}
	if strings.Contains(b.String(), "secret") || strings.Contains(b.String(), "far") {
		t.Error("a name became a label")
	}
	checkExposition(t, b.String())
}

var (
	headLine   = regexp.MustCompile(`^# (HELP|TYPE) (cefgo_[a-z_]+) (.+)$`)
	sampleLine = regexp.MustCompile(`^(cefgo_[a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [-+0-9.e]+$`)
)

// checkExposition holds a text against the rules of format 0.0.4: HELP and TYPE come
// once, before the family's samples, which stand together; counters end in _total.
func checkExposition(t *testing.T, text string) {
	t.Helper()
	seen := make(map[string]bool)
	family, typ := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := headLine.FindStringSubmatch(line); m != nil {
			if m[1] == "HELP" {
				if seen[m[2]] {
					t.Errorf("%s comes twice", m[2])
				}
				seen[m[2]], family, typ = true, m[2], ""
			} else if typ = m[3]; m[2] != family || (typ == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("%s", line)
			}
			continue
		}
		if m := sampleLine.FindStringSubmatch(line); m == nil || m[1] != family || typ == "" {
			t.Errorf("%q in family %q", line, family)
		}
	}
}

// TestMetricsEscape: nothing in a label breaks its line.
func TestMetricsEscape(t *testing.T) {
	s := sampleStatus()
	s.Version = "a\"b\\c\nd\xff"
	var b strings.Builder
	must(t, WriteMetrics(&b, s))
	if !strings.Contains(b.String(), `cefgo_build_info{version="a\"b\\c\nd�"} 1`+"\n") {
		t.Errorf("%s", b.String()[:200])
	}
	checkExposition(t, b.String())
}

func TestMetricsWriteError(t *testing.T) {
	if err := WriteMetrics(failing{}, sampleStatus()); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestDropsList: each reason of the JSON is a label.
func TestDropsList(t *testing.T) {
	reasons := make(map[string]any)
	raw, err := json.Marshal(Drops{})
	must(t, err)
	must(t, json.Unmarshal(raw, &reasons))
	for _, l := range (&Drops{}).list() {
		if reasons[l.label] == nil {
			t.Errorf("%s is no reason", l.label)
		}
		delete(reasons, l.label)
	}
	if len(reasons) > 0 {
		t.Errorf("reasons without a label: %v", reasons)
	}
}
