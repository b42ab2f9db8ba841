package prove

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/county"
	"gatehouse/simulator/world"
)

// newHardware creates the gates' hardware.
func (p *proof) newHardware() error {
	for _, g := range p.gates {
		g.Thermometer = "gy-mcu90614" // a simulated I²C bus can't be used by another process
		readers := p.readers
		if readers == nil {
			readers = county.Readers(g)
		}
		hw, err := bench.New(filepath.Join(p.Dir, g.ID, "ports"), bench.Spec{
			Thermometer: g.Thermometer,
			Readers:     readers,
			Offset:      g.Offset,
			Ambient:     2000,
		})
		if err != nil {
			return err
		}
		p.hw = append(p.hw, hw)
	}
	return nil
}

// people simulates people who come to a gate one after the other, whatever the
// time of day; every tenth has a fever or no card.
func people(ctx context.Context, rnd *rand.Rand, g world.Gate, hw *bench.Hardware) {
	day := g.Day(8 * time.Hour)
	retry.Sleep(ctx, time.Duration(rnd.IntN(3000))*time.Millisecond)
	for ctx.Err() == nil {
		a := day.Next()
		p := bench.Person{Screening: a.Screening, Card: a.Card, Reader: "reader-in"}
		if a.Code != "" {
			p.Card, p.Reader = a.Code, "scanner"
		}
		switch rnd.IntN(20) {
		case 0:
			p.Screening = 3840
		case 1:
			p.Reader = ""
		}
		if p.Card == "" {
			p.Reader = ""
		}
		_ = hw.Present(ctx, p) // a port that is being re-opened loses bytes; they were never a reading
		retry.Sleep(ctx, time.Duration(800+rnd.IntN(1500))*time.Millisecond)
	}
}
