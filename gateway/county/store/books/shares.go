package books

import (
	"context"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// allAgents is in the place of an agent's id where the share of all agents
// together is meant; no agent can have it.
const allAgents = "*"

// share is how much of the quarantine an agent, or all of them, use.
type share struct{ rows, bytes int }

func (s share) with(p store.Poison) share {
	return share{s.rows + 1, s.bytes + len(p.Raw) + len(p.Topic) + len(p.Reason)}
}

// shares are an agent's share and that of all.
type shares struct{ own, all share }

func sharesOf(ctx context.Context, q db.Querier, agent string) (s shares, err error) {
	if s.own, err = shareOf(ctx, q, agent); err != nil {
		return s, err
	}
	s.all, err = shareOf(ctx, q, allAgents)
	return s, err
}

func shareOf(ctx context.Context, q db.Querier, agent string) (share, error) {
	s, _, err := db.One(ctx, q, func(r db.Row) (s share, err error) {
		err = r.Scan(&s.rows, &s.bytes)
		return s, err
	}, "SELECT rows, bytes FROM shares WHERE agent = ?", agent)
	return s, err
}

// add adds p, unless the same bytes of the same agent are in quarantine already.
func (s *shares) add(ctx context.Context, q db.Querier, p store.Poison) error {
	hash := wire.Hash(p.Raw)
	known, _, err := db.One(ctx, q, db.Value[bool],
		"SELECT EXISTS (SELECT 1 FROM quarantine WHERE agent = ? AND hash = ?)", p.Agent, hash[:])
	if err == nil && !known {
		s.own, s.all = s.own.with(p), s.all.with(p)
	}
	return err
}

// check fails with store.ErrShare when the shares are more than they may be.
func (s shares) check() error {
	if s.own.rows > store.ShareRows || s.own.bytes > store.ShareBytes ||
		s.all.rows > store.AllRows || s.all.bytes > store.AllBytes {
		return store.ErrShare
	}
	return nil
}

// room fails with store.ErrShare when there is no room in quarantine for
// poison of one agent, together.
func room(ctx context.Context, q db.Querier, poison ...store.Poison) error {
	if len(poison) == 0 {
		return nil
	}
	s, err := sharesOf(ctx, q, poison[0].Agent)
	if err != nil {
		return err
	}
	before := s
	for _, p := range poison {
		if err := s.add(ctx, q, p); err != nil {
			return err
		}
	}
	if s == before { // all of it is in quarantine already
		return nil
	}
	return s.check()
}
