package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/term"
)

func consentCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "consent",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "List what waits for a second person, agree to it or refuse it",
		Long: `Some acts need two people: one asks, another one agrees, on the desk's page 双人确认 or
here (deploy/PEOPLE.md). Who agrees gives name and password of the desk. A request is
open for an hour, and what was agreed to is done once. The collector may run.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", defaultDir, "the collector's folder")
	c.AddCommand(consentList(&dir),
		consentDecide(&dir, "agree", "Agree to what another person asks for", (*consent.Consents).Agree),
		consentDecide(&dir, "refuse", "Refuse what somebody asks for, or take back one's own request",
			(*consent.Consents).Refuse))
	return c
}

// consentDecide is a command that decides a request.
func consentDecide(
	dir *string, use, short string, do func(*consent.Consents, context.Context, people.Actor, int64) error,
) *cobra.Command {
	var as string
	c := &cobra.Command{
		Use: use + " NUMBER", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError{fmt.Errorf("%q is no number of a request: see gatehouse consent list", args[0])}
			}
			return withConsents(*dir, func(b *consents) error {
				who, err := b.confirmed(c, as)
				if err != nil {
					return err
				}
				return do(b.Consents, c.Context(), who, id)
			})
		},
	}
	c.Flags().StringVar(&as, "as", "", "name of the user of the desk who decides; the password is asked for")
	_ = c.MarkFlagRequired("as")
	return c
}

func consentList(dir *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List the requests of the last days, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withConsents(*dir, func(b *consents) error {
				all, err := b.List(c.Context())
				if err != nil {
					return err
				}
				return list(c, &out, all, table[consent.Request]{"nobody has asked for anything",
					[]string{"NUMBER", "ACT", "OF", "ASKED BY", "AT", "STATE"}, func(r consent.Request) []string {
						return []string{strconv.FormatInt(r.ID, 10), string(r.Act), r.Object, r.AskedBy,
							r.AskedAt.Local().Format(time.DateTime), standing(r, time.Now())}
					}})
			})
		},
	}
	out.add(c)
	return c
}

// standing says what became of a request.
func standing(r consent.Request, now time.Time) string {
	switch {
	case r.DoneAt != nil:
		return "done, agreed by " + r.AgreedBy
	case r.RefusedBy != "":
		return "refused by " + r.RefusedBy
	case !now.Before(r.Expires):
		return "expired"
	case r.AgreedBy != "":
		return "agreed by " + r.AgreedBy
	}
	return "waits"
}

// consents are what acts of two people need, in the desk's file.
type consents struct {
	*consent.Consents

	file   *db.File
	people *people.People
}

// withConsents opens the desk's file in the collector's folder for do. The collector may
// run meanwhile.
func withConsents(dir string, do func(*consents) error) (err error) {
	path := filepath.Join(dir, centre.DeskFile)
	if _, err := os.Stat(path); err != nil { // a wrong --dir makes no file
		return fmt.Errorf("open the desk: %w", err)
	}
	file, err := desk.OpenFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	p := people.New(file, time.Now)
	log := audit.New(file, time.Now)
	desk.AuditPeople(p, log, time.Now)
	err = do(&consents{consent.New(file, time.Now), file, p})
	return errors.Join(err, log.Flush(context.Background(), time.Now(), true)) // wrong passwords
}

// confirmed returns the user who types the own password.
func (b *consents) confirmed(c *cobra.Command, name string) (people.Actor, error) {
	password, err := term.Secret(c.InOrStdin(), c.ErrOrStderr(), "password of "+name)
	if err != nil {
		return people.Actor{}, err
	}
	return b.people.As(c.Context(), name, password)
}

// lookEvery is how often a command looks whether somebody has agreed.
const lookEvery = time.Second

// agreed asks for an act in the name of a user, waits until another person has agreed, and
// writes act into the audit as what is done next. When it returns an error, that must not
// be done.
func (b *consents) agreed(
	c *cobra.Command, by people.Actor, act consent.Act, object string, as audit.Action,
) error {
	ctx := c.Context()
	r, err := b.Ask(ctx, by, act, object, "")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "request %d waits for a second person, until %s: on the desk, page 双人确认, or\n"+
		"  gatehouse consent agree %d --as NAME\n", r.ID, r.Expires.Local().Format("15:04"), r.ID)
	use := func(tx *sql.Tx) error {
		r, err := b.Use(ctx, tx, r.ID, act, object)
		if err != nil {
			return err
		}
		who := audit.By{Actor: by.Name, Role: string(by.Role), From: by.From}
		return audit.Append(ctx, tx, time.Now(), who, audit.Act{Action: as, Object: object, Detail: r.String()})
	}
	for {
		err := b.file.Write(ctx, use)
		if !errors.Is(err, consent.ErrWaits) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), b.Refuse(context.WithoutCancel(ctx), by, r.ID)) // nobody waits for it
		case <-time.After(lookEvery):
		}
	}
}
