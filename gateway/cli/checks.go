package cli

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/checks"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// checksFlags are the flags of checks.
type checksFlags struct {
	storeFlags

	agent  string
	output output
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
		Example: "  gatehouse checks --dir /var/lib/gatehouse/county\n" +
			"  gatehouse checks -o json | jq -r '.[] | select(.overdue).agent'",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.agent, "agent", "", "list only the thermometers of this gate")
	f.output.add(c)
	return c
}

func (f *checksFlags) run(c *cobra.Command) error {
	cfg, err := f.load()
	if err != nil {
		return err
	}
	s, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	last := map[string]*checks.Last{} // by gate and device
	for row, err := range s.Rows(c.Context(), store.Query{Kind: wire.KindCheck}) {
		if err != nil {
			return err
		}
		if x, ok := checkOf(row); ok && (f.agent == "" || f.agent == row.Agent) {
			id := row.Agent + " " + x.Device
			if last[id] == nil {
				last[id] = &checks.Last{}
			}
			last[id].Take(x)
		}
	}
	if len(last) == 0 && f.agent != "" {
		heard, err := s.Positions(c.Context())
		if err != nil {
			return err
		}
		if err := wrongName("gate", f.agent, append(agentsIn(heard), gatesOf(c)...)); err != nil {
			return err
		}
	}
	found := []checked{}
	for _, id := range slices.Sorted(maps.Keys(last)) {
		agent, _, _ := strings.Cut(id, " ")
		found = append(found, listed(agent, *last[id], time.Now())...)
	}
	return list(c, &f.output, found, table[checked]{
		none: "no field checks yet: they are begun on the gate's screen",
		head: []string{"GATE", "DEVICE", "BEGIN", "STATE", "PEOPLE", "MEAN ERROR",
			"SPREAD", "OFFSET", "PROPOSED", "NEXT"},
		row: func(x checked) []string { return x.row(f.zone) },
	})
}

// checkOf returns the check of a row.
func checkOf(row store.Row) (c *wire.FieldCheck, ok bool) {
	rec, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return nil, false
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return nil, false
	}
	c, ok = body.(*wire.FieldCheck)
	return c, ok
}

// listed returns the last checks of a thermometer, the one with a result first.
func listed(agent string, l checks.Last, now time.Time) (out []checked) {
	if l.Done != nil {
		out = append(out, checked{agent, *l.Done, l.Overdue(now)})
	}
	if l.Now != nil {
		out = append(out, checked{agent, *l.Now, false})
	}
	return out
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
