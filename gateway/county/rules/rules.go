// Package rules keeps the county's versions of what its gates decide by: policies, rosters,
// guards, contacts, and cases that try them. It checks them, has them approved, and
// publishes to each gate the set that is meant for it. Its tables are in the desk's file,
// where all but policies is encrypted.
package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/site"
)

// Kind is what a version is one of.
type Kind string

// The kinds.
const (
	Policy   Kind = "policy"
	Roster   Kind = "roster"
	Guards   Kind = "guards"
	Contacts Kind = "contacts"
	Cases    Kind = "cases" // that a policy must decide as written; never sent to a gate
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Policy, Roster, Guards, Contacts, Cases} }

// Default is the scope of what holds for all gates that have nothing of their own.
const Default = "default"

// State is how far a version has come.
type State string

// The states.
const (
	Draft     State = "draft"
	Waiting   State = "waiting" // for the approval by another user than its author
	Approved  State = "approved"
	Withdrawn State = "withdrawn"
)

// Key is of what and for whom there are versions.
type Key struct {
	Kind  Kind   `json:"kind"`
	Scope string `json:"scope"` // Default, or the id of a compound or gate
}

// String names what the key is of, for people and the audit.
func (k Key) String() string { return string(k.Kind) + " of " + k.Scope }

// Version is one version of a file. The one in force is, of those that are approved, the one
// that was approved last.
type Version struct {
	Key

	ID      int64      `json:"id"`
	No      int        `json:"no"`
	State   State      `json:"state"`
	Author  string     `json:"author"`
	Made    time.Time  `json:"made"`
	Note    string     `json:"note,omitempty"`
	Size    int        `json:"size"` // of the text, in bytes
	Decided *time.Time `json:"decided,omitempty"`
	By      string     `json:"by,omitempty"` // who has approved or withdrawn it
	InForce bool       `json:"in_force"`
	Locked  bool       `json:"locked"` // its text can't be read: its vault key is not here
}

// String names the version: "policy of default, version 3".
func (v Version) String() string { return fmt.Sprintf("%s, version %d", v.Key, v.No) }

// MostText bounds a text, in bytes: a roster of 60,000 has less.
const MostText = 66 << 20

const (
	mostNote = 200 // characters
	mostKept = 500 // versions that are listed
)

// Errors that a person can act on.
var (
	ErrKind   = errors.New("there is no such kind: write policy, roster, guards, contacts or cases")
	ErrScope  = errors.New("the site file has no such compound or gate")
	ErrText   = errors.New("the text is empty or too large, or the note is longer than 200 characters")
	ErrGone   = errors.New("there is no such version")
	ErrState  = errors.New("this version is not in a state in which that can be done")
	ErrFaulty = errors.New("the version has faults, and stays as it is")
	ErrSecond = errors.New("two_people is set: another user than the author approves, at the desk")
	ErrLocks  = errors.New("nobody could pass any more: if that is wanted, say so")
)

// Options are those of New.
type Options struct {
	File      *db.File
	Sites     *site.County
	Dir       string // of the vault key
	Zone      *time.Location
	TwoPeople bool
	Now       func() time.Time
	Log       *slog.Logger
}

// Rules are those of a county. The methods may be called from any goroutine.
type Rules struct {
	opts Options

	mu    sync.Mutex // guards vault
	vault *Vault     // nil: it is not there
}

// New returns the rules in a file. The vault key may be missing: then policies only can be
// read.
func New(opts Options) *Rules { return &Rules{opts: opts} }

// TwoPeople reports whether another user than the author approves.
func (r *Rules) TwoPeople() bool { return r.opts.TwoPeople }

// row is a version as it is stored.
type row struct {
	Version

	vault string
}

const columns = `SELECT id, kind, scope, no, state, author, made, note, size, decided, decided_by, vault
	FROM rules_versions`

func scan(r db.Row) (x row, err error) {
	var made, decided int64
	err = r.Scan(&x.ID, &x.Kind, &x.Scope, &x.No, &x.State, &x.Author, &made, &x.Note, &x.Size, &decided, &x.By,
		&x.vault)
	x.Made = time.Unix(0, made).UTC()
	if decided != 0 {
		x.Decided = new(time.Unix(0, decided).UTC())
	}
	return x, err
}

// inForce returns the ids of the versions in force, by what they are of.
func inForce(ctx context.Context, q db.Querier) (map[Key]int64, error) {
	list, err := db.All(ctx, q, scan, columns+" WHERE state = ? ORDER BY decided, id", Approved)
	out := map[Key]int64{}
	for _, x := range list {
		out[x.Key] = x.ID
	}
	return out, err
}

// List returns the versions, the newest first.
func (r *Rules) List(ctx context.Context) ([]Version, error) {
	force, err := inForce(ctx, r.opts.File.Reader())
	if err != nil {
		return nil, fmt.Errorf("read the rules in force: %w", err)
	}
	list, err := db.All(ctx, r.opts.File.Reader(), scan, columns+" ORDER BY id DESC LIMIT ?", mostKept)
	if err != nil {
		return nil, fmt.Errorf("read the versions of the rules: %w", err)
	}
	vault := r.key()
	out := make([]Version, 0, len(list))
	for _, x := range list {
		x.InForce = force[x.Key] == x.ID
		x.Locked = x.vault != "" && (vault == nil || vault.recipient != x.vault)
		out = append(out, x.Version)
	}
	return out, nil
}

// one reads a version without its text.
func one(ctx context.Context, q db.Querier, id int64) (row, error) {
	x, found, err := db.One(ctx, q, scan, columns+" WHERE id = ?", id)
	if err == nil && !found {
		err = ErrGone
	}
	return x, err
}

// Text returns a version and its text. The error wraps ErrVault when the vault key with which
// the text is encrypted is not there.
func (r *Rules) Text(ctx context.Context, id int64) (Version, []byte, error) {
	x, err := one(ctx, r.opts.File.Reader(), id)
	if err != nil {
		return Version{}, nil, fmt.Errorf("read version %d: %w", id, err)
	}
	text, _, err := db.One(ctx, r.opts.File.Reader(), db.Value[[]byte],
		"SELECT text FROM rules_versions WHERE id = ?", id)
	if err == nil && x.vault != "" {
		text, err = r.key().open(text, x.vault)
	}
	if err != nil {
		return x.Version, nil, fmt.Errorf("read the %s: %w", x.Version, err)
	}
	return x.Version, text, nil
}

// Policies returns the texts of all versions of policies in a county's file, the newest first.
func Policies(ctx context.Context, file *db.File) ([][]byte, error) {
	list, err := db.All(ctx, file.Reader(), db.Value[[]byte],
		"SELECT text FROM rules_versions WHERE kind = ? AND vault = '' ORDER BY id DESC", Policy)
	if err != nil {
		return nil, fmt.Errorf("read the county's versions of policies: %w", err)
	}
	return list, nil
}

// Add keeps a new draft. by is its author.
func (r *Rules) Add(ctx context.Context, by audit.By, k Key, text []byte, note string) (Version, error) {
	v, err := r.add(ctx, by, k, text, note, false)
	if err != nil {
		return v, fmt.Errorf("keep a draft: %w", err)
	}
	return v, nil
}

// AddWithNewKey is Add after the vault key was lost for good: another takes its place, and
// what was encrypted with the former one can never be read again.
func (r *Rules) AddWithNewKey(ctx context.Context, by audit.By, k Key, text []byte, note string) (Version, error) {
	v, err := r.add(ctx, by, k, text, note, true)
	if err != nil {
		return v, fmt.Errorf("keep a draft: %w", err)
	}
	return v, nil
}

func (r *Rules) add(ctx context.Context, by audit.By, k Key, text []byte, note string, again bool) (Version, error) {
	now := r.opts.Now()
	v := Version{Key: k, State: Draft, Author: by.Actor, Made: now.UTC(), Note: note, Size: len(text)}
	switch {
	case !slices.Contains(Kinds(), k.Kind):
		return v, ErrKind
	case len(r.gates(k.Scope)) == 0:
		return v, ErrScope
	case len(text) == 0 || len(text) > MostText || utf8.RuneCountInString(note) > mostNote:
		return v, ErrText
	}
	stored, vault := text, ""
	if k.Kind != Policy {
		key, err := r.newKey(ctx, again)
		if err != nil {
			return v, err
		}
		if stored, err = key.seal(text); err != nil {
			return v, err
		}
		vault = key.recipient
	}
	return v, r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		last, _, err := db.One(ctx, tx, db.Value[int],
			"SELECT coalesce(max(no), 0) FROM rules_versions WHERE kind = ? AND scope = ?", k.Kind, k.Scope)
		if err != nil {
			return err
		}
		v.No = last + 1
		res, err := tx.ExecContext(ctx, `INSERT INTO rules_versions (kind, scope, no, state, text, vault, size, author,
			made, note, decided, decided_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`,
			k.Kind, k.Scope, v.No, v.State, stored, vault, v.Size, v.Author, now.UnixNano(), note)
		if err != nil {
			return err
		}
		if v.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		return audit.Append(ctx, tx, now, by, audit.Act{Action: audit.RulesDraft, Object: object(k),
			Detail: fmt.Sprintf("version %d", v.No)})
	})
}

// object names what a version is of in the audit.
func object(k Key) string { return "rules " + string(k.Kind) + " " + k.Scope }

// gates returns the gates that a scope is about.
func (r *Rules) gates(scope string) (out []string) {
	for _, gate := range r.opts.Sites.Agents() {
		_, _, compound, _ := r.opts.Sites.Place(gate)
		if scope == Default || scope == compound || scope == gate {
			out = append(out, gate)
		}
	}
	return out
}
