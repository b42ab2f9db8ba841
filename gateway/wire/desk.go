package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/gateway/fact"
)

// Bounds of what the desk says to one gate.
const (
	MaxDeskBytes   = 16 << 10 // of the message
	MaxDeskCalls   = 8
	MaxDeskNotices = 4
	MaxNoticeRunes = 200 // of a notice in one language
)

// Desk is what the county's desk says to one gate: how far the gate's calls have come, and
// notices for its guard. It is the whole state, retained on …/<agent>/desk. A message with
// a No that is not above that of the last one is ignored.
type Desk struct {
	V       int          `json:"v"`                 // 1
	No      uint64       `json:"no"`                // rises with each message to this gate
	At      Time         `json:"at"`                // the county's clock
	Calls   []DeskCall   `json:"calls,omitempty"`   // that have not ended, the oldest first
	Notices []DeskNotice `json:"notices,omitempty"` //
	Sig     string       `json:"sig"`               // Ed25519, base64; see WIRE.md
}

// DeskCall is a call of the gate as the desk has it.
type DeskCall struct {
	ID      string          `json:"id"`                // of the alarm
	Asked   Time            `json:"asked"`             // at of the record that raised it
	State   fact.CallState  `json:"state"`             // asked, seen, answered
	At      Time            `json:"at"`                // since when it has this state
	Answer  fact.CallAnswer `json:"answer,omitempty"`  // of one that is answered
	Minutes int             `json:"minutes,omitempty"` // from at until somebody arrives; 0: not known
	Phone   string          `json:"phone,omitempty"`   // that the guard is to call
}

// DeskNotice is a notice of the county for the guard.
type DeskNotice struct {
	ID    uint64 `json:"id"`
	Zh    string `json:"zh"`           // one line of plain text
	En    string `json:"en,omitempty"` // the same in English
	Until Time   `json:"until"`        // it is not shown afterwards
}

// CheckNotice returns an error unless s can be a notice in one language.
func CheckNotice(s string) error {
	if err := checkText(s, MaxNoticeRunes); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	return nil
}

// checkText returns an error unless s is one line of at most so many characters.
func checkText(s string, most int) error {
	switch {
	case !utf8.ValidString(s), strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("it is no line of text without control characters")
	case utf8.RuneCountInString(s) > most:
		return fmt.Errorf("it has more than %d characters", most)
	}
	return nil
}

// Check returns an error that says what is wrong with the message.
func (d Desk) Check() error {
	if d.No == 0 || d.No > MaxSeq {
		return fmt.Errorf("desk: no %d is none", d.No)
	}
	if len(d.Calls) > MaxDeskCalls || len(d.Notices) > MaxDeskNotices {
		return fmt.Errorf("desk: %d calls and %d notices are too many", len(d.Calls), len(d.Notices))
	}
	for _, c := range d.Calls {
		if err := c.check(); err != nil {
			return fmt.Errorf("desk: call %.60q: %w", c.ID, err)
		}
	}
	for _, n := range d.Notices {
		if err := errors.Join(CheckNotice(n.Zh), CheckNotice(n.En)); err != nil {
			return fmt.Errorf("desk: notice %d: %w", n.ID, err)
		}
		if n.Zh == "" {
			return fmt.Errorf("desk: notice %d: zh is missing", n.ID)
		}
	}
	return nil
}

func (c DeskCall) check() error {
	_, ok := fact.CalledRole(c.ID)
	switch {
	case !ok:
		return errors.New("id is not that of a call")
	case !c.State.Valid():
		return fmt.Errorf("state %.20q is not known", c.State)
	case c.State == fact.CallAnswered:
		return fact.CheckAnswer(c.Answer, c.Minutes, c.Phone)
	case c.Answer != "" || c.Minutes != 0 || c.Phone != "":
		return errors.New("it has an answer and is not answered")
	}
	return nil
}

// SignDesk signs d for one agent of one county. What it says must pass Check.
func SignDesk(d Desk, county, agent string, key ed25519.PrivateKey) Desk {
	d.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, signed("gatehouse/v1 desk", d.lines(county, agent)...)))
	return d
}

// VerifyDesk returns ErrSignature unless key signed d for this agent.
func VerifyDesk(d Desk, county, agent string, key ed25519.PublicKey) error {
	lines := d.lines(county, agent)
	return verify(signed("gatehouse/v1 desk", lines...), d.Sig, key, lines...)
}

// lines returns what is signed. The counts say which line is of what.
func (d Desk) lines(county, agent string) []string {
	out := []string{county, agent, num(d.No), d.At.String(), strconv.Itoa(len(d.Calls)), strconv.Itoa(len(d.Notices))}
	for _, c := range d.Calls {
		out = append(out, c.ID, c.Asked.String(), string(c.State), c.At.String(), string(c.Answer),
			strconv.Itoa(c.Minutes), c.Phone)
	}
	for _, n := range d.Notices {
		out = append(out, num(n.ID), n.Zh, n.En, n.Until.String())
	}
	return out
}
