package wire

import "errors"

var errSyntax = errors.New("not JSON of the expected form")

// A batch whose checksum is right may hold a record that is not JSON, and its
// other records must be read all the same. A JSON library refuses such a batch
// as a whole. So cut and items take it apart by brackets and quotes alone, and
// leave it to the decoder of each piece to find out whether the piece is JSON.

// cut takes the value of one field out of a JSON object. In rest a null stands
// in its place: when rest and value are valid JSON, so was b. value is nil when
// there is no such field.
func cut(b []byte, field string) (value, rest []byte, err error) {
	c := cursor{b: b}
	err = c.each('{', '}', func() error {
		name := c.value()
		if c.space() != ':' {
			return errSyntax
		}
		c.i++
		c.space()
		v := c.value()
		if len(name) != len(field)+2 || string(name[1:len(name)-1]) != field {
			return nil
		}
		if value != nil {
			return errors.New(field + " comes twice")
		}
		value = v
		rest = append(append(append(make([]byte, 0, len(b)-len(v)+4), b[:c.i-len(v)]...), "null"...), b[c.i:]...)
		return nil
	})
	if value == nil {
		rest = b
	}
	return value, rest, err
}

// items returns the elements of a JSON array. They may not be JSON themselves.
func items(b []byte) (values [][]byte, err error) {
	c := cursor{b: b}
	err = c.each('[', ']', func() error {
		v := c.value()
		if len(v) == 0 {
			return errSyntax
		}
		values = append(values, v)
		return nil
	})
	return values, err
}

// cursor is a position in a JSON text.
type cursor struct {
	b []byte
	i int
}

// each calls member at the beginning of every member of the object or array
// that is all of the text; member moves the cursor past it.
func (c *cursor) each(first, last byte, member func() error) error {
	if c.space() != first {
		return errSyntax
	}
	c.i++
	for more := c.space() != last; more; {
		if err := member(); err != nil {
			return err
		}
		if more = c.space() == ','; more {
			c.i++
			c.space()
		}
	}
	if c.space() != last {
		return errSyntax
	}
	c.i++
	if c.space(); c.i < len(c.b) {
		return errSyntax
	}
	return nil
}

// space skips white space and returns the byte after it, 0 at the end.
func (c *cursor) space() byte {
	for ; c.i < len(c.b); c.i++ {
		switch c.b[c.i] {
		case ' ', '\t', '\n', '\r':
		default:
			return c.b[c.i]
		}
	}
	return 0
}

// structural marks the bytes that value does not simply step over.
var structural = [256]bool{'"': true, '{': true, '[': true, '}': true, ']': true, ',': true, ':': true,
	' ': true, '\t': true, '\n': true, '\r': true}

// value skips one value and returns its bytes. It only counts brackets and
// skips strings.
func (c *cursor) value() []byte {
	start, depth := c.i, 0
	for c.i < len(c.b) {
		x := c.b[c.i]
		if !structural[x] {
			c.i++
			continue
		}
		switch x {
		case '"':
			c.skipString()
			if depth == 0 {
				return c.b[start:c.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return c.b[start:c.i]
			}
			if depth--; depth == 0 {
				c.i++
				return c.b[start:c.i]
			}
		default:
			if depth == 0 {
				return c.b[start:c.i]
			}
		}
		c.i++
	}
	return c.b[start:]
}

// skipString moves past the string that begins here.
func (c *cursor) skipString() {
	for c.i++; c.i < len(c.b); c.i++ {
		switch c.b[c.i] {
		case '\\':
			c.i++
		case '"':
			c.i++
			return
		}
	}
	c.i = len(c.b) // also when the text ends in a backslash
}
