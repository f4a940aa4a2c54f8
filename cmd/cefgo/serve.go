package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/cefore"
	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/publish"
	"github.com/cefgo/cefgo/internal/tlv"
)

type serveOptions struct {
	contentOptions
	hidden              bool
	blockSet, cachesSet bool // by a flag, the environment or a file
}

// blocks are the block sizes that a version can be read in: besides the one that every
// reader takes, a large one where the user did not choose.
func (o *serveOptions) blocks() []int {
	if o.blockSet {
		return []int{int(o.block)}
	}
	return []int{int(o.block), object.LargeBlock}
}

// versionCacheTime is how long caches should keep what never changes.
func (o *serveOptions) versionCacheTime() time.Duration {
	if o.cachesSet {
		return o.cacheTime.d
	}
	return versionCacheTime
}

// versionCacheTime is the default for chunks of a version: long enough for readers who
// come minutes apart. Nothing gets old there.
const versionCacheTime = 5 * time.Minute

// cacheDir is a directory for what can be made anew, "" where there is no place for it.
func cacheDir(name string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "cefgo", name)
}

func newServeCommand(a *app) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:         "serve [flags] PREFIX PATH",
		Annotations: withJSON,
		Short:       "Publish a directory or a file",
		Long: `serve publishes each file of a directory as PREFIX/path, or one file as PREFIX
itself, until it is stopped. Files are read as they are asked for. Where no
forwarder runs, it runs one of its own, which other cefgo commands, Cefore's
tools and cefpyco programs on this machine can use too.

Files and directories whose name starts with "." are not served without
--hidden. Symbolic links are followed inside the directory only, and links to
directories are not listed. SIGHUP makes it look at all files anew.

A chunk carries 4095 bytes: the most that a cefpyco program can receive. "cefgo
get" reads chunks of 16000 bytes where no network lies between, with a manifest
by which it verifies them. With --block-size all chunks are of that size. The
digests for the manifests are computed when a file is first asked for, and kept
below $XDG_CACHE_HOME/cefgo.`,
		Example: `  cefgo serve ccnx:/demo ./dir
  cefgo serve ccnx:/demo/image big.iso --block-size 32000
  cefgo serve ccnx:/demo ./dir -d /usr/local/cefore -p 9695`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.blockSet, o.cachesSet = cmd.Flags().Changed("block-size"), cmd.Flags().Changed("cache-time")
			return failed("serve", args[0], a.runServe(cmd.Context(), o, args[0], args[1]))
		},
	}
	// Long enough to serve readers that come together, short enough that a
	// changed file is seen soon.
	addContentFlags(cmd, &o.contentOptions, 10*time.Second, time.Hour)
	cmd.Flags().BoolVar(&o.hidden, "hidden", false, `serve files whose name starts with "." too`)
	return cmd
}

func (a *app) runServe(ctx context.Context, o serveOptions, uri, path string) error {
	if err := o.check(); err != nil {
		return err
	}
	prefix, err := a.parsePrefix(uri)
	if err != nil {
		return err
	}
	sign, signer, err := a.signer(o.key)
	if err != nil {
		return err
	}
	tree, err := publish.OpenTree(prefix, path)
	if err != nil {
		return err
	}
	defer tree.Close()
	tree.Hidden = o.hidden
	fw, err := a.newForwarder(stay)
	if err != nil {
		return err
	}
	defer fw.close()
	var sig *signalError
	c, err := fw.connect(ctx, true)
	if errors.As(err, &sig) {
		return a.served(uri, new(publish.Counters), 0)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	reg, err := c.Register(ctx, prefix, client.Prefix)
	switch {
	case err != nil && ctx.Err() != nil:
		return a.served(uri, new(publish.Counters), 0)
	case err != nil:
		return registerFailure(fw, fw.blame(c, err))
	}
	// While all processors hash, the publisher would wait for one of them: 50 ms where it
	// needs 0.1. With one thread more the system shares them out.
	processors := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors + 1))
	digests := digest.New(digest.Options{Workers: processors, Dir: cacheDir("digests"), Log: a.log})
	defer digests.Close()
	p := publish.New(tree, publish.Options{
		Blocks: o.blocks(), CacheTime: o.cacheTime.d, VersionCacheTime: o.versionCacheTime(), Expiry: o.expiry.d,
		Sum: o.sum.sum, Rate: float64(o.rate), Digests: digests, Sign: sign, Log: a.log,
	})
	a.sayServing(ctx, prefix, path, signer, tree, fw, int64(o.block))
	stop := a.serveSignals(uri, p)
	err = p.Serve(ctx, reg, c)
	stop()
	if err != nil && !errors.As(err, &sig) {
		return registerFailure(fw, err) // the prefix may be taken later too
	}
	return a.served(uri, p.Counters(), reg.Lost())
}

// served tells what has been served, however long that was. lost are the Interests that
// there was no room for.
func (a *app) served(uri string, n *publish.Counters, lost uint64) error {
	a.say("served %s (%s)", plural(n.Data.Load(), "chunk"), bytesText(n.Bytes.Load()))
	return a.result(fields{
		"name": uri, "interests": n.Interests.Load(), "data": n.Data.Load(), "size_bytes": n.Bytes.Load(),
		"not_found": n.NotFound.Load(), "failed": n.Failed.Load(), "lost_interests": lost,
	})
}

// registerFailure says why a prefix could not be taken.
func registerFailure(fw *forwarder, err error) error {
	f := newFailure(err)
	switch {
	case errors.Is(err, client.ErrTaken):
		f.err = client.ErrTaken
		f.hint = "choose another prefix, or end the other publisher"
	case errors.Is(err, client.ErrNotRegistered):
		f.err = client.ErrNotRegistered
		f.hint = "cefnetd's table of applications may be full (FIB_SIZE_APP), or an overlapping prefix wins: see cefstatus"
		if fw.addr.Network != "unix" {
			f.hint = "a cefgo node takes registrations from its network with --allow-remote-apps only; in cefnetd the table of applications may be full, or an overlapping prefix wins"
		}
	}
	return f
}

// unfragmented is a block size whose packets fit one IP packet on any usual path, in
// bytes.
const unfragmented = 1200

// sayServing tells what is served and prints, ready to paste, how to fetch it.
func (a *app) sayServing(ctx context.Context, prefix tlv.Name, path string, signer keys.ID, tree *publish.Tree, fw *forwarder, block int64) {
	by := ""
	ready := fields{"name": prefix.String(), "path": path, "forwarder": fw.addr.String()}
	if signer != (keys.ID{}) {
		by, ready["signer"] = ", signed by "+signer.Short(), signer.String()
	}
	a.say("serving %s as %s over %v%s", path, prefix.Display(), fw, by)
	a.event("ready", ready)
	if block > unfragmented && fw.overUDP(ctx) {
		a.say("  chunks of %d bytes travel as IP fragments over UDP, of which none may be lost: --block-size %d avoids them", block, unfragmented)
	}
	example, ok := tree.Example()
	if !ok {
		return
	}
	uri := shellQuote(example.String())
	a.say("  cefgo get %s%s", uri, a.forwarderFlags())
	_, last, _ := example.Parent()
	if printable(string(last.Value)) != string(last.Value) {
		return // nothing that could be pasted
	}
	if flags, ok := a.ceforeFlags(fw); ok {
		a.say("  cefgetfile %s -f %s%s", uri, shellQuote(string(last.Value)), flags)
	}
}

// ceforeFlags are the flags by which Cefore's tools find the same forwarder; false
// where they cannot: they know no other socket than the one of their cefnetd.conf,
// which they insist on.
func (a *app) ceforeFlags(fw *forwarder) (flags string, ok bool) {
	if fw.addr.Addr != cefore.SocketPath(fw.loc.Port, fw.loc.Config.SocketID) {
		return "", false
	}
	if a.global.ceforeDir != "" {
		flags += " -d " + shellQuote(a.global.ceforeDir)
	}
	if fw.loc.Port != fw.loc.Config.Port {
		flags += fmt.Sprintf(" -p %d", fw.loc.Port)
	}
	if fw.loc.Config.Path == "" {
		flags += "   # needs a cefnetd.conf, empty will do, at " + fw.loc.ConfigPath
	}
	return flags, true
}

// serveSignals handles SIGHUP and SIGUSR1 until the returned function is called.
func (a *app) serveSignals(uri string, p *publish.Publisher) (stop func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hup:
				p.Rescan()
				a.say("looking at all files anew")
			case <-done:
				return
			}
		}
	}()
	n := p.Counters()
	stopStatus := a.onStatus(func() string {
		return fmt.Sprintf("serve %s: %d Interests, %d chunks (%s) sent, %d for files that are not there",
			uri, n.Interests.Load(), n.Data.Load(), bytesText(n.Bytes.Load()), n.NotFound.Load())
	})
	return func() {
		signal.Stop(hup)
		close(done)
		stopStatus()
	}
}
