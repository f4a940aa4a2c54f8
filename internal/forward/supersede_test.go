package forward

import (
	"fmt"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// pushed is a chunk as it comes from a publisher.
type pushed struct {
	k       uint64
	payload string
	mark    string
	at      time.Duration // when its times were stated
}

// TestSupersede pushes one content over another and looks what the store holds then:
// never chunks of both.
func TestSupersede(t *testing.T) {
	run := func(payload, mark string, at time.Duration, ks ...uint64) (ps []pushed) {
		for _, k := range ks {
			ps = append(ps, pushed{k, fmt.Sprint(payload, k), mark, at})
		}
		return ps
	}
	own := func(ps []pushed) []pushed { // each chunk with its own times
		for i := range ps {
			ps[i].at += time.Duration(i) * time.Millisecond
		}
		return ps
	}
	for name, c := range map[string]struct {
		first, second []pushed
		want          string // the payloads of chunks 0 to 3
	}{
		"marked, in part":            {run("a", "1", 0, 0, 1, 2, 3), run("b", "2", 0, 0, 1), "b0 b1 - -"},
		"marked, begins late":        {run("a", "1", 0, 0, 1, 2, 3), run("b", "2", 0, 2), "- - b2 -"},
		"marked over unmarked":       {run("a", "", 0, 0, 1, 2, 3), run("b", "2", 0, 0), "b0 - - -"},
		"unmarked over marked":       {run("a", "1", 0, 0, 1, 2, 3), run("b", "", 0, 0), "b0 - - -"},
		"same mark":                  {run("a", "1", 0, 0, 1, 2, 3), run("a", "1", time.Hour, 0, 1), "a0 a1 a2 a3"},
		"cefputfile, in part":        {run("a", "", 0, 0, 1, 2, 3), run("b", "", time.Second, 0, 1), "b0 b1 - -"},
		"cefputfile, same beginning": {run("a", "", 0, 0, 1, 2, 3), append(run("a", "", time.Second, 0), run("b", "", time.Second, 1)...), "a0 b1 - -"},
		"same content, put again":    {run("a", "", 0, 0, 1, 2, 3), run("a", "", time.Second, 0, 1), "a0 a1 a2 a3"},
		"own times, from the start":  {run("a", "", 0, 0, 1, 2, 3), own(run("b", "", time.Second, 0, 1, 2)), "b0 b1 b2 -"},
		"own times, same beginning":  {run("a", "", 0, 0, 1, 2, 3), own(append(run("a", "", time.Second, 0), run("b", "", time.Second, 1)...)), "a0 b1 a2 a3"},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			f := newForwarder(Options{CacheBytes: 1 << 20, PITSize: 10})
			for _, p := range append(c.first, c.second...) {
				f.OnPacket(f.AddFace(new(count), FaceOptions{}), p.packet(t, now), now)
			}
			var got string
			for k := range uint64(4) {
				v := "-"
				var o tlv.Object
				if pkt := f.store.Peek(objectName(t).WithChunk(k)); pkt != nil && o.Decode(pkt) == nil {
					v = string(o.Payload)
				}
				got += " " + v
			}
			if got[1:] != c.want {
				t.Errorf("the store holds %s, want %s", got[1:], c.want)
			}
		})
	}
}

func objectName(t *testing.T) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName("ccnx:/a", tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (p pushed) packet(t *testing.T, now time.Time) []byte {
	t.Helper()
	o := tlv.Object{Name: objectName(t).WithChunk(p.k), Payload: []byte(p.payload), Expiry: tlv.Some(tlv.TimestampOf(now.Add(p.at + 2*time.Hour)))}
	o.CacheTime = o.Expiry
	if p.mark != "" {
		o.Version = []byte(p.mark)
	}
	pkt, err := o.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkt
}
