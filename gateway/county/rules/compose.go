package rules

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"gatehouse/gateway/policy"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

// Names give pseudonyms to numbers, by the keys of one gate.
type Names interface {
	// Pseudonym returns the one by the key in force.
	Pseudonym(kind, code string) string
	// Others returns those by the gate's other keys.
	Others(kind, code string) []string
}

// Keys returns the names that a gate gives at a time, and its keys as text: the file site.keys
// of its set.
type Keys func(gate string, now time.Time) (names Names, text []byte, err error)

// set is what a gate is to decide by.
type set struct {
	label string // for people
	files []rulebook.File
}

// set returns what a gate is to decide by; ok is false when nothing of the county is in force
// for it. No card or household stands in it by its number.
func (w *world) set(ctx context.Context, gate string, names Names, keys []byte) (s set, ok bool, err error) {
	b := w.of(gate)
	if !b.whole() {
		return s, false, nil
	}
	p, err := w.policy(ctx, b.policy)
	if err != nil {
		return s, false, err
	}
	r, err := w.roster(ctx, b.roster)
	if err != nil {
		return s, false, err
	}
	listed, err := r.named([]string{gate}, names)
	if err != nil {
		return s, false, fmt.Errorf("%s: %w", w.names[b.roster], err)
	}
	s.label = label(fmt.Sprintf("%s (%d.%d)", p.Version, w.names[b.policy].No, w.names[b.roster].No))
	s.add(rulebook.PolicyFile, w.texts[b.policy])
	s.add(rulebook.RosterFile, listed)
	for _, f := range []struct {
		name string
		id   int64
	}{{rulebook.GuardsFile, b.guards}, {rulebook.ContactsFile, b.contacts}} {
		if f.id == 0 {
			continue
		}
		text, err := w.text(ctx, f.id)
		if err != nil {
			return s, false, err
		}
		if f.name == rulebook.GuardsFile {
			if text, err = policy.NameGuards(text, names); err != nil {
				return s, false, fmt.Errorf("%s: %w", w.names[f.id], err)
			}
		}
		s.add(f.name, text)
	}
	s.add(rulebook.KeysFile, keys)
	return s, true, nil
}

func (s *set) add(name string, b []byte) {
	s.files = append(s.files, rulebook.File{Name: name, Bytes: b})
}

// texts returns what is in the set, for its digest, in an order of its own.
func (s *set) texts() (out [][]byte) {
	for _, name := range []string{rulebook.PolicyFile, rulebook.RosterFile, rulebook.GuardsFile,
		rulebook.ContactsFile, rulebook.KeysFile} {
		text := []byte("none")
		for _, f := range s.files {
			if f.Name == name {
				text = f.Bytes
			}
		}
		out = append(out, text)
	}
	return out
}

// label makes a text one that a set may be called.
func label(s string) string {
	r := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?")))
	if over := len(r) - wire.MaxLabelRunes; over > 0 {
		r = r[over:] // its numbers stand at the end
	}
	return string(r)
}

// named returns the roster of some gates with pseudonyms in place of numbers.
func (r roster) named(gates []string, names Names) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(r.header) // a buffer takes all
	households, places := map[string]string{}, r.places(gates)
	for _, l := range r.lines {
		if !r.reaches(l, places) {
			continue
		}
		if len(l.fields) < 4 {
			return nil, fmt.Errorf("line %d: columns are missing", l.no)
		}
		kind, code, err := policy.Credential(l.fields[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %s", l.no, redact(err.Error()))
		}
		home := l.fields[3]
		if home != "" && households[home] == "" {
			households[home] = all(names, "household", home)
		}
		out := append([]string{all(names, kind, code)}, l.fields[1:]...)
		out[3] = households[home]
		_ = w.Write(out)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// all returns the pseudonyms of a number, the one in force first.
func all(names Names, kind, code string) string {
	return strings.Join(append([]string{names.Pseudonym(kind, code)}, names.Others(kind, code)...), "|")
}

// For returns the files by which a gate that is put into service decides, by name, without what
// the guard sees of people, which the first set that is published brings; none when nothing of
// the county is in force for it.
func (r *Rules) For(ctx context.Context, gate string, names Names) (map[string][]byte, error) {
	w, err := r.now(ctx)
	if err != nil {
		return nil, err
	}
	s, _, err := w.set(ctx, gate, names, nil)
	out := map[string][]byte{}
	for _, f := range s.files {
		switch f.Name {
		case rulebook.KeysFile:
		case rulebook.RosterFile: // it becomes a file at the gate: what the guard sees of people comes encrypted
			text, err2 := policy.WithoutShown(f.Bytes)
			out[f.Name], err = text, errors.Join(err, err2)
		default:
			out[f.Name] = f.Bytes
		}
	}
	return out, err
}
