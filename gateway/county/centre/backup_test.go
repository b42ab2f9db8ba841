package centre

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/sealed"
)

func TestTheDeskTellsThatNoBackupIsYoungEnough(t *testing.T) {
	now := time.Date(2020, 2, 14, 12, 0, 0, 0, time.UTC)
	cfg := backup.Config{WarnAfter: 24 * time.Hour}
	for name, c := range map[string]struct {
		ago    time.Duration
		made   bool
		err    error
		advice string
	}{
		"young":       {ago: time.Hour, made: true},
		"just so":     {ago: 24 * time.Hour, made: true},
		"late":        {ago: 24*time.Hour + time.Second, made: true, advice: "backup-late"},
		"none":        {advice: "backup-none"},
		"unreadable":  {err: errors.New("damaged"), advice: "backup-unread"},
		"a bit ahead": {ago: -time.Hour, made: true},
		"next week":   {ago: -7 * 24 * time.Hour, made: true, advice: "backup-late"},
	} {
		last := backup.Last{At: now.Add(-c.ago)}
		got, wrong := lateBackup(cfg, last, c.made, c.err, now)
		if wrong != (c.advice != "") || wrong && got.Advice != c.advice ||
			got.Kind != fact.TroubleBackup || got.Problem {
			t.Errorf("%s: %+v, %v", name, got, wrong)
		}
	}
}

// county makes the files of a county, as the first start of a collector does.
func countyFiles(t *testing.T) (cfg Config, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "etc", "collect.yaml")
	must(t, os.MkdirAll(filepath.Join(dir, "etc"), 0o700))
	must(t, os.WriteFile(file, []byte("county: qinghe\ndir: ../county\nsites: sites.yaml\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "etc", "sites.yaml"), []byte("id: qinghe\nname: 清河县\n"), 0o600))
	cfg = Config{County: "qinghe", Dir: "../county", Sites: "sites.yaml"}
	cfg.Beside(file)
	c := &county{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	must(t, os.MkdirAll(cfg.Dir, 0o700))
	must(t, c.loadKeys(t.Context()))
	must(t, Adopt(t.Context(), cfg.Dir, backup.Manifest{County: "qinghe"})) // it makes files that are missing
	return cfg, file
}

// restored backs a county up, and returns how it would be restored to another folder.
func restored(t *testing.T, cfg Config, file string) backup.Restore {
	t.Helper()
	secret, to, err := sealed.NewKey()
	must(t, err)
	p, err := cfg.BackupPlan(file, "test", time.Now(), false)
	must(t, err)
	p.Output, p.Recipients = filepath.Join(t.TempDir(), "county.age"), []string{to}
	p.Tell = func(string, int64, int64) {}
	_, _, err = backup.Make(t.Context(), p)
	must(t, err)
	to = t.TempDir()
	return backup.Restore{File: p.Output, Secrets: []string{secret}, Dir: filepath.Join(to, "county"),
		ConfigDir: filepath.Join(to, "etc"), AuthorityDir: filepath.Join(to, "ca"), Now: time.Now(), Tell: p.Tell,
		Adopt: Adopt, CountyOf: CountyOf}
}

func TestARestoredCountyIsItselfAndEndsAllSessions(t *testing.T) {
	cfg, file := countyFiles(t)
	d, err := desk.OpenFile(filepath.Join(cfg.Dir, DeskFile))
	must(t, err)
	_, err = d.Exec(t.Context(), "INSERT INTO sessions (hash, name, began, seen, expires, address, browser) "+
		"VALUES (x'01', 'wang', 0, 0, 9e18, '', '')")
	must(t, errors.Join(err, d.Close()))
	r := restored(t, cfg, file)
	_, err = r.Do(t.Context())
	must(t, err)
	for _, dir := range []string{cfg.Dir, r.Dir} {
		key, err := os.ReadFile(filepath.Join(dir, "collector.key"))
		was, err2 := os.ReadFile(filepath.Join(cfg.Dir, "collector.key"))
		if err = errors.Join(err, err2); err != nil || string(key) != string(was) {
			t.Errorf("%s: the key is another one, %v", dir, err)
		}
		f, err := db.OpenReadOnly(filepath.Join(dir, DeskFile))
		must(t, err)
		sessions, _, err := db.One(t.Context(), f.Reader(), db.Value[int], "SELECT count(*) FROM sessions")
		must(t, err)
		last, _, err := db.One(t.Context(), f.Reader(), db.Value[string], "SELECT action FROM audit ORDER BY n DESC")
		must(t, errors.Join(err, f.Close()))
		if want := map[bool]int{true: 1, false: 0}[dir == cfg.Dir]; sessions != want || last != string(audit.Restore) {
			t.Errorf("%s: %d sessions, the audit ends with %s", dir, sessions, last)
		}
	}
	// The configuration is as before, and another county's is not restored over it.
	if county, err := CountyOf(filepath.Join(r.ConfigDir, "collect.yaml")); county != "qinghe" || err != nil {
		t.Errorf("county %q, %v", county, err)
	}
	must(t, os.WriteFile(filepath.Join(r.ConfigDir, "collect.yaml"), []byte("county: linshui\n"), 0o600))
	r.Dir += "-2"
	if _, err := r.Do(t.Context()); !errors.Is(err, backup.ErrOther) {
		t.Errorf("error is %v", err)
	}
}

func TestAStoreOfALaterVersionIsNotAdopted(t *testing.T) {
	for _, name := range []string{StoreFile, DeskFile, ReportsFile} {
		cfg, file := countyFiles(t)
		change(t, filepath.Join(cfg.Dir, name), "PRAGMA user_version = 999")
		r := restored(t, cfg, file)
		if _, err := r.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "later version") {
			t.Errorf("%s: error is %v", name, err)
		}
		if _, err := os.Stat(r.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: it has its place: %v", name, err)
		}
	}
}

// change runs a statement on a file, whatever its schema.
func change(t *testing.T, path, statement string) {
	t.Helper()
	steps := make([]string, 0)
	c, err := db.Count(context.Background(), path)
	must(t, err)
	for range c.Schema {
		steps = append(steps, "SELECT 1")
	}
	f, err := db.Open(path, steps...)
	must(t, err)
	_, err = f.Exec(t.Context(), statement)
	must(t, errors.Join(err, f.Close()))
}

// Without the authority that gates and browsers trust, a restored county could renew no certificate
// of its servers. The key is in backups with the authority only.
func TestTheServersAuthorityIsBackedUp(t *testing.T) {
	dir := t.TempDir()
	cert := filepath.Join(dir, "server.crt")
	cfg := Config{Desk: &pages.Config{TLS: pages.TLS{Cert: cert}}}
	if got := cfg.serversAuthority(true); len(got) != 0 {
		t.Errorf("certificates of the operator's own: %q", got)
	}
	for _, name := range []string{"ca.crt", "ca.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	crt, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	if got := cfg.serversAuthority(false); !slices.Equal(got, []string{crt}) {
		t.Errorf("without the authority: %q", got)
	}
	if got := cfg.serversAuthority(true); !slices.Equal(got, []string{crt, key}) {
		t.Errorf("with it: %q", got)
	}
}
