package cli

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/progress"
)

func auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Verify or export who did what at the county, and who looked at what",
		Long: `audit reads the table in the desk's file (desk.db) in which every act and every look at
people's passages stands. Each entry has a hash over itself and the one before, and
gates journal the hash of the newest one; see deploy/AUDIT.md. The collector may run.`,
	}
	c.AddCommand(auditVerifyCommand(), auditExportCommand())
	return c
}

// openAudit opens the audit of the county in dir, to read it.
func openAudit(dir string) (*audit.Log, *db.File, error) {
	file, err := db.OpenReadOnly(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return nil, nil, fmt.Errorf("read the audit: %w", err)
	}
	return audit.New(file, time.Now), file, nil
}

// auditExport are the flags of audit export.
type auditExport struct {
	storeFlags

	from, to, format, output string
}

func auditExportCommand() *cobra.Command {
	var f auditExport
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the entries as CSV or JSON lines",
		Long: `export writes the entries from --from up to just before --to, the oldest first: n, at
(UTC), actor, role, from, action, object, detail, prev and hash. A file is readable by
its owner only. That somebody has exported it stands in the audit, too.`,
		Example: "  gatehouse audit export --from 2020-02-14 --to 2020-02-15 --file audit.csv\n" +
			"  gatehouse audit export --format jsonl | jq 'select(.action==\"look-export\")'",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.from, "from", "", "first time, such as 2020-02-14 (midnight in the county) or "+
		"2020-02-14T08:00:00+08:00; default: the oldest entry")
	c.Flags().StringVar(&f.to, "to", "", "entries before this time; default: the newest, too")
	c.Flags().StringVar(&f.format, "format", "csv", "csv or jsonl")
	fileFlag(c, &f.output)
	return c
}

func (f *auditExport) run(c *cobra.Command) error {
	writers := map[string]func(io.Writer, iter.Seq2[audit.Entry, error]) (int, error){
		"csv": audit.WriteCSV, "jsonl": audit.WriteJSONL}
	write, ok := writers[f.format]
	if !ok {
		return usageError{fmt.Errorf("--format %q: use csv or jsonl", f.format)}
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	filter := audit.Filter{}
	times := selection{from: f.from, to: f.to}
	q, err := times.query(f.zone)
	if err != nil {
		return usageError{err}
	}
	filter.From, filter.To = q.From, q.To
	if !hasCounty(cfg.Dir) {
		return fmt.Errorf("%s has no %s: is it the collector's folder?", cfg.Dir, centre.DeskFile)
	}
	if err := audited(c.Context(), cfg.Dir, audit.Act{Action: audit.LookAudit, Detail: "export" +
		span(f.from, f.to)}); err != nil {
		return err
	}
	log, file, err := openAudit(cfg.Dir)
	if err != nil {
		return err
	}
	defer file.Close()
	n := 0
	err = toFile(f.output, c.OutOrStdout(), func(out io.Writer) (err error) {
		n, err = write(out, log.Entries(c.Context(), filter))
		return err
	})
	if err != nil {
		return fmt.Errorf("export the audit: %w", err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "%d entries\n", n)
	return nil
}

// span says what the flags of times select, for the audit.
func span(from, to string) (text string) {
	if from != "" {
		text += ", from " + from
	}
	if to != "" {
		text += ", to " + to
	}
	return text
}

// auditVerify are the flags of audit verify.
type auditVerify struct {
	storeFlags

	gates  bool
	output output
}

func auditVerifyCommand() *cobra.Command {
	var f auditVerify
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that no entry was changed, removed, added or moved",
		Long: `verify checks each entry against its hash and the one before it, and whether every head
that gates have journalled, and that the county's store holds, stands in the chain:
whoever cuts the end off, or writes the chain anew, can't change what gates hold. A head
counts if the county's key has signed it. Records of heads stay in the store as long as
alerts do (retention.alerts); a gate's own journal has the last days, too (gatehouse
journal export --kind audit).

Exit codes: 0 the chain is whole, 1 it is not, or can't be read, 2 wrong usage.`,
		Example: "  gatehouse audit verify\n" +
			"  gatehouse audit verify --dir /var/lib/gatehouse/county --gates",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().BoolVar(&f.gates, "gates", false, "list the newest head that each gate has journalled")
	f.output.add(c)
	return c
}

var errNotWhole = errors.New("the audit is not whole: keep desk.db as it is, and compare it with a backup")

func (f *auditVerify) run(c *cobra.Command) error {
	cfg, err := f.load()
	if err != nil {
		return err
	}
	log, file, err := openAudit(cfg.Dir)
	if err != nil {
		return err
	}
	defer file.Close()
	heads, strange, err := f.witnesses(c.Context(), cfg)
	if err != nil {
		return fmt.Errorf("read the heads that gates have journalled: %w", err)
	}
	bar := f.output.bar(c, "verify", 0, progress.Records)
	defer bar.End()
	var check audit.Check
	var faults []audit.Fault
	count := 0
	for e, err := range log.Entries(c.Context(), audit.Filter{}) {
		if err != nil {
			faults = append(faults, audit.Fault{N: check.End().N + 1, Text: err.Error()})
			break
		}
		count++
		bar.Add(1)
		faults = append(faults, check.Next(e)...)
		heads.See(e)
	}
	faults = append(faults, heads.Missing(check.End())...)
	bar.End()
	report := newVerified(count, check.End(), faults, heads, strange)
	if f.output.is(asJSON) {
		err = document(c.OutOrStdout(), report)
	} else {
		err = f.print(c.OutOrStdout(), report)
	}
	if err == nil && len(faults) > 0 {
		err = errNotWhole
	}
	return err
}
