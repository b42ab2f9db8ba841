package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
)

func inviteCommand() *cobra.Command {
	var dir, url, role, reset string
	c := &cobra.Command{
		Use:   "invite",
		Short: "Make a link that creates a user of the desk",
		Long: `invite prints a link that works once, within a day. Who opens it chooses a name and
a password, and becomes a user with the role (deploy/PEOPLE.md says what each may
do). With --reset it sets a new password of an existing user, for somebody who
forgot theirs. The collector may run meanwhile.`,
		Example: "  gatehouse invite --role duty\n" +
			"  gatehouse invite --reset 王主任 --dir /var/lib/gatehouse/county",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withPeople(dir, func(p *people.People) error {
				var token string
				var err error
				if reset != "" {
					token, err = p.Reset(c.Context(), people.Operator(), reset)
				} else {
					token, err = p.Invite(c.Context(), people.Operator(), people.Role(role))
				}
				if err == nil {
					_, err = fmt.Fprintln(c.OutOrStdout(), url+"/setup#"+token)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&dir, "dir", defaultDir, "the collector's folder")
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "the desk's address, for the link")
	c.Flags().StringVar(&role, "role", string(people.Admin), "of the new user: "+roleNames(people.Roles()))
	c.Flags().StringVar(&reset, "reset", "", "the user whose password the link sets, instead of a new user")
	c.MarkFlagsMutuallyExclusive("role", "reset")
	return c
}

// defaultDir is the collector's folder if no other is given.
const defaultDir = "/var/lib/gatehouse/county"

func roleNames(roles []people.Role) string {
	var names []string
	for _, r := range roles {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// withPeople opens the desk's file in the collector's folder for do. The collector may
// run meanwhile.
func withPeople(dir string, do func(*people.People) error) error {
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return err
	}
	defer file.Close()
	p := people.New(file, time.Now)
	desk.AuditPeople(p, audit.New(file, time.Now), time.Now)
	return do(p)
}
