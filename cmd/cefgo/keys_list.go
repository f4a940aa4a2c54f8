package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
)

func newKeysListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "list [flags]",
		Aliases:     []string{"ls"},
		Annotations: withJSON,
		Short:       "List the stored keys",
		Args:        cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return keysFailed("list", "", a.runKeysList())
		},
	}
}

func (a *app) runKeysList() error {
	store, err := a.keyStore()
	if err != nil {
		return err
	}
	all, err := store.List()
	if err != nil {
		return err
	}
	if a.json != jsonOff {
		list := make([]fields, len(all))
		for i, e := range all {
			list[i] = entryFields(e)
		}
		return a.result(fields{"directory": store.Dir, "keys": list})
	}
	return a.printKeys(all)
}

// entryFields is what --json says of a stored key; of a broken one, why it is.
func entryFields(e keys.Entry) fields {
	f := fields{}
	if e.Err != nil {
		f["message"] = e.Err.Error()
	} else {
		f = keyFields(e.Key)
	}
	f["private"], f["files"] = e.Signs, e.Files
	if e.Name != "" {
		f["name"] = e.Name
	}
	return f
}

func (a *app) printKeys(all []keys.Entry) error {
	t := &section{title: "Keys", count: len(all), empty: "none", cols: []column{
		{name: "NAME", gives: true}, {name: "TYPE"}, {name: "BITS", right: true}, {name: "KEY ID"}, {name: "HOLDS"},
	}}
	for _, e := range all {
		if e.Err != nil {
			t.add(e.Name, "", "", "", "broken")
			continue
		}
		t.add(e.Name, e.Key.Type().String(), strconv.Itoa(e.Key.Bits()), e.Key.ID().Short(), halfName(e.Signs))
	}
	if err := a.printReport(&report{tables: []*section{t}}, statusOptions{all: true}); err != nil {
		return err
	}
	for _, e := range all {
		if e.Err != nil {
			a.line(e.Err.Error())
		}
	}
	return nil
}
