package node

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	must(t, err)
	return n
}

func load[T any](t testing.TB, file string) (v []T) {
	t.Helper()
	b, err := os.ReadFile("../tlv/testdata/" + file)
	must(t, err)
	must(t, json.Unmarshal(b, &v))
	return v
}

// vector is an entry of vectors.json.
type vector struct {
	ID  string `json:"id"`
	Hex string `json:"packet_hex"`
}

func (v vector) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	must(t, err)
	return b
}

func interest(t testing.TB, uri string, opts ...func(*tlv.Interest)) []byte {
	t.Helper()
	i := tlv.Interest{HopLimit: tlv.DefaultHopLimit, Name: mustName(t, uri)}
	for _, o := range opts {
		o(&i)
	}
	pkt, err := i.AppendTo(nil)
	must(t, err)
	return pkt
}

func lifetime(d time.Duration) func(*tlv.Interest) {
	return func(i *tlv.Interest) { i.Lifetime = tlv.Some(uint64(d / time.Millisecond)) }
}

func data(t testing.TB, uri string, opts ...func(*tlv.Object)) []byte {
	t.Helper()
	o := tlv.Object{Name: mustName(t, uri), Payload: []byte("payload")}
	for _, opt := range opts {
		opt(&o)
	}
	pkt, err := o.AppendTo(nil)
	must(t, err)
	return pkt
}

func payload(s string) func(*tlv.Object) { return func(o *tlv.Object) { o.Payload = []byte(s) } }

// show is packets for people: type, name and, of those that have one, return code
// or payload.
func show(pkts ...[]byte) string {
	var b strings.Builder
	for _, p := range pkts {
		t, n, err := tlv.PeekName(p)
		h, _ := tlv.ParseHeader(p)
		var o tlv.Object
		switch {
		case err != nil:
			fmt.Fprintf(&b, " {%x: %v}", p, err)
		case t == tlv.PacketObject && o.Decode(p) == nil:
			fmt.Fprintf(&b, " {%v %v %q}", t, n, o.Payload)
		default:
			fmt.Fprintf(&b, " {%v %d %v}", t, h.ReturnCode, n)
		}
	}
	return b.String()
}
