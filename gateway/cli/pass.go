package cli

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/pass"
	"gatehouse/gateway/qr"
)

func passCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "pass",
		Short: "Make and read signed passes for people without a card",
		Long: `pass makes and reads passes: QR codes that the collector's key signs, and that a gate
verifies without a network. A pass holds no name.`,
	}
	c.AddCommand(passIssueCommand(), passShowCommand())
	return c
}

func passIssueCommand() *cobra.Command {
	var dir, county, from, image string
	var length time.Duration
	var p pass.Pass
	c := &cobra.Command{
		Use:   "issue",
		Short: "Sign a pass and print it as a QR code",
		Long: `issue signs a pass with the key in the collector's folder and prints it as a QR code, and
as text below. It is for one gate, whose policy must take passes (passes.days).`,
		Example: "  gatehouse pass issue --county qinghe --gate gate-018 --class visitor --for 12h --png pass.png",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p.From = time.Now().Truncate(time.Minute)
			if from != "" {
				at, err := time.Parse(time.RFC3339, from)
				if err != nil {
					return usageError{fmt.Errorf("--from %q: write a time as 2020-02-14T08:00:00+08:00", from)}
				}
				p.From = at
			}
			p.Until = p.From.Add(length)
			rand.Read(p.ID[:]) // never fails (crypto/rand)
			if err := p.Check(); err != nil {
				return usageError{err}
			}
			key, err := identity.LoadCollectorKey(dir)
			if err != nil {
				return err
			}
			warnOfGate(c, p.Gate)
			text, err := pass.Sign(p, county, key.Private)
			if err != nil {
				return err
			}
			if err := audited(c.Context(), dir, issued(p)); err != nil {
				return err
			}
			code, err := qr.Encode(text)
			if err == nil && image != "" {
				err = code.WritePNG(image)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n%s\n\n%s\n", code.Blocks(), describePass(p), text)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", "/var/lib/gatehouse/county", "the collector's folder")
	c.Flags().StringVar(&county, "county", "", "id of the county, as in the configuration")
	c.Flags().StringVar(&p.Gate, "gate", "", "the gate that accepts it: the id of its agent")
	c.Flags().StringVar(&p.Class, "class", "visitor", "class of people, in the gate's policy")
	c.Flags().StringVar(&p.Purpose, "purpose", "", "one of the class's purposes")
	c.Flags().StringVar(&from, "from", "", "from when it counts, RFC 3339 (default now)")
	c.Flags().DurationVar(&length, "for", 12*time.Hour, "for how long it counts, at most 744h")
	c.Flags().IntVar(&p.Uses, "uses", 1, "how often it lets through in each direction")
	c.Flags().StringVar(&image, "png", "", "write the QR code into this file, too")
	_ = c.MarkFlagRequired("county") //nolint:errcheck // the flags exist
	_ = c.MarkFlagRequired("gate")   //nolint:errcheck // the flags exist
	return c
}

// warnOfGate warns of a gate of which the county has not heard: it may be a new one.
func warnOfGate(c *cobra.Command, gate string) {
	if err := wrongName("gate", gate, gatesOf(c)); err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "warning:", err)
	}
}

// issued is what is done with a pass, for the audit.
func issued(p pass.Pass) audit.Act {
	until := p.Until.UTC().Format(time.RFC3339)
	return audit.Act{Action: audit.IssuePass, Object: "pass " + p.ID.String(),
		Detail: fmt.Sprintf("gate %s, class %s, until %s, %d in each direction", p.Gate, p.Class, until, p.Uses)}
}

func passShowCommand() *cobra.Command {
	var public, county string
	var out output
	c := &cobra.Command{
		Use:     "show TEXT",
		Short:   "Say what a pass says, and whether the county has signed it",
		Example: "  gatehouse pass show --county qinghe --key collector.pub GATEHOUSE1:AEBAG...",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := identity.LoadCollectorPublic(public)
			if err != nil {
				return err
			}
			p, err := pass.Read(args[0], county, key)
			if err != nil {
				return err
			}
			if out.is(asJSON) {
				return document(c.OutOrStdout(), newPass(p))
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), describePass(p))
			return err
		},
	}
	c.Flags().StringVar(&public, "key", "/var/lib/gatehouse/county/collector.pub", "the collector's public key")
	c.Flags().StringVar(&county, "county", "", "id of the county, as in the configuration")
	_ = c.MarkFlagRequired("county") //nolint:errcheck // the flag exists
	out.add(c)
	return c
}

// passView is a pass for tools.
type passView struct {
	ID      string    `json:"id"`
	Gate    string    `json:"gate"`
	Class   string    `json:"class"`
	Purpose string    `json:"purpose,omitempty"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Uses    int       `json:"uses"` // in each direction
}

func newPass(p pass.Pass) passView {
	return passView{p.ID.String(), p.Gate, p.Class, p.Purpose, p.From, p.Until, p.Uses}
}

// describePass returns a pass in words.
func describePass(p pass.Pass) string {
	purpose := ""
	if p.Purpose != "" {
		purpose = ", " + p.Purpose
	}
	return fmt.Sprintf("pass %s: gate %s, class %s%s, %s to %s, %d in each direction", p.ID, p.Gate, p.Class, purpose,
		p.From.Local().Format("2006-01-02 15:04"), p.Until.Local().Format("2006-01-02 15:04 -07:00"), p.Uses)
}
