package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// topics are the helps beside those of the commands.
var topics = map[string]func(io.Writer){
	"exit-codes": helpExitCodes,
	"names":      helpNames,
}

const topicNames = "exit-codes, names"

func newHelpCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command | topic]",
		Short: "Help about a command, or about " + topicNames,
		Args:  cobra.ArbitraryArgs,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { // works whatever the configuration
			a.cmd = commandName(cmd)
			return a.refuseJSON()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && topics[args[0]] != nil {
				topics[args[0]](a.stdout)
				return nil
			}
			target, rest, err := cmd.Root().Find(args)
			if err != nil || target == nil || len(rest) > 0 {
				return usage("topics: "+topicNames, "no help about %q", strings.Join(args, " "))
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// Widths of usage texts, in columns.
const (
	defaultWidth = 80
	maxWidth     = 110
)

// wrapUsage makes usage texts fit the terminal at w.
func wrapUsage(root *cobra.Command, w io.Writer) {
	width := defaultWidth
	if f := terminal(w); f != nil {
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 40 {
			width = min(cols, maxWidth)
		}
	}
	cobra.AddTemplateFunc("wrapFlags", func(f *pflag.FlagSet) string { return f.FlagUsagesWrapped(width) })
	t := strings.ReplaceAll(root.UsageTemplate(), ".LocalFlags.FlagUsages", "wrapFlags .LocalFlags")
	root.SetUsageTemplate(strings.ReplaceAll(t, ".InheritedFlags.FlagUsages", "wrapFlags .InheritedFlags"))
}

func helpExitCodes(w io.Writer) {
	fmt.Fprintln(w, "Exit codes of cefgo. 0 to 5 equal those of ndnpeek and ndnpoke.")
	fmt.Fprintln(w)
	for _, e := range exitCodes {
		fmt.Fprintf(w, "  %3d  %-10s %s\n", e.code, e.name, e.meaning)
	}
}

func helpNames(w io.Writer) {
	io.WriteString(w, `Names are written as Cefore's tools read them.

  ccnx:/a/b          two segments; ccnx:/ is one empty segment
  0xdeadbeef         a segment of these bytes
  0x0004=v, App:5=v  a segment of that type; v may be 0x... too
  NAME=v             the segment v
  Chunk=7            a chunk number, as the last segment

% is an ordinary character, as in Cefore; with --percent-decode %XX is one byte.
A space, UTF-8, "=", "+" and ":" stand for their own bytes here; Cefore's tools
refuse them, so such a segment is printed as 0x..., which they understand.
A double quote is dropped, as Cefore drops it.
`)
}
