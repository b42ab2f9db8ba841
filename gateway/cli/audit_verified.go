package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/county/audit"
)

// mostFaults is how many faults are printed for people.
const mostFaults = 50

// verifiedView is what audit verify has looked at, and what it has found.
type verifiedView struct {
	Whole   bool           `json:"whole"`
	Faults  []faultView    `json:"faults"`
	Entries int            `json:"entries"`
	Last    headView       `json:"last"`
	Heads   uint64         `json:"heads"`  // that gates have journalled
	Newest  uint64         `json:"newest"` // the entry of the newest of them
	Gates   []witnessView  `json:"gates"`  // the newest head of each
	Strange map[string]int `json:"strange"`
	// Strange counts for each gate the heads that the county's key has not signed.

	count int // gates that have journalled heads
}

type faultView struct {
	N    uint64 `json:"n"`
	Text string `json:"text"`
}

type headView struct {
	N    uint64     `json:"n"`
	Hash audit.Hash `json:"hash"`
}

type witnessView struct {
	Gate string    `json:"gate"`
	N    uint64    `json:"n"`
	At   time.Time `json:"at"` // by the gate's clock
}

func newVerified(
	count int, end audit.Head, faults []audit.Fault, heads *audit.Witnesses, strange map[string]int,
) verifiedView {
	out := verifiedView{Whole: len(faults) == 0, Faults: []faultView{}, Entries: count, Last: headView(end),
		Newest: heads.Newest(), Gates: []witnessView{}, Strange: strange}
	out.Heads, out.count = heads.Records()
	for _, x := range faults {
		out.Faults = append(out.Faults, faultView(x))
	}
	for _, w := range heads.Last() {
		out.Gates = append(out.Gates, witnessView{w.Gate, w.N, w.At})
	}
	return out
}

// print says to people what was looked at.
func (f *auditVerify) print(out io.Writer, v verifiedView) error {
	for _, x := range v.Faults[:min(len(v.Faults), mostFaults)] {
		fmt.Fprintln(out, x.Text)
	}
	if more := len(v.Faults) - mostFaults; more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	fmt.Fprintf(out, "%d entries, the last is %d with hash %s\n", v.Entries, v.Last.N, v.Last.Hash)
	if v.Heads == 0 {
		fmt.Fprintln(out, "no gate has journalled a head yet: entries that were cut off at the end are not found")
	} else {
		fmt.Fprintf(out, "%d heads, journalled by %d gates, the newest at entry %d\n", v.Heads, v.count, v.Newest)
		if after := v.Last.N - min(v.Last.N, v.Newest); after > 0 {
			fmt.Fprintf(out, "the last %d entries have no witness yet\n", after)
		}
	}
	for _, gate := range slices.Sorted(maps.Keys(v.Strange)) {
		fmt.Fprintf(out, "%s has journalled %d heads that the county's key has not signed: they do not count\n", gate,
			v.Strange[gate])
	}
	if f.gates {
		for _, w := range v.Gates {
			if _, err := fmt.Fprintf(out, "%-24s entry %d, at %s\n", w.Gate, w.N,
				w.At.In(f.zone).Format("2006-01-02 15:04:05")); err != nil {
				return err
			}
		}
	}
	return nil
}
