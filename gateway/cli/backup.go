package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/term"
	"gatehouse/gateway/version"
)

// backupFlags are the flags of backup.
type backupFlags struct {
	file, output, scratch, influx string
	recipients                    []string
	keep                          int
	authority, verify             bool
	form                          output
}

func backupCommand() *cobra.Command {
	var f backupFlags
	c := &cobra.Command{
		Use:   "backup",
		Short: "Copy what the county keeps into one encrypted file, while it runs",
		Long: `backup copies the county's databases as they are at one moment, its keys, and the
configuration with the files that it names into one file, which only the recipients
can open (age). The collector may run. The file is then opened again, unpacked into
a scratch folder and checked; only a file that is good gets its name, and the desk
shows when it was made. Where it goes, to whom it is encrypted and how many are kept
is written under backup: in the configuration, or given by flags.

The folder of the county's authority (ca_dir) is in it with --with-authority only:
keep that file apart from the others. Records in InfluxDB are in it only by
--influx-command, a command of InfluxDB's own that writes into the folder {}. See
deploy/BACKUP.md.

Exit code 1: no backup was made, and the error says why; older ones are as before.`,
		Example: "  gatehouse backup --file /media/usb --recipient age1...\n" +
			"  gatehouse backup --config /etc/gatehouse/collect.yaml --file county.age --with-authority",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVarP(&f.file, "config", "c", defaultCollect, "the collector's configuration")
	c.Flags().StringVar(&f.output, "file", "", "file to write, or folder, instead of the configuration's")
	c.Flags().StringArrayVar(&f.recipients, "recipient", nil,
		"who can open it, age1..., instead of the configuration's")
	c.Flags().IntVar(&f.keep, "keep", 0,
		"how many backups stay in the folder, instead of the configuration's; 0: all")
	c.Flags().BoolVar(&f.authority, "with-authority", false, "with the folder of the county's authority")
	c.Flags().BoolVar(&f.verify, "verify", true, "open and check what was written")
	c.Flags().StringVar(&f.scratch, "scratch", "",
		"folder for copies that are not encrypted yet (default: the county's)")
	c.Flags().StringVar(&f.influx, "influx-command", "",
		"command by which InfluxDB writes its own backup, such as 'influxd backup -portable -db gatehouse {}'")
	f.form.add(c)
	return c
}

// plan returns what is to be done, by the configuration and the flags.
func (f *backupFlags) plan(c *cobra.Command, now time.Time) (p backup.Plan, err error) {
	cfg, err := loadCollector(f.file)
	if err != nil {
		return p, err
	}
	cfg.Beside(f.file)
	if err := cfg.Check(); err != nil {
		return p, fmt.Errorf("%s:\n%w", f.file, err)
	}
	if p, err = cfg.BackupPlan(f.file, version.String, now, f.authority); err != nil {
		return p, err
	}
	own := cfg.Backup
	if own == nil {
		own = &backup.Config{}
	}
	p.Output, p.Recipients, p.Keep, p.Scratch, p.Unverified = own.Dir, own.Recipients, own.Keep, f.scratch, !f.verify
	if f.output != "" {
		p.Output, p.Keep = f.output, 0
	}
	if len(f.recipients) > 0 {
		p.Recipients = f.recipients
	}
	if c.Flags().Changed("keep") {
		p.Keep = f.keep
	}
	checked := backup.Config{Recipients: p.Recipients, Keep: p.Keep}
	switch err := checked.Check(); {
	case p.Output == "":
		return p, usageError{errors.New("--file: name a file or folder, or write backup: with dir into the " +
			"configuration")}
	case err != nil:
		return p, usageError{fmt.Errorf("--recipient, --keep, or backup: of the configuration: %w", err)}
	case f.influx != "" && cfg.Influx == nil:
		return p, usageError{errors.New("--influx-command: the configuration names no InfluxDB")}
	case f.influx != "":
		p.Telemetry = "in InfluxDB; its own backup is in the folder influx"
		p.Influx = func(ctx context.Context, dir string) error { return runIn(ctx, f.influx, dir) }
	}
	return p, nil
}

// runIn runs a command of an operator in which {} stands for a folder.
func runIn(ctx context.Context, line, dir string) error {
	words := strings.Fields(line)
	at := false
	for i, w := range words {
		at = at || w == "{}"
		words[i] = strings.ReplaceAll(w, "{}", dir)
	}
	if !at {
		return usageError{errors.New("--influx-command: write {} where the command takes its folder")}
	}
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput() //nolint:gosec // the operator's own
	if err != nil {
		return fmt.Errorf("%s: %w: %s", words[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (f *backupFlags) run(c *cobra.Command) error {
	p, err := f.plan(c, time.Now())
	if err != nil {
		return err
	}
	show := &steps{w: c.ErrOrStderr()}
	p.Tell = show.tell
	act := audit.Act{Action: audit.Backup, Object: p.Output,
		Detail: fmt.Sprintf("to %d recipients", len(p.Recipients))}
	if err := audited(c.Context(), p.Paths.County, act); err != nil {
		return err
	}
	last, m, err := backup.Make(c.Context(), p)
	show.end()
	if err != nil {
		return failed(c.Context(), p.Paths.County, act, fmt.Errorf("back up %s: %w", p.Paths.County, err))
	}
	if f.authority {
		fmt.Fprintln(c.ErrOrStderr(), "The key of the county's authority is in this file: keep it apart from the "+
			"others.")
	}
	return printBackup(c.OutOrStdout(), &f.form, last, m)
}

// printBackup prints what a backup holds.
func printBackup(w io.Writer, form *output, last backup.Last, m backup.Manifest) error {
	if form.is(asJSON) {
		return writeJSON(w, struct {
			backup.Last

			Manifest backup.Manifest `json:"manifest"`
		}{last, m})
	}
	rows := [][]string{{"county", m.County}, {"made", m.Made.UTC().Format(time.RFC3339)}, {"version", m.Program},
		{"on", m.Host}, {"file", last.File}}
	if last.SHA256 != "" {
		rows = append(rows, []string{"size", fmt.Sprintf("%d bytes", last.Size)}, []string{"sha256", last.SHA256},
			[]string{"checked", map[bool]string{true: "yes: unpacked, all databases read", false: "no"}[last.Verified]})
	}
	authority := "not in it: keep a copy of ca_dir elsewhere"
	if m.Authority {
		authority = "in it"
	}
	rows = append(rows, []string{"records", m.Telemetry}, []string{"authority", authority},
		[]string{"files", strconv.Itoa(len(m.Files))})
	for _, file := range m.Files {
		if file.Database() {
			rows = append(rows, []string{filepath.Base(file.Name), countsOf(file)})
		}
	}
	return term.New(w).Table([]string{"BACKUP", ""}, rows)
}

// countsOf says what a database holds.
func countsOf(f backup.File) string {
	parts := []string{fmt.Sprintf("%d bytes", f.Size)}
	for _, table := range []string{"records", "journals", "holes", "quarantine", "passages", "alerts", "users",
		"identities", "audit", "reports"} {
		if n, has := f.Rows[table]; has {
			parts = append(parts, fmt.Sprintf("%s %d", table, n))
		}
	}
	return strings.Join(parts, ", ")
}

// restoreFlags are the flags of restore.
type restoreFlags struct {
	backup.Restore

	identities []string
	list       bool
	authority  bool // alone
	form       output
}

func restoreCommand() *cobra.Command {
	var f restoreFlags
	c := &cobra.Command{
		Use:   "restore FILE --identity KEY",
		Short: "Bring the county back from a backup",
		Long: `restore reads the whole backup, checks it, and only then gives it its places: the
county's folder, the folder of the configuration, and the authority's, each where it
was or where a flag says. Nothing is written over: what is there is an error, or with
--again is moved aside. It refuses while a collector runs in that folder, a backup of
another county or of a later version, and one that has less than the store that is
there. Run by root it takes places outside /etc/gatehouse and /var/lib/gatehouse only from
flags: whoever has made the file could have named any. Then start the collector: gates
send again what they hold and the backup lacks (7 days), by themselves.

With --only-authority it brings back the authority's folder from a backup that was made with
--with-authority, and nothing else: after the county was restored from a newer one without it.`,
		Example: "  gatehouse restore gatehouse-qinghe-20200214T030000Z.age --identity key.txt\n" +
			"  gatehouse restore county.age --identity key.txt --list\n" +
			"  gatehouse restore authority.age --identity key.txt --only-authority\n" +
			"  gatehouse restore county.age --identity key.txt --dir /srv/county --config-dir /etc/gatehouse --again",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringArrayVar(&f.identities, "identity", nil, "file with an age identity (age-keygen) that opens it")
	c.Flags().StringVar(&f.Dir, "dir", "", "the county's folder (default: as before)")
	c.Flags().StringVar(&f.ConfigDir, "config-dir", "", "folder of the configuration (default: as before)")
	c.Flags().StringVar(&f.AuthorityDir, "ca-dir", "",
		"folder of the authority, if it is in the backup (default: as before)")
	c.Flags().BoolVar(&f.Again, "again", false, "move aside what is there")
	c.Flags().BoolVar(&f.OverNewer, "over-newer", false, "with --again: also a store that has more than the backup")
	c.Flags().BoolVar(&f.list, "list", false, "say what the backup holds, and change nothing")
	c.Flags().BoolVar(&f.authority, "only-authority", false, "bring back the authority's folder, and nothing else")
	c.MarkFlagsMutuallyExclusive("only-authority", "list")
	f.form.add(c)
	_ = c.MarkFlagRequired("identity")
	return c
}

func (f *restoreFlags) run(c *cobra.Command, file string) (err error) {
	if f.Secrets, err = readIdentities(f.identities); err != nil {
		return err
	}
	for _, s := range f.Secrets {
		if _, err := sealed.RecipientOf(s); err != nil {
			return usageError{fmt.Errorf("--identity: %w", err)}
		}
	}
	if f.list {
		m, err := backup.List(file, f.Secrets)
		if err != nil {
			return err
		}
		return printBackup(c.OutOrStdout(), &f.form, backup.Last{File: file}, m)
	}
	show := &steps{w: c.ErrOrStderr()}
	f.File, f.Now, f.Tell, f.Adopt, f.CountyOf = file, time.Now(), show.tell, centre.Adopt, centre.CountyOf
	if os.Geteuid() == 0 { // root may write anywhere, and the file may be a stranger's
		f.Usual = []string{"/etc/gatehouse", "/var/lib/gatehouse"}
	}
	do := f.Do
	if f.authority {
		do = f.OnlyAuthority
	}
	done, err := do(c.Context())
	show.end()
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return printRestored(c.OutOrStdout(), &f.form, done, f.authority)
}

// hostName returns this computer's name, or "".
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
