package bench

import (
	"image"
	"image/color"
	"sync"
)

// The size of the display, in pixels, and its address.
const (
	oledWidth   = 128
	oledPages   = 8 // of 8 rows each
	oledAddress = 0x3C
)

// oled emulates an SSD1306 by its data sheet, rev 1.1, chapters 8 and 9: commands after
// the control byte 00, display data after 40. What it shows is seen from the front, by
// the remaps that are set.
type oled struct {
	mu        sync.Mutex
	unplugged bool
	chip
}

// chip is the RAM and the registers of the controller.
type chip struct {
	ram       [oledPages][oledWidth]byte
	page, col int

	vertical   bool // memory addressing by columns; else by rows
	byPage     bool // page addressing: the page stays
	first, end [2]int
	mirrored   bool // segment remap: column 127 is at the left
	flipped    bool // rows are scanned from below
	inverted   bool
	lit        bool // switched on
	charged    bool // the charge pump runs
}

const (
	columns = 0 // indexes of first and end
	pages   = 1
)

func newOLED() *oled { return &oled{chip: powerUp()} }

// powerUp returns the state after a reset; what is in the RAM then is by chance.
func powerUp() chip {
	c := chip{byPage: true, end: [2]int{oledWidth - 1, oledPages - 1}}
	for page := range c.ram {
		for col := range c.ram[page] {
			c.ram[page][col] = byte(37*col + 101*page)
		}
	}
	return c
}

// tx takes one transaction.
func (o *oled) tx(w, r []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unplugged || len(w) == 0 || len(r) > 0 {
		return errNAK
	}
	switch w[0] {
	case 0x00:
		o.commands(w[1:])
	case 0x40:
		for _, b := range w[1:] {
			o.data(b)
		}
	default:
		return errNAK
	}
	return nil
}

// arguments is how many bytes follow a command, for those that have some.
var arguments = map[byte]int{0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1,
	0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}

func (o *chip) commands(b []byte) {
	for len(b) > 0 {
		n := arguments[b[0]] + 1
		if len(b) < n {
			return
		}
		o.command(b[0], b[1:n])
		b = b[n:]
	}
}

func (o *chip) command(cmd byte, args []byte) {
	switch {
	case cmd < 0x10:
		o.col = o.col&0xF0 | int(cmd)
	case cmd < 0x20:
		o.col = o.col&0x0F | int(cmd&0x07)<<4
	case cmd == 0x20:
		o.vertical, o.byPage = args[0]&3 == 1, args[0]&3 == 2
	case cmd == 0x21:
		o.first[columns], o.end[columns] = int(args[0]&0x7F), int(args[1]&0x7F)
		o.col = o.first[columns]
	case cmd == 0x22:
		o.first[pages], o.end[pages] = int(args[0]&7), int(args[1]&7)
		o.page = o.first[pages]
	case cmd == 0x8D:
		o.charged = args[0]&4 != 0
	case cmd&0xFE == 0xA0:
		o.mirrored = cmd&1 == 1
	case cmd&0xFE == 0xA6:
		o.inverted = cmd&1 == 1
	case cmd&0xFE == 0xAE:
		o.lit = cmd&1 == 1
	case cmd&0xF8 == 0xB0:
		o.page = int(cmd & 7)
	case cmd&0xF0 == 0xC0:
		o.flipped = cmd&8 != 0
	}
}

// data takes a byte of the picture, 8 pixels below each other, the lowest bit on top.
func (o *chip) data(b byte) {
	o.ram[o.page][o.col] = b
	switch {
	case o.byPage:
		o.col = (o.col + 1) % oledWidth
	case o.vertical:
		if o.page, o.col = o.next(o.page, pages, o.col); o.col > o.end[columns] {
			o.col = o.first[columns]
		}
	default:
		if o.col, o.page = o.next(o.col, columns, o.page); o.page > o.end[pages] {
			o.page = o.first[pages]
		}
	}
}

// next steps one pointer on, and the other when that one has come to its end.
func (o *chip) next(at, which, other int) (now, then int) {
	if at == o.end[which] {
		return o.first[which], other + 1
	}
	return at + 1, other
}

// shown returns what the display shows; all is dark while it is off.
func (o *oled) shown() *image.Paletted {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := image.NewPaletted(image.Rect(0, 0, oledWidth, 8*oledPages), color.Palette{color.Black, color.White})
	if !o.lit || !o.charged || o.unplugged {
		return p
	}
	for y := range p.Rect.Dy() {
		for x := range oledWidth {
			col, row := x, y
			// Modules mount the glass so that both remaps give the upright picture.
			if !o.mirrored {
				col = oledWidth - 1 - x
			}
			if !o.flipped {
				row = 8*oledPages - 1 - y
			}
			if on := o.ram[row/8][col]>>(row%8)&1 == 1; on != o.inverted {
				p.SetColorIndex(x, y, 1)
			}
		}
	}
	return p
}

// plug plugs the display in or out. Without supply it forgets everything.
func (o *oled) plug(in bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unplugged == in {
		o.unplugged, o.chip = !in, powerUp()
	}
}
