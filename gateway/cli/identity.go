package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity/authority"
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
	cfg, err := loadCollector(file)
	if err != nil {
		return err
	}
	cfg.Beside(file)
	log, end := Logger(c.ErrOrStderr())
	defer end()
	return cfg.WithRegistry(c.Context(), log, func(r *registry.Registry) error { return use(cfg, r) })
}

// identityRow is who has a certificate or an unused code, for tools.
type identityRow struct {
	Name        string         `json:"name"`
	Kind        authority.Kind `json:"kind"`
	Fingerprint string         `json:"fingerprint,omitempty"` // absent: it has no certificate
	Ends        *time.Time     `json:"ends,omitempty"`
	ApprovedBy  string         `json:"approved_by,omitempty"`
	Revoked     *time.Time     `json:"revoked,omitempty"`
	RevokedBy   string         `json:"revoked_by,omitempty"`
	CodeUntil   *time.Time     `json:"code_until,omitempty"` // a code that nobody has used yet
}

func identityList(file *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List who has a certificate or an unused code, and until when it counts",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withRegistry(c, *file, func(_ centre.Config, r *registry.Registry) error {
				known, err := r.List(c.Context())
				if err != nil {
					return err
				}
				var rows []identityRow
				for _, g := range known.Gates {
					rows = append(rows, identityRow{g.Agent, authority.Agent, g.Fingerprint, g.Ends, g.ApprovedBy,
						g.Revoked, g.RevokedBy, g.CodeUntil})
				}
				for _, o := range known.Others {
					rows = append(rows, identityRow{o.Name, o.Kind, o.Fingerprint, &o.Ends, o.ApprovedBy,
						o.Revoked, o.RevokedBy, nil})
				}
				return list(c, &out, rows, table[identityRow]{"",
					[]string{"NAME", "KIND", "FINGERPRINT", "STATE", "APPROVED BY"}, func(i identityRow) []string {
						return []string{i.Name, string(i.Kind), i.Fingerprint,
							validity(i.Ends, i.Revoked, i.RevokedBy, i.CodeUntil, time.Now()), i.ApprovedBy}
					}})
			})
		},
	}
	out.add(c)
	return c
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

		ValidArgsFunction: first(completeGates),
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
