package object

import (
	"errors"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

func TestVersionNames(t *testing.T) {
	of, version := mustName(t, "ccnx:/a/b/Chunk=4"), []byte{0xab, 0, 1}
	manifest, err1 := ManifestName(of)
	chunks, err2 := VersionName(of, version, 16000)
	runs, err3 := RunsName(of, version)
	list, err4 := ListName(of, version)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		manifest.String(): "ccnx:/a/b/.cefgo/manifest",
		chunks.String():   "ccnx:/a/b/.cefgo/v/ab0001/16000",
		runs.String():     "ccnx:/a/b/.cefgo/v/ab0001/runs",
		list.String():     "ccnx:/a/b/.cefgo/v/ab0001/list",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, tt := range []struct {
		name tlv.Name
		want Part
	}{
		{manifest, Part{Kind: KindManifest}},
		{chunks, Part{Kind: KindVersion, Block: 16000, Version: []byte("ab0001")}},
		{runs, Part{Kind: KindRuns, Version: []byte("ab0001")}},
		{list, Part{Kind: KindList, Version: []byte("ab0001")}},
	} {
		p, ok := Split(tt.name.WithChunk(7))
		if !ok || p.Kind != tt.want.Kind || p.Of.String() != "ccnx:/a/b" || p.Block != tt.want.Block || string(p.Version) != string(tt.want.Version) {
			t.Errorf("%s is %+v (%v), want %+v", tt.name, p, ok, tt.want)
		}
	}
	long := longName(t, longest)
	for _, err := range []error{second(ManifestName(long)), second(VersionName(long, version, 60)), second(RunsName(long, version)), second(ListName(long, version))} {
		if !errors.Is(err, tlv.ErrTooLarge) {
			t.Errorf("a name that leaves no room: %v, want %v", err, tlv.ErrTooLarge)
		}
	}
}

func second(_ tlv.Name, err error) error { return err }

func TestSplit(t *testing.T) {
	for uri, kind := range map[string]Kind{
		"ccnx:/a":                          KindPlain,
		"ccnx:/a/manifest":                 KindPlain,
		"ccnx:/a/v/ab/16000":               KindPlain,
		"ccnx:/a/App:1=.cefgo/manifest":    KindPlain,
		"ccnx:/a/.cefgo/manifest":          KindManifest,
		"ccnx:/a/.cefgo/v/ab/60":           KindVersion,
		"ccnx:/a/.cefgo/v/ab/57344":        KindVersion,
		"ccnx:/a/.cefgo/v//60":             KindVersion, // of no version that there is
		"ccnx:/a/.cefgo/v/ab/runs":         KindRuns,
		"ccnx:/a/.cefgo/v/ab/59":           -1,
		"ccnx:/a/.cefgo/v/ab/57345":        -1,
		"ccnx:/a/.cefgo/v/ab/060":          -1,
		"ccnx:/a/.cefgo/v/ab/99999999999":  -1,
		"ccnx:/a/.cefgo/v/ab/":             -1,
		"ccnx:/a/.cefgo/v/ab/App:1=60":     -1,
		"ccnx:/a/.cefgo/v/ab/16000/x":      -1,
		"ccnx:/a/.cefgo/v/ab":              -1,
		"ccnx:/a/.cefgo/v":                 -1,
		"ccnx:/a/.cefgo":                   -1,
		"ccnx:/a/.cefgo/x":                 -1,
		"ccnx:/a/.cefgo/x/b":               -1,
		"ccnx:/a/.cefgo/App:1=manifest":    -1,
		"ccnx:/.cefgo/manifest":            -1, // of nothing
		"ccnx:/a/.cefgo/manifest/meta":     -1,
		"ccnx:/a/.cefgo/x/.cefgo/manifest": KindManifest, // of what is never there
	} {
		want := kind >= 0
		p, ok := Split(mustName(t, uri))
		if ok != want || ok && p.Kind != kind {
			t.Errorf("%s is of kind %d (%v), want %d", uri, p.Kind, ok, kind)
		}
	}
	if p, ok := Split(tlv.Name{}); !ok || p.Kind != KindPlain {
		t.Errorf("no name: %+v, %v", p, ok)
	}
}
