// Package term prints to terminals: with colours where they are wanted, and in
// columns that are aligned also with Chinese text.
package term

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// Style is an ANSI escape sequence for a colour.
type Style string

// The styles, by meaning.
const (
	Plain  Style = ""
	Good   Style = "\x1b[32m"
	Warn   Style = "\x1b[33m"
	Danger Style = "\x1b[1;97;41m"
	Faint  Style = "\x1b[2m"
)

// Printer writes lines.
type Printer struct {
	w      io.Writer
	colour bool
}

// New returns a printer. It uses colours when w is a terminal and NO_COLOR is not
// set (no-color.org).
func New(w io.Writer) *Printer {
	return &Printer{w: w, colour: Is(w) && os.Getenv("NO_COLOR") == ""}
}

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Paint returns s in a style, when colours are wanted.
func (p *Printer) Paint(style Style, s string) string {
	if !p.colour || style == Plain {
		return s
	}
	return string(style) + s + "\x1b[0m"
}

// Line writes one line.
func (p *Printer) Line(s string) error {
	_, err := fmt.Fprintln(p.w, s)
	return err
}

// Pad appends blanks to s up to width columns; a Chinese character has two.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-runewidth.StringWidth(s)))
}

// Table writes a header and rows; each column is as wide as its widest cell.
func (p *Printer) Table(header []string, rows [][]string) error {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	for n, row := range append([][]string{header}, rows...) {
		var b strings.Builder
		for i, cell := range row {
			if i < len(row)-1 {
				cell = Pad(cell, widths[i]+2)
			}
			b.WriteString(cell)
		}
		style := Plain
		if n == 0 {
			style = Faint
		}
		if err := p.Line(p.Paint(style, strings.TrimRight(b.String(), " "))); err != nil {
			return err
		}
	}
	return nil
}

// Clean makes text from outside safe for a terminal: control characters, which
// could move its cursor or change its title, become '?'.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}
