package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/site"
)

// importRules are the flags of rules import.
type importRules struct {
	kind, scope, note string
	approve, newKey   bool
}

func rulesImport(file *string) *cobra.Command {
	var f importRules
	c := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Keep a file as a new version; without FILE, all in the folder enrol.files",
		Long: `import keeps a file as a draft of the kind and scope given. Without a file it takes the
folder that enrol.files of the configuration names: policy.yaml, roster.csv, guards.csv and
contacts.yaml of default and of each gate or compound that has a folder of its own. A file
that is in force already is left out. With --approve each is put into force, unless two
people are asked for.`,
		Example: "  gatehouse rules import --approve\n" +
			"  gatehouse rules import --kind roster residents.csv --note \"week 7\"",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withRules(*file, func(b *rulesBench) error {
				if len(args) == 0 {
					return f.folder(c, b)
				}
				k := rules.Key{Kind: rules.Kind(f.kind), Scope: f.scope}
				if f.kind == "" {
					k.Kind = kindOf(filepath.Base(args[0]))
				}
				if k.Kind == "" {
					return usageError{errors.New("say what it is: --kind policy, roster, guards, contacts or cases")}
				}
				return f.one(c, b, k, args[0])
			})
		},
	}
	c.Flags().StringVar(&f.kind, "kind", "", "policy, roster, guards, contacts or cases; default: by the file's name")
	c.Flags().StringVar(&f.scope, "for", rules.Default, "default for all gates, or the id of a compound or gate")
	_ = c.RegisterFlagCompletionFunc("for", completePlaces) // the flag exists
	c.Flags().StringVar(&f.note, "note", "", "what is new, for others")
	c.Flags().BoolVar(&f.approve, "approve", false, "put it into force, if nothing is wrong with it")
	c.Flags().BoolVar(&f.newKey, "new-vault-key", false, "the vault key is lost for good: make another one")
	return c
}

// ruleFiles are the names of files by their kind, in the order in which they are approved.
var ruleFiles = []struct {
	name string
	kind rules.Kind
}{
	{"policy.yaml", rules.Policy}, {"roster.csv", rules.Roster}, {"guards.csv", rules.Guards},
	{"contacts.yaml", rules.Contacts}, {"cases.yaml", rules.Cases},
}

func kindOf(name string) rules.Kind {
	for _, f := range ruleFiles {
		if f.name == name {
			return f.kind
		}
	}
	return ""
}

// folder imports the folder of what gates get.
func (f *importRules) folder(c *cobra.Command, b *rulesBench) error {
	if b.cfg.Enrol == nil || b.cfg.Enrol.Files == "" {
		return usageError{errors.New("name a file, or give enrol: files in the configuration")}
	}
	dirs, err := os.ReadDir(b.cfg.Enrol.Files)
	if err != nil {
		return fmt.Errorf("import rules: %w", err)
	}
	scopes := []string{rules.Default}
	for _, d := range dirs {
		if d.IsDir() && d.Name() != rules.Default {
			scopes = append(scopes, d.Name())
		}
	}
	found := 0
	for _, r := range ruleFiles { // policies of all scopes come first: rosters are checked by them
		for _, scope := range scopes {
			path := filepath.Join(b.cfg.Enrol.Files, scope, r.name)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			found++
			if err := f.one(c, b, rules.Key{Kind: r.kind, Scope: scope}, path); err != nil {
				return err
			}
		}
	}
	if found == 0 {
		return fmt.Errorf("%s holds no policy.yaml, roster.csv, guards.csv or contacts.yaml", b.cfg.Enrol.Files)
	}
	return nil
}

// one imports one file.
func (f *importRules) one(c *cobra.Command, b *rulesBench, k rules.Key, path string) error {
	text, err := ruleText(k.Kind, path)
	if err != nil {
		return fmt.Errorf("import %s: %w", path, err)
	}
	same, err := b.inForce(c, k, text)
	if err != nil {
		return err
	}
	if same {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: the %s is in force already\n", path, k)
		return err
	}
	add := b.Add
	if f.newKey {
		add = b.AddWithNewKey
	}
	v, err := add(c.Context(), audit.AtTerminal(), k, text, f.note)
	if errors.Is(err, rules.ErrScope) {
		return usageError{fmt.Errorf("--for %q: %w%s", k.Scope, err, didYouMean(k.Scope, placesOf(b.sites)))}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	state := "is a draft: gatehouse rules check " + fmt.Sprint(v.ID)
	if f.approve {
		if err := approve(c.Context(), b, v.ID, false); err != nil {
			return fmt.Errorf("%s is kept as draft %d: %w", path, v.ID, err)
		}
		state = "is in force"
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s: the %s, %s\n", path, v, state)
	return err
}

// placesOf returns the ids of a county's compounds and gates.
func placesOf(county *site.County) (names []string) {
	for _, compound := range county.Compounds() {
		names = append(append(names, compound.ID), compound.Gates...)
	}
	return names
}

// completePlaces completes the id of a compound or gate of the site file.
func completePlaces(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := []string{rules.Default}
	if _, sites := countyOf(c); sites != "" {
		if county, err := site.Load(sites); err == nil {
			names = append(names, placesOf(county)...)
		}
	}
	return beginWith(typed, names), noFiles
}

// ruleText reads a file: others may read a policy, and the numbers of offices, and nothing else.
func ruleText(kind rules.Kind, path string) ([]byte, error) {
	if kind == rules.Policy || kind == rules.Contacts {
		return config.Read(path)
	}
	return secret.List(path, rules.MostText)
}

// inForce reports whether a text is that of the version in force.
func (b *rulesBench) inForce(c *cobra.Command, k rules.Key, text []byte) (bool, error) {
	list, err := b.List(c.Context())
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(list, func(v rules.Version) bool { return v.Key == k && v.InForce && !v.Locked })
	if at < 0 || list[at].Size != len(text) {
		return false, nil
	}
	_, was, err := b.Text(c.Context(), list[at].ID)
	return string(was) == string(text), err
}
