package digest

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	entryAge = 30 * 24 * time.Hour // since the entry was last used
	tmpAge   = time.Hour
)

// An aged is a file of the cache as prune sees it.
type aged struct {
	path string
	size int64 // bytes on disk
	used time.Time
}

// diskUse is what a file of n bytes takes on disk: whole blocks.
func diskUse(n int64) int64 {
	const block = 4 << 10
	return (n + block - 1) / block * block
}

// prune removes what has not been used for long, what was left by a process that died,
// and, where the rest is too much, the least recently used. It touches nothing that does
// not look like the cache's own, and ends early with ctx.
func (d *disk) prune(ctx context.Context, now time.Time) {
	d.grown.Store(0)
	entries, err := d.scan(ctx, now)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.warn(err)
	}
	var total int64
	for _, e := range entries {
		total += e.size
	}
	slices.SortFunc(entries, func(a, b aged) int { return a.used.Compare(b.used) })
	for _, e := range entries {
		if total <= d.total || ctx.Err() != nil {
			return
		}
		_ = os.Remove(e.path)
		total -= e.size
	}
}

// scan removes the aged files and returns the other entries.
func (d *disk) scan(ctx context.Context, now time.Time) ([]aged, error) {
	dirs, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var entries []aged
	for _, dir := range dirs {
		if !isHex(dir.Name(), 1) || ctx.Err() != nil {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.dir, dir.Name()))
		if err != nil {
			continue // it has gone, or is not a directory
		}
		entries = d.scanDir(entries, dir.Name(), files, now)
	}
	return entries, nil
}

func (d *disk) scanDir(entries []aged, dir string, files []os.DirEntry, now time.Time) []aged {
	for _, f := range files {
		age := lifetime(dir, f.Name())
		fi, err := f.Info()
		if age == 0 || err != nil || !fi.Mode().IsRegular() {
			continue
		}
		e := aged{filepath.Join(d.dir, dir, f.Name()), diskUse(fi.Size()), fi.ModTime()}
		switch {
		case now.Sub(e.used) > age:
			_ = os.Remove(e.path)
		case age == entryAge:
			entries = append(entries, e)
		}
	}
	return entries
}

// lifetime is how old the file of that name in the directory dir may become; 0 where it is
// not the cache's.
func lifetime(dir, name string) time.Duration {
	switch {
	case strings.HasPrefix(name, tmpPrefix):
		return tmpAge
	case isHex(name, len(Key{})) && strings.HasPrefix(name, dir):
		return entryAge
	}
	return 0
}

// isHex reports whether s is n bytes in lower-case hex.
func isHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && hex.EncodeToString(b) == s
}
