package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/term"
)

func identityCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "identity",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "List and revoke the county's identities, and give machines and readers certificates",
		Long: `identity works on the collector's folder and the authority's; the collector may run,
and takes a change in within seconds. Gates get their certificates by a code of the
desk (deploy/ENROL.md), machines and readers here (deploy/BROKERS.md).`,
	}
	c.PersistentFlags().StringVarP(&file, "config", "c", defaultCollect, "the collector's configuration")
	c.AddCommand(identityList(&file), identityIssue(&file), identityRevoke(&file))
	return c
}

// withRegistry calls use with the identities of the county with this configuration.
func withRegistry(c *cobra.Command, file string, use func(centre.Config, *registry.Registry) error) error {
	cfg, err := config.Load[centre.Config](file)
	if err != nil {
		return err
	}
	cfg.Beside(file)
	log, end := Logger(c.ErrOrStderr())
	defer end()
	return cfg.WithRegistry(c.Context(), log, func(r *registry.Registry) error { return use(cfg, r) })
}

func identityList(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List who has a certificate or an unused code, and until when it counts",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withRegistry(c, *file, func(_ centre.Config, r *registry.Registry) error {
				list, err := r.List(c.Context())
				if err != nil {
					return err
				}
				rows := [][]string{}
				for _, g := range list.Gates {
					rows = append(rows, []string{g.Agent, string(authority.Agent), g.Fingerprint,
						validity(g.Ends, g.Revoked, g.RevokedBy, g.CodeUntil, time.Now()), g.ApprovedBy})
				}
				for _, o := range list.Others {
					rows = append(rows, []string{o.Name, string(o.Kind), o.Fingerprint,
						validity(&o.Ends, o.Revoked, o.RevokedBy, nil, time.Now()), o.ApprovedBy})
				}
				head := []string{"NAME", "KIND", "FINGERPRINT", "STATE", "APPROVED BY"}
				return term.New(c.OutOrStdout()).Table(head, rows)
			})
		},
	}
}

// validity says in words what a certificate, or else a code, is worth at now.
func validity(ends, revoked *time.Time, by string, code *time.Time, now time.Time) string {
	var out []string
	local := func(t *time.Time) string { return t.Local().Format("2006-01-02 15:04") }
	switch {
	case revoked != nil:
		out = append(out, "revoked "+local(revoked)+" by "+by)
	case ends != nil && now.After(*ends):
		out = append(out, "ended "+local(ends))
	case ends != nil:
		out = append(out, "until "+local(ends))
	default:
		out = append(out, "no certificate")
	}
	if code != nil {
		out = append(out, "a code is out until "+local(code))
	}
	return strings.Join(out, "; ")
}

func identityRevoke(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "Make the certificates of a name void at once",
		Long: `revoke makes all certificates of a gate, machine or reader void. The collector, if it
runs, cuts it off within seconds. A gate goes on recording; enrolled again with a new
code it delivers everything.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withRegistry(c, *file, func(_ centre.Config, r *registry.Registry) error {
				i, ok := r.Lookup(args[0])
				switch {
				case !ok:
					return fmt.Errorf(
						"nobody has a certificate of the name %q: look with gatehouse identity list",
						args[0],
					)
				case !i.Revoked.IsZero():
					return fmt.Errorf("%s was revoked already, on %s by %s", args[0],
						i.Revoked.Local().Format("2006-01-02 15:04"), i.RevokedBy)
				}
				return r.Revoke(c.Context(), args[0], audit.AtTerminal())
			})
		},
	}
}
