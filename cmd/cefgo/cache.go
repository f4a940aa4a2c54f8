package main

import (
	"context"
	"fmt"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/object"
)

// Values of CS_MODE in cefnetd.conf (sheet a), and what a status calls them.
const (
	csModeLocal = 1
	cacheNone   = "None"
)

// cacheHolds fails where it is known beforehand that the forwarder cannot keep the
// content. A forwarder elsewhere, and one that gives no status, is not asked: the
// reading back tells.
func (f *forwarder) cacheHolds(ctx context.Context, l *object.Layout) error {
	if f.addr.Network != "unix" {
		return nil
	}
	refuse := func(hint, format string, args ...any) error {
		return &failure{code: exitPartial, err: fmt.Errorf(format, args...), hint: hint}
	}
	st, err := control.Ask(ctx, f.addr.Addr)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		f.a.log.Debug("no status of the forwarder", "err", err)
		return nil // whether there is one, connecting will tell
	case st.CacheMode == cacheNone:
		return refuse("set CS_MODE=1 in cefnetd.conf, or use cefgo node", "the forwarder keeps no content (Cache Mode: None)")
	}
	if st.CacheCapacity > 0 && footprint(l) > st.CacheCapacity {
		return refuse("start cefgo node with a larger --cache-size", "%s do not fit the forwarder's content store of %s",
			bytesText(uint64(l.Size)), bytesText(uint64(st.CacheCapacity)))
	}
	conf := &f.loc.Config
	if st.CacheCapacity == 0 && conf.Path != "" && conf.CSMode == csModeLocal && l.Chunks()+1 > uint64(conf.LocalCacheCapacity) {
		return refuse("use larger blocks (-b 32000), or raise LOCAL_CACHE_CAPACITY", "%d chunks do not fit cefnetd's cache of %d (LOCAL_CACHE_CAPACITY)",
			l.Chunks(), conf.LocalCacheCapacity)
	}
	return nil
}

// chunkOverhead is what a chunk takes in cefgo's content store beside its payload
// and name, in bytes; rather too much than too little.
const chunkOverhead = 512

// footprint is what the content takes in cefgo's content store, in bytes.
func footprint(l *object.Layout) int64 {
	return l.Size + int64(l.Chunks()+1)*int64(2*l.Name.WireLen()+chunkOverhead)
}
