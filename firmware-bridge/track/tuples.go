package track

import "strconv"

// tuples reads the text of KML's coordinates, which may come in pieces: numbers
// with commas between those of one point, blanks between points. Blanks beside a
// comma belong to it.
type tuples struct {
	point   func(lon, lat float64, ok bool) error
	word    []byte // the number that is being read
	numbers []float64
	bad     bool // a number of the point is none
	comma   bool // a comma stands behind the last number
}

// wordMost is how long a number may be.
const wordMost = 64

func (t *tuples) feed(text []byte) error {
	for _, b := range text {
		switch b {
		case ' ', '\n', '\t', '\r':
			t.number()
		case ',':
			t.number()
			t.comma = true
		default:
			if len(t.word) == 0 && !t.comma {
				if err := t.end(); err != nil {
					return err
				}
			}
			if t.comma = false; len(t.word) < wordMost {
				t.word = append(t.word, b)
			}
		}
	}
	return nil
}

// number ends a number.
func (t *tuples) number() {
	if len(t.word) == 0 {
		return
	}
	v, err := strconv.ParseFloat(string(t.word), 64)
	t.bad = t.bad || err != nil
	t.numbers, t.word = append(t.numbers, v), t.word[:0]
	if len(t.numbers) > 3 { // more than a point has
		t.bad, t.numbers = true, t.numbers[:3]
	}
}

// end ends a point, if one has begun.
func (t *tuples) end() error {
	t.number()
	n := t.numbers
	if len(n) == 0 {
		t.comma = false
		return nil
	}
	ok := !t.bad && len(n) >= 2
	lon, lat := n[0], 0.0
	if ok {
		lat = n[1]
	}
	t.numbers, t.bad, t.comma = n[:0], false, false
	return t.point(lon, lat, ok)
}
