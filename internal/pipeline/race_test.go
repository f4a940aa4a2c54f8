//go:build race

package pipeline

const raced = true
