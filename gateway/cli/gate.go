package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	commands "gatehouse/gateway/county/command"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
	"gatehouse/gateway/web"
)

// gateFlags are the flags of gate and its commands.
type gateFlags struct {
	file, url, as, token string
	lane, zh, en, reason string
	language             string
	yes                  bool
	wait                 time.Duration
	output               output
}

func gateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "gate",
		Short: "Have a gate open its barrier, show a notice, read its files again or restart",
		Long: `gate commands one gate, as the desk's page of the gate does (deploy/COMMANDS.md): through
the running collector, with the rights of a user of the desk. --as says who; the password is
asked for, or read from standard input. The desk's audit has it, as from its page.

It waits for what the gate says. Exit codes: 0 the gate has done it; 1 it was refused, by the
desk or by the gate, or did not reach the gate, or it is not known whether it was done; 2 wrong
usage, or there is no such gate. With -o json, state says which: done, refused, undelivered
(nothing was sent, and nothing will happen), or unknown (it is done once at most: telephone the
gate).`,
	}
	c.AddCommand(
		gateDo(fact.CommandOpen, "Open the barrier once",
			"  gatehouse gate open gate-017 --as wang --reason 'ambulance'\n"+
				"  gatehouse gate open gate-017 --as wang --reason 'ambulance' --yes < password.txt"),
		gateDo(fact.CommandNotice, "Show the guard a notice at once, for 10 minutes",
			"  gatehouse gate notice gate-017 --as wang --zh '九点停电' --en 'power cut at nine' --reason 'power cut'"),
		gateDo(fact.CommandReload, "Let the gate read its configuration and the files that this names again",
			"  gatehouse gate reload gate-017 --as wang --reason 'new roster'"),
		gateDo(fact.CommandRestart, "End the gate's program, so that its supervisor starts it again",
			"  gatehouse gate restart gate-017 --token-file token.txt --reason 'screen hangs' -o json"),
	)
	return c
}

// gateDo is the command that commands an action.
func gateDo(action fact.CommandAction, short, example string) *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use: string(action) + " GATE", Short: short, Example: example,
		Long: short + `. The guard's screen shows who at the county did it, and why.

Exit codes: 0 the gate has done it; 1 refused, not delivered, or not known; 2 wrong usage, or
no such gate (gatehouse gate --help).`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: first(completeGates),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, commands.Request{Agent: args[0], Action: action, Lane: f.lane, Zh: f.zh, En: f.en,
				Reason: f.reason})
		},
	}
	c.Flags().StringVarP(&f.file, "config", "c", defaultCollect,
		"the collector's configuration, which says where the desk is")
	c.Flags().StringVar(&f.url, "url", "", "address of the desk instead, as https://desk.county.example")
	c.MarkFlagsMutuallyExclusive("config", "url")
	c.Flags().StringVar(&f.as, "as", "", "name of the user of the desk who commands it; the password is asked for")
	c.Flags().StringVar(&f.reason, "reason", "", "why, in at most 100 characters; the guard's screen shows it")
	c.Flags().DurationVar(&f.wait, "wait", 3*commands.Patience, "for how long to wait for what the gate says")
	_ = c.MarkFlagRequired("reason") // the flags exist, as below
	switch action {
	case fact.CommandOpen:
		c.Flags().StringVar(&f.lane, "lane", "", "the lane, of a gate that has several")
		c.Flags().BoolVar(&f.yes, "yes", false, "do not ask whether the barrier may open")
		_ = c.MarkFlagRequired("as")
	case fact.CommandNotice:
		c.Flags().StringVar(&f.zh, "zh", "", "the notice, one line")
		c.Flags().StringVar(&f.en, "en", "", "the same in English")
		_ = c.MarkFlagRequired("zh")
	case fact.CommandReload, fact.CommandRestart:
	}
	if action != fact.CommandOpen {
		c.Flags().StringVar(&f.token, "token-file", "", "file with the token of a program instead (gatehouse token)")
		c.MarkFlagsOneRequired("as", "token-file")
		c.MarkFlagsMutuallyExclusive("as", "token-file")
	}
	addLanguage(c, &f.language)
	f.output.add(c)
	return c
}

func (f *gateFlags) run(c *cobra.Command, r commands.Request) error {
	zh, err := chinese(f.language)
	if err != nil {
		return err
	}
	words, err := web.Words(map[bool]string{true: "zh", false: "en"}[zh])
	if err != nil {
		return err
	}
	d, err := f.desk()
	if err != nil {
		return err
	}
	if f.url == "" {
		if err := wrongName("gate", r.Agent, gatesOf(c)); err != nil {
			return err
		}
	}
	if err := f.confirm(c, r); err != nil {
		return err
	}
	password, end, err := f.identify(c, d)
	if err != nil {
		return err
	}
	defer end()
	id, err := commanded(c.Context(), d, r, password)
	if err != nil {
		return err
	}
	if f.output.is(asTable) {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", r.Agent, words["command.state."+string(commands.Asked)])
	}
	row, err := f.outcome(c.Context(), d, r.Agent, id)
	if err != nil {
		return fmt.Errorf("the command was given (id %s), and what became of it can't be read: look at the page of "+
			"the gate: %w", id, err)
	}
	return f.print(c, row, words)
}

// desk returns a client of the desk that the flags name.
func (f *gateFlags) desk() (*deskClient, error) {
	if f.url != "" {
		return clientAt(f.url)
	}
	cfg, err := loadCollector(f.file)
	if err != nil {
		return nil, err
	}
	cfg.Beside(f.file)
	if cfg.Desk == nil {
		return nil, fmt.Errorf("%s: no desk is configured: gates are commanded through it", f.file)
	}
	return newDeskClient(*cfg.Desk)
}

// confirm asks whoever types whether a barrier may open.
func (f *gateFlags) confirm(c *cobra.Command, r commands.Request) error {
	if r.Action != fact.CommandOpen || f.yes {
		return nil
	}
	if !term.Typed(c.InOrStdin()) {
		return usageError{errors.New("nobody can be asked whether the barrier may open: say --yes")}
	}
	said, err := term.Answer(c.InOrStdin(), c.ErrOrStderr(),
		fmt.Sprintf("open the barrier of %s once? nobody is counted; type yes", r.Agent))
	if err != nil {
		return err
	}
	if said != "yes" {
		return errors.New("nothing was done: the answer was not yes")
	}
	return nil
}

// identify says to the desk who commands: a program by its token, or a user, whose password
// it asks for. end ends the user's session.
func (f *gateFlags) identify(c *cobra.Command, d *deskClient) (password string, end func(), err error) {
	if f.token != "" {
		return "", func() {}, d.withToken(f.token)
	}
	if password, err = term.Secret(c.InOrStdin(), c.ErrOrStderr(), "password of "+f.as); err != nil {
		return "", nil, err
	}
	if err := d.logIn(c.Context(), f.as, password); err != nil {
		return "", nil, err
	}
	return password, func() { d.logOut(c.Context()) }, nil
}

// commanded gives a command at the desk, and returns its id. What the desk can't take is wrong
// usage.
func commanded(ctx context.Context, d *deskClient, r commands.Request, password string) (id string, err error) {
	type opening struct {
		commands.Request

		Password string `json:"password"`
	}
	var done pages.Commanded
	if r.Action == fact.CommandOpen {
		done, err = post[pages.Commanded](ctx, d, "/api/open", opening{r, password})
	} else {
		done, err = post[pages.Commanded](ctx, d, "/api/command", r)
	}
	if refused, is := errors.AsType[deskError](err); is && refused.status == http.StatusUnprocessableEntity {
		return "", usageError{err}
	}
	if err != nil {
		return "", fmt.Errorf("the desk has commanded nothing: %w", err)
	}
	return done.ID, nil
}

// outcomeEvery is how often the desk is asked what became of a command.
const outcomeEvery = 300 * time.Millisecond

// outcome waits for what a gate says of a command. While it is not known it waits on: the
// record may come with a backlog.
func (f *gateFlags) outcome(ctx context.Context, d *deskClient, gate, id string) (row commands.Row, err error) {
	end := time.Now().Add(f.wait)
	for {
		rows, err := get[[]commands.Row](ctx, d, "/api/commands?agent="+url.QueryEscape(gate))
		if err != nil {
			return row, err
		}
		i := slices.IndexFunc(rows, func(r commands.Row) bool { return r.ID == id })
		if i < 0 {
			return row, errors.New("the desk does not list it any more")
		}
		switch row = rows[i]; row.State {
		case commands.Done, commands.Refused, commands.Undelivered:
			return row, nil
		case commands.Asked, commands.Sent, commands.Unknown:
		}
		if time.Now().After(end) {
			return row, nil
		}
		if err := wait(ctx, outcomeEvery); err != nil {
			return row, err
		}
	}
}

// print says what became of a command; only what was done is no error.
func (f *gateFlags) print(c *cobra.Command, row commands.Row, words map[string]string) error {
	text := row.Agent + ": " + words["command.state."+string(row.State)]
	if row.Why != "" {
		text += ": " + words["command.why."+string(row.Why)]
	}
	if row.Detail != "" {
		text += " (" + term.Clean(row.Detail) + ")"
	}
	if f.output.is(asJSON) {
		if err := document(c.OutOrStdout(), row); err != nil {
			return err
		}
	}
	if row.State != commands.Done {
		return errors.New(text)
	}
	if f.output.is(asTable) {
		_, err := fmt.Fprintln(c.OutOrStdout(), text)
		return err
	}
	return nil
}
