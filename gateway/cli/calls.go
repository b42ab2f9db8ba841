package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
)

// callsFlags are the flags of calls and its commands.
type callsFlags struct {
	dir, by string // by: of answer and end
}

func callsCommand() *cobra.Command {
	var f callsFlags
	c := &cobra.Command{
		Use:   "calls",
		Short: "List and answer the calls of guards, as the desk does",
		Long: `calls shows which guards ask for a doctor, a grid worker, the community, the county or
IT, and answers them from a terminal: for a county whose browser fails, or somebody on
duty without one. The collector may run meanwhile; while it runs the gate's screen
shows an answer within a second or two, and so does the desk.`,
	}
	c.PersistentFlags().StringVar(&f.dir, "dir", "/var/lib/gatehouse/county", "the collector's folder")
	c.AddCommand(callsListCommand(&f), callsAnswerCommand(&f), callsEndCommand(&f))
	return c
}

// open opens the alerts of the desk's file, which must be there.
func (f *callsFlags) open() (*alerts.Alerts, *db.File, error) {
	path := filepath.Join(f.dir, centre.DeskFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no %s: give the folder of a collector with a desk (--dir)", path)
	}
	file, err := desk.OpenFile(path)
	if err != nil {
		return nil, nil, err
	}
	return alerts.New(file, live.New(0), nil), file, nil
}

// change opens the desk's file, and changes the call with an id in the name of who types.
func (f *callsFlags) change(id string, do func(a *alerts.Alerts, now time.Time, id int64, by audit.By) error) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return usageError{fmt.Errorf("%q is not the id of a call; see: gatehouse calls list", id)}
	}
	by := audit.AtTerminal()
	if f.by != "" { // who is on duty may not be the computer's user
		by.Actor, by.From = f.by, by.From+" of "+by.Actor
	}
	a, file, err := f.open()
	if err != nil {
		return err
	}
	defer file.Close()
	if err = do(a, time.Now(), n, by); errors.Is(err, alerts.ErrNoCall) {
		err = fmt.Errorf("call %d: %w; see: gatehouse calls list", n, err)
	}
	return err
}

func (f *callsFlags) name(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&f.by, "by", "", "who answers, as the desk shows it (default: the user's name)")
	return c
}

// listedCall is a row of calls list.
type listedCall struct {
	ID    int64          `json:"id"`
	Gate  string         `json:"gate"`
	State fact.CallState `json:"state"`
	Asked time.Time      `json:"asked_at"` // by the gate's clock
	Waits time.Time      `json:"waits_since"`
	calls.Call
}

func callsListCommand(f *callsFlags) *cobra.Command {
	var zoneName string
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List the calls that have not ended, the oldest first",
		Example: "  gatehouse calls list --dir /var/lib/gatehouse/county\n" +
			"  gatehouse calls list -o json | jq -r '.[] | select(.state != \"answered\").gate'",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			zone, err := config.Zone(zoneName)
			if err != nil {
				return usageError{fmt.Errorf("--time-zone: %w", err)}
			}
			a, file, err := f.open()
			if err != nil {
				return err
			}
			defer file.Close()
			open, err := a.Calls(c.Context())
			if err != nil {
				return err
			}
			all := make([]listedCall, len(open))
			for i, o := range open {
				all[i] = listedCall{o.ID, o.Agent, o.State(o.Seen), o.Asked, o.Waits(o.Asked), o.Call}
			}
			return list(c, &out, all, table[listedCall]{"no guard asks for anybody",
				[]string{"ID", "GATE", "ASKS FOR", "SINCE", "STATE", "ANSWER"},
				func(x listedCall) []string { return x.row(zone) }})
		},
	}
	out.add(c)
	c.Flags().StringVar(&zoneName, "time-zone", config.DefaultZone, "of the county")
	return c
}

func (x listedCall) row(zone *time.Location) []string {
	answer := "-"
	if x.Answered != nil {
		answer = string(x.Answer.Answer)
		if x.Minutes > 0 {
			answer += fmt.Sprintf(" %d min", x.Minutes)
		}
		if x.Phone != "" {
			answer += " " + x.Phone
		}
		answer += fmt.Sprintf(" (%s %s)", x.By, x.Answered.In(zone).Format("15:04"))
	}
	return []string{strconv.FormatInt(x.ID, 10), shorten(x.Gate, 24), string(x.Role),
		x.Waits.In(zone).Format("2006-01-02 15:04:05"), string(x.State), answer}
}

func callsAnswerCommand(f *callsFlags) *cobra.Command {
	var a calls.Answer
	c := &cobra.Command{
		Use:   "answer ID on-the-way|call-us|not-available",
		Short: "Answer a call; the gate's screen shows it",
		Long: `answer answers a call, or changes an earlier answer:

  on-the-way      somebody comes; --minutes says when
  call-us         the guard is to telephone; --phone says another number than the gate has
  not-available   nobody can come; the guard is to telephone --phone`,
		Example: "  gatehouse calls answer 17 on-the-way --minutes 10\n" +
			"  gatehouse calls answer 17 not-available --phone 120 --by wang",
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: f.completeCall(string(fact.AnswerOnTheWay), string(fact.AnswerCallUs),
			string(fact.AnswerNotAvailable)),
		RunE: func(c *cobra.Command, args []string) error {
			a.Answer = fact.CallAnswer(args[1])
			if err := a.Check(); err != nil {
				return usageError{err}
			}
			return f.change(args[0], func(all *alerts.Alerts, now time.Time, id int64, by audit.By) error {
				return all.Answer(c.Context(), now, id, by, a)
			})
		},
	}
	c.Flags().IntVar(&a.Minutes, "minutes", 0, "of on-the-way: until somebody arrives; 0: not known")
	c.Flags().StringVar(&a.Phone, "phone", "", "whom the guard is to telephone")
	return f.name(c)
}

func callsEndCommand(f *callsFlags) *cobra.Command {
	return f.name(&cobra.Command{
		Use:   "end ID",
		Short: "End a call: its gate can't, or need not, say that it has ended",

		ValidArgsFunction: f.completeCall(),
		Example:           "  gatehouse calls end 17",
		Args:              cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.change(args[0], func(all *alerts.Alerts, now time.Time, id int64, by audit.By) error {
				return all.End(c.Context(), now, id, by)
			})
		},
	})
}
