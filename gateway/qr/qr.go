// Package qr draws QR codes, for terminals, as pictures and for pages. It is the only
// importer of the library for them.
package qr

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// Code is a QR code.
type Code struct{ code barcode.Barcode }

// quiet is the white border of a code, in modules (ISO/IEC 18004, 5.3.8).
const quiet = 4

// Encode returns the code of a text in the alphanumeric mode: digits, capital letters,
// blank and $%*+-./: with error correction M.
func Encode(text string) (Code, error) {
	c, err := qr.Encode(text, qr.M, qr.AlphaNumeric)
	if err != nil {
		return Code{}, fmt.Errorf("draw the QR code: %w", err)
	}
	return Code{c}, nil
}

// Size is the width of the code in modules, without its border.
func (c Code) Size() int { return c.code.Bounds().Dx() }

// dark reports whether a module is dark.
func (c Code) dark(x, y int) bool {
	if x < 0 || y < 0 || x >= c.Size() || y >= c.Size() {
		return false
	}
	r, _, _, _ := c.code.At(x, y).RGBA()
	return r == 0
}

// Path returns the dark modules as the path of an SVG, a row of rectangles after the
// other, in units of a module.
func (c Code) Path() string {
	var out strings.Builder
	for y := range c.Size() {
		for x := 0; x < c.Size(); x++ {
			from := x
			for c.dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&out, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return out.String()
}

// WritePNG writes a code with 8 pixels a module, and the border around it, into a file
// that only its owner may read.
func (c Code) WritePNG(path string) error {
	large, err := barcode.Scale(c.code, 8*c.Size(), 8*c.Size())
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the QR code: %w", err)
	}
	if err := errors.Join(png.Encode(f, bordered{large, quiet * 8}), f.Close()); err != nil {
		return fmt.Errorf("write the QR code: %w", err)
	}
	return nil
}

// Blocks returns the code as text, two modules a character, light on dark terminals and
// dark on light ones: scanners read both. The border is around it.
func (c Code) Blocks() string {
	var out strings.Builder
	for y := -quiet; y < c.Size()+quiet; y += 2 {
		for x := -quiet; x < c.Size()+quiet; x++ {
			switch {
			case c.dark(x, y) && c.dark(x, y+1):
				out.WriteRune(' ')
			case c.dark(x, y):
				out.WriteRune('▄')
			case c.dark(x, y+1):
				out.WriteRune('▀')
			default:
				out.WriteRune('█')
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}
