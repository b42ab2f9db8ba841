package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatehouse/gateway/county/audit"
)

// Withdraw makes the code of a gate void that no gate has used. by is who does it. The
// error wraps ErrDecided when there is no such code.
func (r *Registry) Withdraw(ctx context.Context, agent string, by audit.By) error {
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM enrol_codes WHERE agent = ? AND request = ''", agent)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrDecided, err)
		}
		return audit.Append(ctx, tx, r.opts.Now(), by, audit.Act{Action: audit.EnrolWithdraw, Object: "gate " + agent})
	})
	if err != nil {
		return fmt.Errorf("withdraw the code of %s: %w", agent, err)
	}
	return nil
}
