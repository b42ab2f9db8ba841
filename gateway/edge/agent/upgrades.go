package agent

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"time"

	"gatehouse/gateway/edge/status"
)

// aliveEvery is how often the agent says how it does.
const aliveEvery = 2 * time.Second

// life says how the agent does in a file, for an upgrade that has just installed it.
type life struct {
	a    *Agent
	file string
	said status.Alive
	from uint64 // acknowledged when the journal was taken over
	took bool   // it was
	mute bool   // the file can't be written, and that was said
}

// sayAlive keeps the file up to date until ctx ends.
func (a *Agent) sayAlive(ctx context.Context, file, version string) {
	l := life{a: a, file: file, said: status.Alive{Run: rand.Text(), Version: version}}
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		l.say()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look is what an agent is seen to do at one moment.
type look struct {
	took, recording, linked bool
	through, last           uint64 // acknowledged, and journalled
}

// add takes in what is seen now.
func (l *life) add(x look) {
	if x.took && !l.took {
		l.from, l.took = x.through, true
	}
	l.said.Recording, l.said.Linked = x.took && x.recording, x.linked
	delivered := x.through > l.from || x.through >= x.last
	l.said.Delivers = l.said.Delivers || l.said.Recording && x.linked && delivered
}

// say writes the file. Nobody but an upgrade needs it: what fails is only said once.
func (l *life) say() {
	now, is := l.a.clock.Now(), l.a.board.Snapshot()
	l.add(look{took: l.a.begun.Load(), recording: len(l.a.Stuck(now)) == 0 && is.Unkept == "",
		linked: is.Delivery.Linked, through: l.a.journal.State().Through, last: l.a.journal.Last()})
	b, err := json.Marshal(l.said)
	if err == nil {
		err = os.WriteFile(l.file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(l.file+".new", l.file)
	}
	if err != nil && !l.mute {
		l.mute = true
		l.a.log.Warn("how the agent does can't be said to an upgrade", "err", err)
	}
}

// upgradesEvery is how often the agent looks how the last upgrade of its computer goes.
const upgradesEvery = 5 * time.Second

// sayUpgrades posts how the computer stands to upgrades until ctx ends.
func (a *Agent) sayUpgrades(ctx context.Context) {
	tick := time.NewTicker(upgradesEvery)
	defer tick.Stop()
	for {
		a.board.SetUpgrade(a.requests.Report(a.clock.Now().Wall))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
