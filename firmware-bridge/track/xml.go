package track

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// deepest is how many levels elements and objects may nest.
const deepest = 64

var (
	errDeep     = fmt.Errorf("it nests deeper than %d levels", deepest)
	errEntities = errors.New("it declares entities (<!ENTITY …>), which are not read: export it again without them")
)

// walker reads XML element by element, because a file may be large. It takes
// names without their prefixes, lets bad entities stand as text, and opens nothing
// that a file names.
type walker struct {
	d    *xml.Decoder
	in   *source
	path []string
	text []byte // since the last tag, up to keptText
	seen int    // elements
	long bool   // the text that comes next may be as long as maxText
}

// perPoint bounds the elements of a file, by the points that it may have.
const perPoint = 8

var errElements = fmt.Errorf("it has more than %d elements: cut it into days", perPoint*MaxPoints)

// keptText is how much of an element's text is kept.
const keptText = 4 << 10

// visitor is told what a walker meets; the path ends with the element's name.
type visitor interface {
	open(path []string, attrs []xml.Attr) error
	// chars is told the text of coordinates, in pieces.
	chars(text []byte) error
	// closed is told an element's text since the last tag.
	closed(path []string, text string) error
}

func newWalker(in *source) *walker {
	d := xml.NewDecoder(in)
	d.Strict, d.Entity = false, xml.HTMLEntity
	// The text is UTF-8 by now, whatever its declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return &walker{d: d, in: in}
}

func (w *walker) line() int {
	line, _ := w.d.InputPos()
	return line
}

// walk reads a file whose outermost element is root.
func (w *walker) walk(root string, v visitor) error {
	found := false
	for {
		if b, _ := w.in.r.Peek(1); w.long && string(b) != "<" {
			w.in.allow(w.in.most.text, errFeature)
		} else {
			w.in.allow(w.in.most.token, errText)
		}
		t, err := w.d.RawToken()
		switch {
		case len(w.path) > 0 && ends(err):
			return fmt.Errorf("line %d: the file ends within <%s>: it is not whole", w.line(), w.path[len(w.path)-1])
		case errors.Is(err, io.EOF) && !found:
			return fmt.Errorf("it is not %s", root)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("it is not %s: %w", root, refused(err))
		}
		w.long = false
		switch t := t.(type) {
		case xml.StartElement:
			if len(w.path) == 0 && t.Name.Local != root {
				return fmt.Errorf("it is not %s, but begins with <%.40s>", root, t.Name.Local)
			}
			found = true
			err = w.opened(t, v)
		case xml.CharData:
			err = w.chars(t, v)
		case xml.EndElement:
			err = w.closed(t.Name.Local, v)
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(t), []byte("<!ENTITY")) {
				err = errEntities
			}
		case xml.Comment:
			w.long = w.within("coordinates")
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", w.line(), err)
		}
	}
}

// ends reports whether err says that the file ends where it should go on.
func ends(err error) bool {
	var syntax *xml.SyntaxError
	return errors.Is(err, io.EOF) || errors.As(err, &syntax) && syntax.Msg == "unexpected EOF"
}

// within reports whether the innermost element has that name.
func (w *walker) within(name string) bool {
	return len(w.path) > 0 && w.path[len(w.path)-1] == name
}

// above returns the name of the element so many levels above the path's last.
func above(path []string, levels int) string {
	if i := len(path) - 1 - levels; i >= 0 {
		return path[i]
	}
	return ""
}

func (w *walker) opened(t xml.StartElement, v visitor) error {
	if len(w.path) == deepest {
		return errDeep
	}
	if w.seen++; w.seen > perPoint*w.in.most.points {
		return errElements
	}
	w.path, w.text = append(w.path, t.Name.Local), w.text[:0]
	w.long = t.Name.Local == "coordinates"
	return v.open(w.path, t.Attr)
}

func (w *walker) chars(text []byte, v visitor) error {
	if w.within("coordinates") {
		return v.chars(text)
	}
	w.text = append(w.text, text[:min(len(text), keptText-len(w.text))]...)
	return nil
}

func (w *walker) closed(name string, v visitor) error {
	if !w.within(name) {
		return fmt.Errorf("</%.40s> ends no element that is open", name)
	}
	if err := v.closed(w.path, string(w.text)); err != nil {
		return err
	}
	w.path, w.text = w.path[:len(w.path)-1], w.text[:0]
	return nil
}
