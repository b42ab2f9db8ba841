package cli_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// Whoever reads what a command prints may end before the command, as head does. Then
// each command ends by SIGPIPE, as the programs of Unix do, and says nothing.
func TestACommandWhoseReaderHasEndedEndsQuietly(t *testing.T) {
	gate, county, broker := t.TempDir(), t.TempDir(), mosquitto.Start(t)
	fillJournal(t, gate)
	fillCounty(t, county)
	announceFault(t, broker.URL)
	for _, line := range []string{
		"version",
		"--help",
		"devices",
		"journal inspect --dir " + gate,
		"journal verify --dir " + gate,
		"journal export --dir " + gate,
		"export --kind reading --dir " + county,
		"export --format jsonl --dir " + county,
		"export --kind reading --format parquet --dir " + county,
		"history --from 2020-02-14 --to 2020-02-15 --dir " + county,
		"quarantine list --dir " + county,
		"quarantine holes --dir " + county,
		"quarantine expired --dir " + county,
		"runs --dir " + county,
		"checks --dir " + county,
		"runs -o json --dir " + county,
		"machines try --topic gatehouse/v1/qinghe/drone-9/report --payload {\"v\":1}",
		"watch --broker " + broker.URL,
		"watch -o json --broker " + broker.URL,
		"status --wait 0s --broker " + broker.URL,
		"status --wait 0s -o json --broker " + broker.URL,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			var errOut bytes.Buffer
			state := unread(t, &errOut, strings.Fields(line)...)
			how, ok := state.Sys().(syscall.WaitStatus)
			if !ok || !how.Signaled() || how.Signal() != syscall.SIGPIPE || errOut.Len() > 0 {
				t.Errorf("it ends with %s and prints:\n%s", state, &errOut)
			}
		})
	}
}

// unread runs the program with a standard output that nobody reads any more.
func unread(t *testing.T, errOut *bytes.Buffer, args ...string) *os.ProcessState {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Args = append([]string{"gatehouse"}, args...)
	c.Stdout, c.Stderr = w, errOut
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState
}

// fillJournal makes a journal with some records.
func fillJournal(t *testing.T, dir string) {
	t.Helper()
	now := clock.Moment{Wall: storetest.T0, Boot: time.Hour}
	j, _, err := journal.Open(journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}, now)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := j.Append(now, storetest.Reading(3650)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// fillCounty makes a store with records, a hole and a row in quarantine, and a desk's
// file.
func fillCounty(t *testing.T, dir string) {
	t.Helper()
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := storetest.Batch(1, 1, 60)
	b.To, b.Holes = 62, []wire.Hole{{From: 61, To: 62, Reason: "lost", Count: 2}}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	poison := store.Poison{At: storetest.T0, Agent: "gate-001", Reason: "undecodable", Raw: []byte("x")}
	if err := s.Quarantine(t.Context(), poison); err != nil {
		t.Fatal(err)
	}
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// announceFault leaves a collector's status at the broker, which watch and status print.
func announceFault(t *testing.T, url string) {
	t.Helper()
	payload, err := wire.Encode(wire.CollectorStatus{V: 1, State: fact.Online, Fault: "disk full", Start: "s",
		At: wire.At(storetest.T0)})
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{}, 10)
	client := mqtt.New(mqtt.Config{URL: url, ClientID: "collector", Log: slog.New(slog.DiscardHandler),
		OnUp: func() { up <- struct{}{} }})
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	<-up
	topic := wire.Topic("qinghe", wire.CollectorID, wire.LeafStatus)
	if err := client.Publish(mqtt.Message{Topic: topic, Payload: payload, QoS: 1, Retained: true}); err != nil {
		t.Fatal(err)
	}
}

// A program that ignores SIGPIPE, as the simulator does, gets an error from the write.
func TestAnUnreadOutputIsNoFailureOfTheCommand(t *testing.T) {
	unread := &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}
	for name, c := range map[string]struct {
		err  error
		code int
		said bool
	}{
		"nobody reads the output": {unread, 141, false},
		"a device is gone":        {&fs.PathError{Op: "write", Path: "/dev/ttyUSB0", Err: syscall.EPIPE}, 1, true},
		"the output's disk is full": {&fs.PathError{Op: "write", Path: os.Stdout.Name(),
			Err: syscall.ENOSPC}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			var errOut bytes.Buffer
			root := &cobra.Command{Use: "program", RunE: func(*cobra.Command, []string) error {
				return errors.Join(c.err, errors.New("and more"))
			}}
			root.SetArgs(nil)
			if code := cli.Execute(t.Context(), root, &errOut); code != c.code || errOut.Len() > 0 != c.said {
				t.Errorf("exit code %d: %s", code, &errOut)
			}
		})
	}
}

// A pipe in place of a file stays one: --file >(gzip > readings.csv.gz), /dev/stdout.
func TestAnExportIsWrittenToAPipe(t *testing.T) {
	dir := t.TempDir()
	fillCounty(t, dir)
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte, 1)
	go func() {
		b, _ := os.ReadFile(path)
		read <- b
	}()
	args := []string{"export", "--kind", "reading", "--dir", dir, "--file"}
	if code := cli.Run(t.Context(), append(args, path), nil, os.Stdout, os.Stderr); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if lines := bytes.Count(<-read, []byte("\n")); lines != 31 {
		t.Errorf("%d lines came through the pipe, want 31", lines)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		t.Errorf("the pipe was replaced: %v, %v", info, err)
	}
	if code := cli.Run(t.Context(), append(args, dir), nil, os.Stdout, &bytes.Buffer{}); code != 1 {
		t.Errorf("into a folder: exit code %d", code)
	}
}
