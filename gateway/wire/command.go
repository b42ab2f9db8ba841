package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gatehouse/gateway/fact"
)

// Bounds of a command.
const (
	MaxCommandBytes = 8 << 10          // of the message
	MaxReasonRunes  = 100              // of why somebody commands it
	MaxCommandAge   = 10 * time.Second // between the nonce and the act
)

// Command is what the county's desk has one gate do, at once and at most once. Without a
// nonce it only asks the gate for one, and is no command yet.
type Command struct {
	V         int                `json:"v"`                    // 1
	ID        string             `json:"id"`                   // random, 16 to 64 visible ASCII characters
	Action    fact.CommandAction `json:"action"`               // open, notice, reload, restart, upgrade
	Lane      string             `json:"lane,omitempty"`       // of open, at a gate with several
	Zh        string             `json:"zh,omitempty"`         // of notice: one line of plain text
	En        string             `json:"en,omitempty"`         // the same in English
	Version   string             `json:"version,omitempty"`    // of upgrade: of the packages, as dpkg writes it
	Operator  string             `json:"operator"`             // user of the desk who commands it
	Reason    string             `json:"reason"`               // why, one line of plain text
	Nonce     string             `json:"nonce,omitempty"`      // that the agent has issued for it; absent: it asks
	ExpiresMS int64              `json:"expires_ms,omitempty"` // after the agent issued the nonce, 1 to 10000 ms
	Sig       string             `json:"sig"`                  // Ed25519, base64; see WIRE.md
}

// Nonce is a gate's answer to a command that asks for a nonce.
type Nonce struct {
	V     int    `json:"v"`     // 1
	ID    string `json:"id"`    // of the command
	Nonce string `json:"nonce"` // random, 16 to 64 visible ASCII characters
}

// Commanded is what became of a command, in the audit record of the gate.
type Commanded struct {
	ID       string              `json:"id"`
	Operator string              `json:"operator"`
	Outcome  fact.CommandOutcome `json:"outcome"`          // done, refused, unknown
	Why      fact.CommandWhy     `json:"why,omitempty"`    // of one that was refused
	Detail   string              `json:"detail,omitempty"` // of why, for people
}

// ActionOfCommand returns the action of the audit record of a command.
func ActionOfCommand(a fact.CommandAction) string { return "county-" + string(a) }

// Check returns an error that says what is wrong with the command. An action that it does
// not know is not wrong: the gate refuses it, and says so.
func (c Command) Check() error {
	switch {
	case !validNonce(c.ID):
		return errors.New("command: id is not 16 to 64 visible ASCII characters")
	case c.Nonce != "" && !validNonce(c.Nonce):
		return errors.New("command: nonce is not 16 to 64 visible ASCII characters")
	case c.Nonce == "" && c.ExpiresMS != 0, c.Nonce != "" &&
		(c.ExpiresMS < 1 || c.ExpiresMS > MaxCommandAge.Milliseconds()):
		return fmt.Errorf("command: expires_ms %d is not 1 to %d", c.ExpiresMS, MaxCommandAge.Milliseconds())
	case c.Action == "" || c.Operator == "" || c.Reason == "":
		return errors.New("command: action, operator or reason is missing")
	case c.Action == fact.CommandNotice && c.Zh == "":
		return errors.New("command: the notice has no text")
	case (c.Action == fact.CommandUpgrade) != (c.Version != ""):
		return errors.New("command: upgrade has a version, and nothing else has")
	}
	for name, text := range map[string]string{"action": string(c.Action), "operator": c.Operator, "lane": c.Lane,
		"version": c.Version} {
		if err := checkText(text, MaxReasonRunes); err != nil {
			return fmt.Errorf("command: %s: %w", name, err)
		}
	}
	if err := CheckReason(c.Reason); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if err := errors.Join(CheckNotice(c.Zh), CheckNotice(c.En)); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	return nil
}

// CheckReason returns an error unless s can be why somebody commands something.
func CheckReason(s string) error {
	if err := checkText(s, MaxReasonRunes); err != nil {
		return fmt.Errorf("reason: %w", err)
	}
	return nil
}

// Check returns an error that says what is wrong with the nonce.
func (n Nonce) Check() error {
	if !validNonce(n.ID) || !validNonce(n.Nonce) {
		return errors.New("nonce: id or nonce is not 16 to 64 visible ASCII characters")
	}
	return nil
}

// SignCommand signs c for one agent of one county. What it says must pass Check.
func SignCommand(c Command, county, agent string, key ed25519.PrivateKey) Command {
	text := signed("gatehouse/v1 command", c.lines(county, agent)...)
	c.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return c
}

// VerifyCommand returns ErrSignature unless key signed c for this agent.
func VerifyCommand(c Command, county, agent string, key ed25519.PublicKey) error {
	lines := c.lines(county, agent)
	return verify(signed("gatehouse/v1 command", lines...), c.Sig, key, lines...)
}

func (c Command) lines(county, agent string) []string {
	lines := []string{county, agent, c.ID, string(c.Action), c.Lane, c.Zh, c.En, c.Operator, c.Reason, c.Nonce,
		strconv.FormatInt(c.ExpiresMS, 10)}
	if c.Version != "" { // agents that know no upgrade know no such line
		lines = append(lines, c.Version)
	}
	return lines
}
