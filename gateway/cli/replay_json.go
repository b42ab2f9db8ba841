package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// changeRow is a passage that would be decided otherwise, for tools.
type changeRow struct {
	Agent string        `json:"agent"`
	Seq   uint64        `json:"seq,omitempty"`
	At    wire.Time     `json:"at"`
	Card  string        `json:"card,omitempty"`
	Was   *wire.Passage `json:"was"`
	Is    *wire.Passage `json:"is"`
	Why   string        `json:"why,omitempty"`
}

func newChange(agent string, o replay.Outcome, why string) changeRow {
	return changeRow{agent, o.Seq, wire.At(o.At), cardOf(o), o.Was, o.Is, why}
}

// unruledRow says of how many passages the rules are not at hand.
type unruledRow struct {
	Agent   string             `json:"agent"`
	Unruled int                `json:"unruled"`
	Rules   *wire.RulesApplied `json:"rules,omitempty"`
	Version string             `json:"version,omitempty"`
	At      wire.Time          `json:"at"`
}

func newUnruled(agent string, p period, passages int) unruledRow {
	return unruledRow{agent, passages, p.applied, p.version, wire.At(p.at)}
}

// jsonlReport prints each as a line.
type jsonlReport struct{ out *json.Encoder }

func (r jsonlReport) change(agent string, o replay.Outcome, why string) error {
	return r.out.Encode(newChange(agent, o, why))
}

func (r jsonlReport) unruled(agent string, p period, passages int) error {
	return r.out.Encode(newUnruled(agent, p, passages))
}

func (r jsonlReport) counts(c counts) error {
	return r.out.Encode(struct {
		Counts counts `json:"counts"`
	}{c})
}

// jsonReport prints one document. The changes are written as they come, since there may be
// many; the rest is kept until the end.
type jsonReport struct {
	out     io.Writer
	begun   bool
	without []unruledRow
}

func (r *jsonReport) change(agent string, o replay.Outcome, why string) error {
	b, err := json.Marshal(newChange(agent, o, why))
	if err != nil {
		return fmt.Errorf("encode a change: %w", err)
	}
	before := ","
	if !r.begun {
		before, r.begun = `{"changes":[`, true
	}
	_, err = fmt.Fprintf(r.out, "%s%s\n", before, b)
	return err
}

func (r *jsonReport) unruled(agent string, p period, passages int) error {
	r.without = append(r.without, newUnruled(agent, p, passages))
	return nil
}

func (r *jsonReport) counts(c counts) error {
	rest, err := json.Marshal(struct {
		Unruled []unruledRow `json:"unruled"`
		Counts  counts       `json:"counts"`
	}{append([]unruledRow{}, r.without...), c})
	if err != nil {
		return fmt.Errorf("encode the counts: %w", err)
	}
	before := "],"
	if !r.begun {
		before = `{"changes":[],`
	}
	_, err = fmt.Fprintf(r.out, "%s%s\n", before, rest[1:]) // without its {
	return err
}
