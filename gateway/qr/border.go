package qr

import (
	"image"
	"image/color"
)

// bordered is an image with a white border, the quiet zone of a QR code.
type bordered struct {
	image.Image

	width int
}

func (b bordered) Bounds() image.Rectangle { return b.Image.Bounds().Inset(-b.width) }

func (b bordered) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(b.Image.Bounds()) {
		return color.White
	}
	return b.Image.At(x, y)
}
