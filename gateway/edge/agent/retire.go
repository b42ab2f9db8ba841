package agent

import (
	"context"
	"crypto"
	"errors"
	"path/filepath"
	"time"

	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/retire"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// partRetire names on the board what takes a gate out of service.
const partRetire = "retire"

// errRetired is what a guard is told whose gate is taken out of service for good.
var errRetired = errors.New("this gate is taken out of service")

// openRetirement reads whether this gate is taken out of service for good. over says that
// its journal is destroyed, or may be: the agent then has nothing but what ends it.
func (a *Agent) openRetirement(cfg Config, file string) (over bool, err error) {
	collector, err := identity.LoadCollectorPublic(cfg.CollectorKey)
	if err != nil && file == "" {
		return false, err
	}
	o := retire.Options{County: cfg.County, Agent: cfg.Agent, Collector: collector, Dir: cfg.Dir, Log: a.log}
	if cfg.Identity.Key != "" && file != "" {
		o.Own = func() (crypto.Signer, error) { return identity.LoadKey(cfg.Identity.Key) }
	}
	o.Files, o.Needed = cfg.secrets(file)
	a.broker = cfg.broker()
	var missing error
	if a.retire, missing = retire.Open(o); missing != nil {
		return false, missing
	}
	a.board.SetRetired(string(a.retire.Stage()))
	if stage := a.retire.Stage(); stage == retire.None || stage == retire.Delivering {
		return false, err
	}
	if cfg.Identity.Key != "" && err == nil {
		a.renewer = enrol.NewRenewer(cfg.Identity, cfg.County, cfg.Agent, collector, a.log)
	}
	return true, nil
}

// secrets returns the files that a gate destroys when it is taken out of service: those
// that nobody needs any more, and those without which it can't say so, the gate's own key
// and the configuration last.
func (c Config) secrets(file string) (files, needed []string) {
	dir := filepath.Dir(file)
	needed = []string{
		filepath.Join(filepath.Dir(c.Identity.Key), enrolment.RecipientFile),
		c.Broker.PasswordFile,
		c.Broker.CA,
		c.Broker.Cert,
		c.Broker.Key,
		c.CollectorKey,
		c.Identity.CA,
		c.Identity.Cert,
		c.Identity.Key,
		file,
	}
	for _, p := range c.Paths() {
		if *p != c.Dir {
			files = append(files, *p)
		}
	}
	for _, name := range []string{".enrol", enrolment.AgentFile + ".before", "policy.yaml", "roster.csv",
		"guards.csv", "contacts.yaml", "site.key", "site.keys"} {
		files = append(files, filepath.Join(dir, name))
	}
	return files, needed
}

// ends reports whether the gate is taken out of service for good.
func (a *Agent) ends() bool { return a.retire.Stage() != retire.None }

// hearRetire takes what somebody says on the topic by which the county takes the gate out
// of service.
func (a *Agent) hearRetire(payload []byte) error {
	err := a.retire.Hear(payload)
	if errors.Is(err, wire.ErrSignature) {
		a.board.Set(status.Condition{Type: fact.AlarmCollectorForeign,
			Detail: "an order to take this gate out of service is not signed by the key in collector_key"})
	}
	return err
}

// service returns the context of what serves people. It has ended already at a gate that
// goes out of service: its barrier is at rest then.
func (a *Agent) service(ctx context.Context) (serving context.Context, stop func()) {
	serving, stop = context.WithCancel(ctx)
	if a.ends() {
		stop()
	}
	return serving, stop
}

// awaitOrder waits until the gate is to go out of service for good, or ctx ends, and then
// stops what serves people.
func (a *Agent) awaitOrder(ctx context.Context, stop func()) {
	defer stop()
	select {
	case <-ctx.Done():
		return
	case <-a.retire.Begun():
	}
	if a.board.Snapshot().Retired == "" { // not at a start
		now := a.clock.Now()
		if _, err := a.recorder.TryAppend(now, &wire.Audit{Actor: "county", Action: wire.ActionRetire}); err != nil {
			a.log.Error("that the gate goes out of service could not be journalled", "err", err)
		}
	}
	a.board.SetRetired(string(a.retire.Stage()))
}

// deliverRest waits until the county has acknowledged the last record of a gate that goes
// out of service, or ctx ends.
func (a *Agent) deliverRest(ctx context.Context) {
	for ; ctx.Err() == nil; retry.Sleep(ctx, time.Second/4) {
		a.board.Rest(partRetire, a.clock.Now())
		last := a.journal.Last()
		if a.journal.Durable() < last || a.journal.State().Through < last {
			continue
		}
		err := a.retire.Delivered(a.journal.JID(), last)
		if err == nil {
			return
		}
		a.log.Error("that all is delivered could not be kept; it is tried again", "err", err)
	}
}

// end destroys what the gate holds, and says so on the screen until ctx ends.
func (a *Agent) end(ctx context.Context) {
	a.board.SetRetired(string(a.retire.Stage()))
	a.retire.End(ctx, retire.Line{
		Load: func(c *mqtt.Config) error { return a.broker.Load(c) },
		Turn: func() {
			a.board.SetRetired(string(a.retire.Stage()))
			a.board.SetTurned(partRetire, a.clock.Now())
		},
		Beside: a.renewIfNeeded,
	})
	a.board.SetRetired(string(a.retire.Stage()))
}

// renewIfNeeded renews the gate's certificate meanwhile: the gate may have been off for long.
func (a *Agent) renewIfNeeded(ctx context.Context) {
	if a.renewer != nil {
		a.renewer.Run(ctx)
	}
}
