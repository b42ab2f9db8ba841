package cli

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
)

func inviteCommand() *cobra.Command {
	var dir, file, url, role, reset string
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
			if url == "" {
				url = deskURL(file, dir)
			}
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
	c.Flags().StringVarP(&file, "config", "c", defaultCollect, "the collector's configuration, for the desk's address")
	c.Flags().StringVar(&url, "url", "", "the desk's address, for the link, instead of the configuration's")
	c.Flags().StringVar(&role, "role", string(people.Admin), "of the new user: "+roleNames(people.Roles()))
	c.Flags().StringVar(&reset, "reset", "", "the user whose password the link sets, instead of a new user")
	c.MarkFlagsMutuallyExclusive("role", "reset")
	return c
}

// deskURL returns the address of the desk of the collector with this folder, as its configuration
// tells it to gates and browsers; without the configuration, that of a desk of this computer only.
func deskURL(file, dir string) string {
	usual := "http://127.0.0.1:8080"
	cfg, err := config.Load[centre.Config](file)
	if err != nil || cfg.Desk == nil {
		return usual
	}
	cfg.Beside(file)
	if filepath.Clean(cfg.Dir) != filepath.Clean(dir) {
		return usual
	}
	if cfg.Enrol != nil && len(cfg.Enrol.URLs) > 0 {
		return strings.TrimRight(cfg.Enrol.URLs[0], "/")
	}
	scheme := "http://"
	if cfg.Desk.TLS.Cert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(cfg.Desk.Listen)
	if err != nil {
		return usual
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if len(cfg.Desk.Hosts) > 0 {
			host = cfg.Desk.Hosts[0]
		}
	}
	return scheme + net.JoinHostPort(host, port) + strings.TrimRight(cfg.Desk.Path, "/")
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
