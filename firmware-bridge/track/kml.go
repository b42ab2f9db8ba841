package track

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// kml reads LineString and gx:Track (OGC 12-007r2, Google's KML reference) token
// by token, because a file may be large. Polygons and placemarks are not tracks.
func (c *collector) kml(r *source) error {
	d := xml.NewDecoder(r)
	var when []time.Time // of the gx:Track that is open
	coord := 0
	found := false
	inLine := 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !found {
				return errors.New("it is not KML")
			}
			return nil
		}
		switch {
		case errors.Is(err, ErrMany), errors.Is(err, errLarge):
			return refused(err)
		case err != nil:
			return fmt.Errorf("it is not KML: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "kml":
				found = true
			case "LineString":
				inLine++
			case "Track":
				when, coord = nil, 0
			case "when":
				err = c.when(d, &when)
			case "coordinates":
				if inLine > 0 {
					r.in, r.points = words(), MaxPoints-len(c.samples)-c.bad
					err = c.coordinates(d)
					r.in = nil
				}
			case "coord":
				err = c.coord(d, when, coord)
				coord++
			}
		case xml.EndElement:
			if t.Name.Local == "LineString" {
				inLine--
			}
		}
		if err != nil {
			line, _ := d.InputPos()
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// when reads a time of a gx:Track.
func (c *collector) when(d *xml.Decoder, when *[]time.Time) error {
	text, err := content(d)
	if err != nil {
		return err
	}
	at, err := c.parseTime(text)
	if len(*when) == MaxPoints {
		return ErrMany
	}
	*when = append(*when, at)
	return err
}

// coord adds a point of a gx:Track: lon lat height, separated by blanks.
func (c *collector) coord(d *xml.Decoder, when []time.Time, i int) error {
	text, err := content(d)
	if err != nil {
		return err
	}
	if i >= len(when) {
		return errors.New("a gx:coord without its when")
	}
	p, err := numbers(strings.Fields(text))
	if err != nil {
		return err
	}
	return c.position(when[i], p)
}

// coordinates adds the points of a LineString: lon,lat,height, separated by blanks.
func (c *collector) coordinates(d *xml.Decoder) error {
	text, err := content(d)
	if err != nil {
		return err
	}
	for tuple := range strings.FieldsSeq(text) {
		p, err := numbers(strings.Split(tuple, ","))
		if err != nil {
			return err
		}
		if err := c.position(time.Time{}, p); err != nil {
			return err
		}
	}
	return nil
}

// content returns the text up to the end of the element.
func content(d *xml.Decoder) (string, error) {
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			return text.String(), nil
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return "", err
			}
		}
	}
}

func numbers(parts []string) ([]float64, error) {
	out := make([]float64, 0, 3)
	for _, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		v, err := strconv.ParseFloat(p, 64)
		if err != nil {
			return nil, fmt.Errorf("%.40q is not a number", p)
		}
		out = append(out, v)
	}
	return out, nil
}
