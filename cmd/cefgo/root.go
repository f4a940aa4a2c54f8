package main

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cefgo/cefgo/internal/tlv"
)

// globalOptions are the flags that every command has.
type globalOptions struct {
	forwarder string
	ceforeDir string
	port      int
	socketID  string
	wait      durationValue
	config    string
	json      jsonValue
	progress  string
	quiet     bool
	verbose   int
	logFormat string
	noColor   bool
	percent   bool

	origin origins
}

const rootLong = `cefgo fetches and publishes content by name over CCNx 1.0, through Cefore's
cefnetd where one runs, else through a forwarder of its own.

A name is written as in Cefore's tools: ccnx:/a/b. stdout carries payload or
result and nothing else; messages go to stderr. See "cefgo help exit-codes".`

const rootExample = `  cefgo serve ccnx:/demo ./dir           # publish a directory
  cefgo get ccnx:/demo/README.md         # fetch one of its files
  cefgo ping ccnx:/demo                  # does its publisher answer?
  cefgo put ccnx:/notes/today notes.txt  # into the network's content store`

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:                        "cefgo",
		Short:                      "Information-Centric Networking from the command line",
		Long:                       rootLong,
		Example:                    rootExample,
		SuggestionsMinimumDistance: 2,

		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		a.cmd = commandName(cmd)
		return failed(a.cmd, "", usage("see "+cmd.CommandPath()+" --help", "%w", err))
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	addGlobalFlags(root.PersistentFlags(), &a.global)
	root.AddCommand(newGetCommand(a), newPutCommand(a), newServeCommand(a), newPingCommand(a), newNodeCommand(a), newPlotCommand(a), newVersionCommand(a))
	root.AddCommand(newStatusCommand(a), newRouteCommand(a), newTraceCommand(a), newKeysCommand(a), newLsCommand(a))
	root.SetHelpCommand(newHelpCommand(a))
	wrapUsage(root, a.stdout)
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	return root
}

func addGlobalFlags(f *pflag.FlagSet, g *globalOptions) {
	g.wait.unit = time.Second
	f.StringVar(&g.forwarder, "forwarder", "auto", "auto, embedded, unix:PATH, udp://HOST[:PORT] or tcp://HOST[:PORT]")
	f.StringVarP(&g.ceforeDir, "cefore-dir", "d", "", "directory of cefnetd.conf (default: $CEFORE_DIR/cefore or /usr/local/cefore)")
	f.IntVarP(&g.port, "port", "p", 0, "cefnetd's port, which names its socket (default: PORT_NUM of cefnetd.conf or 9695)")
	f.StringVar(&g.socketID, "socket-id", "", "cefnetd's socket id (default: LOCAL_SOCK_ID of cefnetd.conf or 0)")
	f.Var(&g.wait, "wait", "wait this long for a forwarder to appear")
	f.StringVar(&g.config, "config", "", "configuration file (default: $XDG_CONFIG_HOME/cefgo/config.yaml, /etc/cefgo/config.yaml)")
	f.Var(&g.json, "json", "result as one JSON object; --json=stream: events, one a line")
	f.Lookup("json").NoOptDefVal = string(jsonObject)
	f.StringVar(&g.progress, "progress", "auto", "auto, bar, text or none")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "errors only")
	f.CountVarP(&g.verbose, "verbose", "v", "log what happens; -vv: in detail")
	f.StringVar(&g.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&g.noColor, "no-color", false, "no colour (also: NO_COLOR, TERM=dumb)")
	f.BoolVar(&g.percent, "percent-decode", false, `read %XX in names as one byte (RFC 8569); Cefore does not`)
}

// prepare settles the options of the command that is about to run.
func (a *app) prepare(cmd *cobra.Command) error {
	a.cmd = commandName(cmd)
	if err := a.configure(cmd); err != nil {
		return err
	}
	g := &a.global
	a.json = jsonMode(g.json)
	fromFlag := func(name string) bool { return g.origin[name] == "" }
	switch {
	case g.json != "" && cmd.Annotations[hasJSON] == "" && !fromFlag("json"):
		a.json = jsonOff // meant for other commands
	case g.json != "" && cmd.Annotations[hasJSON] == "" && cmd.HasParent():
		return a.refuseJSON()
	case g.logFormat != "text" && g.logFormat != "json":
		return usage("", "--log-format is text or json")
	case !strings.Contains("|auto|bar|text|none|", "|"+g.progress+"|"):
		return usage("", "--progress is auto, bar, text or none")
	case g.quiet && g.verbose > 0:
		return usage("", "-q and -v exclude each other")
	}
	a.log = a.newLogger()
	return nil
}

// refuseJSON is for a command that has no JSON output.
func (a *app) refuseJSON() error {
	if a.global.json == "" {
		return nil
	}
	return usage("", "%s has no JSON output", a.cmd)
}

// hasJSON marks a command that has JSON output; the others refuse --json.
const hasJSON = "json"

var withJSON = map[string]string{hasJSON: "yes"}

// commandName is the name of the command that runs, without the program's.
func commandName(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	return name
}

func unknownCommand(cmd *cobra.Command, arg string) error {
	hint := `"` + cmd.CommandPath() + ` --help" lists the commands`
	if s := cmd.SuggestionsFor(arg); len(s) > 0 {
		hint = "did you mean cefgo " + strings.Join(s, ", cefgo ") + "?"
	}
	return usage(hint, "unknown command %q", arg)
}

// wrapArgs makes an error of a command's number of arguments one of usage.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			var f *failure
			if errors.As(err, &f) {
				return err
			}
			return failed(commandName(cmd), "", usage("usage: "+cmd.UseLine(), "%w", err))
		}
		return nil
	}
}

// parseName reads a name from the command line.
func (a *app) parseName(uri string) (tlv.Name, error) {
	n, err := tlv.ParseName(uri, tlv.URIMode(a.global.percent))
	if err == nil {
		return n, nil
	}
	hint := ""
	if !strings.HasPrefix(uri, "ccnx:/") {
		hint = "write it as ccnx:/" + strings.TrimLeft(strings.TrimPrefix(uri, "ccnx:"), "/")
	}
	return n, usage(hint, "%w", err)
}
