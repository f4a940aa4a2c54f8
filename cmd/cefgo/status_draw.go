package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"golang.org/x/term"
)

// report is what people see of a forwarder's state.
type report struct {
	head   []string // lines
	tables []*section
}

// section is a table of a report.
type section struct {
	title string
	count int // behind the title; 0: none
	cols  []column
	rows  [][]string
	total int // rows that there are; those that were not asked for are missing
	empty string
}

// column is a column of a section.
type column struct {
	name  string
	right bool // aligned
	// gives says that the column is cut where the table is too wide.
	gives bool
}

// add appends a row; cells hold no control characters afterwards.
func (s *section) add(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	s.rows = append(s.rows, cells)
}

// down is the cell that is drawn as bad news.
const down = "down"

// gap is the space between two columns, and before the first.
const gap = 2

// printReport writes a report to standard output: cut to the terminal's width where it
// is one, else whole lines.
func (a *app) printReport(r *report, o statusOptions) error {
	_, err := io.WriteString(a.stdout, r.draw(a.style(a.stdout), a.columns(), o.rows()))
	return err
}

// rows is how many rows of a table are shown; 0 is all.
func (o *statusOptions) rows() int {
	if o.all {
		return 0
	}
	return defaultRows
}

// columns is the width of the terminal at standard output; 0 where it is none.
func (a *app) columns() int {
	if !isTerminal(a.stdout) {
		return 0
	}
	w, _, err := term.GetSize(int(terminal(a.stdout).Fd()))
	if err != nil || w <= 0 {
		return defaultWidth
	}
	return w
}

// draw renders r for so many columns (0: as many as it takes), with at most so many
// rows a table (0: all).
func (r *report) draw(st styles, width, rows int) string {
	var b strings.Builder
	for _, line := range r.head {
		b.WriteString(wrap(line, width) + "\n")
	}
	for _, s := range r.tables {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.draw(st, width, rows))
	}
	return b.String()
}

func (s *section) draw(st styles, width, rows int) string {
	title := st.name.Render(s.title)
	if s.count > 0 {
		title += fmt.Sprintf(" %d", s.count)
	}
	if len(s.rows) == 0 && s.total == 0 {
		if s.empty == "" {
			return title + "\n"
		}
		return title + "  " + s.empty + "\n"
	}
	shown := s.rows
	if rows > 0 && len(shown) > rows {
		shown = shown[:rows]
	}
	out := title + "\n"
	if len(shown) > 0 {
		out += s.table(shown, st, width) + "\n"
	}
	if more := s.total - len(shown); more > 0 {
		out += fmt.Sprintf("%*s… and %d more (--all)\n", gap, "", more)
	}
	return out
}

// table draws rows under the names of the columns.
func (s *section) table(rows [][]string, st styles, width int) string {
	rows = s.fit(rows, width)
	names := make([]string, len(s.cols))
	for i, c := range s.cols {
		names[i] = c.name
	}
	t := table.New().Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).
		Headers(names...).Rows(rows...).
		StyleFunc(func(row, col int) lipgloss.Style {
			look := lipgloss.NewStyle()
			if row >= 0 && rows[row][col] == down {
				look = st.bad
			}
			if s.cols[col].right {
				look = look.Align(lipgloss.Right)
			}
			return look.PaddingLeft(gap)
		})
	lines := strings.Split(t.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// leastCut is the least that a column is cut to.
const leastCut = 12

// fit cuts the cells of the columns that give, widest first, so that the table has at
// most width columns, if that can be.
func (s *section) fit(rows [][]string, width int) [][]string {
	widths := make([]int, len(s.cols))
	sum := 0
	for c := range s.cols {
		widths[c] = utf8.RuneCountInString(s.cols[c].name)
		for _, r := range rows {
			widths[c] = max(widths[c], utf8.RuneCountInString(r[c]))
		}
		sum += widths[c] + gap
	}
	for ; width > 0 && sum > width; sum-- {
		widest := -1
		for c := range s.cols {
			if s.cols[c].gives && widths[c] > leastCut && (widest < 0 || widths[c] > widths[widest]) {
				widest = c
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = slices.Clone(r)
		for c := range r {
			out[i][c] = cut(r[c], widths[c])
		}
	}
	return out
}

// wrap breaks a line at blanks, for so many columns (0: any number). What is longer
// than a line without a blank is cut.
func wrap(line string, width int) string {
	var b strings.Builder
	at := 0 // columns in this line
	for i, word := range strings.Split(line, " ") {
		word = cut(word, max(width-gap, 0))
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width > 0 && at+1+n > width:
			fmt.Fprintf(&b, "\n%*s", gap, "")
			at = gap
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// cut shortens s to n characters (0: any number) in its middle, as the ends of a name
// say most.
func cut(s string, n int) string {
	if n <= 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	tail := (n - 1) / 2
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}

// addStruct adds the fields of v, a struct with names for JSON, to f.
func addStruct(f fields, v any) {
	var all map[string]json.RawMessage
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		panic("bug: " + err.Error()) // plain structs of numbers and texts
	}
	for k, raw := range all {
		f[k] = raw
	}
}
