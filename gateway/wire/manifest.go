package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the set of rules of one gate.
const (
	MaxManifestBytes = 48 << 10 // of the manifest's message
	MaxPartBytes     = 96 << 10 // of a part
	MaxParts         = 512
	MaxLabelRunes    = 64 // of a version
)

// ActionRulesApplied is the action of the audit records in which an agent notes that it
// judges by another set of rules from there on.
const ActionRulesApplied = "rules-applied"

// Manifest says of which parts the set of rules of one gate consists. It is retained on
// …/<agent>/policy; part n of set no is retained on …/<agent>/policy/<no>/<n>. All parts in
// their order are the files, packed and encrypted to the gate: package rulebook makes and
// opens them.
type Manifest struct {
	V       int      `json:"v"`       // 1
	No      uint64   `json:"no"`      // rises with each set for this gate, and never falls
	Version string   `json:"version"` // what people call it: one line, at most 64 characters
	At      Time     `json:"at"`      // when it was made, by the county's clock
	Size    int      `json:"size"`    // of all parts together, bytes
	Parts   []string `json:"parts"`   // SHA-256 of each part, 64 hexadecimal digits
	Sig     string   `json:"sig"`     // Ed25519, base64; see WIRE.md
}

// RulesInForce names the set of rules by which a gate judges.
type RulesInForce struct {
	No      uint64 `json:"no"`
	Version string `json:"version"`
}

// RulesApplied is what an agent notes of the set of rules by which it judges from there on.
type RulesApplied struct {
	No      uint64 `json:"no"`
	Version string `json:"version"`
	Policy  string `json:"policy"` // version of its policy: passages name it
	Hash    string `json:"hash"`   // SHA-256 of the policy's file, 64 hexadecimal digits
}

// Check returns an error that says what is wrong with the manifest.
func (m Manifest) Check() error {
	switch {
	case m.No == 0 || m.No > MaxSeq:
		return fmt.Errorf("policy: no %d is none", m.No)
	case len(m.Parts) == 0 || len(m.Parts) > MaxParts:
		return fmt.Errorf("policy: it has %d parts, and may have 1 to %d", len(m.Parts), MaxParts)
	case m.Size < len(m.Parts) || m.Size > len(m.Parts)*MaxPartBytes:
		return fmt.Errorf("policy: %d bytes do not fit into %d parts", m.Size, len(m.Parts))
	}
	if err := CheckLabel(m.Version); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	for n, sum := range m.Parts {
		if !validSum(sum) {
			return fmt.Errorf("policy: part %d: %.70q is no SHA-256", n, sum)
		}
	}
	return nil
}

// CheckLabel returns an error unless s can be the version of a set of rules.
func CheckLabel(s string) error {
	switch {
	case s == "":
		return errors.New("version is missing")
	case !utf8.ValidString(s), strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("a version is one line of text, without control characters")
	case utf8.RuneCountInString(s) > MaxLabelRunes:
		return fmt.Errorf("a version has at most %d characters", MaxLabelRunes)
	}
	return nil
}

// CheckPart returns an error unless b is part n of the set.
func (m Manifest) CheckPart(n int, b []byte) error {
	switch {
	case n < 0 || n >= len(m.Parts):
		return fmt.Errorf("policy: part %d: the set has %d", n, len(m.Parts))
	case len(b) == 0 || len(b) > MaxPartBytes:
		return fmt.Errorf("policy: part %d has %d bytes, and may have 1 to %d", n, len(b), MaxPartBytes)
	case SumPart(b) != m.Parts[n]:
		return fmt.Errorf("policy: part %d is not the one that the manifest names", n)
	}
	return nil
}

// SumPart returns what a manifest says of a part: its SHA-256, in hexadecimal digits.
func SumPart(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

var sumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func validSum(s string) bool { return sumPattern.MatchString(s) }

// SignManifest signs m for one agent of one county. What it says must pass Check.
func SignManifest(m Manifest, county, agent string, key ed25519.PrivateKey) Manifest {
	text := signed("gatehouse/v1 policy", m.lines(county, agent)...)
	m.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return m
}

// VerifyManifest returns ErrSignature unless key signed m for this agent.
func VerifyManifest(m Manifest, county, agent string, key ed25519.PublicKey) error {
	lines := m.lines(county, agent)
	return verify(signed("gatehouse/v1 policy", lines...), m.Sig, key, lines...)
}

// lines returns what is signed. The count says how many lines are sums.
func (m Manifest) lines(county, agent string) []string {
	return append([]string{county, agent, num(m.No), m.Version, m.At.String(), strconv.Itoa(m.Size),
		strconv.Itoa(len(m.Parts))}, m.Parts...)
}

// PartTopic is the topic of part n of set no: gatehouse/v1/<county>/<agent>/policy/<no>/<n>.
func PartTopic(county, agent string, no uint64, n int) string {
	return Topic(county, agent, LeafPolicy) + "/" + num(no) + "/" + strconv.Itoa(n)
}

// ParsePartTopic splits the topic of a part; ok is false when it is none.
func ParsePartTopic(topic string) (county, agent string, no uint64, n int, ok bool) {
	levels := strings.Split(topic, "/")
	if len(levels) != 7 {
		return "", "", 0, 0, false
	}
	county, agent, leaf, ok := ParseTopic(strings.Join(levels[:5], "/"))
	no, err := strconv.ParseUint(levels[5], 10, 64)
	n, err2 := strconv.Atoi(levels[6])
	ok = ok && leaf == LeafPolicy && err == nil && err2 == nil && no > 0 && no <= MaxSeq && n >= 0 && n < MaxParts &&
		num(no) == levels[5] && strconv.Itoa(n) == levels[6]
	if !ok {
		return "", "", 0, 0, false
	}
	return county, agent, no, n, true
}
