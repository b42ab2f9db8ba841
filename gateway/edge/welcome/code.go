package welcome

import (
	"context"
	"errors"
	"io"
	"strings"

	"gatehouse/gateway/enrolment"
)

// mostCode bounds what is taken for a code, in bytes: twice as much as the longest one.
const mostCode = 8 << 10

// WrongCode says what is wrong with what was typed or scanned.
type WrongCode struct {
	Code  string `json:"code"`            // group, or text for anything else
	Group int    `json:"group,omitempty"` // from 1
	Line  int    `json:"line,omitempty"`  // of the printed code, from 1
	Typed string `json:"typed,omitempty"`
	Text  string `json:"text"` // for engineers
}

// take begins an enrolment with a code. taken is false while another one is on its way.
func (w *Welcome) take(text string) (wrong *WrongCode, taken bool) {
	c, err := enrolment.ParseCode(text)
	if g := new(enrolment.GroupError); errors.As(err, &g) {
		return &WrongCode{"group", g.Group, g.Line(), g.Typed, err.Error()}, false
	}
	if err != nil {
		return &WrongCode{Code: "text", Text: err.Error()}, false
	}
	if w.View().Step != Code {
		return nil, false
	}
	select {
	case w.codes <- c:
		return nil, true
	default:
		return nil, false
	}
}

// Scan takes the codes that a scanner at a serial port sends, a line each, until ctx ends
// or the port fails. A read of the port that brings nothing is no end.
func (w *Welcome) Scan(ctx context.Context, port io.Reader) {
	var line strings.Builder
	b := make([]byte, 256)
	for ctx.Err() == nil {
		n, err := port.Read(b)
		for _, c := range b[:n] {
			switch {
			case c != '\r' && c != '\n':
				if line.Len() < mostCode {
					line.WriteByte(c)
				}
			case strings.TrimSpace(line.String()) != "":
				wrong, _ := w.take(line.String())
				line.Reset()
				w.change(func(v *View) {
					if v.Step == Code {
						v.Scanned = wrong
					}
				})
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.opts.Log.Warn("the scanner can't be read any more; type the code, or start again", "err", err)
			return
		}
	}
}
