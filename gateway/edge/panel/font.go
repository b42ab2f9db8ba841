package panel

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"image"
	"strconv"
	"strings"
)

// unifont holds the glyphs that the words need, of GNU Unifont: a line each, the code
// point and the rows of 8 or 16 pixels in hex. font/OFL.txt is its licence.
//
//go:embed font/unifont.hex
var unifont string

// glyphHeight is the height of a glyph, in pixels; it is half as wide or as wide.
const glyphHeight = 16

// glyph is the picture of a character.
type glyph struct {
	width int // 8 or 16
	rows  [glyphHeight]uint16
}

// lit reports whether a pixel of the glyph is on.
func (g glyph) lit(x, y int) bool { return g.rows[y]>>(g.width-1-x)&1 == 1 }

// font holds glyphs by their character.
type font map[rune]glyph

// parseFont reads glyphs. Lines that begin with # are comments.
func parseFont(s string) (font, error) {
	f := font{}
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		code, rows, _ := strings.Cut(strings.TrimSpace(line), ":")
		r, err := strconv.ParseUint(code, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("font: code point %q: %w", code, err)
		}
		b, err := hex.DecodeString(rows)
		if err != nil || len(b) != glyphHeight && len(b) != 2*glyphHeight {
			return nil, fmt.Errorf("font: %s has no rows of 8 or 16 pixels", code)
		}
		g := glyph{width: 8 * len(b) / glyphHeight}
		for y := range g.rows {
			if g.width == 8 {
				g.rows[y] = uint16(b[y])
			} else {
				g.rows[y] = uint16(b[2*y])<<8 | uint16(b[2*y+1])
			}
		}
		f[rune(r)] = g
	}
	return f, nil
}

// width returns how many pixels wide a text is.
func (f font) width(s string) (pixels int) {
	for _, r := range s {
		pixels += f.of(r).width
	}
	return pixels
}

// of returns the glyph of a character; one that the font lacks is shown as "?".
func (f font) of(r rune) glyph {
	if g, ok := f[r]; ok {
		return g
	}
	return f['?']
}

// write writes a text into a picture, each pixel of it scale pixels wide and high, in
// the colour ink. What has no room is cut off.
func (f font) write(p *image.Paletted, x, y, scale int, s string, ink uint8) {
	for _, r := range s {
		g := f.of(r)
		for gy := range glyphHeight {
			for gx := range g.width {
				if g.lit(gx, gy) {
					fill(p, image.Rect(0, 0, scale, scale).Add(image.Pt(x+gx*scale, y+gy*scale)), ink)
				}
			}
		}
		x += g.width * scale
	}
}

// fill gives all pixels of a rectangle the colour ink.
func fill(p *image.Paletted, r image.Rectangle, ink uint8) {
	r = r.Intersect(p.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.SetColorIndex(x, y, ink)
		}
	}
}
