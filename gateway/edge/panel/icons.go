package panel

import (
	"image"

	"gatehouse/gateway/edge/kiosk"
)

// iconSize is the width and height of an icon, in pixels.
const iconSize = 32

// shape reports whether a point is in a figure. Points count from the middle of the
// icon, in half pixels, so that figures are symmetric.
type shape func(x, y int) bool

// drawIcon draws the icon of a look at the left end of the picture: a tick for pass, an
// octagon for stop, a triangle for not yet. Idle has none.
func drawIcon(p *image.Paletted, look kiosk.Look) {
	in := shapeOf(look)
	if in == nil {
		return
	}
	for y := range iconSize {
		for x := range iconSize {
			if in(2*x+1-iconSize, 2*y+1-iconSize) {
				p.SetColorIndex(x, y, light)
			}
		}
	}
}

func shapeOf(look kiosk.Look) shape {
	switch look {
	case kiosk.LookPass:
		return tick
	case kiosk.LookFever, kiosk.LookSealed, kiosk.LookUnknown, kiosk.LookRefuse, kiosk.LookRetired:
		return stop
	case kiosk.LookRetest, kiosk.LookInvalid, kiosk.LookApart, kiosk.LookUnread, kiosk.LookFault:
		return warning
	case kiosk.LookTapped, kiosk.LookMeasuring:
		return thermometer
	case kiosk.LookMeasured:
		return card
	case kiosk.LookOffline:
		return cut
	case kiosk.LookIdle, kiosk.LookCalled:
	}
	return nil
}

func abs(n int) int { return max(n, -n) }

// tick is a thick tick.
func tick(x, y int) bool {
	down := abs(y-x-16) <= 6 && x >= -28 && x <= -6
	up := abs(y+x-4) <= 6 && x >= -6 && x <= 27
	return down || up
}

// stop is an octagon with a bar.
func stop(x, y int) bool {
	octagon := abs(x) <= 31 && abs(y) <= 31 && abs(x)+abs(y) <= 44
	bar := abs(x) <= 19 && abs(y) <= 6
	return octagon && !bar
}

// warning is a triangle with an exclamation mark.
func warning(x, y int) bool {
	triangle := y >= -30 && y <= 29 && 2*abs(x) <= y+32
	mark := abs(x) <= 3 && (y >= -10 && y <= 12 || y >= 17 && y <= 23)
	return triangle && !mark
}

// thermometer is one that stands upright.
func thermometer(x, y int) bool {
	bulb := x*x+(y-17)*(y-17) <= 13*13
	glass := abs(x) <= 7 && y >= -31 && y <= 17
	bore := abs(x) <= 3 && y >= -27 && y <= -2
	return bulb || glass && !bore
}

// card is a card with a strip.
func card(x, y int) bool {
	strip := y >= -13 && y <= -6
	return abs(x) <= 31 && abs(y) <= 21 && !strip
}

// cut is a broken line.
func cut(x, y int) bool {
	ends := abs(y) <= 3 && abs(x) >= 12 && abs(x) <= 31
	cross := abs(abs(x)-abs(y)) <= 3 && abs(x) <= 10
	return ends || cross
}
