package prove

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// fillJournal appends n records to the journal of an agent that does not run.
// They are a millisecond apart; the first is ago old.
func fillJournal(dir string, ago time.Duration, n int, body func(n int) wire.Body) (err error) {
	host, err := identity.HostID(dir)
	if err != nil {
		return err
	}
	now := clock.System{}.Now()
	j, _, err := journal.Open(journal.Options{
		Dir:     dir,
		HostID:  host,
		Version: "prove",
		Log:     slog.New(slog.DiscardHandler),
	}, now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	now.Wall = now.Wall.Add(-ago)
	for i := range n {
		now.Wall = now.Wall.Add(time.Millisecond)
		if _, err := j.Append(now, body(i)); err != nil {
			return err
		}
	}
	return nil
}

// drainSlowLine delivers a backlog over a slow line.
func drainSlowLine(ctx context.Context, r *rig) error {
	const rate, slow = 8000, 12 * time.Second // bytes per second
	r.chaos.Set(faults.Line{Rate: rate})
	a := r.agents[0]
	a.kill()
	health := func(int) wire.Body { return &wire.Health{Device: "scanner", Model: "qr-scanner", State: "ok"} }
	// More than a full window of batches.
	if err := fillJournal(r.journalDir(r.gates[0].ID), 0, 3000, health); err != nil {
		return err
	}
	if err := a.start(); err != nil {
		return err
	}
	retry.Sleep(ctx, time.Second)
	lostConnections := func() int { return strings.Count(a.printed(), "connection lost") }
	lostBefore := lostConnections()
	before, err := faults.ResidentKiB(a.pid())
	if err != nil {
		return err
	}
	jid, err := r.firstJID()
	if err != nil {
		return err
	}
	retry.Sleep(ctx, 2*time.Second)
	begin, _ := r.stored(ctx, jid)
	retry.Sleep(ctx, slow)
	end, _ := r.stored(ctx, jid)
	overtook, err := r.alarmDelay(ctx)
	if err != nil {
		return err
	}
	waited := r.backlog(ctx)
	after, err := faults.ResidentKiB(a.pid())
	if err != nil {
		return err
	}
	r.chaos.Set(faults.Line{})
	r.note("%d records in %s, %d waited; an alarm after %.1f s; the agent's memory %d to %d KiB",
		end-begin, slow, waited, overtook.Seconds(), before, after)
	const record = 230 // bytes, with its share of the batch
	switch least := uint64(rate * slow.Seconds() / record / 2); {
	case end-begin < least:
		return fmt.Errorf("%d records were stored in %s: the line carries twice %d", end-begin, slow, least)
	case waited == 0:
		return errors.New("no record waited: the line was not the limit")
	case lostConnections() > lostBefore:
		return errors.New("the connection broke under the backlog")
	case after > before+16<<10:
		return fmt.Errorf("an agent's memory grew from %d to %d KiB on a slow line", before, after)
	}
	return nil
}

// alarmDelay unplugs a device and returns how long its alarm takes to the desk.
func (r *rig) alarmDelay(ctx context.Context) (time.Duration, error) {
	if err := r.clerk.SignUp(ctx); err != nil { // first: the delay must not include it
		return 0, err
	}
	if err := r.hw[0].Unplug("reader-in"); err != nil {
		return 0, err
	}
	took, found := r.poll(ctx, 20*time.Second, func() bool {
		_, found := r.findAlert(ctx, fact.AlarmDeviceGone)
		return found
	})
	if err := r.hw[0].Plug("reader-in"); err != nil {
		return 0, err
	}
	if !found {
		return 0, errors.New("the alarm of an unplugged device waits behind the backlog")
	}
	return took, nil
}

// firstJID returns the id of the first gate's journal.
func (r *rig) firstJID() (string, error) {
	v, err := journal.Look(r.journalDir(r.gates[0].ID))
	if err != nil {
		return "", err
	}
	defer v.Close()
	return v.JID, nil
}
