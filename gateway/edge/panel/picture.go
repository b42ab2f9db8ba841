package panel

import (
	"image"
	"image/color"
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
)

// Width and Height are the size of a picture, in pixels.
const (
	Width  = 128
	Height = 64
)

// The colours of a picture.
const (
	dark uint8 = iota
	light
)

const (
	bigX    = iconSize + 4 // of the big word or temperature
	countX  = Width - 24   // of the count of unanswered alarms
	whatY   = 32           // of the line that says what has happened
	orderY  = 48           // of the line that says what to do
	bigSize = 2            // each pixel of the font is so many wide and high
)

// draw returns the picture of a view: an icon, the temperature or a big word, a line
// that says what has happened, one that says what to do, and how many alarms are open.
// The idle view shows the time, whose colon blinks: a picture that stands still is not
// the state of the gate.
func (f font) draw(v kiosk.View, open int, l Language, now time.Time) *image.Paletted {
	p := image.NewPaletted(image.Rect(0, 0, Width, Height), color.Palette{color.Black, color.White})
	if v.Look == kiosk.LookCalled { // made at a screen that was here before: nobody can end it here
		v.Look = kiosk.LookIdle
	}
	drawIcon(p, v.Look)
	big, what, order := say(v)
	switch {
	case v.Look == kiosk.LookIdle:
		layout := "15:04"
		if now.Second()%2 == 1 {
			layout = "15 04"
		}
		f.write(p, (countX-f.width(layout)*bigSize)/2, 0, bigSize, now.Format(layout), light)
	case shows(v):
		f.write(p, bigX, 0, bigSize, tenths(*v.Screening), light)
	default:
		f.write(p, bigX, 0, bigSize, big.in(l), light)
	}
	line := what.in(l)
	if v.Lane != "" {
		line = v.Lane + " " + line
	}
	f.write(p, 0, whatY, 1, line, light)
	f.write(p, 0, orderY, 1, order.in(l), light)
	f.count(p, open)
	return p
}

// count shows how many alarms wait, dark on light, in the corner.
func (f font) count(p *image.Paletted, n int) {
	if n == 0 {
		return
	}
	text := strconv.Itoa(min(n, 99))
	fill(p, image.Rect(countX, 0, Width, glyphHeight+2), light)
	f.write(p, countX+(Width-countX-f.width(text))/2, 1, 1, text, dark)
}

// shows reports whether a view's temperature may be shown. An invalid one is no
// temperature of a person, however normal the number looks.
func shows(v kiosk.View) bool {
	return v.Screening != nil && v.Look != kiosk.LookInvalid && v.Look != kiosk.LookRetest &&
		v.Look != kiosk.LookRefuse
}

// say returns the words of a view: those of its first reason that has some, or those of
// its look.
func say(v kiosk.View) (big, what, order text) {
	w := wordsOf(v.Look)
	big, what, order = w.big, w.what, w.order
	switch v.Look {
	case kiosk.LookIdle:
		if t, ok := asks(v.Asks); ok {
			what = t
		}
		if i := slices.IndexFunc(v.Strips, func(s kiosk.Strip) bool { return s.Kind != "" }); i >= 0 {
			if broken, _, ok := faults(v.Strips[i].Kind); ok {
				order = broken
			}
		}
		return big, what, order
	case kiosk.LookFault:
		if t, do, ok := faults(v.Kind); ok {
			what, order = t, do
		}
		return big, what, order
	default:
	}
	for _, r := range v.Reasons {
		if r == fact.ReasonNormal && len(v.Reasons) > 1 {
			continue
		}
		if t, do, ok := reasonWords(r); ok {
			what = t
			if do.zh != "" && v.Look != kiosk.LookFever {
				order = do
			}
			break
		}
	}
	if v.Look == kiosk.LookFever {
		order = feverOrder(fact.Instruction(v.Instruction))
	}
	return big, what, order
}
