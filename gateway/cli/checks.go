package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// checksFlags are the flags of checks.
type checksFlags struct {
	storeFlags

	agent, output string
}

// checked is the last field check of a thermometer.
type checked struct {
	Agent   string          `json:"agent"`
	Check   wire.FieldCheck `json:"check"`
	Overdue bool            `json:"overdue"`
}

func checksCommand() *cobra.Command {
	var f checksFlags
	c := &cobra.Command{
		Use:   "checks",
		Short: "List the last field check of each gate's thermometers",
		Long: `checks lists, for each thermometer that was compared with a contact thermometer, its
last check: how many people were measured, the mean error of its readings and their
spread, the offset_c that is proposed, and when the next check is due. A check that is
open, or was given up, is shown beside the last one that has a result.

A thermometer that was never checked is not in the list. It changes nothing; the
collector may run.`,
		Example: "  gatehouse checks --dir /var/lib/gatehouse-county\n" +
			"  gatehouse checks -o json | jq -r '.[] | select(.overdue).agent'",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.agent, "agent", "", "list only the thermometers of this gate")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
	return c
}

func (f *checksFlags) run(c *cobra.Command) error {
	if f.output != "table" && f.output != "json" {
		return usageError{fmt.Errorf("-o %q: use table or json", f.output)}
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	s, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	last := map[string]checked{}
	for row, err := range s.Rows(c.Context(), store.Query{Kind: wire.KindCheck}) {
		if err != nil {
			return err
		}
		if x, ok := checkOf(row); ok && (f.agent == "" || f.agent == row.Agent) {
			x.keep(last)
		}
	}
	found := slices.SortedFunc(maps.Values(last), func(a, b checked) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Check.Device, b.Check.Device),
			a.Check.Began.Compare(b.Check.Began.Time))
	})
	for i := range found {
		r := found[i].Check.Result
		found[i].Overdue = r != nil && time.Now().After(r.Due.Time)
	}
	switch {
	case f.output == "json":
		return json.NewEncoder(c.OutOrStdout()).Encode(append([]checked{}, found...))
	case len(found) == 0:
		_, err := fmt.Fprintln(c.OutOrStdout(), "no field checks yet: they are begun on the gate's screen")
		return err
	}
	rows := make([][]string, 0, len(found))
	for _, x := range found {
		rows = append(rows, x.row(f.zone))
	}
	return term.New(c.OutOrStdout()).Table([]string{"GATE", "DEVICE", "BEGIN", "STATE", "PEOPLE", "MEAN ERROR",
		"SPREAD", "OFFSET", "PROPOSED", "NEXT"}, rows)
}

// checkOf returns the check of a row.
func checkOf(row store.Row) (x checked, ok bool) {
	rec, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return x, false
	}
	body, err := rec.DecodeBody()
	c, is := body.(*wire.FieldCheck)
	if err != nil || !is {
		return x, false
	}
	return checked{Agent: row.Agent, Check: *c}, true
}

// keep keeps x if it is the newest of its thermometer: the one with a result, and, when it
// is newer, the one without.
func (x checked) keep(last map[string]checked) {
	id := x.Agent + " " + x.Check.Device
	if !last[id].Check.Began.After(x.Check.Began.Time) && x.Check.Result != nil {
		last[id] = x
	}
	now := id + " without result"
	switch was := last[now]; {
	case was.Check.Began.After(x.Check.Began.Time):
	case x.Check.Result == nil:
		last[now] = x
	default:
		delete(last, now)
	}
}

func (x checked) row(zone *time.Location) []string {
	c, r := x.Check, x.Check.Result
	out := []string{shorten(x.Agent, 24), shorten(c.Device, 20), c.Began.In(zone).Format("2006-01-02 15:04"),
		string(c.State), strconv.Itoa(len(c.Pairs)), "-", "-", c.Offset.String(), "-", "-"}
	if r == nil {
		return out
	}
	if out[3] = "passed"; !r.Passed {
		out[3] = "failed"
		for _, fault := range r.Faults {
			out[3] += " " + string(fault)
		}
	}
	out[5], out[6], out[8] = signed(r.Mean), r.Spread.String(), r.Proposed.String()
	if out[9] = r.Due.In(zone).Format(time.DateOnly); x.Overdue {
		out[9] += " overdue"
	}
	return out
}

// signed returns a difference of temperatures with its sign.
func signed(t fact.Temp) string {
	if t > 0 {
		return "+" + t.String()
	}
	return t.String()
}
