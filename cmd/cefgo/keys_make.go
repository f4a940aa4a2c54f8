package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
)

// defaultKey is the name of the key that is meant where none is named.
const defaultKey = "default"

type keysGenerateOptions struct {
	typ   string
	force bool
}

func newKeysGenerateCommand(a *app) *cobra.Command {
	var o keysGenerateOptions
	cmd := &cobra.Command{
		Use:         "generate [flags] [NAME]",
		Aliases:     []string{"gen"},
		Annotations: withJSON,
		Short:       `Make a key, called "default" unless named`,
		Long: `generate makes a key and stores it: NAME.key, which nobody else may read and
which is not encrypted, and NAME.pub, its public half. A name is of letters,
digits, "-", "_" and ".".`,
		Example: `  cefgo keys generate
  cefgo keys generate site --type rsa     # 3072 bits`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := append(args, defaultKey)[0]
			return keysFailed("generate", name, a.runKeysGenerate(o, name))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.typ, "type", keys.Ed25519.String(), "ed25519 or rsa")
	f.BoolVar(&o.force, "force", false, "replace a key of that name; what it signs is lost")
	return cmd
}

func (a *app) runKeysGenerate(o keysGenerateOptions, name string) error {
	typ, err := keys.ParseType(o.typ)
	if err != nil {
		return usage("", "%w", err)
	}
	if err := keys.CheckName(name); err != nil {
		return err
	}
	store, err := a.keyStore()
	if err != nil {
		return err
	}
	k, err := keys.Generate(typ)
	if err != nil {
		return err
	}
	if err := store.Save(name, k, o.force); err != nil {
		return err
	}
	return a.tellStored("made", store.Entry(name))
}

func newKeysImportCommand(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:         "import [flags] NAME FILE|-",
		Annotations: withJSON,
		Short:       "Store a key that another program made",
		Long: `import stores a copy of a key under NAME: a private key with its public half, a
public key as NAME.pub alone. FILE is PEM, not encrypted: PKCS#8 and
"RSA PRIVATE KEY" (openssl, Cefore), "PUBLIC KEY" and "RSA PUBLIC KEY". A file
with a private key that others may read is refused.`,
		Example: `  cefgo keys import site site.pem
  openssl genpkey -algorithm ed25519 | cefgo keys import site -`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return keysFailed("import", args[0], a.runKeysImport(cmd.Context(), args[0], args[1], force))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a key of that name; what it signs is lost")
	return cmd
}

func (a *app) runKeysImport(ctx context.Context, name, path string, force bool) error {
	if err := keys.CheckName(name); err != nil {
		return err
	}
	store, err := a.keyStore()
	if err != nil {
		return err
	}
	public, private, err := a.readKey(ctx, path)
	switch {
	case err != nil:
		return err
	case private != nil:
		err = store.Save(name, *private, force)
	default:
		err = store.SavePublic(name, public, force)
	}
	if err != nil {
		return err
	}
	return a.tellStored("imported", store.Entry(name))
}

// tellStored tells of a key that was just stored.
func (a *app) tellStored(done string, e keys.Entry) error {
	if e.Err != nil {
		return e.Err
	}
	a.say("%s %s (%s, id %s) in %s", done, e.Name, typeText(e.Key), e.Key.ID().Short(), filepath.Dir(e.Files[0]))
	if e.Signs {
		a.say("  cefgo keys export %s    # its public half, to hand out", e.Name)
	}
	f := keyFields(e.Key)
	f["name"], f["private"], f["files"] = e.Name, e.Signs, e.Files
	return a.result(f)
}
