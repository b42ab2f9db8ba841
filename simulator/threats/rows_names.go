package threats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// names are who comes to the broker by right, and takes another's part.
func names() []Row {
	return []Row{
		{
			ID: "T07", Name: "id-theft-agent",
			Title:   "a gate connects again and again under the client id of another",
			Control: "the client id must be the certificate's name", try: stealAgent,
		},
		{
			ID: "T08", Name: "id-theft-collector",
			Title:   "a gate connects under the client ids that the collector could have",
			Control: "the client id must be the certificate's name; the collector's is secret", try: stealCollector,
		},
		{
			ID: "T09", Name: "publish-as-another",
			Title:   "each of the certificates and passwords publishes on the branches of the others, kept and not",
			Control: "permissions by the proved name, deny by default", try: publishAsAnother,
		},
		{
			ID: "T10", Name: "subscribe-as-another",
			Title:   "each of them subscribes to all, to others, to shares and to the broker's own topics",
			Control: "permissions by the proved name, deny by default", try: subscribeAsAnother,
		},
		{
			ID: "T11", Name: "reader-publishes", Title: "a reader publishes, also with a will and to kept topics",
			Control: "role reader: it may subscribe only", try: readerPublishes,
		},
		{
			ID: "T12", Name: "password-guessing", Title: "passwords are guessed at the broker from one address",
			Control: "8 free, then a wait that doubles; the log names the remote", try: guessAtBroker,
		},
	}
}

func stealAgent(ctx context.Context, c *county) (string, error) {
	thief, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	before := strings.Count(c.gates[0].agent.Printed(), "connection lost")
	for range 50 {
		if m, _ := c.enter(ctx, login{id: "gate-001", pair: &thief}); m != nil {
			m.close()
			return "", errors.New("the thief is let in")
		}
	}
	if now := strings.Count(c.gates[0].agent.Printed(), "connection lost"); now != before {
		return "", fmt.Errorf("the gate lost its connection %d times", now-before)
	}
	took, err := c.delivers(ctx, c.gates[0])
	return fmt.Sprintf("50 attempts, 0 let in; the gate kept its connection, delivered in %s", ms(took)), err
}

func stealCollector(ctx context.Context, c *county) (string, error) {
	thief, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	st, err := c.collectorStatus(ctx)
	if err != nil {
		return "", err
	}
	before := strings.Count(c.collector.Printed(), "connection lost")
	ids := []string{"collector", "collector-" + st.Start, "collector-" + st.Store, "reports", "desk", "_county"}
	for range 5 {
		for _, id := range ids {
			if m, _ := c.enter(ctx, login{id: id, pair: &thief}); m != nil {
				m.close()
				return "", fmt.Errorf("the thief is let in as %s", id)
			}
		}
	}
	if now := strings.Count(c.collector.Printed(), "connection lost"); now != before {
		return "", fmt.Errorf("the collector lost its connection %d times", now-before)
	}
	took, err := c.delivers(ctx, c.gates[0])
	return fmt.Sprintf(
		"%d attempts with %d ids, 0 let in; a passage was stored in %s",
		5*len(ids),
		len(ids),
		ms(took),
	), err
}

// collectorStatus returns what the collector has published of itself.
func (c *county) collectorStatus(ctx context.Context) (st wire.CollectorStatus, err error) {
	eye, err := c.eye(ctx, wire.Topic(countyID, wire.CollectorID, wire.LeafStatus))
	if err != nil {
		return st, err
	}
	defer eye.close()
	m, err := eye.message()
	if err != nil {
		return st, fmt.Errorf("the collector's status does not come: %w", err)
	}
	return wire.Decode[wire.CollectorStatus](m.Payload)
}

// eye returns a client that reads a filter.
func (c *county) eye(ctx context.Context, filter string) (*client, error) {
	l := login{id: fmt.Sprint("eye-", time.Now().UnixNano()), user: watcher, password: password}
	if c.where != own {
		l.user, l.password = "", ""
	}
	m, err := c.entered(ctx, l)
	if err != nil {
		return nil, err
	}
	if code := m.subscribe(filter); !granted(code) {
		m.close()
		return nil, fmt.Errorf("a reader may not subscribe to %s: %d", filter, code)
	}
	return m, nil
}

// insiders are all who come in by right, by name.
func (c *county) insiders() (map[string]login, error) {
	all := map[string]login{
		fogger: {id: fogger, user: fogger, password: password},
		byHand: {id: byHand, user: byHand, password: password},
	}
	for _, g := range c.gates {
		pair, err := g.pair()
		if err != nil {
			return nil, err
		}
		all[g.id] = login{id: g.id + "-x", pair: &pair}
	}
	return all, nil
}

// leaves are the topics of an agent's branch.
func leaves() []wire.Leaf {
	return []wire.Leaf{
		wire.LeafRecords,
		wire.LeafHello,
		wire.LeafStatus,
		wire.LeafBeat,
		wire.LeafAck,
		wire.LeafReport,
		wire.LeafDesk,
	}
}

func publishAsAnother(ctx context.Context, c *county) (string, error) {
	all, err := c.insiders()
	if err != nil {
		return "", err
	}
	eye, err := c.eye(ctx, wire.Root+"/"+countyID+"/#")
	if err != nil {
		return "", err
	}
	defer eye.close()
	sent := 0
	for name, l := range all {
		m, err := c.entered(ctx, l)
		if err != nil {
			return "", err
		}
		defer m.close()
		for _, topic := range foreignTopics(name, all) {
			for _, kept := range []bool{false, true} {
				if err := m.publish(topic, []byte("forged by "+name), kept); err != nil {
					return "", fmt.Errorf("%s: publish to %s: %w", name, topic, err)
				}
				sent++
			}
		}
		if err := m.publish(wire.Topic(countyID, name, wire.LeafReport), []byte("own of "+name), false); err != nil {
			return "", err
		}
		for {
			in, err := eye.message()
			if err != nil {
				return "", fmt.Errorf("what %s may publish does not come: %w", name, err)
			}
			if text := string(in.Payload); strings.HasPrefix(text, "forged") {
				return "", fmt.Errorf("%s arrives on %s", text, in.TopicName)
			} else if text == "own of "+name {
				break
			}
		}
	}
	return fmt.Sprintf("%d messages of %d clients on topics of others, 0 arrived", sent, len(all)), nil
}

// foreignTopics are topics that a client may not publish to.
func foreignTopics(name string, all map[string]login) (out []string) {
	for other := range all {
		for _, leaf := range leaves() {
			if other != name {
				out = append(out, wire.Topic(countyID, other, leaf))
			}
		}
	}
	own := wire.Topic(countyID, name, wire.LeafRecords)
	out = append(out, wire.Topic(countyID, wire.CollectorID, wire.LeafStatus),
		wire.Topic("yuncheng", name, wire.LeafRecords), wire.Root+"/"+countyID, wire.Root, "x",
		strings.Replace(own, "v1", "v2", 1))
	if name == fogger {
		out = append(
			out,
			own,
			wire.Topic(countyID, name, wire.LeafHello),
			wire.Topic(countyID, name, wire.LeafStatus),
		)
	}
	return out
}

func subscribeAsAnother(ctx context.Context, c *county) (string, error) {
	all, err := c.insiders()
	if err != nil {
		return "", err
	}
	asked := 0
	for name, l := range all {
		filters := []string{
			"#",
			"+/#",
			"/#",
			wire.Root + "/#",
			wire.Root + "/+/" + name + "/#",
			"gatehouse/+/+/+/ack",
			wire.Root + "/" + countyID + "/#",
			wire.Root + "/" + countyID + "/+/ack",
			"$SYS/#",
			"$MQTT/#",
			"$JS/#",
			wire.Root + "/yuncheng/" + name + "/#",
			"$share/x/" + wire.Root + "/" + countyID + "/#",
		}
		for other := range all {
			if other != name {
				filters = append(
					filters,
					wire.Root+"/"+countyID+"/"+other+"/#",
					wire.Topic(countyID, other, wire.LeafAck),
				)
			}
		}
		m, err := c.entered(ctx, l)
		if err != nil {
			return "", err
		}
		defer m.close()
		for _, filter := range filters {
			if code := m.subscribe(filter); code != 0x80 {
				return "", fmt.Errorf("%s subscribes to %s and is answered with %d", name, filter, code)
			}
			asked++
		}
	}
	return fmt.Sprintf("%d filters of %d clients, 0 granted", asked, len(all)), nil
}

// ms formats a duration.
func ms(d time.Duration) string { return d.Round(time.Millisecond).String() }

// fever is an alarm that would wake the county.
func fever(id string) *wire.Alarm {
	return &wire.Alarm{ID: "fever:" + id, Type: fact.AlarmFever, State: fact.AlarmRaised}
}
