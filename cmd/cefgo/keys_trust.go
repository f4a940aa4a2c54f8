package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/tlv"
)

func newKeysTrustCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "trust [flags] PREFIX KEYFILE|NAME",
		Annotations: withJSON,
		Short:       "Trust a key for the names below a prefix",
		Long: `trust says that content below PREFIX may be signed with a key: it copies the
public half into the trust directory and adds a line to its prefixes. Several
keys may be trusted for one prefix. A name of the store goes before a file;
./FILE is a file always.

The longest prefix of a name decides alone: the keys of a shorter one do not
count below PREFIX any more.`,
		Example: `  cefgo keys trust ccnx:/example alice.pub
  cefgo keys trust ccnx:/example/bob ./bob.pub   # from here on bob's key only
  cefgo keys trust ccnx:/home default            # your own`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return keysFailed("trust", args[0], a.runKeysTrust(args[0], args[1]))
		},
	}
}

func (a *app) runKeysTrust(uri, arg string) error {
	prefix, err := a.trustPrefix(uri)
	if err != nil {
		return err
	}
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
	before, decided, err := decides(dir, prefix)
	if err != nil {
		return err
	}
	file, changed, err := keys.AddTrust(dir, prefix, e.Key, keyLabel(e))
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s: trusts %s %s (%s)", prefix.Display(), e.Key.Type(), e.Key.ID().Short(), file)
	if !changed {
		line += ", as before"
	}
	a.say("%s", line)
	if decided && !before.Equal(prefix) {
		a.say("the keys of %s do not count there any more", before.Display())
	}
	f := keyFields(e.Key)
	f["prefix"], f["file"], f["changed"] = prefix.String(), filepath.Join(dir, file), changed
	return a.result(f)
}

// keyLabel is what a key's copy is called after.
func keyLabel(e keys.Entry) string {
	if e.Name != "" {
		return e.Name
	}
	base := filepath.Base(e.Files[0])
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// trustPrefix reads the prefix of a trusted key.
func (a *app) trustPrefix(uri string) (tlv.Name, error) {
	name, err := a.parseName(uri)
	if err != nil {
		return name, err
	}
	if _, ok := name.Chunk(); ok {
		return name, usage("", "the prefix of a trusted key has no chunk number")
	}
	return name, nil
}

// decides finds the prefix that decides about name.
func decides(dir string, name tlv.Name) (prefix tlv.Name, ok bool, err error) {
	t, err := openTrust(dir)
	if err == nil {
		prefix, ok = t.Prefix(name)
	}
	return prefix, ok, err
}
