package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// contentOptions are the flags that put and serve share: how content is cut and
// what its chunks carry.
type contentOptions struct {
	block     sizeValue
	cacheTime durationValue
	expiry    durationValue
	rate      rateValue
	sum       sumValue
	key       string
}

// addContentFlags adds the flags under the names that Cefore's tools give them.
func addContentFlags(cmd *cobra.Command, o *contentOptions, cacheTime, expiry time.Duration) {
	o.block = object.DefaultBlock
	o.cacheTime = durationValue{cacheTime, time.Second}
	o.expiry = durationValue{expiry, time.Second}
	f := cmd.Flags()
	f.VarP(&o.block, "block-size", "b", "bytes of content in a chunk, 60 to 57344; above 4095 cefpyco cannot read it, above 32000 cefnetd gets slow")
	f.VarP(&o.cacheTime, "cache-time", "t", "how long caches should keep a chunk (recommended cache time); 0: not stated")
	f.VarP(&o.expiry, "expiry", "e", "how long a chunk is valid; 0: not stated")
	f.VarP(&o.rate, "rate", "r", "most bits per second, in Mbit/s; default: no bound")
	f.Lookup("rate").DefValue = ""
	f.StringVar(&o.key, "key", "", `sign manifests with this key: a name of "cefgo keys", a file, or none (default: the key called default, if there is one)`)
	f.Var(&o.sum, "checksum", "of each chunk: message, which get checks; trailer (crc32c), which every forwarder checks and cefnetd is slow at; none")
}

func (o *contentOptions) check() error {
	if o.block < object.MinBlock || o.block > object.MaxBlock {
		return usage("", "--block-size is %d to %d", object.MinBlock, object.MaxBlock)
	}
	return nil
}

// sumValue is a flag that takes a kind of checksum.
type sumValue struct{ sum object.Sum }

var sumWords = []string{object.SumMessage: "message", object.SumTrailer: "trailer", object.SumNone: "none"}

func (v *sumValue) String() string { return sumWords[v.sum] }
func (v *sumValue) Type() string   { return "kind" }

func (v *sumValue) Set(s string) error {
	i := slices.Index(sumWords, s)
	if i < 0 {
		return fmt.Errorf("want one of %s", strings.Join(sumWords, ", "))
	}
	v.sum = object.Sum(i)
	return nil
}

// parsePrefix reads a name under which one can publish.
func (a *app) parsePrefix(uri string) (tlv.Name, error) {
	n, err := a.parseName(uri)
	if err != nil {
		return n, err
	}
	if _, ok := n.Chunk(); ok {
		return n, usage("", "a prefix has no chunk number")
	}
	if n.IsDefault() {
		return n, usage("choose one, such as ccnx:/demo", "Cefore cannot publish under the empty name")
	}
	return n, nil
}
