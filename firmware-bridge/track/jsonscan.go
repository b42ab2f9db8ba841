package track

// jsonScan passes JSON on to a decoder without most of its blanks, and looks at it
// first: it refuses what nests too deep, and more points than may be, because a
// decoder holds a whole line in memory before its points can be counted.
type jsonScan struct {
	in     *source
	points int // how many more may begin
	depth  int
	inText bool
	escape bool
	opened bool // a bracket stood last: a number begins a position
	last   byte // the byte that was passed on last
}

func (s *jsonScan) Read(p []byte) (int, error) {
	for {
		n, err := s.in.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			if !s.inText && blank(b) && (blank(s.last) || structural(s.last)) {
				continue
			}
			if s.last = b; s.escape || s.inText {
				s.escape, s.inText = !s.escape && b == '\\', s.escape || b != '"'
			} else if err := s.take(b); err != nil {
				return 0, err
			}
			kept = append(kept, b)
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}

func blank(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func structural(b byte) bool {
	return b == '[' || b == ']' || b == '{' || b == '}' || b == ',' || b == ':'
}

// take looks at a byte outside of texts.
func (s *jsonScan) take(b byte) error {
	was := s.opened
	if !blank(b) {
		s.opened = b == '['
	}
	switch {
	case b == '"':
		s.inText = true
	case b == '[' || b == '{':
		if s.depth++; s.depth > deepest {
			return errDeep
		}
	case b == ']' || b == '}':
		s.depth--
	case was && (b == '-' || b >= '0' && b <= '9'):
		if s.points--; s.points < 0 {
			return ErrMany
		}
	}
	return nil
}
