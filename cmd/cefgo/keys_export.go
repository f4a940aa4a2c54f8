package main

import (
	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
)

type keysExportOptions struct {
	output  string
	private bool
	force   bool
}

func newKeysExportCommand(a *app) *cobra.Command {
	var o keysExportOptions
	cmd := &cobra.Command{
		Use:         "export [flags] [NAME|FILE]",
		Annotations: withJSON,
		Short:       "Write the public half of a key, for those who are to trust it",
		Long: `export writes a key as PEM to standard output, or to a file with -o: its public
half, or with --private the private key (PKCS#8, not encrypted). A private key
goes to a file that nobody else may read, or through a pipe, but not to a
terminal.`,
		Example: `  cefgo keys export default -o alice.pub
  cefgo keys export site --private | ssh host cefgo keys import site -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			arg := append(args, defaultKey)[0]
			return keysFailed("export", arg, a.runKeysExport(o, arg))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "-", "file, or - for stdout")
	f.BoolVar(&o.private, "private", false, "the private key")
	f.BoolVar(&o.force, "force", false, "replace the file")
	return cmd
}

// exported is either half of a key.
type exported interface {
	PEM() []byte
	WriteFile(path string, replace bool) error
}

func (a *app) runKeysExport(o keysExportOptions, arg string) error {
	switch {
	case o.output == "":
		return usage("", "-o needs a file or -")
	case o.private && o.output == "-" && isTerminal(a.stdout):
		return usage("write it to a file with -o FILE", "a private key is not printed on a terminal")
	}
	store, err := a.keyStore()
	if err != nil {
		return err
	}
	half, public, err := exportedHalf(store, arg, o.private)
	if err != nil {
		return err
	}
	f := keyFields(public)
	f["private"] = o.private
	if o.output == "-" {
		a.jsonTo = a.stderr
		if _, err := a.stdout.Write(half.PEM()); err != nil {
			return err
		}
		return a.result(f)
	}
	if err := half.WriteFile(o.output, o.force); err != nil {
		return err
	}
	f["file"] = o.output
	a.say("wrote the %s key of %s, id %s: %s", halfName(o.private), arg, public.ID().Short(), o.output)
	return a.result(f)
}

func exportedHalf(store keys.Store, arg string, private bool) (exported, keys.PublicKey, error) {
	if private {
		k, err := store.FindPrivate(arg)
		return k, k.Public(), err
	}
	e, err := store.Find(arg)
	return e.Key, e.Key, err
}
