//go:build race

package congestion

const raced = true
