package prove

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// evaluate reconciles the ledgers with the store, after all programs have ended.
// The problems describe what was lost, duplicated or out of order.
func (p *proof) evaluate(ctx context.Context) (Result, []string, error) {
	f, figures, err := p.readFacts(ctx)
	if err != nil {
		return Result{}, nil, err
	}
	c := reconcile(f)
	result := Result{
		Gates:       p.Gates,
		Seed:        p.Seed,
		Parsed:      c.Parsed,
		Stored:      c.Stored,
		Quarantined: c.Quarantined,
		Holes:       c.Holes,
		Counted:     c.Counted,
		Expired:     c.Expired,
		Lost:        c.Lost,
		Duplicated:  c.Duplicated,
		Kills:       int(p.kills.Load()),
		Verdict:     quantiles(figures.verdicts),
		Commit:      quantiles(figures.commits),
	}
	c.Problems = append(c.Problems, figures.disorder[:min(len(figures.disorder), maxProblems)]...)
	if p.fleet != nil {
		found, problems := compareRuns(p.fleet.Truth(), p.fleet.Specs(), figures.runs, p.deaf)
		result.Runs = &found
		c.Problems = append(c.Problems, problems...)
	}
	leaks, err := p.searchLeaks()
	if err != nil {
		return Result{}, nil, err
	}
	result.Leaks = len(leaks)
	c.Problems = append(c.Problems, leaks[:min(len(leaks), maxProblems)]...)
	return result, c.Problems, nil
}

// figures are what the stored records show besides the facts.
type figures struct {
	verdicts, commits []float64 // durations, ms
	disorder          []string  // records out of order, described
	runs              map[string]storedRun
}

// readFacts reads the ledgers and the store.
func (p *proof) readFacts(ctx context.Context) (f facts, fig figures, err error) {
	f.knownLost = p.knownLost
	for _, g := range p.gates {
		counts, err := ledger.Read(p.ledger(g.ID))
		if err != nil && !os.IsNotExist(err) {
			return f, fig, fmt.Errorf("ledger of %s: %w", g.ID, err)
		}
		f.parsed = append(f.parsed, account{g.ID, counts.Sums})
	}
	a, err := openArchive(storeFile(p.countyDir()), p.database, world.CountyID)
	if err != nil {
		return f, fig, err
	}
	defer a.Close()
	fig.runs = map[string]storedRun{}
	for r, err := range a.Rows(ctx, store.Query{}) {
		if err != nil {
			return f, fig, err
		}
		x, rec, body, err := decodeStored(r.Agent, r.JID, r.Seq, r.Raw)
		if err != nil {
			return f, fig, err
		}
		f.rows = append(f.rows, x)
		if text := p.check(r.JID, rec); text != "" {
			fig.disorder = append(fig.disorder, text)
		}
		switch b := body.(type) {
		case *wire.Passage:
			if b.LatencyUS > 0 {
				fig.verdicts = append(fig.verdicts, float64(b.LatencyUS)/1000)
			}
		case *wire.Run:
			keepNewest(fig.runs, r.JID, r.Seq, b)
		}
		if at, ok := p.listener.committed(r.JID, r.Seq); ok {
			fig.commits = append(fig.commits, float64(at.Sub(r.At).Microseconds())/1000)
		}
	}
	if f.quarantine, err = quarantinedRows(ctx, a.Books); err != nil {
		return f, fig, err
	}
	if f.holes, err = holeSpans(ctx, a.Books); err != nil {
		return f, fig, err
	}
	expired, err := a.Expired(ctx)
	for _, e := range expired {
		if f.expires = p.retention != nil; !f.expires {
			return f, fig, fmt.Errorf("records of kind %s have expired, and nobody asked for it", e.Kind)
		}
		f.holes = append(f.holes, span{agent: e.Agent, jid: e.JID, from: 1, to: e.Through, expired: true})
	}
	return f, fig, err
}

// quarantinedRows returns the messages in quarantine as rows; of those that
// can't be decoded only agent, journal and seq are known.
func quarantinedRows(ctx context.Context, b *books.Books) (rows []row, err error) {
	held, err := b.Quarantined(ctx, 0)
	if err != nil {
		return nil, err
	}
	for _, q := range held {
		r := row{agent: q.Agent, jid: q.JID, seq: q.Seq}
		if rec, err := wire.DecodeRecord(q.Raw); err == nil && rec.Kind == wire.KindReading {
			r.reading, r.body = true, sumOf(rec.Body)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// holeSpans returns the recorded holes. Those of a renewed journal, and of
// records repeated under its new id, stand for records of another journal.
func holeSpans(ctx context.Context, b *books.Books) ([]span, error) {
	held, err := b.Holes(ctx)
	if err != nil {
		return nil, err
	}
	var out []span
	for _, h := range held {
		out = append(out, span{
			agent:     h.Agent,
			jid:       h.JID,
			from:      h.From,
			to:        h.To,
			elsewhere: h.Reason == journal.ReasonRenewed || h.Reason == store.ReasonRepeated,
		})
	}
	return out, nil
}

func quantiles(ms []float64) Quantiles {
	if len(ms) == 0 {
		return Quantiles{}
	}
	slices.Sort(ms)
	at := func(q float64) float64 {
		return math.Round(ms[min(len(ms)-1, int(q*float64(len(ms))))]*1000) / 1000
	}
	return Quantiles{P50: at(0.5), P99: at(0.99)}
}
