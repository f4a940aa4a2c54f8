//go:build !race

package pipeline

// raced tells that the race detector is on, under which a packet of a simulated path
// costs ten times as much: the tests with many of them do less then.
const raced = false
