//go:build !race

package transport

// raced tells that the race detector is on, under which a pool forgets some of what it
// is given, and splitting costs forty times as much.
const raced = false
