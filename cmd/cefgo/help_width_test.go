package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// What commands tell of themselves fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		for _, text := range []string{c.Short, c.Long, c.Example} {
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
					t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
				}
			}
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newRootCommand(&app{}))
}
