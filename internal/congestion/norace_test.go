//go:build !race

package congestion

// raced tells that the race detector is on, under which a model takes ten times as
// long. A control has no goroutine for it to watch.
const raced = false
