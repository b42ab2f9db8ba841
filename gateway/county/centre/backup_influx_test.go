package centre

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
)

// server runs a real InfluxDB in a folder of its own, and returns how its own tool is run
// for it.
func server(t *testing.T) (url string, tool func(verb string, args ...string) error) {
	t.Helper()
	s, err := influxd.Start(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(s.Close)
	program, err := influxd.Find()
	must(t, err)
	at, err := s.BackupAddress()
	must(t, err)
	return s.URL, func(verb string, args ...string) error {
		args = append([]string{verb, "-portable", "-host", at}, args...)
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("influxd %q: %w: %s", args, err, out)
		}
		return err
	}
}

// What InfluxDB's own tool copies reaches at least as far as the watermarks of the same
// backup, although gates deliver meanwhile.
func TestABackupWithInfluxDBFitsTogether(t *testing.T) {
	cfg, file := countyFiles(t)
	url, tool := server(t)
	cfg.Influx = &Influx{URL: url, Bucket: influxd.Bucket}
	t.Setenv(TokenVariable, influxd.Token)
	a, err := OpenArchive(cfg, slog.New(slog.DiscardHandler))
	must(t, err)
	defer a.Close()
	commit(t, a, 1, 20)
	secret, to, err := sealed.NewKey()
	must(t, err)
	p, err := cfg.BackupPlan(file, "test", time.Now(), false)
	must(t, err)
	p.Output, p.Recipients, p.Tell = filepath.Join(t.TempDir(), "c.age"), []string{to}, func(string, int64, int64) {}
	p.Influx = func(_ context.Context, dir string) error {
		commit(t, a, 21, 30) // gates deliver meanwhile
		return tool("backup", "-db", influxd.Database, dir)
	}
	_, _, err = backup.Make(t.Context(), p)
	must(t, err)

	cfg.Dir = filepath.Join(t.TempDir(), "county")
	done, err := backup.Restore{File: p.Output, Secrets: []string{secret}, Dir: cfg.Dir, ConfigDir: t.TempDir(),
		AuthorityDir: t.TempDir(), Now: time.Now(), Tell: p.Tell, Adopt: Adopt, CountyOf: CountyOf}.Do(t.Context())
	must(t, err)
	url, tool = server(t)
	must(t, influxd.DropDatabase(t.Context(), url))
	must(t, tool("restore", done.Influx))
	cfg.Influx.URL = url
	b, err := OpenArchive(cfg, slog.New(slog.DiscardHandler))
	must(t, err)
	defer b.Close()
	pos, err := b.Position(t.Context(), storetest.JID(1))
	must(t, err)
	if pos.Through != 20 {
		t.Errorf("the watermark is %d", pos.Through)
	}
	awaitRows(t, b, 30)  // InfluxDB shows what was restored some time after its tool has ended
	commit(t, b, 21, 40) // the gate sends again, and goes on
	awaitRows(t, b, 40)
	if _, lost, err := b.Losses(t.Context()); err != nil || lost != 0 {
		t.Errorf("%d records are lost, %v", lost, err)
	}
}

// awaitRows waits until the store has as many records, each once.
func awaitRows(t *testing.T, a *archive.Archive, want int) {
	t.Helper()
	seqs := map[uint64]int{}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		clear(seqs)
		for r, err := range a.Rows(t.Context(), store.Query{}) {
			must(t, err)
			if seqs[r.Seq]++; seqs[r.Seq] > 1 {
				t.Fatalf("seq %d is there twice", r.Seq)
			}
		}
		if len(seqs) == want {
			return
		}
	}
	t.Fatalf("InfluxDB has %d of %d records", len(seqs), want)
}

func commit(t *testing.T, a *archive.Archive, from, to uint64) {
	t.Helper()
	receipts, err := a.Commit(t.Context(), []store.Batch{storetest.Batch(1, from, to)})
	must(t, err)
	if r := receipts[0]; r.Through != to || r.Gap || r.Refused || len(r.Rejected) > 0 {
		t.Errorf("receipt %+v", r)
	}
}

// Without its own tool's copy the manifest says that the records are elsewhere.
func TestABackupWithoutInfluxDBSaysSo(t *testing.T) {
	cfg, file := countyFiles(t)
	cfg.Influx = &Influx{URL: "http://127.0.0.1:8086", Bucket: influxd.Bucket}
	p, err := cfg.BackupPlan(file, "test", time.Now(), false)
	must(t, err)
	const want = "in InfluxDB at http://127.0.0.1:8086, bucket gatehouse/autogen: not in this backup"
	if p.Telemetry != want {
		t.Errorf("telemetry %q", p.Telemetry)
	}
}
