package cli

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse/devices"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/site"
)

// completeWithin bounds the time in which the county's files are asked for names: somebody
// has pressed a key and waits.
const completeWithin = time.Second

// mostNames bounds how many names are offered.
const mostNames = 5000

const noFiles = cobra.ShellCompDirectiveNoFileComp

// fixed completes one of several words.
func fixed(words ...string) cobra.CompletionFunc { return cobra.FixedCompletions(words, noFiles) }

// nothing offers nothing, not even files: for numbers, times and free words.
func nothing(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, noFiles
}

// flagWords are how flags are completed, by their names. What a command has registered
// itself counts before these.
func flagWords() map[string]cobra.CompletionFunc {
	var kinds, roles []string
	for _, k := range export.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, r := range people.Roles() {
		roles = append(roles, string(r))
	}
	return map[string]cobra.CompletionFunc{
		"gate": completeGates, "agent": completeGates, "machine": completeMachines,
		"kind": fixed(kinds...), "role": fixed(roles...), "lang": fixed("zh", "en"),
		"log-level": fixed("debug", "info", "warn", "error"), "log-format": fixed("text", "json"),
		"tls-min": fixed("1.2", "1.3"), "crs": fixed("WGS-84"),
		"time-zone": fixed("Asia/Shanghai", "Asia/Urumqi", "UTC"), "zone": fixed("Asia/Shanghai", "Asia/Urumqi", "UTC"),
	}
}

// completeFlags says how a command's flags are completed: names of the county, words,
// folders, configuration files, and else files; nothing where the value is none of these.
func completeFlags(c *cobra.Command) {
	words := flagWords()
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		complete, known := words[f.Name]
		switch usage := strings.ToLower(f.Usage); {
		case known:
		case f.Name == "config":
			_ = c.MarkFlagFilename(f.Name, "yaml", "yml") // the flag exists, as below
			return
		case strings.Contains(usage, "folder"):
			_ = c.MarkFlagDirname(f.Name)
			return
		case f.Value.Type() == "bool", strings.Contains(usage, "file"), strings.Contains(usage, "roster"),
			strings.Contains(usage, "policy"), strings.Contains(usage, "certificate"):
			return // cobra's own: files
		default:
			complete = nothing
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, complete) // an error: the command has its own
	})
}

// countyOf opens the county that a command's flags name, to read names: the collector's
// folder, and the site file, as far as they can be found.
func countyOf(c *cobra.Command) (dir, sites string) {
	if f := c.Flag("dir"); f != nil && (f.Changed || c.Flag("config") == nil) {
		dir = f.Value.String()
		return dir, ""
	}
	path := defaultCollect
	if f := c.Flag("config"); f != nil {
		path = f.Value.String()
	}
	cfg, err := loadCollector(path)
	if err != nil {
		return defaultDir, ""
	}
	cfg.Beside(path)
	return cfg.Dir, cfg.Sites
}

// fromDesk asks the desk's file for names. What can't be read offers none: whoever presses
// the key wants no error in the line.
func fromDesk(
	c *cobra.Command, dir string, ask func(context.Context, *db.File, int) ([]string, error),
) []string {
	file, err := db.OpenReadOnly(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return nil
	}
	defer file.Close()
	ctx, cancel := context.WithTimeout(contextOf(c), completeWithin)
	defer cancel()
	names, err := ask(ctx, file, mostNames)
	if err != nil {
		return nil
	}
	return names
}

// contextOf returns the context of a command, which cobra does not set for completions.
func contextOf(c *cobra.Command) context.Context {
	if ctx := c.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// beginWith returns the names that begin with what is typed.
func beginWith(typed string, names []string) (out []cobra.Completion) {
	for _, n := range names {
		if strings.HasPrefix(n, typed) && len(out) < mostNames {
			out = append(out, n)
		}
	}
	return out
}

// gatesOf returns the gates of the site file, or else those whose heartbeats the desk has
// received.
func gatesOf(c *cobra.Command) []string {
	dir, sites := countyOf(c)
	if sites != "" {
		if county, err := site.Load(sites); err == nil {
			return county.Agents()
		}
	}
	return fromDesk(c, dir, presence.Names)
}

func completeGates(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return beginWith(typed, gatesOf(c)), noFiles
}

func completeMachines(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	dir, _ := countyOf(c)
	return beginWith(typed, fromDesk(c, dir, fleet.Names)), noFiles
}

func completeModels(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	return beginWith(typed, modelNames()), noFiles
}

func modelNames() (names []string) {
	for _, m := range devices.Catalog() {
		names = append(names, m.Name)
	}
	return names
}

// first completes the first argument of a command, and nothing after it.
func first(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, noFiles
		}
		return complete(c, args, typed)
	}
}

// completeTokens completes the name of a token.
func completeTokens(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	dir, _ := countyOf(c)
	return beginWith(typed, fromDesk(c, dir, func(ctx context.Context, f *db.File, _ int) (names []string, err error) {
		all, err := people.New(f, time.Now).Tokens(ctx)
		for _, t := range all {
			names = append(names, t.Name)
		}
		return names, err
	})), noFiles
}

// completeCall completes the id of an open call, and then the answer.
func (f *callsFlags) completeCall(answers ...string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return beginWith(typed, answers), noFiles
		}
		a, file, err := f.open()
		if err != nil || len(args) > 1 {
			return nil, noFiles
		}
		defer file.Close()
		ctx, cancel := context.WithTimeout(contextOf(c), completeWithin)
		defer cancel()
		open, err := a.Calls(ctx)
		if err != nil {
			return nil, noFiles
		}
		var out []cobra.Completion
		for _, o := range open {
			if id := strconv.FormatInt(o.ID, 10); strings.HasPrefix(id, typed) {
				out = append(out, cobra.CompletionWithDesc(id, o.Agent+", "+string(o.Role)))
			}
		}
		return out, noFiles
	}
}
