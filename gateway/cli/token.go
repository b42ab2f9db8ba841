package cli

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/people"
)

func tokenCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "token",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Make, list and revoke tokens with which programs ask the desk",
		Long: `token works on the collector's folder; the collector may run. A program sends its
token in the header "Authorization: Bearer TOKEN" and may do what its role may
(deploy/PEOPLE.md), until the token ends. Only a hash of it is kept: whoever loses
one makes another.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", defaultDir, "the collector's folder")
	c.AddCommand(tokenAdd(&dir), tokenList(&dir), tokenRevoke(&dir))
	return c
}

func tokenAdd(dir *string) *cobra.Command {
	var role string
	var days int
	c := &cobra.Command{
		Use:     "add NAME",
		Short:   "Print a new token",
		Example: "  gatehouse token add grafana --role viewer --days 90",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withPeople(*dir, func(p *people.People) error {
				until := time.Now().AddDate(0, 0, days)
				token, err := p.MakeToken(c.Context(), people.Operator(), args[0], people.Role(role), until)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.OutOrStdout(), token)
				return err
			})
		},
	}
	c.Flags().StringVar(&role, "role", string(people.Viewer), "what it may do: viewer, duty, crew, policy or auditor")
	c.Flags().IntVar(&days, "days", 90, "for how long it is valid, at most 366")
	return c
}

func tokenList(dir *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List the tokens, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withPeople(*dir, func(p *people.People) error {
				all, err := p.Tokens(c.Context())
				if err != nil {
					return err
				}
				return list(c, &out, all, table[people.Token]{"there are no tokens",
					[]string{"NAME", "ROLE", "VALID UNTIL", "MADE BY", "USED"}, tokenRow})
			})
		},
	}
	out.add(c)
	return c
}

func tokenRow(t people.Token) []string {
	used := "never"
	if t.Used != nil {
		used = t.Used.Local().Format(time.DateTime) + " from " + t.From
	}
	return []string{t.Name, string(t.Role), t.Until.Local().Format(time.DateTime),
		cmp.Or(t.MadeBy, people.Terminal), used}
}

func tokenRevoke(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End a token at once",

		ValidArgsFunction: first(completeTokens),
		Args:              cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withPeople(*dir, func(p *people.People) error {
				return p.Revoke(c.Context(), people.Operator(), args[0])
			})
		},
	}
}
