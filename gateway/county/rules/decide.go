package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
)

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Approval is what somebody says who approves a version.
type Approval struct {
	Lock bool // it is wanted that nobody can pass any more
}

// Ask offers a draft for approval by another user.
func (r *Rules) Ask(ctx context.Context, by audit.By, id int64) error {
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		return r.move(ctx, tx, by, id, audit.RulesAsk, Waiting, Draft)
	})
	if err != nil {
		return fmt.Errorf("ask for the approval of version %d: %w", id, err)
	}
	return nil
}

// Approve puts a version into force, if Check finds no fault. Where two people are asked for,
// it must wait, and by is not its author.
func (r *Rules) Approve(ctx context.Context, by audit.By, id int64, a Approval) error {
	report, err := r.Check(ctx, id)
	switch {
	case err != nil:
		return err
	case len(report.Faults) > 0:
		return fmt.Errorf("approve the %s: %w:\n%w", report.Version, ErrFaulty, report.err())
	case len(report.Locked) > 0 && !a.Lock:
		return fmt.Errorf("approve the %s: %w", report.Version, ErrLocks)
	}
	from := []State{Draft, Waiting}
	if r.opts.TwoPeople {
		if by.Actor == report.Author || by.From == audit.Terminal {
			return fmt.Errorf("approve the %s: %w", report.Version, ErrSecond)
		}
		from = []State{Waiting}
	}
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		now, err := inForce(ctx, tx)
		if err != nil {
			return err
		}
		if now[report.Key] != report.instead || !report.same(now) {
			return fmt.Errorf("%w: other rules came into force meanwhile, look again", ErrState)
		}
		return r.move(ctx, tx, by, id, audit.RulesApprove, Approved, from...)
	})
	if err != nil {
		return fmt.Errorf("approve the %s: %w", report.Version, err)
	}
	r.opts.Log.Info("a version of the rules is in force", "kind", report.Kind, "scope", report.Scope,
		"no", report.No, "author", report.Author, "by", by.Actor)
	return nil
}

// Withdraw takes a version back. When it was in force, the one that was before it is again,
// if Check would find no fault with that. Where two people are asked for, what was approved
// stays: the former text can be written as a new version.
func (r *Rules) Withdraw(ctx context.Context, by audit.By, id int64) error {
	err := r.withdraw(ctx, by, id)
	if err != nil {
		return fmt.Errorf("withdraw version %d: %w", id, err)
	}
	return nil
}

func (r *Rules) withdraw(ctx context.Context, by audit.By, id int64) error {
	now, err := r.now(ctx)
	if err != nil {
		return err
	}
	x, err := one(ctx, r.opts.File.Reader(), id)
	if err != nil {
		return err
	}
	if x.State == Approved {
		if r.opts.TwoPeople {
			return ErrSecond
		}
		if err := r.mayGo(ctx, now, x.Version); err != nil {
			return err
		}
	}
	return r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		force, err := inForce(ctx, tx)
		if err == nil && x.State == Approved && !maps.Equal(force, now.force) {
			err = fmt.Errorf("%w: other rules came into force meanwhile, look again", ErrState)
		}
		if err != nil {
			return err
		}
		return r.move(ctx, tx, by, id, audit.RulesWithdraw, Withdrawn, Draft, Waiting, Approved)
	})
}

// mayGo returns an error when gates could not decide by what is left without a version.
func (r *Rules) mayGo(ctx context.Context, now *world, v Version) error {
	if now.force[v.Key] != v.ID {
		return nil
	}
	former, _, err := db.One(ctx, r.opts.File.Reader(), db.Value[int64], `SELECT id FROM rules_versions
		WHERE kind = ? AND scope = ? AND state = ? AND id != ? ORDER BY decided DESC, id DESC`,
		v.Kind, v.Scope, Approved, v.ID)
	if err != nil {
		return err
	}
	next := now.with(v.Key, former)
	for _, g := range groups(now, next, r.gates(v.Scope)) {
		if !g.new.whole() {
			continue // its gates keep what they have
		}
		if _, err := next.try(ctx, g.new, g.gates); err != nil {
			return fmt.Errorf("%w: %s", ErrFaulty, redact(err.Error()))
		}
	}
	return nil
}

// move brings a version from one of some states to another.
func (r *Rules) move(
	ctx context.Context, tx *sql.Tx, by audit.By, id int64, action audit.Action, to State, from ...State,
) error {
	x, err := one(ctx, tx, id)
	if err != nil {
		return err
	}
	if !slices.Contains(from, x.State) {
		return fmt.Errorf("%w: it is %s", ErrState, x.State)
	}
	now := r.opts.Now()
	if to == Waiting {
		_, err = tx.ExecContext(ctx, "UPDATE rules_versions SET state = ? WHERE id = ?", to, id)
	} else {
		_, err = tx.ExecContext(ctx, "UPDATE rules_versions SET state = ?, decided = ?, decided_by = ? WHERE id = ?",
			to, now.UnixNano(), by.Actor, id)
	}
	if err != nil {
		return err
	}
	return audit.Append(ctx, tx, now, by, audit.Act{Action: action, Object: object(x.Key),
		Detail: fmt.Sprintf("version %d, written by %s", x.No, x.Author)})
}
