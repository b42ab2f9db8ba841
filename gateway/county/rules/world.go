package rules

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/site"
	"gatehouse/gateway/trial"
)

// world is which versions are in force, or would be: what each gate decides by follows. It
// reads every text once. It is for one goroutine.
type world struct {
	rules   *Rules
	force   map[Key]int64
	texts   map[int64][]byte
	names   map[int64]Version
	rosters map[int64]roster
}

// now returns the world as it is.
func (r *Rules) now(ctx context.Context) (*world, error) {
	force, err := inForce(ctx, r.opts.File.Reader())
	if err != nil {
		return nil, fmt.Errorf("read the rules in force: %w", err)
	}
	return &world{rules: r, force: force, texts: map[int64][]byte{}, names: map[int64]Version{},
		rosters: map[int64]roster{}}, nil
}

// with returns a world in which another version is in force, or with 0 none. It shares what
// was read.
func (w *world) with(k Key, id int64) *world {
	other := *w
	other.force = maps.Clone(w.force)
	other.force[k] = id
	if id == 0 {
		delete(other.force, k)
	}
	return &other
}

// text returns the text of a version.
func (w *world) text(ctx context.Context, id int64) ([]byte, error) {
	if b, read := w.texts[id]; read {
		return b, nil
	}
	v, b, err := w.rules.Text(ctx, id)
	if err != nil {
		return nil, err
	}
	w.texts[id], w.names[id] = b, v
	return b, nil
}

// book is the versions by which a gate decides; 0: none.
type book struct{ policy, roster, guards, contacts int64 }

// of returns what a gate decides by: of each kind its own, else its compound's, else that of
// all.
func (w *world) of(gate string) book {
	return book{w.pick(Policy, gate), w.pick(Roster, gate), w.pick(Guards, gate), w.pick(Contacts, gate)}
}

// pick returns the version of a kind that holds for a gate; 0: there is none.
func (w *world) pick(kind Kind, gate string) int64 {
	_, _, compound, _ := w.rules.opts.Sites.Place(gate)
	for _, scope := range []string{gate, compound, Default} {
		if id := w.force[Key{kind, scope}]; id != 0 {
			return id
		}
	}
	return 0
}

// whole reports whether a gate can decide by b.
func (b book) whole() bool { return b.policy != 0 && b.roster != 0 }

// roster returns a roster by its lines.
func (w *world) roster(ctx context.Context, id int64) (roster, error) {
	if r, read := w.rosters[id]; read {
		return r, nil
	}
	text, err := w.text(ctx, id)
	if err != nil {
		return roster{}, err
	}
	r, err := splitRoster(text, w.sites())
	if err != nil {
		return r, fmt.Errorf("%s: %w", w.names[id], err)
	}
	w.rosters[id] = r
	return r, nil
}

func (w *world) sites() *site.County { return w.rules.opts.Sites }

// policy returns a policy.
func (w *world) policy(ctx context.Context, id int64) (policy.Policy, error) {
	text, err := w.text(ctx, id)
	if err != nil {
		return policy.Policy{}, err
	}
	p, err := policy.Parse(text)
	if err != nil {
		return p, fmt.Errorf("%s:\n%w", w.names[id], err)
	}
	return p, nil
}

// try reads all that some gates decide by as they would. The error says what is wrong, by
// version and line, and repeats no card, household or telephone number.
func (w *world) try(ctx context.Context, b book, gates []string) (*policy.Rules, error) {
	var errs []error
	p, err := w.policy(ctx, b.policy)
	if err != nil {
		return nil, err
	}
	r, err := w.roster(ctx, b.roster)
	if err != nil {
		return nil, err
	}
	rules, err := trial.Parsed(p, r.text(gates))
	if err != nil {
		return nil, fmt.Errorf("%s, by the %s: %w", w.names[b.roster], w.names[b.policy], err)
	}
	if b.guards != 0 {
		errs = append(errs, w.tryGuards(ctx, b.guards, rules))
	}
	if b.contacts != 0 {
		errs = append(errs, w.tryContacts(ctx, b.contacts))
	}
	return rules, errors.Join(errs...)
}

func (w *world) tryGuards(ctx context.Context, id int64, rules *policy.Rules) error {
	text, err := w.text(ctx, id)
	if err != nil {
		return err
	}
	list, err := policy.ParseGuards(text)
	if err == nil && rules != nil {
		_, err = trial.Guards(list, rules)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.names[id], err)
	}
	return nil
}

// contacts is the file of contacts: whom the guard can telephone.
type contacts struct {
	Contacts []struct {
		Role  fact.Role `yaml:"role"`
		Phone string    `yaml:"phone"`
	} `yaml:"contacts"`
}

func (w *world) tryContacts(ctx context.Context, id int64) error {
	text, err := w.text(ctx, id)
	if err != nil {
		return err
	}
	var errs []error
	list, err := config.Parse[contacts](text)
	if err != nil {
		// The library shows lines of the text, and a telephone number stands there.
		return masked(w.names[id], fmt.Errorf("write contacts:, each with role and phone: %w", err))
	}
	seen := map[fact.Role]bool{}
	for i, c := range list.Contacts {
		switch {
		case !c.Role.Valid():
			errs = append(errs, fmt.Errorf("contacts[%d]: the role is none of doctor, grid, community, county and it; "+
				"write an office, never a person", i))
		case seen[c.Role]:
			errs = append(errs, fmt.Errorf("contacts[%d] %s: the role is listed twice", i, c.Role))
		case fact.CheckPhone(c.Phone) != nil:
			errs = append(errs, fmt.Errorf("contacts[%d] %s: the telephone number can't be dialled", i, c.Role))
		}
		seen[c.Role] = true
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", w.names[id], err)
	}
	return nil
}
