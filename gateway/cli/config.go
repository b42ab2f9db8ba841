package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Check configuration files, and show what is in force",
	}
	c.AddCommand(configCheck(), configShow())
	return c
}

// usualFiles are the configurations that are looked at if none is named: those that are
// there.
var usualFiles = []string{defaultCollect, gateFile, "/etc/gatehouse/agent.yaml"}

// howMade says how a configuration comes to be, of whatever it is.
const howMade = "at the county gatehouse setup makes one, at a gate gatehouse enrol"

// configFlags are the flags of config check and config show.
type configFlags struct {
	files  []string
	kind   string
	output output
}

func (f *configFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.files, "config", "c", nil, "configuration file; default: those of the services")
	c.Flags().StringVar(&f.kind, "kind", "", "what the file configures: "+strings.Join(kindNames(), ", ")+
		"; default: found by its keys")
	f.output.add(c)
	_ = c.RegisterFlagCompletionFunc("kind", fixed(kindNames()...)) // the flag exists
}

// paths returns the files to look at.
func (f *configFlags) paths(args []string) ([]string, error) {
	if f.kind != "" && !slices.Contains(kindNames(), f.kind) {
		return nil, usageError{fmt.Errorf("--kind %q: use %s%s", f.kind, strings.Join(kindNames(), ", "),
			didYouMean(f.kind, kindNames()))}
	}
	list := slices.Concat(f.files, args)
	if len(list) > 0 {
		return list, nil
	}
	list, err := present(usualFiles)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, usageError{fmt.Errorf("no configuration is at %s: name the file, or make one with gatehouse setup",
			strings.Join(usualFiles, ", "))}
	}
	return list, nil
}

// present returns the files that are there. Where none is, and it can't be seen whether some
// are, that is an error.
func present(files []string) (list []string, denied error) {
	for _, path := range files {
		switch _, err := os.Stat(path); {
		case err == nil:
			list = append(list, path)
		case errors.Is(err, fs.ErrPermission):
			denied = fmt.Errorf("no right to look which configuration is there: type sudo before the command: %w", err)
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, denied
}

// checkedFile is what is to be said of a configuration file.
type checkedFile struct {
	File     string         `json:"file"`
	Kind     string         `json:"kind"`
	OK       bool           `json:"ok"`
	Faults   []config.Fault `json:"faults"`
	Warnings []config.Fault `json:"warnings"`
}

func configCheck() *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Say all that is wrong with configuration files",
		Long: `check reads configurations of the collector, of gates, of agents beside machines and of
the broker, and the files that they name, and says all that is wrong at once: each
fault with its line and with what to write instead. It warns of what still works and is
from before this version. Nothing is changed, started or connected to.

Started by root for the files of the services, it reads them as the user gatehouse does.

Exit codes: 0 right, 1 something is wrong, 2 there is no such file.`,
		Example: "  gatehouse config check\n  gatehouse config check collect.yaml -o json",
		RunE: func(c *cobra.Command, args []string) error {
			paths, err := f.paths(args)
			if err != nil {
				return err
			}
			if done, err := asService(c, paths, append(f.args("check"), paths...)); done {
				return err
			}
			return f.check(c, paths)
		},
	}
	f.add(c)
	return c
}

// args returns the command line of a subcommand with these flags.
func (f *configFlags) args(sub string) []string {
	args := []string{"config", sub, "--output", f.output.form}
	if f.kind != "" {
		args = append(args, "--kind", f.kind)
	}
	return args
}

func (f *configFlags) check(c *cobra.Command, paths []string) error {
	list := []checkedFile{}
	bad := 0
	for _, path := range paths {
		r, err := checkFile(path, f.kind, time.Now())
		if err != nil {
			return usageError{err}
		}
		if !r.OK {
			bad++
		}
		list = append(list, r)
	}
	var err error
	if f.output.is(asJSON) {
		err = printJSON(c.OutOrStdout(), list)
	} else {
		for _, r := range list {
			err = errors.Join(err, r.print(c.OutOrStdout()))
		}
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d configurations can't be used", bad, len(list))
	}
	return err
}

// checkFile looks at one configuration file. The error says that it can't be read.
func checkFile(path, kind string, now time.Time) (checkedFile, error) {
	text, err := config.Read(path)
	if err != nil {
		return checkedFile{}, unreadable(err, path, howMade)
	}
	k := configKindOf(cmp.Or(kind, guessKind(text)))
	out := checkedFile{File: path, Kind: k.name, Faults: []config.Fault{}, Warnings: []config.Fault{}}
	faults, warnings := k.check(path, text, now)
	out.Faults = append(out.Faults, faults...)
	out.Warnings = append(out.Warnings, warnings...)
	out.OK = len(out.Faults) == 0
	return out, nil
}

// print writes a line for each fault: file:line: what is wrong.
func (r checkedFile) print(w io.Writer) error {
	var b strings.Builder
	line := func(word string, f config.Fault) {
		at := r.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", r.File, f.Line)
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", at, word, f.Text)
	}
	for _, f := range r.Faults {
		line("error", f)
	}
	for _, f := range r.Warnings {
		line("warning", f)
	}
	if r.OK {
		fmt.Fprintf(&b, "%s: right, %s\n", r.File, configKindOf(r.Kind).title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func configShow() *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the configuration that is in force, with its defaults",
		Long: `show prints a configuration as the program uses it: with the defaults of what the file
does not say (marked), and paths from the root. Secrets lie in files of their own, whose
paths are printed; a password within a URL is not. A file that is wrong is an error:
gatehouse config check says why.`,
		Example: "  gatehouse config show\n  gatehouse config show collect.yaml -o json",
		RunE: func(c *cobra.Command, args []string) error {
			paths, err := f.paths(args)
			if err != nil {
				return err
			}
			if len(paths) > 1 && len(args)+len(f.files) > 1 {
				return usageError{errors.New("name one file")}
			}
			return f.show(c, paths[0])
		},
	}
	f.add(c)
	return c
}

func (f *configFlags) show(c *cobra.Command, path string) error {
	text, err := config.Read(path)
	if err != nil {
		return usageError{unreadable(err, path, howMade)}
	}
	out, err := configKindOf(cmp.Or(f.kind, guessKind(text))).show(path, text)
	if err == nil && f.output.is(asJSON) {
		out, err = config.JSON(out)
	}
	if err == nil {
		_, err = c.OutOrStdout().Write(out)
	}
	return err
}
