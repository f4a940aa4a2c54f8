package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
)

func newKeysShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "show [flags] [NAME|FILE]",
		Annotations: withJSON,
		Short:       "Show a key: its type, its whole id, and what it is trusted for",
		Long: `show tells of a stored key, or of a file with a private or public key: its type,
its whole id, its files, and the prefixes it is trusted for. It prints no key;
cefgo keys export prints the public half. A name of the store goes before a
file; ./NAME is a file always.`,
		Example: `  cefgo keys show
  cefgo keys show ./alice.pub`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			arg := append(args, defaultKey)[0]
			return keysFailed("show", arg, a.runKeysShow(arg))
		},
	}
}

func (a *app) runKeysShow(arg string) error {
	store, err := a.keyStore()
	if err != nil {
		return err
	}
	e, err := store.Find(arg)
	if err != nil {
		return err
	}
	dir, err := a.trustDir()
	if err != nil {
		return err
	}
	trust, broken := openTrust(dir)
	if broken != nil {
		a.line("what it is trusted for is not known: " + broken.Error())
		trust = &keys.Trust{}
	}
	uris, shown := prefixesOf(trust, e.Key)
	if a.json != jsonOff {
		f := entryFields(e)
		if broken == nil {
			f["prefixes"] = uris
		}
		return a.result(f)
	}
	if broken == nil && len(shown) == 0 {
		shown = []string{"for no name"}
	}
	return a.printKey(arg, e, shown)
}

// prefixesOf are the prefixes that k is trusted for, for programs and for people.
func prefixesOf(trust *keys.Trust, k keys.PublicKey) (uris, shown []string) {
	uris = []string{}
	for _, t := range trust.All() {
		if t.Key.Equal(k) {
			uris, shown = append(uris, t.Prefix.String()), append(shown, t.Prefix.Display())
		}
	}
	return uris, shown
}

func (a *app) printKey(arg string, e keys.Entry, prefixes []string) error {
	var b strings.Builder
	fmt.Fprintln(&b, a.style(a.stdout).name.Render(printable(arg)))
	row := func(label string, values ...string) {
		for _, v := range values {
			fmt.Fprintf(&b, "  %-8s %s\n", label, printable(v))
			label = ""
		}
	}
	row("type", typeText(e.Key))
	row("id", e.Key.ID().String())
	row("holds", halfName(e.Signs)+" key")
	row("files", e.Files...)
	row("trusted", prefixes...)
	_, err := a.stdout.Write([]byte(b.String()))
	return err
}

// halfName is which half of a key it is.
func halfName(private bool) string {
	if private {
		return "private"
	}
	return "public"
}

func typeText(k keys.PublicKey) string {
	if k.Type() == keys.RSA {
		return fmt.Sprintf("rsa of %d bits", k.Bits())
	}
	return k.Type().String()
}
