package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/setup"
)

// setupFlags are the flags of setup.
type setupFlags struct {
	answers, language string
	output            output
	place             setup.Place
	again, start      bool
	web               webFlags
}

func setupCommand() *cobra.Command {
	var f setupFlags
	c := &cobra.Command{
		Use:   "setup",
		Short: "Set the county's collector up: three questions, and a configuration with comments",
		Long: `setup asks for the county, the address of this computer and the sites file; all else has
defaults that can be changed. It writes the collector's configuration with comments, the
folder of what gates get when they are enrolled, and the certificates of the desk and the
broker, and checks all of it. Until the last question is answered nothing is written.

A configuration that is there is replaced only with --again, and a copy of it stays; files
that people change (enrol/, sites.yaml) are never replaced. --again also renews the
certificates that setup has made, by the same authority.

With --answers the answers come from a YAML file; deploy/SETUP.md has its keys.
With --start, as root, the service is enabled and started; else setup says how.

With --web the questions are asked in a browser of this computer: setup prints a link that
one browser can open once, within a quarter of an hour, and serves the page on
127.0.0.1:8089 only (from another computer: ssh -L 8089:127.0.0.1:8089). With --start, too,
the page goes on to the desk by itself; in folders of your own this program then runs on as
the collector.

Exit codes: 0 done, 1 not written or not right, 2 wrong answers, or no such file.`,
		Example: "  sudo gatehouse setup\n  sudo gatehouse setup --answers county.yaml --start\n" +
			"  sudo gatehouse setup --web --start",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVar(&f.answers, "answers", "", "take the answers from this YAML file")
	c.Flags().StringVar(&f.place.Dir, "dir", "/etc/gatehouse", "folder of the configuration")
	c.Flags().StringVar(&f.place.Data, "data", "/var/lib/gatehouse", "folder of what the collector keeps")
	c.Flags().BoolVar(&f.again, "again", false, "replace a configuration that is there; a copy stays")
	c.Flags().BoolVar(&f.start, "start", false, "enable and start the service (as root)")
	f.web.add(c)
	f.output.add(c)
	addLanguage(c, &f.language)
	return c
}

// addLanguage adds the flag of the language for people.
func addLanguage(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "language", "", "zh or en; default: of the variable LANG")
}

// chinese reports whether a command speaks Chinese.
func chinese(flag string) (bool, error) {
	switch flag {
	case "zh", "en":
		return flag == "zh", nil
	case "":
		for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
			if v := os.Getenv(name); v != "" {
				return strings.HasPrefix(v, "zh"), nil
			}
		}
		return false, nil
	}
	return false, usageError{fmt.Errorf("--language %q: use zh or en", flag)}
}

func (f *setupFlags) run(c *cobra.Command) error {
	zh, err := chinese(f.language)
	if err != nil {
		return err
	}
	for _, dir := range []*string{&f.place.Dir, &f.place.Data} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return fmt.Errorf("find the folder: %w", err)
		}
	}
	file := filepath.Join(f.place.Dir, setup.ConfigFile)
	if _, err := os.Stat(file); err == nil && !f.again && f.answers == "" {
		return f.there(file)
	}
	if f.place.Host, err = os.Hostname(); err != nil {
		return fmt.Errorf("this computer's name: %w", err)
	}
	if f.web.on {
		return f.inBrowser(c, zh)
	}
	a, err := f.ask(c, zh)
	if err != nil {
		return err
	}
	if err := f.lookForOthers(c.Context(), a); err != nil {
		return err
	}
	written, err := f.write(a, time.Now())
	if errors.Is(err, setup.ErrThere) {
		return f.there(file)
	}
	if err != nil {
		return err
	}
	if err := f.checkWritten(c, file); err != nil {
		return err
	}
	if err := f.startService(c); err != nil {
		return err
	}
	return f.print(c.OutOrStdout(), a, written, f.start, zh)
}

// there is the error of a configuration that is not to be replaced.
func (f *setupFlags) there(file string) error {
	return fmt.Errorf("%s: %w, and a computer has one collector: gatehouse config check says whether it is right; "+
		"gatehouse setup --again replaces it, and keeps a copy", file, setup.ErrThere)
}

// ask returns the answers of the file or of who sits at the terminal.
func (f *setupFlags) ask(c *cobra.Command, zh bool) (a setup.Answers, err error) {
	if f.answers != "" {
		text, err := config.Read(f.answers)
		if err != nil {
			return a, usageError{err}
		}
		a, faults := config.Survey[setup.Answers](text)
		beside(f.answers, a.Paths()...)
		if len(faults) == 0 {
			faults = config.Faults(text, a.Check())
		}
		var all []string
		for _, fault := range faults {
			all = append(all, fmt.Sprintf("%s:%d: %s", f.answers, max(1, fault.Line), fault.Text))
		}
		if len(all) > 0 {
			return a, usageError{errors.New(strings.Join(all, "\n"))}
		}
		return a, nil
	}
	d := setup.Dialog{Next: lines(c.InOrStdin()), Out: c.ErrOrStderr(), Chinese: zh}
	return d.Run(c.Context(), a)
}

// lines returns a reader of lines that ends with its context, too. Its goroutine ends with
// the input, or with the process.
func lines(in io.Reader) setup.Lines {
	next := make(chan string)
	go func() {
		defer close(next)
		s := bufio.NewScanner(in)
		for s.Scan() {
			next <- s.Text()
		}
	}()
	return func(ctx context.Context) (string, bool) {
		select {
		case line, ok := <-next:
			return line, ok
		case <-ctx.Done():
			return "", false
		}
	}
}

// reader reads the files that answers name.
func reader() setup.Reader {
	return setup.Reader{Open: config.Read, Secret: func(path string) ([]byte, error) {
		return secret.ReadMost(path, policy.MaxRoster)
	}}
}

// write writes the files, for the services if root does it.
func (f *setupFlags) write(a setup.Answers, now time.Time) ([]setup.Written, error) {
	files, err := setup.Plan(a, f.place, now, reader())
	if err != nil {
		return nil, err
	}
	to := setup.Owner{UID: -1, GID: -1}
	if account, err := user.Lookup(serviceUser); err == nil && os.Geteuid() == 0 {
		to.UID, _ = strconv.Atoi(account.Uid) // numbers on Linux
		to.GID, _ = strconv.Atoi(account.Gid)
	}
	written, err := setup.Write(f.place.Dir, files, f.again, to, now)
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w: start it as root (sudo gatehouse setup), or name folders of your own with --dir "+
			"and --data", err)
	}
	return written, err
}

// checkWritten checks what was written, as the service will read it.
func (f *setupFlags) checkWritten(c *cobra.Command, file string) error {
	args := []string{"config", "check", "--kind", "collect", "--output", "json", file}
	quiet := &cobra.Command{}
	quiet.SetContext(c.Context())
	quiet.SetOut(io.Discard)
	quiet.SetErr(c.ErrOrStderr())
	if done, err := asService(quiet, []string{file}, args); done {
		if err != nil {
			return fmt.Errorf("the service can't use what was written: gatehouse config check %s says why", file)
		}
		return nil
	}
	r, err := checkFile(file, "collect", time.Now())
	if err != nil {
		return err
	}
	if !r.OK {
		return errors.Join(fmt.Errorf("what was written can't be used"), r.print(c.ErrOrStderr()))
	}
	return nil
}

// collectUnit is the service of the collector.
const collectUnit = "gatehouse-collect.service"

// startService enables and starts the service, if that is asked for.
func (f *setupFlags) startService(c *cobra.Command) error {
	if !f.start {
		return nil
	}
	return startUnit(c, collectUnit, f.again)
}

// startUnit enables a unit of systemd, and starts it, or starts it again.
func startUnit(c *cobra.Command, unit string, again bool) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("--start: only root starts services: sudo systemctl enable --now %s", unit)
	}
	calls := [][]string{{"enable", "--now", unit}}
	if again {
		calls = append(calls, []string{"restart", unit})
	}
	for _, args := range calls {
		cmd := exec.CommandContext(c.Context(), "systemctl", args...) //nolint:gosec // our own units
		cmd.Stdout, cmd.Stderr = c.ErrOrStderr(), c.ErrOrStderr()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("systemctl %s: %w: journalctl -u %s says more", strings.Join(args, " "), err, unit)
		}
	}
	return nil
}

// print says what was written, and what to do next.
func (f *setupFlags) print(w io.Writer, a setup.Answers, written []setup.Written, started, zh bool) error {
	if f.output.is(asJSON) {
		return printJSON(w, struct {
			County string          `json:"county"`
			Desk   string          `json:"desk"`
			Config string          `json:"config"`
			Files  []setup.Written `json:"files"`
		}{a.County, a.Desk(), filepath.Join(f.place.Dir, setup.ConfigFile), written})
	}
	_, err := io.WriteString(w, setup.Report(a, f.place, written, started, zh))
	return err
}
