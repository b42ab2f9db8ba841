package cli

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
)

func inviteCommand() *cobra.Command {
	var dir, url string
	c := &cobra.Command{
		Use:   "invite",
		Short: "Make a link that creates a user of the desk",
		Long: `invite prints a link that works once, within a day. Who opens it chooses a name and
a password. With the name of an existing user it sets a new password, for somebody
who forgot theirs. The collector may run meanwhile.`,
		Example: "  gatehouse invite --dir /var/lib/gatehouse-county",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
			if err != nil {
				return err
			}
			defer file.Close()
			if err := audit.New(file, time.Now).Write(c.Context(), audit.AtTerminal(),
				audit.Act{Action: audit.Invite}); err != nil {
				return err
			}
			token, err := people.New(file, time.Now).Invite(c.Context(), "")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), url+"/setup#"+token)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", "/var/lib/gatehouse-county", "the collector's folder")
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "the desk's address, for the link")
	return c
}
