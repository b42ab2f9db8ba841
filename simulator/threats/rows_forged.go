package threats

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// forgeries are what somebody who has the broker says in the name of others.
func forgeries() []Row {
	rows := []Row{
		{
			ID:      "T56",
			Name:    "records-unsigned",
			Title:   "readings and fevers in the name of gates, without a signature",
			Control: "an enrolled agent must sign (require_signed)",
			try:     unsignedRecords,
		},
		{ID: "T57", Name: "records-of-a-fellow", Title: "a gate signs readings in the name of another",
			Control: "the signature covers county, agent and journal", try: fellowRecords},
		{
			ID:      "T58",
			Name:    "records-replayed",
			Title:   "batches of a gate are sent again, under other names and journals",
			Control: "the signature covers them; what is stored is stored once",
			try:     replayRecords,
		},
		{ID: "T59", Name: "unknown-agent", Title: "a fever of an agent that nobody has enrolled",
			Control: "unknown agents wait on a list", try: unknownAgent},
		{ID: "T60", Name: "acks-forged", Title: "records are acknowledged that the county does not have",
			Control: "acknowledgements are signed, for one agent and journal", try: forgedAcks},
		{
			ID:      "T61",
			Name:    "acks-replayed",
			Title:   "real acknowledgements come again 1,000 times, late, kept, and for others",
			Control: "an agent takes only what it has sent",
			try:     replayedAcks,
		},
		{ID: "T62", Name: "poisoned-term", Title: "a gate says it has seen a collector with the highest term",
			Control: "a term needs the acknowledgement that gave it, or is a little higher", try: poisonedTerm},
		{
			ID:      "T63",
			Name:    "county-status-forged",
			Title:   "the county is said to be away, another one, or with a higher term",
			Control: "its status is signed",
			try:     forgedStatus,
		},
		{ID: "T64", Name: "desk-forged", Title: "guards are told things in the county's name",
			Control: "what the desk says is signed and numbered, for one gate", try: forgedDesk},
	}
	for i := range rows {
		rows[i].where = foreign
	}
	return rows
}

// record sends forged batches, and returns an error when the county takes one.
func (c *county) record(ctx context.Context, all []forged) (string, error) {
	m, err := c.hostile(ctx, "forger")
	if err != nil {
		return "", err
	}
	defer m.close()
	var marks []string
	for i, f := range all {
		mark := fmt.Sprintf("forged-%s-%d", uuid.NewString()[:8], i)
		f.body = fever(mark)
		payload, err := f.payload()
		if err != nil {
			return "", err
		}
		if err := m.sends(wire.Topic(countyID, f.agent, wire.LeafRecords), payload); err != nil {
			return "", err
		}
		marks = append(marks, mark)
	}
	if err := c.settled(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf(
			"%d batches: 0 in store, quarantine and alerts; the gate goes on",
			len(all),
		), c.unknownTo(
			ctx,
			marks...)
}

func unsignedRecords(ctx context.Context, c *county) (string, error) {
	jid, last, err := c.gates[0].journal()
	if err != nil {
		return "", err
	}
	var all []forged
	for _, ahead := range []bool{false, true} {
		for _, g := range c.gates {
			all = append(all, forged{agent: g.id, jid: uuid.NewString(), from: 1, ahead: ahead})
		}
		all = append(all, forged{agent: "gate-001", jid: jid, from: last + 1, ahead: ahead},
			forged{agent: "gate-001", jid: jid, from: 1, ahead: ahead})
	}
	return c.record(ctx, all)
}

func fellowRecords(ctx context.Context, c *county) (string, error) {
	key, err := c.gates[1].key()
	if err != nil {
		return "", err
	}
	stranger, _, err := identity.LoadOrCreateKey(c.path("stranger.key"))
	if err != nil {
		return "", err
	}
	jid, last, err := c.gates[0].journal()
	if err != nil {
		return "", err
	}
	var all []forged
	for _, k := range []crypto.Signer{key, stranger} {
		for _, ahead := range []bool{false, true} {
			all = append(all, forged{agent: "gate-001", jid: jid, from: last + 1, ahead: ahead, key: k},
				forged{agent: "gate-001", jid: uuid.NewString(), from: 1, ahead: ahead, key: k})
		}
	}
	return c.record(ctx, all)
}

func replayRecords(ctx context.Context, c *county) (string, error) {
	eye, err := c.eye(ctx, wire.Topic(countyID, "gate-001", wire.LeafRecords))
	if err != nil {
		return "", err
	}
	defer eye.close()
	if err := c.settled(ctx); err != nil {
		return "", err
	}
	real, err := eye.message()
	if err != nil {
		return "", fmt.Errorf("no batch comes: %w", err)
	}
	before, err := c.count(ctx)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "replayer")
	if err != nil {
		return "", err
	}
	defer m.close()
	changed := strings.Replace(string(real.Payload), `"agent":"gate-001"`, `"agent":"gate-002"`, 1)
	other := strings.Replace(string(real.Payload), `"jid":"`, `"jid":"0`, 1)
	for _, agent := range []string{"gate-001", "gate-002", "gate-003"} {
		for range 20 {
			err := m.sends(wire.Topic(countyID, agent, wire.LeafRecords), real.Payload, []byte(changed), []byte(other))
			if err != nil {
				return "", err
			}
		}
	}
	if err := c.settled(ctx); err != nil {
		return "", err
	}
	after, err := c.count(ctx)
	if err != nil {
		return "", err
	}
	for agent, n := range after {
		if agent != "gate-001" && n > before[agent]+20 {
			return "", fmt.Errorf("%s has %d records, before %d", agent, n, before[agent])
		}
	}
	if after["gate-003"] != 0 {
		return "", fmt.Errorf("gate-003, which is not in service, has %d records", after["gate-003"])
	}
	return "180 messages: 0 records more", c.twice(ctx)
}

// row is a stored record.
type row struct {
	Agent   string
	Journal string
	Seq     uint64
}

func (c *county) rows(ctx context.Context) (out []row, err error) {
	said, err := c.run(ctx, "export", "--dir", c.path("county"), "--format", "jsonl")
	for line := range strings.Lines(said) {
		var r row
		if json.Unmarshal([]byte(line), &r) == nil && r.Agent != "" {
			out = append(out, r)
		}
	}
	return out, err
}

// count returns how many records of each agent are stored.
func (c *county) count(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	rows, err := c.rows(ctx)
	for _, r := range rows {
		out[r.Agent]++
	}
	return out, err
}

// twice returns an error when a record is stored twice.
func (c *county) twice(ctx context.Context) error {
	seen := map[row]bool{}
	rows, err := c.rows(ctx)
	for _, r := range rows {
		if seen[r] {
			return fmt.Errorf("%v is stored twice", r)
		}
		seen[r] = true
	}
	return err
}

func unknownAgent(ctx context.Context, c *county) (string, error) {
	stranger, _, err := identity.LoadOrCreateKey(c.path("ghost.key"))
	if err != nil {
		return "", err
	}
	var all []forged
	for _, agent := range []string{"ghost-77", "gate-003", "gate-009"} {
		for _, key := range []crypto.Signer{nil, stranger} {
			all = append(all, forged{agent: agent, jid: uuid.NewString(), from: 1, key: key},
				forged{agent: agent, jid: uuid.NewString(), from: 1, ahead: true, key: key})
		}
	}
	return c.record(ctx, all)
}
