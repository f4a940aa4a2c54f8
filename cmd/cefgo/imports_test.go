package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the direction of imports: what each package of the module may
// import from it. ARCHITECTURE.md tells why.
var mayImport = map[string][]string{
	"internal/tlv":        {},
	"internal/cefore":     {},
	"internal/partfile":   {},
	"internal/transport":  {"internal/tlv"},
	"internal/object":     {"internal/tlv"},
	"internal/keys":       {"internal/tlv"},
	"internal/ping":       {"internal/tlv"},
	"internal/cs":         {"internal/tlv"},
	"internal/verify":     {},
	"internal/digest":     {"internal/object"},
	"internal/manifest":   {"internal/tlv", "internal/object"},
	"internal/control":    {"internal/tlv"},
	"internal/ccninfo":    {"internal/tlv"},
	"internal/trace":      {},
	"internal/congestion": {},
	"internal/testnet":    {"internal/tlv"},
	"internal/plot":       {"internal/trace"},
	"internal/pipeline":   {"internal/tlv", "internal/object", "internal/congestion", "internal/trace"},
	"internal/client":     {"internal/tlv", "internal/object", "internal/transport"},
	"internal/forward":    {"internal/tlv", "internal/cs", "internal/control"},
	"internal/node":       {"internal/tlv", "internal/control", "internal/forward", "internal/transport"},
	"internal/publish":    {"internal/tlv", "internal/object", "internal/manifest", "internal/digest", "internal/pipeline"},
	"cmd/cefgo": {
		"internal/ccninfo", "internal/cefore", "internal/client", "internal/congestion", "internal/control", "internal/cs", "internal/digest", "internal/forward", "internal/keys", "internal/manifest", "internal/node", "internal/object", "internal/partfile",
		"internal/ping", "internal/pipeline", "internal/plot", "internal/publish", "internal/tlv", "internal/trace", "internal/transport",
		"internal/verify",
	},
}

// mayUse are the packages outside the module and the standard library, and who may
// import them directly; ARCHITECTURE.md gives the reasons.
var mayUse = map[string][]string{
	"github.com/charmbracelet/lipgloss":       {"cmd/cefgo"},
	"github.com/charmbracelet/lipgloss/table": {"cmd/cefgo"},
	"github.com/schollz/progressbar/v3":       {"cmd/cefgo"},
	"github.com/spf13/cobra":                  {"cmd/cefgo"},
	"github.com/spf13/pflag":                  {"cmd/cefgo"},
	"github.com/spf13/viper":                  {"cmd/cefgo"},
	"github.com/bmatcuk/doublestar/v4":        {"cmd/cefgo"},
	"github.com/coreos/go-systemd/v22/daemon": {"cmd/cefgo"},
	"golang.org/x/term":                       {"cmd/cefgo"},
	"golang.org/x/net/ipv4":                   {"internal/transport"},
	"golang.org/x/net/ipv6":                   {"internal/transport"},
	"golang.org/x/sys/unix":                   {"internal/partfile", "internal/publish", "internal/transport", "cmd/cefgo"},

	"codeberg.org/go-fonts/liberation/liberationsansregular": {"internal/plot"},
	"golang.org/x/image/font/opentype":                       {"internal/plot"},
	"gonum.org/v1/plot/font":                                 {"internal/plot"},
	"gonum.org/v1/plot/vg":                                   {"internal/plot"},
	"gonum.org/v1/plot/vg/vgsvg":                             {"internal/plot"},
}

// TestImports holds the packages against the tables above.
func TestImports(t *testing.T) {
	const module = "github.com/cefgo/cefgo/"
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("%s stands in no table: say in ARCHITECTURE.md what it owns and here what it may import", name)
		}
		for _, imp := range p.Imports {
			inner, ours := strings.CutPrefix(imp, module)
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case ours && !slices.Contains(allowed, inner):
				t.Errorf("%s must not import %s", name, inner)
			case !ours && strings.Contains(first, ".") && !slices.Contains(mayUse[imp], name):
				t.Errorf("%s must not import %s", name, imp)
			}
		}
	}
	if seen < len(mayImport) {
		t.Errorf("%d packages were listed, the table has %d", seen, len(mayImport))
	}
}
