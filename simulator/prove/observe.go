package prove

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/retry"
)

// findAlert returns the detail of the desk's newest alert of a type.
func (r *rig) findAlert(ctx context.Context, kind fact.AlarmType) (detail string, found bool) {
	all, err := r.clerk.Alerts(ctx)
	if err != nil {
		return "", false // a desk that is down now may answer the next time
	}
	for _, a := range all {
		if a.Type == kind {
			return a.Detail, true
		}
	}
	return "", false
}

// awaitOutput waits until a program prints text and returns how long that took.
func (r *rig) awaitOutput(ctx context.Context, p *process, text string, within time.Duration) (time.Duration, error) {
	before := strings.Count(p.printed(), text)
	took, ok := r.poll(ctx, within, func() bool { return strings.Count(p.printed(), text) > before })
	if !ok {
		return took, fmt.Errorf("%s did not print %q within %s:\n%s", p.Name, text, within, p.tail())
	}
	return took, nil
}

// backlog returns how many records of all agents the store does not have.
func (r *rig) backlog(ctx context.Context) (n uint64) {
	for _, g := range r.gates {
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			continue
		}
		v.Close()
		if through, ok := r.stored(ctx, v.JID); ok && v.Last > through {
			n += v.Last - through
		}
	}
	return n
}

// parsed returns how many readings the first gate has completed.
func (r *rig) parsed() uint64 {
	c, err := ledger.Read(r.ledger(r.gates[0].ID))
	if err != nil {
		return 0
	}
	return c.N
}

// awaitAlert waits for an alert of a type on the desk.
func (r *rig) awaitAlert(ctx context.Context, kind fact.AlarmType) error {
	_, err := r.awaitAlertDetail(ctx, kind)
	return err
}

func (r *rig) awaitAlertDetail(ctx context.Context, kind fact.AlarmType) (detail string, err error) {
	_, ok := r.poll(ctx, 30*time.Second, func() (found bool) {
		detail, found = r.findAlert(ctx, kind)
		return found
	})
	if !ok {
		return "", fmt.Errorf("the desk shows no alert %s", kind)
	}
	return detail, nil
}

// publish publishes a message with a new client id.
func (r *rig) publish(ctx context.Context, m mqtt.Message) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	up := make(chan struct{}, 1)
	c := mqtt.New(mqtt.Config{
		URL:      r.brokerURL,
		ClientID: fmt.Sprintf("stranger-%d", time.Now().UnixNano()),
		Log:      slog.New(slog.DiscardHandler),
		OnUp:     func() { up <- struct{}{} },
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	select {
	case <-up:
	case <-ctx.Done():
		return fmt.Errorf("connect to the broker: %w", ctx.Err())
	}
	if err := c.Publish(m); err != nil {
		return err
	}
	retry.Sleep(ctx, 300*time.Millisecond) // until it is sent: Publish does not wait for that
	return nil
}

// checkStore checks that a store has what was acknowledged before a power cut.
func checkStore(ctx context.Context, dir string, acked map[string]uint64) error {
	s, err := books.Open(storeFile(dir))
	if err != nil {
		return err
	}
	defer s.Close()
	for jid, through := range acked {
		pos, err := s.Position(ctx, jid)
		if err != nil {
			return err
		}
		if pos.Through < through {
			return fmt.Errorf("seq %d of journal %s was acknowledged, the store has %d", through, jid, pos.Through)
		}
	}
	file, err := db.OpenReadOnly(storeFile(dir))
	if err != nil {
		return err
	}
	defer file.Close()
	var word string
	if err := file.Reader().QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&word); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if word != "ok" {
		return fmt.Errorf("the store is damaged: %s", word)
	}
	return nil
}

// storeFile is the collector's database.
func storeFile(dir string) string { return filepath.Join(dir, centre.StoreFile) }

func bootClock() time.Duration { return clock.System{}.Now().Boot }
