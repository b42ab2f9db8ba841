package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// imported returns the run of a file whose last missing part is track; nil if
// others are missing.
func (t *Taker) imported(ctx context.Context, m *reporter, track *wire.Track) (*wire.Run, error) {
	count, err := t.index.countParts(ctx, m.cfg.Machine, track.Import.ID)
	if err != nil || count+1 < track.Import.Parts {
		return nil, err
	}
	parts, err := t.index.parts(ctx, m.cfg.Machine, track.Import.ID)
	if err != nil {
		return nil, err
	}
	parts = append(parts, track)
	slices.SortFunc(parts, func(a, b *wire.Track) int { return a.Import.Part - b.Import.Part })
	var samples []runs.Sample
	for _, p := range parts {
		for _, point := range p.Points {
			s := machine.Sample(point, p.At.Time, time.Duration(p.At.UnixNano()))
			if s.Command == nil {
				s.Command = new(true) // somebody declares that it worked
			}
			samples = append(samples, s)
		}
	}
	slices.SortStableFunc(samples, func(a, b runs.Sample) int { return cmp.Compare(a.T, b.T) })
	found := runs.Segment(m.cfg.RunsOf(wire.SourceImport), samples)
	if len(found) == 0 {
		return nil, nil
	}
	body := m.cfg.Body(wire.SourceImport, found[0], fact.RunClosed)
	body.ID = "import-" + track.Import.ID
	return body, nil
}
