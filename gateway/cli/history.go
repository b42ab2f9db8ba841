package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/history"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// historyFlags are the flags of history.
type historyFlags struct {
	selection

	by     string
	output output
}

func historyCommand() *cobra.Command {
	var f historyFlags
	c := &cobra.Command{
		Use:   "history",
		Short: "Count records by the hour or the day, also those that were removed since",
		Long: `history counts the records of the county's store by agent and by hour or day (in the
county's time zone): passages by verdict, readings and alarms by type, with the mean,
lowest and highest screening temperature in °C. Records that retention: has removed are
counted as they were when they went, so the same history is shown before and after; a
record that was sent twice counts once. A passage that a later one replaced counts as
amended, not under its verdict. What InfluxDB has removed by itself is not counted.

It changes nothing; the collector may run. Without --from and --to it reads the whole
store.`,
		Example: "  gatehouse history --kind passage --from 2020-02-14 --to 2020-02-15\n" +
			"  gatehouse history --by day --output csv > days.csv",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.by, "by", "hour", "hour or day")
	_ = c.RegisterFlagCompletionFunc("by", fixed("hour", "day"))
	f.output.add(c, asTable, asJSON, asCSV)
	return c
}

func (f *historyFlags) run(c *cobra.Command) error {
	s, q, err := f.open(f.check())
	if err != nil {
		return err
	}
	defer s.Close()
	if err := whole(q); err != nil {
		return usageError{err}
	}
	step := history.Hourly
	if f.by == "day" {
		step = history.Daily(f.zone)
	}
	rows, err := history.Count(c.Context(), s, q, step)
	if err != nil {
		return err
	}
	counted := make([]countRow, 0, len(rows))
	for _, r := range rows {
		counted = append(counted, f.row(r))
	}
	if f.output.is(asCSV) {
		w := csv.NewWriter(c.OutOrStdout())
		err := w.Write([]string{"begin", "agent", "kind", "word", "records", "mean_c", "min_c", "max_c"})
		for _, r := range counted {
			err = errors.Join(err, w.Write(r.cells()))
		}
		w.Flush()
		return errors.Join(err, w.Error())
	}
	return list(c, &f.output, counted, table[countRow]{"there are no such records",
		[]string{"BEGIN", "AGENT", "KIND", "WORD", "RECORDS", "MEAN C", "MIN C", "MAX C"}, countRow.cells})
}

// countRow is how many records of one kind an agent has in one hour or day.
type countRow struct {
	Begin   time.Time  `json:"begin"`
	Agent   string     `json:"agent"`
	Kind    wire.Kind  `json:"kind"`
	Word    string     `json:"word,omitempty"` // the verdict or the type
	Records int        `json:"records"`
	Mean    *fact.Temp `json:"mean_c,omitempty"` // °C, as Least and Most; absent: there is none
	Least   *fact.Temp `json:"min_c,omitempty"`
	Most    *fact.Temp `json:"max_c,omitempty"`
}

func (r countRow) cells() []string {
	mean, least, most := "", "", ""
	if r.Mean != nil {
		mean, least, most = r.Mean.String(), r.Least.String(), r.Most.String()
	}
	return []string{r.Begin.Format(time.RFC3339), r.Agent, string(r.Kind), r.Word, strconv.Itoa(r.Records),
		mean, least, most}
}

// check returns what is wrong with the flags.
func (f *historyFlags) check() error {
	if f.by != "hour" && f.by != "day" {
		return fmt.Errorf("--by %q: use hour or day", f.by)
	}
	return f.checkKind()
}

// whole returns an error unless the bounds are whole hours: of removed records nothing
// else is known.
func whole(q store.Query) error {
	for flag, at := range map[string]time.Time{"--from": q.From, "--to": q.To} {
		if !at.IsZero() && at.Unix()%3600 != 0 {
			return fmt.Errorf("%s: removed records are known by the hour: give a whole hour", flag)
		}
	}
	return nil
}

func (f *historyFlags) row(r history.Row) countRow {
	out := countRow{Begin: r.At.In(f.zone), Agent: r.Agent, Kind: r.Kind, Word: r.Word, Records: r.Records}
	if r.Temps > 0 {
		mean, least, most := r.Mean(), r.Least, r.Most
		out.Mean, out.Least, out.Most = &mean, &least, &most
	}
	return out
}
