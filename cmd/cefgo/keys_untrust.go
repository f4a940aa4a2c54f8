package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/tlv"
)

func newKeysUntrustCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "untrust [flags] PREFIX [KEYFILE|NAME]",
		Annotations: withJSON,
		Short:       "Take back the trust in a prefix's keys, or in one of them",
		Long: `untrust takes the lines of PREFIX out of the prefixes, or the line of one key.
Without a line of its own PREFIX goes by the next shorter one, if there is any:
its keys count there again. The copies of the keys stay in the trust directory,
where they mean nothing.`,
		Example: `  cefgo keys untrust ccnx:/example/bob
  cefgo keys untrust ccnx:/example alice.pub`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			return keysFailed("untrust", args[0], a.runKeysUntrust(args[0], args[1:]))
		},
	}
}

func (a *app) runKeysUntrust(uri string, which []string) error {
	prefix, err := a.trustPrefix(uri)
	if err != nil {
		return err
	}
	dir, err := a.trustDir()
	if err != nil {
		return err
	}
	pick, err := a.pickKeys(dir, which)
	if err != nil {
		return err
	}
	files, err := keys.RemoveTrust(dir, prefix, pick.picks)
	switch {
	case err != nil:
		return err
	case len(files) == 0 && pick.err != nil:
		return pick.err
	case len(files) == 0:
		return &failure{code: exitLocal, err: errNotTrusted, hint: "cefgo keys trusted lists what is"}
	}
	return a.tellUntrusted(dir, prefix, files)
}

// errNotTrusted: there is nothing to take back.
var errNotTrusted = errors.New("no such key is trusted for this very prefix")

// keyPick is which key files of a trust directory are meant: all, or the one called arg,
// or those with a key.
type keyPick struct {
	dir, arg string
	key      keys.PublicKey
	err      error // why there is no key
}

// pickKeys reads a command line: nothing for all, else a key file in the trust directory,
// a name or a file.
func (a *app) pickKeys(dir string, which []string) (*keyPick, error) {
	if len(which) == 0 {
		return &keyPick{}, nil
	}
	store, err := a.keyStore()
	if err != nil {
		return nil, err
	}
	e, err := store.Find(which[0])
	return &keyPick{dir, which[0], e.Key, err}, nil
}

func (p *keyPick) picks(file string) bool {
	if p.arg == "" || p.arg == file {
		return true
	}
	k, err := keys.ReadPublic(filepath.Join(p.dir, file))
	return p.err == nil && err == nil && k.Equal(p.key)
}

// tellUntrusted says what was removed, and who signs now.
func (a *app) tellUntrusted(dir string, prefix tlv.Name, files []string) error {
	slices.Sort(files)
	files = slices.Compact(files)
	a.say("%s: no longer trusts %s", prefix.Display(), strings.Join(files, ", "))
	f := fields{"prefix": prefix.String(), "files": files}
	switch now, ok, err := decides(dir, prefix); {
	case err != nil:
		a.line(err.Error())
	case !ok:
		a.say("no key is trusted there now")
	case !now.Equal(prefix):
		f["decided_by"] = now.String()
		a.say("the keys of %s count there now", now.Display())
	}
	return a.result(f)
}

func newKeysTrustedCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "trusted [flags]",
		Annotations: withJSON,
		Short:       "List the trusted keys by prefix",
		Long: `trusted lists which keys are trusted for which prefixes. Of the prefixes of a
name the longest decides alone.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return keysFailed("trusted", "", a.runKeysTrusted())
		},
	}
}

func (a *app) runKeysTrusted() error {
	dir, err := a.trustDir()
	if err != nil {
		return err
	}
	trust, err := openTrust(dir)
	if err != nil {
		return err
	}
	list := []fields{}
	t := &section{title: "Trusted", empty: "no key", cols: []column{
		{name: "PREFIX", gives: true}, {name: "KEY ID"}, {name: "TYPE"}, {name: "FILE", gives: true},
	}}
	for _, e := range trust.All() {
		f := keyFields(e.Key)
		f["prefix"], f["file"] = e.Prefix.String(), filepath.Join(dir, e.File)
		list = append(list, f)
		t.add(e.Prefix.String(), e.Key.ID().Short(), e.Key.Type().String(), e.File)
	}
	t.count = len(list)
	if a.json != jsonOff {
		return a.result(fields{"directory": dir, "trusted": list})
	}
	return a.printReport(&report{tables: []*section{t}}, statusOptions{all: true})
}
