package upgrades

import (
	"crypto/ed25519"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/audit"
	county "gatehouse/gateway/county/command"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/versions"
	edge "gatehouse/gateway/edge/command"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/testkit/mosquitto"
	"gatehouse/gateway/wire"
)

const (
	qinghe = "qinghe"
	gate1  = "gate-1"
)

// oneGate are the sites of a county of one gate.
type oneGate struct{}

func (oneGate) Place(gate string) (community, grid, compound string, ok bool) {
	return "", "", "", gate == gate1
}

// unkept is a journal that keeps nothing.
type unkept struct{}

func (unkept) TryAppend(clock.Moment, wire.Body) (uint64, error) { return 1, nil }

// place returns where an agent that was installed as a package finds what it needs.
func place(t *testing.T) upgrade.Place {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	key, err := openpgp.NewKey("gatehouse qinghe", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"packages.asc": string(public), "wants": "",
		"upgrade.yaml": "url: https://desk.county.example/packages\n", "status": dpkgHas("1.3.0")} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return upgrade.Place{Dir: at("state"), AgentDir: at("agent"), Config: at("upgrade.yaml"), Packages: at("status"),
		Wants: at("wants"), Program: "/usr/bin/gatehouse", Running: "/usr/bin/gatehouse"}
}

// dpkgHas is dpkg's list with one package.
func dpkgHas(version string) string {
	return "Package: gatehouse\nStatus: install ok installed\nVersion: " + version + "\n\n"
}

// client runs a client of a broker until the test ends.
func client(t *testing.T, url, id string, leaf []wire.Leaf, hear func(mqtt.Message)) *mqtt.Client {
	t.Helper()
	up := make(chan struct{}, 1)
	cfg := mqtt.Config{URL: url, ClientID: id, OnMessage: hear, Log: discard,
		OnUp: func() { up <- struct{}{} }}
	for _, l := range leaf {
		cfg.Subscriptions = append(cfg.Subscriptions, mqtt.Subscription{Filter: wire.Topic(qinghe, gate1, l), QoS: 1})
	}
	c := mqtt.New(cfg)
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	select {
	case <-up:
	case <-time.After(30 * time.Second):
		t.Fatal("no connection to the broker")
	}
	return c
}

// pair is a desk and the agent of a gate, which speak over a real broker.
type pair struct {
	t        *testing.T
	versions *versions.Versions
	where    upgrade.Place
	requests atomic.Pointer[upgrade.Requests] // of the version that runs
	atGate   *mqtt.Client
	said     chan mqtt.Message // by the gate
	roll     *presence.Roll
	beats    chan mqtt.Message // that have reached the desk
	began    time.Time
}

var discard = slog.New(slog.DiscardHandler)

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, where: place(t), said: make(chan mqtt.Message, 16), roll: presence.NewRoll(gate1),
		beats: make(chan mqtt.Message, 64), began: time.Now()}
	p.requests.Store(upgrade.NewRequests(p.where))
	url, key := mosquitto.Start(t).URL, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	gate := edge.New(edge.Options{County: qinghe, Agent: gate1, Collector: public, Journal: unkept{},
		Does: edge.Does{Upgrade: func(id, version string) (fact.CommandWhy, string) {
			return p.requests.Load().Ask(time.Now(), id, version)
		}},
		File: filepath.Join(t.TempDir(), "commands.json"), Board: status.NewBoard(), Clock: clock.System{},
		Log: discard,
		Send: func(leaf wire.Leaf, b []byte) {
			p.said <- mqtt.Message{Topic: wire.Topic(qinghe, gate1, leaf), Payload: b, QoS: 1}
		}})
	p.atGate = client(t, url, "gate", []wire.Leaf{wire.LeafCommand}, func(m mqtt.Message) {
		gate.Hear(m.Payload, m.Retained)
	})
	go func() { _ = gate.Run(t.Context()) }()
	p.openDesk(url, key)
	return p
}

// openDesk opens the desk's part.
func (p *pair) openDesk(url string, key ed25519.PrivateKey) {
	p.t.Helper()
	file := committed.Open(p.t, filepath.Join(p.t.TempDir(), "desk.db"), audit.Schema+county.Schema+versions.Schema)
	commands := county.New(county.Options{File: file, Sites: oneGate{}, County: qinghe, Key: key, Now: time.Now,
		Log: discard})
	commands.By(client(p.t, url, "desk", []wire.Leaf{wire.LeafNonce, wire.LeafBeat}, func(m mqtt.Message) {
		if _, _, leaf, _ := wire.ParseTopic(m.Topic); leaf == wire.LeafNonce {
			commands.Heard(gate1, m.Payload)
			return
		}
		p.beats <- m
	}))
	go commands.Run(p.t.Context())
	var err error
	p.versions, err = versions.Open(p.t.Context(), versions.Options{File: file, Commands: commands,
		Gates: []string{gate1}, Now: time.Now, Log: discard})
	if err != nil {
		p.t.Fatal(err)
	}
}

// until has the gate say how it does, and the desk look at it, until something is so.
func (p *pair) until(what string, ok func() bool) {
	p.t.Helper()
	for !ok() {
		if time.Since(p.began) > time.Minute {
			p.t.Fatalf("waited for %s: %+v", what, p.versions.Now())
		}
		b, err := wire.Encode(wire.Beat{V: 1, At: wire.At(time.Now()), JID: "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42",
			Devices: []wire.BeatDevice{}, Upgrade: new(p.requests.Load().Report(time.Now()))})
		beat := mqtt.Message{Topic: wire.Topic(qinghe, gate1, wire.LeafBeat), Payload: b}
		err = errors.Join(err, p.atGate.Publish(beat))
		select {
		case m := <-p.beats:
			err = errors.Join(err, p.roll.Receive(time.Now(), m.Topic, m.Payload))
		case m := <-p.said:
			err = errors.Join(err, p.atGate.Publish(m))
		case <-time.After(100 * time.Millisecond):
		}
		seen := versions.Seen{}
		for _, a := range p.roll.Agents(time.Now(), time.Since(p.began)) {
			seen = versions.Seen{Online: true, Heard: a.Heard, Program: "1.3.0", Upgrade: a.Upgrade}
		}
		look := func(string) versions.Seen { return seen }
		if err = errors.Join(err, p.versions.Turn(p.t.Context(), p.began, look)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// A wave of the desk becomes a request to the gate's computer over a real broker, and what the
// gate says of it comes back: refused the first time, done the second.
func TestTheDeskUpgradesAGate(t *testing.T) {
	p := newPair(t)
	v, where, wang := p.versions, p.where, audit.By{Actor: "wang"}
	plan := versions.Plan{Version: "1.4.0", Reason: "修复", Waves: [][]string{{gate1}}}
	of := func() versions.Gate { return v.Now().Waves[0].Gates[0] }
	waits := func() bool {
		_, err := os.Stat(filepath.Join(where.AgentDir, "upgrade/request.json"))
		return err == nil
	}
	if err := v.Begin(t.Context(), wang, plan); err != nil {
		t.Fatal(err)
	}
	p.until("the request", waits)
	if err := upgrade.Refuse(where.Dir, where.AgentDir, errors.New("no room"), time.Now()); err != nil {
		t.Fatal(err)
	}
	p.until("the refusal", func() bool { return v.Now().State == versions.Stopped })
	if g := of(); g.State != versions.Refused || g.Why != versions.WhyUnchanged || g.Detail != "no room" {
		t.Errorf("%+v", g)
	}
	err := v.Act(t.Context(), wang, v.Now().ID, versions.DoEnd, nil)
	if err = errors.Join(err, v.Begin(t.Context(), wang, plan)); err != nil {
		t.Fatal(err)
	}
	p.until("the second request", waits)
	if r, ok, err := upgrade.Take(where.AgentDir); err != nil || !ok || r.Version != "1.4.0" || len(r.ID) < 16 {
		t.Fatalf("%+v, %v, %v", r, ok, err)
	}
	if err := os.WriteFile(where.Packages, []byte(dpkgHas("1.4.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.requests.Store(upgrade.NewRequests(where)) // the new version has started
	p.until("the end", func() bool { return of().State == versions.Done })
}
