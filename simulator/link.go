package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/world"
)

// link returns an invitation for the demo's first user, like the one that the
// collector logs, and writes it to linkFile.
func (d *demo) link(ctx context.Context) (string, error) {
	link, err := clerk.ByCommand(d.gatehouse, filepath.Join(d.flags.dir, "county"))(ctx, "http://"+d.desk)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(d.linkFile(), []byte(link+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the link to the desk: %w", err)
	}
	return link, nil
}

// linkFile returns the file that has the link.
func (d *demo) linkFile() string { return filepath.Join(d.flags.dir, "desk-link.txt") }

// remind prints the link again when all gates are online: the first one has
// scrolled off the screen by then.
func (d *demo) remind(ctx context.Context, out io.Writer, link string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan mqtt.Message, 256)
	client := mqtt.New(mqtt.Config{
		URL:           "tcp://" + d.listen,
		ClientID:      fmt.Sprintf("demo-up-%d", os.Getpid()),
		Log:           slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(world.CountyID, "+", wire.LeafStatus)}},
		OnMessage: func(m mqtt.Message) {
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		},
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	online := onlineGates{want: d.flags.gates, ids: map[string]bool{}}
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-messages:
			if online.add(m.Topic, m.Payload) {
				fmt.Fprintf(out, reminder, d.flags.gates, d.desk, link, d.linkFile())
				return
			}
		}
	}
}

const reminder = `
The county is up: %d gates are online. The desk is http://%s; first open this, once:
  %s
(it stays in %s)

`

// onlineGates are the gates that have come online.
type onlineGates struct {
	want int
	ids  map[string]bool
}

// add takes a message with a status and reports whether all gates have come
// online.
func (o *onlineGates) add(topic string, payload []byte) bool {
	_, agent, _, ok := wire.ParseTopic(topic)
	st, err := wire.Decode[wire.Status](payload)
	if ok && err == nil && st.State == fact.Online && strings.HasPrefix(agent, "gate-") {
		o.ids[agent] = true
	}
	return len(o.ids) >= o.want
}

// announce prints how to use the demo, and returns the link to the desk.
func (d *demo) announce(c *cobra.Command, store string) (link string, err error) {
	w, _, err := d.flags.world()
	if err != nil {
		return "", err
	}
	link, err = d.link(c.Context())
	if err != nil {
		return "", err
	}
	_, err = strings.NewReplacer(
		"GATES", strconv.Itoa(d.flags.gates),
		"BROKER", d.listen,
		"STORE", store,
		"DIR", d.flags.dir,
		"DESK", d.desk,
		"LINK", link,
		"FILE", d.linkFile(),
		"KIOSK", d.kiosk,
		"STAGED", cmp.Or(stageGate(w), "no gate: there is only one"),
		"STAGE", d.stage,
		"GATE", standaloneGate(w),
		"bin/gatehouse", d.gatehouse,
		"bin/simulator", simulatorProgram(os.Args[0]),
	).WriteString(c.OutOrStdout(), announcement)
	return link, err
}

const announcement = `
The county of GATES gates runs on simulated hardware.

  desk       http://DESK – first open this, once, to choose a name and a password:
             LINK
             (it stays in FILE)
  kiosk      http://KIOSK (the guard's screen of GATE)
  scenes     http://STAGE (the screen of STAGED, where one scene after the other plays)
  broker     tcp://BROKER (MQTT; nothing listens beyond this computer)
  store      STORE
  logs       DIR/collect.log, DIR/gates.log, DIR/gates/GATE/agent.log

In another terminal, from this folder:

  bin/simulator poke GATE fever     also: pass, cold, hurry, unknown-card, lost-card, sealed,
                                    sensor-fault, unplug, cut, kill
  bin/simulator poke GATE cold-morning
  bin/simulator poke --list         everything that can be made to happen, and all scenes
  bin/gatehouse watch --broker tcp://BROKER --alarms
  bin/gatehouse status --broker tcp://BROKER
  bin/gatehouse runs --dir DIR/county
  bin/gatehouse quarantine list --dir DIR/county
  bin/gatehouse journal inspect --dir DIR/gates/GATE/journal
  mosquitto_sub -h 127.0.0.1 -t 'gatehouse/v1/+/+/records'

Four drones, four fogging trucks and two machines that publish by themselves work
in turns; each run is printed with what the machine really did.

The county's passages follow as they happen; Ctrl-C ends the demo.

`
