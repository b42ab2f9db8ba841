package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/term"
)

func guardCommand() *cobra.Command {
	var file guardFile
	c := &cobra.Command{
		Use:   "guard",
		Short: "Keep the list of guards who sign in at a gate",
		Long: `guard makes and changes guards.csv: at the county's computer the list of all gates, or with
--file that of one (enrol/GATE/guards.csv). An id such as east-1 stands for a guard or a
group, never for a person's name. A PIN is read from standard input and kept as a hash. A
change is written into the county's audit; gates get it when the list is approved, as the
command says.

At a gate without a county it is the list that the agent's configuration names (guards:);
restart the agent after a change.`,
	}
	c.PersistentFlags().StringVar(&file.path, "file", guardsFile, "the list")
	c.PersistentFlags().StringVar(&file.county, "dir", "/var/lib/gatehouse/county",
		"the collector's folder, if this is its computer")
	c.AddCommand(guardAddCommand(&file), guardPINCommand(&file), guardListCommand(&file), guardRemoveCommand(&file))
	return c
}

// guardsFile is the list of all gates of the county.
const guardsFile = "/etc/gatehouse/enrol/default/guards.csv"

// guardFile is a list of guards, and the folder of the county whose audit says who has
// changed it.
type guardFile struct{ path, county string }

func guardAddCommand(file *guardFile) *cobra.Command {
	var card string
	c := &cobra.Command{
		Use:   "add ID",
		Short: "Add a guard with a card, or with a PIN from standard input",
		Example: "  gatehouse guard add east-1 --card 62E3086CED\n" +
			"  gatehouse guard add east-2 < pin.txt",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return file.change(c, "added "+args[0], func(list []policy.Guard) ([]policy.Guard, error) {
				g := policy.Guard{ID: args[0], Card: card}
				var err error
				if card == "" {
					g.Hash, err = readPIN(c)
				}
				return append(list, g), err
			})
		},
	}
	c.Flags().StringVar(&card, "card", "", "the number of the card, as in the roster; absent: a PIN is read")
	return c
}

func guardPINCommand(file *guardFile) *cobra.Command {
	return &cobra.Command{
		Use:     "pin ID",
		Short:   "Give a guard a new PIN, read from standard input",
		Example: "  gatehouse guard pin east-1 < pin.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return file.change(c, "PIN of "+args[0], func(list []policy.Guard) ([]policy.Guard, error) {
				i, err := guardOf(list, args[0])
				if err == nil {
					list[i].Hash, err = readPIN(c)
				}
				return list, err
			})
		},
	}
}

// guardRow is a guard for tools: without card and PIN.
type guardRow struct {
	ID   string `json:"id"`
	Card bool   `json:"card"` // signs in by card
	PIN  bool   `json:"pin"`
}

func (g guardRow) how() string {
	switch {
	case !g.Card:
		return "PIN"
	case g.PIN:
		return "card and PIN"
	}
	return "card"
}

func guardListCommand(file *guardFile) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the guards, and how they sign in",
		Example: "  gatehouse guard list --file guards.csv",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			guards, err := readGuards(file.path)
			if err != nil {
				return err
			}
			rows := make([]guardRow, 0, len(guards))
			for _, g := range guards {
				rows = append(rows, guardRow{g.ID, g.Card != "", g.Hash != ""})
			}
			return list(c, &out, rows, table[guardRow]{"no guard is on the list", []string{"ID", "SIGNS IN BY"},
				func(g guardRow) []string { return []string{g.ID, g.how()} }})
		},
	}
	out.add(c)
	return c
}

func guardRemoveCommand(file *guardFile) *cobra.Command {
	return &cobra.Command{
		Use:     "remove ID",
		Short:   "Remove a guard",
		Example: "  gatehouse guard remove east-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return file.change(c, "removed "+args[0], func(list []policy.Guard) ([]policy.Guard, error) {
				i, err := guardOf(list, args[0])
				if err != nil {
					return nil, err
				}
				return slices.Delete(list, i, i+1), nil
			})
		},
	}
}

// guardOf returns the index of a guard in a list.
func guardOf(list []policy.Guard, id string) (int, error) {
	i := slices.IndexFunc(list, func(g policy.Guard) bool { return g.ID == id })
	if i < 0 {
		return 0, fmt.Errorf("%s is not on the list: gatehouse guard list shows who is", id)
	}
	return i, nil
}

// readPIN reads a PIN from the command's standard input, and returns its hash.
func readPIN(c *cobra.Command) (hash string, err error) {
	line, err := term.Secret(c.InOrStdin(), c.ErrOrStderr(), "PIN (4 to 8 digits)")
	if err != nil {
		return "", fmt.Errorf("read the PIN: %w", err)
	}
	return policy.NewGuardPIN(line)
}

// readGuards reads a list; one that is not there is empty.
func readGuards(file string) ([]policy.Guard, error) {
	b, err := secret.List(file, secret.Most)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the guards: %w", err)
	}
	list, err := policy.ParseGuards(b)
	if err != nil {
		return nil, fmt.Errorf("guards %s: %w", file, err)
	}
	return list, nil
}

// change changes a list: at once, or not at all.
func (f guardFile) change(
	c *cobra.Command, what string, change func([]policy.Guard) ([]policy.Guard, error),
) error {
	ctx, file := c.Context(), f.path
	list, err := readGuards(file)
	if err != nil {
		return err
	}
	if list, err = change(list); err != nil {
		return err
	}
	b, err := policy.FormatGuards(list)
	if err != nil {
		return err
	}
	county := hasCounty(f.county)
	if county {
		act := audit.Act{Action: audit.ChangeGuards, Object: "guards " + filepath.Base(file), Detail: what}
		if err := audited(ctx, f.county, act); err != nil {
			return err
		}
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return fmt.Errorf("write the guards: %w", err)
	}
	if err := errors.Join(giveLike(file+".new", file), os.Rename(file+".new", file)); err != nil {
		return fmt.Errorf("write the guards: %w", err)
	}
	if county {
		_, err = fmt.Fprintf(c.ErrOrStderr(), "Gates get it by: gatehouse rules import --approve --kind guards%s %s\n",
			scopeFlag(file), file)
	}
	return err
}

// scopeFlag returns the flag of rules import for a list in enrol/SCOPE; empty: for all gates.
func scopeFlag(file string) string {
	if scope := filepath.Base(filepath.Dir(file)); scope != rules.Default && filepath.IsAbs(file) {
		return " --for " + scope
	}
	return ""
}
