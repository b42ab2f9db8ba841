package lookup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// County is what a county stores, with its books.
type County interface {
	Records
	Books
}

// In returns a passage of a county, of a journal or, by its name, of an agent. Its error
// says what became of a record that is not stored.
func In(ctx context.Context, c County, name string, seq uint64) (Found, error) {
	all, err := c.Positions(ctx)
	if err != nil {
		return Found{}, err
	}
	var journals []store.Position
	for _, p := range all {
		if p.JID == name || p.Agent == name {
			journals = append(journals, p)
		}
	}
	if len(journals) == 0 {
		return Found{}, fmt.Errorf("%w: the store knows no agent and no journal %.60q", ErrNone, name)
	}
	var found []Found
	var other error // of a record of this seq that is no passage
	for _, p := range journals {
		f, err := Of(ctx, c, p.JID, seq)
		switch {
		case err == nil:
			found = append(found, f)
		case errors.Is(err, ErrNotPassage):
			other = err
		case !errors.Is(err, ErrNone):
			return f, err
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if other != nil {
			return Found{}, other
		}
		return Found{}, missing(ctx, c, journals, seq)
	}
	var names []string
	for _, f := range found {
		names = append(names, fmt.Sprintf("%s/%d of %s", f.JID, f.Seq, f.At.UTC().Format("2006-01-02 15:04")))
	}
	return Found{}, fmt.Errorf("%w: name one of %s (UTC)", ErrSeveral, strings.Join(names, ", "))
}

// missing says why journals have no passage with a seq.
func missing(ctx context.Context, c County, journals []store.Position, seq uint64) error {
	of := map[string]store.Position{}
	for _, p := range journals {
		of[p.JID] = p
	}
	held, err := c.Quarantined(ctx, 0)
	if err != nil {
		return err
	}
	for _, p := range held {
		if _, is := of[p.JID]; is && p.Seq == seq {
			return fmt.Errorf("%w: %s (see gatehouse quarantine show %d)", ErrQuarantine, p.Reason, p.ID)
		}
	}
	expired, err := c.Expired(ctx)
	if err != nil {
		return err
	}
	for _, e := range expired {
		if _, is := of[e.JID]; is && e.Kind == wire.KindPassage && seq <= e.Through {
			return fmt.Errorf("%w: passages of %s up to seq %d were removed because they were older than the county "+
				"keeps them, the newest of %s", ErrRemoved, e.Agent, e.Through, e.Newest.Format("2006-01-02"))
		}
	}
	holes, err := c.Holes(ctx)
	if err != nil {
		return err
	}
	for _, h := range holes {
		if _, is := of[h.JID]; is && h.From <= seq && seq <= h.To {
			return fmt.Errorf("%w: %d to %d of %s never came (%s)", ErrLost, h.From, h.To, h.Agent, h.Reason)
		}
	}
	p := journals[len(journals)-1]
	if seq > p.Through {
		return fmt.Errorf("%w: the store has the journal %s of %s up to seq %d; the gate may not have sent it yet",
			ErrNone, p.JID, p.Agent, p.Through)
	}
	return fmt.Errorf("%w: %s/%d", ErrNone, p.JID, seq)
}
