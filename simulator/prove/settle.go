package prove

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// settle reads ledgers and store and reconciles them.
func (p *proof) settle(ctx context.Context, e *ears) (Result, []string, error) {
	f := facts{spared: p.spared}
	for _, g := range p.gates {
		counts, err := ledger.Read(p.ledger(g.ID))
		if err != nil && !os.IsNotExist(err) {
			return Result{}, nil, fmt.Errorf("ledger of %s: %w", g.ID, err)
		}
		f.parsed = append(f.parsed, account{g.ID, counts.Sums})
	}
	held, err := openArchive(p.Store, storeFile(p.countyDir()), p.influxURL, world.CountyID)
	if err != nil {
		return Result{}, nil, err
	}
	defer held.Close()
	var disorder []string
	var verdicts, commits []float64
	runs := map[string]heldRun{}
	for r, err := range held.Rows(ctx, store.Query{}) {
		if err != nil {
			return Result{}, nil, err
		}
		x, rec, body, err := decodeRow(r.Agent, r.JID, r.Seq, r.Raw)
		if err != nil {
			return Result{}, nil, err
		}
		f.rows = append(f.rows, x)
		if text := p.take(r.JID, rec); text != "" {
			disorder = append(disorder, text)
		}
		switch b := body.(type) {
		case *wire.Passage:
			if b.LatencyUS > 0 {
				verdicts = append(verdicts, float64(b.LatencyUS)/1000)
			}
		case *wire.Run:
			takeRun(runs, r.JID, r.Seq, b)
		}
		if at, ok := e.committed(r.JID, r.Seq); ok {
			commits = append(commits, float64(at.Sub(r.At).Microseconds())/1000)
		}
	}
	if f.poison, err = poisonOf(ctx, held.Books); err != nil {
		return Result{}, nil, err
	}
	if f.holes, err = holesOf(ctx, held.Books); err != nil {
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
		Lost:        c.Lost,
		Duplicated:  c.Duplicated,
		Kills:       int(p.kills.Load()),
		Verdict:     quantiles(verdicts),
		Commit:      quantiles(commits),
	}
	c.Problems = append(c.Problems, disorder[:min(len(disorder), maxProblems)]...)
	if p.fleet != nil {
		found, problems := compare(p.fleet.Truth(), p.fleet.Specs(), runs)
		result.Runs = &found
		c.Problems = append(c.Problems, problems...)
	}
	return result, c.Problems, nil
}

// openArchive opens a store of a kind, "sqlite" or "influx", with its books at path.
func openArchive(kind, path, influxURL, county string) (*archive.Archive, error) {
	if kind != "influx" {
		return archive.OpenSQLite(path)
	}
	return archive.OpenInflux(path, influx.Options{URL: influxURL, Token: influxd.Token,
		Bucket: influxd.Bucket, County: county})
}

// poisonOf gives the quarantine; a message that can't be read has no place.
func poisonOf(ctx context.Context, b *books.Books) (rows []row, err error) {
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

// holesOf gives the recorded holes. Those that a journal's renewal leaves, or a
// repeat under its new id, stand for records of another journal.
func holesOf(ctx context.Context, b *books.Books) ([]span, error) {
	held, err := b.Holes(ctx)
	if err != nil {
		return nil, err
	}
	var out []span
	for _, h := range held {
		out = append(out, span{agent: h.Agent, jid: h.JID, from: h.From, to: h.To,
			empty: h.Reason == journal.ReasonRenewed || h.Reason == store.ReasonRepeated})
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
