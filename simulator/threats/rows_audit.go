package threats

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/centre"
)

// audits are who wants to have done nothing.
func audits() []Row {
	return []Row{
		{
			ID: "T37", Name: "audit-edited",
			Title:   "an entry of the audit is changed, removed or moved in the file",
			Control: "a chain of hashes", try: editAudit,
		},
		{
			ID: "T38", Name: "audit-cut",
			Title:   "the newest entries of the audit are cut off, and all hashes made anew",
			Control: "gates journal its head: they are witnesses", try: cutAudit,
		},
		{
			ID: "T39", Name: "audit-of-looks", Title: "somebody looks at passages, and says that they did not",
			Control: "a look is written before it is shown", try: looksAreWritten,
		},
		{
			ID: "T40", Name: "log-injection",
			Title:   "names, topics and client ids hold line breaks and escape sequences",
			Control: "the log quotes; names with control characters are refused", try: injectLog,
		},
	}
}

// copied copies the county's folder without its broker, and returns the copy.
func (c *county) copied(ctx context.Context, name string) (string, error) {
	to := c.path(name)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", err
	}
	for _, file := range []string{centre.DeskFile, centre.StoreFile} {
		from, err := sql.Open("sqlite", c.path("county", file)+"?_pragma=busy_timeout(10000)")
		if err != nil {
			return "", err
		}
		_, err = from.ExecContext(ctx, "VACUUM INTO ?", filepath.Join(to, file))
		if err := errors.Join(err, from.Close()); err != nil {
			return "", err
		}
	}
	for _, file := range []string{"collector.key", "collector.pub", "site.key"} {
		b, err := os.ReadFile(c.path("county", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file), b, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	return to, nil
}

// verified returns what gatehouse audit verify says of a folder.
func (c *county) verified(ctx context.Context, dir string) (said string, whole bool) {
	said, err := c.run(ctx, "audit", "verify", "--dir", dir)
	return said, err == nil
}

// audit waits until gates have witnessed the audit, and returns a copy of the county's
// folder in which it is whole.
func (c *county) audit(ctx context.Context, name string) (string, error) {
	if _, err := c.delivers(ctx, c.gates[0]); err != nil {
		return "", err
	}
	dir, err := c.copied(ctx, name)
	if err != nil {
		return "", err
	}
	if said, whole := c.verified(ctx, dir); !whole || !strings.Contains(said, "journalled by") {
		return "", fmt.Errorf("nobody has touched it: %s", said)
	}
	return dir, nil
}

// change changes the audit in a copy.
func change(ctx context.Context, dir string, statements ...string) error {
	file, err := sql.Open("sqlite", filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := file.ExecContext(ctx, s); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}

func editAudit(ctx context.Context, c *county) (string, error) {
	edits := map[string][]string{
		"actor":   {"UPDATE audit SET actor = 'nobody' WHERE n = 2"},
		"time":    {"UPDATE audit SET at = at + 1 WHERE n = 2"},
		"object":  {"UPDATE audit SET object = object || 'x' WHERE n = 3"},
		"removed": {"DELETE FROM audit WHERE n = 2"},
		"moved": {"UPDATE audit SET n = -1 WHERE n = 2", "UPDATE audit SET n = 2 WHERE n = 3",
			"UPDATE audit SET n = 3 WHERE n = -1"},
	}
	n := 0
	for what, statements := range edits {
		dir, err := c.audit(ctx, "audit-"+what)
		if err != nil {
			return "", err
		}
		if err := change(ctx, dir, statements...); err != nil {
			return "", err
		}
		if said, whole := c.verified(ctx, dir); whole {
			return "", fmt.Errorf("%s: it is not found: %s", what, said)
		}
		n++
	}
	return fmt.Sprintf("%d edits, all found", n), nil
}

func cutAudit(ctx context.Context, c *county) (string, error) {
	dir, err := c.audit(ctx, "audit-cut")
	if err != nil {
		return "", err
	}
	if err := change(ctx, dir, "DELETE FROM audit WHERE n > 1"); err != nil {
		return "", err
	}
	said, whole := c.verified(ctx, dir)
	if whole || !strings.Contains(said, "ends at entry 1") {
		return "", fmt.Errorf("a tail that was cut off is not found: %s", said)
	}
	if err := change(ctx, dir, "DELETE FROM audit"); err != nil {
		return "", err
	}
	// The commands write entries of their own, with right hashes: the chain grows again.
	for i := range 8 {
		if _, err := c.run(ctx, "invite", "--dir", dir, "--url", c.url, "--role", "viewer"); err != nil {
			return "", fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if said, whole := c.verified(ctx, dir); whole {
		return "", fmt.Errorf("a chain that was written anew is not found: %s", said)
	}
	return "a tail that was cut off and a chain that was written anew are both found by what gates have journalled", nil
}

func looksAreWritten(ctx context.Context, c *county) (string, error) {
	b, err := c.user(ctx, "feng", "policy", 41)
	if err != nil {
		return "", err
	}
	if err := b.is(ctx, http.StatusOK, http.MethodGet, "/api/gate?agent=gate-001", ""); err != nil {
		return "", err
	}
	if _, err := c.run(ctx, "export", "--dir", c.path("county"), "--kind", "passage",
		"--format", "jsonl", "--file", c.path("export.jsonl")); err != nil {
		return "", err
	}
	said, err := c.run(ctx, "audit", "export", "--dir", c.path("county"), "--format", "jsonl")
	if err != nil {
		return "", err
	}
	for _, want := range [][]string{{`"feng"`, "look-gate", "gate-001"}, {"look-export", "terminal"}} {
		found := false
		for line := range strings.Lines(said) {
			all := true
			for _, word := range want {
				all = all && strings.Contains(line, word)
			}
			found = found || all
		}
		if !found {
			return "", fmt.Errorf("the audit has no entry with %q: %.2000s", want, said)
		}
	}
	return "a look at a gate's page and an export at the terminal both stand in the audit", nil
}

func injectLog(ctx context.Context, c *county) (string, error) {
	const line, escape = "\ntime=2020-01-01 level=INFO msg=forged", "\x1b[2Jwiped"
	for _, l := range []login{
		{id: "a" + line, user: "b" + line, password: "c"}, {id: "a" + escape, user: watcher + escape, password: "c"},
		{id: "a" + line, user: watcher, password: password},
	} {
		l.from = 42
		if m, _ := c.enter(ctx, l); m != nil {
			m.close()
		}
	}
	b := c.browser(43)
	for _, header := range [][]string{
		{"User-Agent", "x" + escape}, {"Origin", "https://evil.example\x1b[2Jwiped"},
		{"X-Forwarded-For", "1.2.3.4" + escape},
	} {
		// Go's client refuses some of these; what it sends must do no harm.
		_, _ = b.ask(
			ctx,
			http.MethodPost,
			"/api/login",
			`{"name":"x\ntime=2020-01-01 level=INFO msg=forged","password":"y"}`,
			header...)
	}
	m, err := c.entered(ctx, login{id: fogger, user: fogger, password: password})
	if err != nil {
		return "", err
	}
	_ = m.publish("gatehouse/v1/qinghe/fogger-9/report/a\nmsg=forged", []byte("x\nmsg=forged"), false)
	_ = m.alive(2 * time.Second)
	m.close()
	for _, p := range c.programs() {
		for text := range strings.Lines(p.Printed()) {
			if strings.HasPrefix(text, "time=2020-01-01") || strings.HasPrefix(text, "msg=forged") ||
				strings.Contains(text, "\x1b[2J") {
				return "", fmt.Errorf("the log of %s has a line that somebody else has written: %q", p.Name, text)
			}
		}
	}
	return "7 names with line breaks and escape sequences, 0 lines of them in a log", nil
}
