package bridge

import (
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/firmware-bridge/mavlink"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// Replay reads a recording (.tlog) of the drones in the configuration and calls
// each with the records that a live flight would have left: tracks, and runs
// where they sprayed. It calls say, once each, with what a live link would have said
// of the drones. It returns how many bytes of the recording were damaged.
func Replay(cfg Config, log io.Reader, each func(wire.Body), say func(text string)) (skipped int, err error) {
	if err := cfg.Check(); err != nil {
		return 0, err
	}
	if len(cfg.vehicles()) == 0 {
		return 0, errors.New(
			"the configuration lists no vehicles under mavlink: the recording's systems must be named there")
	}
	p := player{watches: map[string]*machine.Watch{}, each: each, said: map[string]bool{}, say: say}
	for _, m := range cfg.Machines {
		p.watches[m.Machine] = machine.NewWatch(m, wire.SourceMAVLink, "replay")
	}
	skipped, err = mavlink.ReadLog(log, cfg.vehicles(), p.take)
	if err != nil {
		return skipped, fmt.Errorf("replay: %w", err)
	}
	p.turn(p.now.Add(time.Second))
	for _, w := range p.watches {
		p.pass(w.Finish())
	}
	return skipped, nil
}

// player plays a recording in its own time.
type player struct {
	watches map[string]*machine.Watch
	each    func(wire.Body)
	said    map[string]bool
	say     func(string)
	now     clock.Moment // of the last sample
	turned  clock.Moment // of the last turn
}

// longestGap is how much of a gap between two samples is played second by
// second: every sortie that the gap ends has ended by then, and the rest of the
// gap is skipped.
const longestGap = 60 * time.Second

// take plays the time up to a sample, and the sample; or passes on what was said.
func (p *player) take(machine string, s runs.Sample, err error) {
	if err != nil {
		if text := err.Error(); !p.said[text] {
			p.said[text] = true
			p.say(text)
		}
		return
	}
	if p.now.Wall.IsZero() {
		p.now, p.turned = clock.Moment{Wall: s.At}, clock.Moment{Wall: s.At}
	}
	// The recording's clock may step back; the boot clock never does.
	step := max(0, s.At.Sub(p.now.Wall))
	next := clock.Moment{Wall: s.At, Boot: p.now.Boot + step}
	for at := p.turned.Add(time.Second); at.Boot <= next.Boot; at = at.Add(time.Second) {
		if at.Boot-p.now.Boot > longestGap {
			at = next
		}
		p.turn(at)
	}
	p.now = next
	p.watches[machine].Take(next, s)
}

func (p *player) turn(at clock.Moment) {
	p.turned = at
	for _, w := range p.watches {
		p.pass(w.Turn(at))
	}
}

// pass hands on the records of one turn.
func (p *player) pass(bodies []wire.Body) {
	for _, b := range bodies {
		p.each(b)
	}
}
