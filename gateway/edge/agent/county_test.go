package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/testkit/mosquitto"
	"gatehouse/gateway/wire"
)

// publisher publishes sets as the county does, at a real broker.
type publisher struct {
	*rig

	client *mqtt.Client
	key    identity.CollectorKey
	to     string
}

// enrolled makes the rig's gate one that was enrolled, with a broker.
func (r *rig) enrolled() *publisher {
	r.t.Helper()
	dir := filepath.Dir(r.cfg.CollectorKey)
	key, err := identity.LoadCollectorKey(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	secret, to, err := sealed.NewKey()
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(filepath.Join(dir, "agent.age"), []byte(secret+"\n"))
	own := filepath.Join(dir, "agent.key")
	if _, _, err := identity.LoadOrCreateKey(own); err != nil {
		r.t.Fatal(err)
	}
	r.cfg.Identity = enrol.Identity{Key: own, Cert: own, CA: own, Desk: []string{"http://127.0.0.1:1"}}
	r.cfg.Broker.URL = mosquitto.Start(r.t).URL
	up := make(chan struct{}, 1)
	p := &publisher{rig: r, key: key, to: to, client: mqtt.New(mqtt.Config{URL: r.cfg.Broker.URL, ClientID: "county",
		OnUp: func() { up <- struct{}{} }, Log: slog.New(slog.DiscardHandler)})}
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan struct{})
	go func() { _ = p.client.Run(ctx); close(ended) }()
	r.t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		r.t.Fatal("no connection to the broker")
	}
	return p
}

const classes = "classes:\n  resident: {fever: go-home, directions: [in, out]}\n"

// publish publishes a set; parts says how many of its parts, -1 all.
func (p *publisher) publish(no uint64, policy, roster string, parts int) {
	p.t.Helper()
	gate := rulebook.Gate{County: p.cfg.County, Agent: p.cfg.Agent}
	s, err := gate.Seal(rulebook.Set{No: no, Version: "v", At: time.Now(),
		Files: []rulebook.File{{Name: rulebook.PolicyFile, Bytes: []byte(policy)},
			{Name: rulebook.RosterFile, Bytes: []byte("card,class,status,household,from,until\n" + roster)},
			{Name: rulebook.ContactsFile, Bytes: []byte("contacts:\n  - {role: doctor, phone: 0000 000 1120}\n")}}},
		p.to, p.key.Private)
	if err != nil {
		p.t.Fatal(err)
	}
	for n, part := range s.Parts {
		if parts >= 0 && n >= parts {
			break
		}
		p.retain(wire.PartTopic(p.cfg.County, p.cfg.Agent, no, n), part)
	}
	payload, err := wire.Encode(s.Manifest)
	if err != nil {
		p.t.Fatal(err)
	}
	p.retain(wire.Topic(p.cfg.County, p.cfg.Agent, wire.LeafPolicy), payload)
}

func (p *publisher) retain(topic string, payload []byte) {
	p.t.Helper()
	if err := p.client.Publish(mqtt.Message{Topic: topic, Payload: payload, QoS: 1, Retained: true}); err != nil {
		p.t.Fatal(err)
	}
}

func inForce(a *Agent) uint64 {
	if r := a.Board().Snapshot().Rules; r != nil {
		return r.No
	}
	return 0
}

func refused(a *Agent) string { return a.Board().Detail(fact.AlarmRulesRefused) }

func limits(version, fever string) string {
	return "version: \"" + version + "\"\nlimits: {fever_c: " + fever +
		", invalid_below_c: 35.0, pairing: 4s}\n" + classes
}

// A gate that runs gets rules by itself, keeps the last good ones, and starts with them.
func TestAGateGetsItsRulesWhileItRuns(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	p := r.enrolled()
	nothing := func(context.Context, *Agent) {}
	r.run(func(context.Context, *Agent) {
		p.publish(7, limits("2", "37.5"), "62E3086CEE,resident,active,,,\n62E3086CEF,resident,active,,,\n", -1)
	}, func(a *Agent) bool {
		return inForce(a) == 7 && a.locks.people() == 2 && len(a.Board().Snapshot().Help.Contacts) == 1
	})
	r.cfg.Roster = filepath.Join(t.TempDir(), "gone.csv") // it is not asked any more
	r.run(nothing, func(a *Agent) bool { return inForce(a) == 7 && a.locks.people() == 2 && refused(a) == "" })
	r.run(func(context.Context, *Agent) { p.publish(6, limits("0", "37.5"), "", -1) }, func(a *Agent) bool {
		return inForce(a) == 7 && strings.Contains(refused(a), "older than the set in force")
	})
	r.run(func(context.Context, *Agent) { p.publish(8, limits("3", "99"), "", -1) }, func(a *Agent) bool {
		return inForce(a) == 7 && strings.Contains(refused(a), "set 8 (v): policy.yaml")
	})
	r.run(func(context.Context, *Agent) { p.publish(9, limits("4", "37.4"), "62E3086CEE,resident,active,,,\n", 0) },
		func(a *Agent) bool { return inForce(a) == 7 })
	r.run(func(context.Context, *Agent) {
		p.publish(10, limits("5", "37.4"), "62E3086CEE,resident,active,,,\n", -1)
	},
		func(a *Agent) bool { return inForce(a) == 10 && a.locks.people() == 1 && refused(a) == "" })
	got := r.applied()
	if strings.Trim(strings.TrimSuffix(got, " 10"), " 7") != "" || !strings.HasPrefix(got, "7 7") ||
		!strings.HasSuffix(got, " 10") {
		t.Errorf("the journal has the sets %s", got)
	}
	if b, err := os.ReadFile(filepath.Join(r.cfg.Dir, countySet)); err != nil || strings.Contains(string(b), "62E308") {
		t.Errorf("the kept set is readable: %v", err)
	}
}

// people returns how many people the rules in force know.
func (l *locks) people() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rules.People()
}

// applied returns the numbers of the sets that the journal says were applied.
func (r *rig) applied() string {
	r.t.Helper()
	v, err := journal.Look(r.cfg.Dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	var out []string
	chunk, err := v.Read(1, 200, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range chunk.Entries {
		if body, err := e.Record.DecodeBody(); err == nil {
			if a, is := body.(*wire.Audit); is && a.Rules != nil {
				out = append(out, strconv.FormatUint(a.Rules.No, 10))
			}
		}
	}
	return strings.Join(out, " ")
}
