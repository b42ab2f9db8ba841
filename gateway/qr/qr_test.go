package qr

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

// read returns the text of a picture that holds a code and nothing else, by another
// program's decoder. It is told so: its search for a code in a photograph takes other
// modules for the corners in about one of fifty codes, which scanners read (zbar did).
func read(t interface{ Fatal(...any) }, img image.Image) string {
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits,
		map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return found.GetText()
}

func TestAPictureSaysWhatWasEncoded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "code.png")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9A-Z $%*+./:-]{1,250}`).Draw(t, "text")
		c, err := Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WritePNG(path); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, img); got != text {
			t.Fatalf("it says %q", got)
		}
		checkBorder(t, img)
	})
}

// checkBorder demands four light modules of 8 pixels around the code (ISO/IEC 18004).
func checkBorder(t *rapid.T, img image.Image) {
	b, inner := img.Bounds(), img.Bounds().Inset(4*8)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r == 0 && !(image.Point{X: x, Y: y}).In(inner) {
				t.Fatalf("the border is dark at %d,%d", x, y)
			}
		}
	}
	if r, _, _, _ := img.At(inner.Min.X, inner.Min.Y).RGBA(); r != 0 {
		t.Fatal("the code does not begin at the border's end")
	}
}

// A terminal, a page and a picture show the same modules.
func TestAllFormsShowTheSameModules(t *testing.T) {
	c, err := Encode("GATEHOUSE1:AEBAG")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for y := range c.Size() {
		for x := range c.Size() {
			if c.dark(x, y) {
				n++
			}
		}
	}
	text := c.Blocks()
	dark := 2*strings.Count(text, " ") + strings.Count(text, "▄") + strings.Count(text, "▀")
	if dark != n {
		t.Errorf("the terminal shows %d dark modules, the code has %d", dark, n)
	}
	if lines := strings.Split(text, "\n"); len([]rune(lines[0])) != c.Size()+2*quiet {
		t.Errorf("a line has %d modules", len([]rune(lines[0])))
	}
	if _, err := Encode("small letters"); err == nil {
		t.Error("small letters are encoded")
	}
}
