package backup

import (
	"context"
	"database/sql"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/sealed"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// kit is a small county: its folders, its databases, and a key for its backups.
type kit struct {
	t           *testing.T
	dir         string // above all folders
	secret      string
	plan        Plan
	store, desk *db.File
}

const (
	storeSchema = `CREATE TABLE records (seq INTEGER PRIMARY KEY, raw BLOB); CREATE TABLE journals (through INTEGER);
		INSERT INTO journals VALUES (0)`
	deskSchema = `CREATE TABLE progress (through INTEGER); INSERT INTO progress VALUES (0)`
)

var made = time.Date(2020, 2, 14, 3, 0, 0, 0, time.UTC)

func newKit(t *testing.T) *kit {
	t.Helper()
	k := &kit{t: t, dir: t.TempDir()}
	secret, to, err := sealed.NewKey()
	must(t, err)
	k.secret = secret
	county, etc, ca := k.path("county"), k.path("etc"), k.path("county-ca")
	write(t, filepath.Join(county, "collector.key"), "key of the collector\n")
	write(t, filepath.Join(county, "setup-link"), "passes away\n")
	write(t, filepath.Join(county, "lock"), "")
	write(t, filepath.Join(county, "broker", "queue"), "of the broker\n")
	write(t, filepath.Join(etc, "collect.yaml"), "county: qinghe\n")
	write(t, filepath.Join(etc, "sites.yaml"), "id: qinghe\n")
	write(t, filepath.Join(etc, "enrol", "default", "agent.yaml"), "broker: {}\n")
	write(t, k.path("ssl", "desk.key"), "key of the desk\n")
	write(t, filepath.Join(ca, "ca.key"), "key of the authority\n")
	k.store = k.open("gatehouse.db", storeSchema)
	k.desk = k.open("desk.db", deskSchema)
	k.open("reports.db", `CREATE TABLE reports (n INTEGER)`)
	k.plan = Plan{
		Manifest: Manifest{Program: "v1", Made: made, County: "qinghe", Host: "here", Telemetry: "in gatehouse.db",
			Paths: Paths{County: county, Config: filepath.Join(etc, "collect.yaml"), Authority: ca}},
		Named:  []string{filepath.Join(etc, "sites.yaml"), filepath.Join(etc, "enrol"), k.path("ssl", "desk.key")},
		Skip:   []string{filepath.Join(county, "broker")},
		Output: k.path("county.age"), Recipients: []string{to}, Tell: func(string, int64, int64) {},
	}
	return k
}

func (k *kit) path(names ...string) string {
	return filepath.Join(append([]string{k.dir}, names...)...)
}

func (k *kit) open(name, schema string) *db.File {
	k.t.Helper()
	f, err := db.Open(k.path("county", name), schema)
	must(k.t, err)
	k.t.Cleanup(func() { f.Close() })
	return f
}

// commit stores a record, and afterwards the desk follows.
func (k *kit) commit(ctx context.Context) error {
	err := k.store.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO records (raw) VALUES (randomblob(3000)); "+
			"UPDATE journals SET through = through + 1")
		return err
	})
	if err != nil {
		return err
	}
	_, err = k.desk.Exec(ctx, "UPDATE progress SET through = through + 1")
	return err
}

func (k *kit) make() (Last, Manifest) {
	k.t.Helper()
	last, m, err := Make(k.t.Context(), k.plan)
	must(k.t, err)
	return last, m
}

// restore returns a restore of the backup to another computer, that is: to other folders.
func (k *kit) restore() Restore {
	return Restore{File: k.path("county.age"), Secrets: []string{k.secret}, Dir: k.path("new", "county"),
		ConfigDir: k.path("new", "etc"), AuthorityDir: k.path("new", "ca"), Now: made.Add(time.Hour),
		Tell:     func(string, int64, int64) {},
		Adopt:    func(context.Context, string, Manifest) error { return nil },
		CountyOf: func(string) (string, error) { return "", fs.ErrNotExist }}
}

// tree returns the files below dir with their texts, and "" for databases.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if filepath.Ext(path) == ".db" {
			b = nil
		}
		out[rel] = string(b)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}

func names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

func number(t *testing.T, path, query string) int {
	t.Helper()
	f, err := db.OpenReadOnly(path)
	must(t, err)
	defer f.Close()
	n, _, err := db.One(t.Context(), f.Reader(), db.Value[int], query)
	must(t, err)
	return n
}
