package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

func historyCommand() *cobra.Command {
	var dir string
	var days, people int
	var seed uint64
	c := &cobra.Command{
		Use:   "history --dir DIR",
		Short: "Fill a new store with past days, to see the desk with a history",
		Long: `history writes the records of past days into a new collector's folder, as if the
county's gates had delivered them, and the site file beside it. Start a collector
on the folder to see them.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if days < 1 || days > 365 || people < 1 || people > 10000 {
				return errors.New("--days must be 1 to 365 and --people 1 to 10000")
			}
			n, err := history(c.Context(), dir, days, people, seed)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d records of %d days in %s\n", n, days, dir)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the collector's folder")
	c.Flags().IntVar(&days, "days", 30, "how many days")
	c.Flags().IntVar(&people, "people", 60, "passages per gate and day, on average")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the county")
	_ = c.MarkFlagRequired("dir") // the flag exists
	return c
}

// history fills a new store with past days and returns how many records it
// wrote.
func history(ctx context.Context, dir string, days, people int, seed uint64) (n int, err error) {
	w := world.New(seed)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	if err := writeYAML(filepath.Join(dir, "sites.yaml"), w.Sites); err != nil {
		return 0, err
	}
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rnd := rand.New(rand.NewPCG(seed, 7))
	from := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
	for _, g := range w.Gates {
		past := &pastGate{gate: g, jid: uuid.NewString(), rnd: rnd, at: from}
		community, grid, compound, _ := w.Sites.Place(g.ID)
		place := store.Place{Community: community, Grid: grid, Compound: compound}
		for past.at.Before(time.Now()) {
			var batches []store.Batch
			for range 32 {
				b, err := past.batch(people)
				if err != nil {
					return n, err
				}
				n += len(b.Entries)
				batches = append(batches, store.Batch{Batch: b, Place: place, Received: past.at})
			}
			if _, err := s.Commit(ctx, batches); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// pastGate generates a gate's records.
type pastGate struct {
	gate world.Gate
	jid  string
	rnd  *rand.Rand
	seq  uint64
	at   time.Time
}

// batch returns the records of the next 20 people.
func (p *pastGate) batch(people int) (wire.Batch, error) {
	b := wire.Batch{Agent: p.gate.ID, JID: p.jid, From: p.seq + 1}
	for range 20 {
		// Mean time between people, longer at night.
		gap := 24 * time.Hour / time.Duration(people)
		if h := p.at.Hour(); h >= 14 && h < 22 { // UTC; night in the county
			gap *= 4
		}
		p.at = p.at.Add(time.Duration(p.rnd.ExpFloat64() * float64(gap) * 0.6))
		for _, body := range p.person() {
			e, err := p.entry(body)
			if err != nil {
				return b, err
			}
			b.Entries = append(b.Entries, e)
		}
	}
	b.To = p.seq
	return b, nil
}

// person returns the records of one person.
func (p *pastGate) person() []wire.Body {
	t := &wire.Temperature{
		Object:     3330,
		Offset:     320,
		Screening:  3650,
		Ambient:    2000,
		Background: 1900,
		RatedMin:   1600,
		RatedMax:   3500,
		Samples:    6,
		Settled:    true,
	}
	t.Screening += fact.Temp(p.rnd.NormFloat64() * 25)
	verdict, reason := fact.VerdictPass, fact.ReasonNormal
	switch x := p.rnd.IntN(1000); {
	case x < 2:
		t.Screening, verdict, reason = 3800, fact.VerdictFever, fact.ReasonFever
	case x < 60:
		t.Screening, verdict, reason = 3420, fact.VerdictInvalid, fact.ReasonTooCold
	case t.Screening >= 3730:
		t.Screening = 3720
	}
	t.Object = t.Screening - t.Offset
	return p.records(t, verdict, reason)
}

// records returns a person's card reading, measurement and passage, and for a
// fever its alarm.
func (p *pastGate) records(t *wire.Temperature, verdict fact.Verdict, reason fact.Reason) []wire.Body {
	card := p.gate.Cards[p.rnd.IntN(len(p.gate.Cards))]
	out := []wire.Body{
		&wire.Reading{
			Device:     "reader-in",
			Model:      "rdm6300",
			Type:       fact.ReadingCard,
			Direction:  fact.DirectionIn,
			Credential: "past-" + uuid.NewString()[:8],
			BootID:     "past",
		},
		&wire.Reading{
			Device:      "thermometer",
			Model:       p.gate.Thermometer,
			Type:        fact.ReadingTemperature,
			Temperature: t,
			BootID:      "past",
		},
		&wire.Passage{
			Verdict:     verdict,
			Reasons:     []fact.Reason{reason},
			Instruction: fact.InstructGo,
			Direction:   fact.DirectionIn,
			Class:       card.Class,
			Temperature: t,
			Readings:    []uint64{p.seq + 1, p.seq + 2},
			Policy:      "past",
			Limits:      wire.Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 8000},
		},
	}
	if verdict == fact.VerdictFever {
		out = append(out, &wire.Alarm{
			ID:        fmt.Sprintf("fever:%d", p.seq+3),
			Type:      "fever",
			State:     fact.AlarmRaised,
			Passage:   p.seq + 3,
			Screening: &t.Screening,
		})
	}
	return out
}

func (p *pastGate) entry(body wire.Body) (wire.Entry, error) {
	p.seq++
	p.at = p.at.Add(time.Millisecond)
	b, err := wire.EncodeBody(body)
	if err != nil {
		return wire.Entry{}, err
	}
	rec := wire.Record{Seq: p.seq, At: wire.At(p.at), BootNS: int64(p.seq), Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(rec)
	return wire.Entry{Record: rec, Raw: raw}, err
}
