package passages

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
)

// OfGates returns the passages of each gate since the hour of now began, by verdict. Gates
// without one are left out.
func (p *Passages) OfGates(ctx context.Context, now time.Time) (map[string]map[fact.Verdict]int, error) {
	type row struct {
		agent                                string
		pass, retest, invalid, refuse, fever int
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.agent, &x.pass, &x.retest, &x.invalid, &x.refuse, &x.fever)
		return x, err
	}
	out := map[string]map[fact.Verdict]int{}
	for x, err := range db.Rows(ctx, p.file.Reader(), scan,
		"SELECT agent, pass, retest, invalid, refuse, fever FROM hours WHERE hour = ?", unixHour(now)) {
		if err != nil {
			return nil, fmt.Errorf("read the hour of gates: %w", err)
		}
		out[x.agent] = map[fact.Verdict]int{fact.VerdictPass: x.pass, fact.VerdictRetest: x.retest,
			fact.VerdictInvalid: x.invalid, fact.VerdictRefuse: x.refuse, fact.VerdictFever: x.fever}
	}
	return out, nil
}
