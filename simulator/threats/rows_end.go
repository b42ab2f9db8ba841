package threats

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/wire"
)

// retirements are who ends the service of gates, or says that one has ended. Their county has a
// broker that everybody uses, and epochs.
func retirements() []Row {
	rows := []Row{
		{
			ID: "T75", Name: "retire-forged",
			Title:   "a gate is told to retire by another key, by its neighbour's order, and for a former enrolment",
			Control: "an order to retire is signed by the county, for one gate and its key",
			try:     forgedRetire,
		},
		{
			ID: "T76", Name: "receipt-forged", alone: true,
			Title:   "receipts in the name of a gate that never retired",
			Control: "a receipt is signed by the key that the gate had when the end began", try: forgedReceipt,
		},
	}
	for i := range rows {
		rows[i].where = ending
	}
	return rows
}

// keySum returns the SHA-256 of a gate's public key, as an order to retire names it.
func (g *gate) keySum() (string, error) {
	key, err := g.key()
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	return wire.KeySum(der), err
}

func forgedRetire(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	county, err := c.signer()
	if err != nil {
		return "", err
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	own, err := g.keySum()
	if err != nil {
		return "", err
	}
	fellow, err := c.gates[1].keySum()
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "undertaker")
	if err != nil {
		return "", err
	}
	defer m.close()
	n := 0
	for _, f := range []struct {
		agent, sum string
		key        ed25519.PrivateKey // nil: unsigned
	}{
		{"gate-001", own, nil}, {"gate-001", own, stranger}, {"gate-002", own, county},
		{"gate-002", fellow, county}, {"gate-001", fellow, county}, {"gate-001", strings.Repeat("0", 64), county},
	} {
		o := wire.Retire{V: 1, ID: strings.Repeat("0123456789abcdef", 2), Key: f.sum, At: wire.At(time.Now())}
		if f.key != nil {
			o = wire.SignRetire(o, countyID, f.agent, f.key)
		}
		payload, err := wire.Encode(o)
		if err != nil {
			return "", err
		}
		if err := m.publish(wire.Topic(countyID, g.id, wire.LeafRetire), payload, true); err != nil {
			return "", err
		}
		if err := m.acknowledged(); err != nil {
			return "", err
		}
		if _, err := c.delivers(ctx, g); err != nil {
			return "", fmt.Errorf("after a forged order: %w", err)
		}
		n++
	}
	// The last one is kept: the gate hears it again when it starts.
	if err := c.restarts(ctx, g); err != nil {
		return "", fmt.Errorf("after a start with a forged order: %w", err)
	}
	if err := m.publish(wire.Topic(countyID, g.id, wire.LeafRetire), nil, true); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d orders, one of them again at a start: the gate works on", n), m.acknowledged()
}

// restarts starts a gate again, and returns when a passage of it is stored.
func (c *county) restarts(ctx context.Context, g *gate) error {
	g.agent.End(syscall.SIGTERM, 10*time.Second)
	_, err := g.agent.Start()
	if err == nil {
		err = g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) })
	}
	if err == nil {
		_, err = c.delivers(ctx, g)
	}
	return err
}

var (
	requestNumber = regexp.MustCompile(`--consent (\d+)`)
	endedGates    = regexp.MustCompile(`(\d+) of \d+ gates have ended`)
)

// endBegins has two people end the service, and returns its id when an agent is told.
func (c *county) endBegins(ctx context.Context, agent string) (id string, err error) {
	eye, err := c.eye(ctx, wire.Topic(countyID, agent, wire.LeafRetire))
	if err != nil {
		return "", err
	}
	defer eye.close()
	asked, err := c.run(ctx, "end", "begin", "--config", c.path("collect.yaml"))
	if err != nil {
		return "", err
	}
	number := requestNumber.FindStringSubmatch(asked)
	if number == nil {
		return "", fmt.Errorf("end begin asks nobody: %s", asked)
	}
	err = c.admin.post(ctx, "/api/consent", struct {
		ID       json.Number `json:"id"`
		Password string      `json:"password"`
	}{json.Number(number[1]), password}, nil)
	if err == nil {
		_, err = c.run(ctx, "end", "begin", "--config", c.path("collect.yaml"), "--consent", number[1])
	}
	if err != nil {
		return "", err
	}
	for {
		m, err := eye.message()
		if err != nil {
			return "", fmt.Errorf("%s is not told to retire: %w", agent, err)
		}
		if o, err := wire.Decode[wire.Retire](m.Payload); err == nil {
			return o.ID, nil
		}
	}
}

// ended returns how many gates have ended, as the county counts.
func (c *county) ended(ctx context.Context) string {
	said, err := c.run(ctx, "end", "status", "--config", c.path("collect.yaml"))
	if found := endedGates.FindStringSubmatch(said); found != nil {
		return found[1]
	}
	return fmt.Sprint(said, err)
}

func forgedReceipt(ctx context.Context, c *county) (string, error) {
	first, second := c.gates[0], c.gates[1]
	eye, err := c.eye(ctx, wire.Topic(countyID, first.id, wire.LeafRetired))
	if err != nil {
		return "", err
	}
	defer eye.close()
	fellow, err := first.key()
	if err != nil {
		return "", err
	}
	second.agent.End(syscall.SIGTERM, 10*time.Second) // it is off when the end comes
	id, err := c.endBegins(ctx, first.id)
	if err != nil {
		return "", err
	}
	real, err := eye.message()
	if err != nil {
		return "", fmt.Errorf("the first gate sends no receipt: %w", err)
	}
	if ok := await(ctx, 30*time.Second, func() bool { return c.ended(ctx) == "1" }); !ok {
		return "", fmt.Errorf("the first gate's receipt is not counted: %s", c.ended(ctx))
	}
	c.gates = c.gates[1:] // its agent ends by itself
	if ok := await(ctx, 30*time.Second, first.agent.Died); !ok {
		return "", fmt.Errorf("the first gate does not end: %s", first.agent.Tail())
	}
	m, err := c.hostile(ctx, "pallbearer")
	if err != nil {
		return "", err
	}
	defer m.close()
	forged, err := c.forgeReceipts(id, second, fellow)
	if err != nil {
		return "", err
	}
	forged = append(forged, real.Payload)
	if err := m.sends(wire.Topic(countyID, second.id, wire.LeafRetired), forged...); err != nil {
		return "", err
	}
	refused := func() bool { return strings.Contains(c.collector.Printed(), "a gate's receipt was refused") }
	if ok := await(ctx, 20*time.Second, refused); !ok {
		return "", errors.New("the collector's log does not say that receipts are refused")
	}
	if n := c.ended(ctx); n != "1" {
		return "", fmt.Errorf("%s gates are said to have ended", n)
	}
	said, err := c.run(ctx, "end", "finish", "--config", c.path("collect.yaml"))
	if err == nil || !strings.Contains(said, "not every gate has answered") {
		return "", fmt.Errorf("the end may be finished: %s", said)
	}
	if _, err := second.agent.Start(); err != nil {
		return "", err
	}
	c.gates = nil
	if ok := await(ctx, 40*time.Second, func() bool { return second.agent.Died() && c.ended(ctx) == "2" }); !ok {
		return "", fmt.Errorf("the second gate does not end: %s; %s", c.ended(ctx), second.agent.Tail())
	}
	return fmt.Sprintf("%d receipts: 0 counted, the end could not be finished; the gate's own was counted later",
		len(forged)), nil
}

// forgeReceipts returns receipts in the name of a gate that has not retired.
func (c *county) forgeReceipts(id string, g *gate, fellow crypto.Signer) (out [][]byte, err error) {
	own, err := g.key()
	if err != nil {
		return nil, err
	}
	jid, last, err := g.journal()
	if err != nil {
		return nil, err
	}
	r := wire.Retired{V: 1, ID: id, At: wire.At(time.Now()), JID: jid, Through: last,
		Destroyed: []string{filepath.Join(g.dir, "journal")}}
	for _, f := range []struct {
		id, agent string
		key       crypto.Signer
	}{{id, g.id, nil}, {id, g.id, fellow}, {id, "gate-001", own}, {hex.EncodeToString(make([]byte, 16)), g.id, own}} {
		forged := r
		forged.ID = f.id
		if f.key != nil {
			if forged, err = wire.SignRetired(forged, countyID, f.agent, f.key); err != nil {
				return nil, err
			}
		}
		payload, err := wire.Encode(forged)
		if err != nil {
			return nil, err
		}
		out = append(out, payload)
	}
	return out, nil
}
