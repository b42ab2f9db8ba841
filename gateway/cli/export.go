package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/export/parquet"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/progress"
)

// exportFlags are the flags of export.
type exportFlags struct {
	selection

	format, output string
}

func exportCommand() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export --kind KIND",
		Short: "Write stored records as CSV, JSON lines or Parquet",
		Long: `export reads the county's store, SQLite or InfluxDB, and changes nothing in it; the
collector may run. Records come by journal and seq. Each is a row: agent, journal,
seq, at (UTC), community, grid, compound, unsync (the clock was not known to be
right), then the fields of its kind by their names on the wire; temperature_object_c
is object_c of temperature. A field that a record does not have is empty (in Parquet
null), never zero. Lists are JSON text. What has no column, such as a field of a later version, is in other.

In csv a text that a spreadsheet would run as a formula has an apostrophe before it.
A file of csv or parquet holds one kind; jsonl without --kind holds all. A file
appears under its name when it is complete, and replaces an older one; a pipe or
device is written to.

The data is personal: credential is a keyed pseudonym of a person's card, and rows
of one person can be joined by it. The kinds reading and passage have it, with
temperatures and times. The file is readable by its owner only. That it was written
stands in the county's audit (gatehouse audit export) before the first row is.`,
		Example: "  gatehouse export --kind passage --from 2020-02-14 --to 2020-02-15 --file passages.csv\n" +
			"  gatehouse export --dir /var/lib/gatehouse/county --kind run --format jsonl | jq .grade",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.format, "format", "csv", "csv, jsonl or parquet")
	fileFlag(c, &f.output)
	_ = c.RegisterFlagCompletionFunc("format", fixed(exportFormats()...))
	return c
}

func (f *exportFlags) run(c *cobra.Command) error {
	s, q, err := f.open(f.check())
	if err != nil {
		return err
	}
	defer s.Close()
	if err := f.audited(c, audit.Act{Action: audit.LookExport, Object: "kind " + cmp.Or(f.kind, "all"),
		Detail: "as " + f.format + span(f.from, f.to)}); err != nil {
		return err
	}
	rows := 0
	err = toFile(f.output, c.OutOrStdout(), func(out io.Writer) (err error) {
		bar := barBeside(c, out, "export", 0, progress.Records)
		defer bar.End()
		rows, err = f.write(c.Context(), out, counting{s, bar}, q)
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "%d rows\n", rows)
	if rows == 0 && f.dir != "" {
		fmt.Fprintln(c.ErrOrStderr(), "if the county's records are in InfluxDB, give --config instead of --dir")
	}
	return nil
}

// counting is a source whose records a bar counts.
type counting struct {
	export.Source
	bar progress.Bar
}

// Rows implements export.Source.
func (s counting) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for row, err := range s.Source.Rows(ctx, q) {
			s.bar.Add(1)
			if !yield(row, err) {
				return
			}
		}
	}
}

// check returns what is wrong with the kind and the format.
func (f *exportFlags) check() error {
	switch {
	case !slices.Contains(exportFormats(), f.format):
		return fmt.Errorf("--format %q: use one of %q", f.format, exportFormats())
	case f.kind == "" && f.format != "jsonl":
		return fmt.Errorf("--kind is missing: %s holds one of %q; only jsonl holds all", f.format, export.Kinds())
	}
	return f.checkKind()
}

func exportFormats() []string { return []string{"csv", "jsonl", "parquet"} }

// write writes the records in the format of the flags.
func (f *exportFlags) write(ctx context.Context, out io.Writer, s export.Source, q store.Query) (int, error) {
	w, err := export.NewJSONL(out), error(nil)
	switch f.format {
	case "csv":
		w, err = export.NewCSV(out, export.NewTable(q.Kind))
	case "parquet":
		w, err = parquet.New(out, export.NewTable(q.Kind))
	}
	if err != nil {
		return 0, err
	}
	rows, err := export.Copy(ctx, s, q, w)
	if err != nil {
		return rows, err
	}
	return rows, w.Close()
}

// toFile calls write with a file that gets the name path when it is complete, or
// with out if path is "-". What is at path and no file, such as a pipe, is written to.
func toFile(path string, out io.Writer, write func(io.Writer) error) (err error) {
	if path == "-" {
		w := bufio.NewWriter(out)
		return errors.Join(write(w), w.Flush())
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(toFile("-", pipe, write), pipe.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	err = write(w)
	if err == nil {
		err = errors.Join(w.Flush(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
