package main

import (
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
	noCRC     bool
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
	f.BoolVar(&o.noCRC, "no-crc", false, "leave out the crc32c checksum of each chunk")
}

func (o *contentOptions) check() error {
	if o.block < object.MinBlock || o.block > object.MaxBlock {
		return usage("", "--block-size is %d to %d", object.MinBlock, object.MaxBlock)
	}
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
