package prove

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/county/centre"
)

// audits are what somebody with the server's password does to the county's audit.
func audits() []Fault {
	return []Fault{{
		Row:  63,
		Name: "audit-edited",
		What: "an entry of the county's audit is changed in its file; later the entries that gates have " +
			"journalled are cut off, and the collector goes on",
		Expect: "gatehouse audit verify finds both, before and after the collector has written new entries",
		inject: editAudit,
	}}
}

// editAudit changes the audit's file as its owner could, with another program.
func editAudit(ctx context.Context, r *rig) error {
	var said string
	if _, ok := r.poll(ctx, 20*time.Second, func() bool {
		var err error
		said, err = r.verifyAudit(ctx)
		return err == nil && strings.Contains(said, "heads, journalled by 2 gates")
	}); !ok {
		return fmt.Errorf("the gates have journalled no head of the audit: %s", said)
	}
	const first = "UPDATE audit SET actor = ? WHERE n = 1"
	var actor string
	err := r.inAudit(func(file *sql.DB) error {
		return errors.Join(file.QueryRowContext(ctx, "SELECT actor FROM audit WHERE n = 1").Scan(&actor),
			run(ctx, file, first, "nobody"))
	})
	if err != nil {
		return err
	}
	if said, err = r.verifyAudit(ctx); err == nil || !strings.Contains(said, "entry 1 was changed") {
		r.violated("an entry that was changed is not found: %s", said)
	}
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	err = r.inAudit(func(file *sql.DB) error {
		return errors.Join(run(ctx, file, first, actor), run(ctx, file, "DELETE FROM audit WHERE n >= 1"))
	})
	if err != nil {
		return err
	}
	if said, err = r.verifyAudit(ctx); err == nil || !strings.Contains(said, "the chain ends at entry 0") {
		r.violated("an end that was cut off is not found: %s", said)
	}
	if err := r.collector.start(); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	if said, err = r.verifyAudit(ctx); err == nil || !strings.Contains(said, "has journalled at") {
		r.violated("a chain that was written anew is not found: %s", said)
	}
	return nil
}

// verifyAudit runs gatehouse audit verify.
func (r *rig) verifyAudit(ctx context.Context) (said string, err error) {
	cmd := exec.CommandContext(ctx, r.Gatehouse, "audit", "verify", "--dir", r.countyDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// inAudit opens the desk's file beside the collector, as sqlite3 would.
func (r *rig) inAudit(do func(*sql.DB) error) error {
	file, err := sql.Open("sqlite", filepath.Join(r.countyDir(), centre.DeskFile)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	return errors.Join(do(file), file.Close())
}

func run(ctx context.Context, file *sql.DB, statement string, args ...any) error {
	_, err := file.ExecContext(ctx, statement, args...)
	return err
}
