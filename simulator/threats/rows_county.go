package threats

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// mostRaised is by how much one gate may raise the term in a few seconds: agents of versions
// that keep no acknowledgement are believed so far.
const mostRaised = 4

func poisonedTerm(ctx context.Context, c *county) (string, error) {
	before, err := c.collectorStatus(ctx)
	if err != nil {
		return "", err
	}
	key, err := c.gates[1].key()
	if err != nil {
		return "", err
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	hellos, err := poisoned(before, key, stranger)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "poisoner")
	if err != nil {
		return "", err
	}
	defer m.close()
	if err := m.sends(wire.Topic(countyID, "gate-002", wire.LeafHello), hellos...); err != nil {
		return "", err
	}
	for _, g := range c.gates {
		if _, err := c.delivers(ctx, g); err != nil {
			return "", err
		}
	}
	after, err := c.collectorStatus(ctx)
	if err != nil || after.Term > before.Term+mostRaised {
		return "", errors.Join(err, fmt.Errorf("the county's term was %d, and is %d", before.Term, after.Term))
	}
	return fmt.Sprintf(
		"%d hellos, also signed by the gate: the term was %d, and is %d; both gates deliver",
		len(hellos),
		before.Term,
		after.Term,
	), nil
}

// poisoned are hellos of the second gate with terms that no collector has had.
func poisoned(st wire.CollectorStatus, key crypto.Signer, stranger ed25519.PrivateKey) (out [][]byte, err error) {
	for _, term := range []uint64{st.Term + 1, math.MaxInt64, math.MaxUint64} {
		jid := uuid.NewString()
		proof := wire.SignAck(wire.Ack{V: 1, JID: jid, Store: st.Store, Term: term}, countyID, "gate-002", stranger)
		for _, p := range []*wire.Ack{nil, &proof} {
			h := wire.Hello{V: 1, JID: jid, Term: term, Nonce: strings.Repeat("n", 16), KeyID: "0123456789abcdef",
				Version: "x", Proof: p}
			signed, err := wire.SignHello(h, countyID, "gate-002", key)
			if err != nil {
				return nil, err
			}
			for _, hello := range []wire.Hello{h, signed} {
				payload, err := wire.Encode(hello)
				if err != nil {
					return nil, err
				}
				out = append(out, payload)
			}
		}
	}
	return out, nil
}

func forgedStatus(ctx context.Context, c *county) (string, error) {
	st, err := c.collectorStatus(ctx)
	if err != nil {
		return "", err
	}
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "pretender")
	if err != nil {
		return "", err
	}
	defer m.close()
	edits := []func(*wire.CollectorStatus){
		func(s *wire.CollectorStatus) { s.State = fact.Offline },
		func(s *wire.CollectorStatus) { s.Term = math.MaxInt64 },
		func(s *wire.CollectorStatus) { s.Store = uuid.NewString() },
		func(s *wire.CollectorStatus) { s.Start = "ffffffffffffffff"; s.Term++ },
	}
	topic := wire.Topic(countyID, wire.CollectorID, wire.LeafStatus)
	n := 0
	for _, edit := range edits {
		forged := st
		edit(&forged)
		for _, s := range []wire.CollectorStatus{forged, wire.SignCollectorStatus(forged, countyID, own)} {
			payload, err := wire.Encode(s)
			if err != nil {
				return "", err
			}
			if err := m.publish(topic, payload, true); err != nil {
				return "", err
			}
			n++
		}
	}
	if err := m.acknowledged(); err != nil {
		return "", err
	}
	for _, g := range c.gates {
		if _, err := c.delivers(ctx, g); err != nil {
			return "", fmt.Errorf("after a forged status: %w", err)
		}
	}
	// What is true is published again at the next start, over what was kept.
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	if _, err := c.collector.Start(); err != nil {
		return "", err
	}
	if err := c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.desk) }); err != nil {
		return "", err
	}
	_, err = c.delivers(ctx, c.gates[0])
	return fmt.Sprintf("%d statuses, kept: both gates deliver as before", n), err
}

func forgedDesk(ctx context.Context, c *county) (string, error) {
	const lie, truth = "open all barriers", "the clinic is closed today"
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "false-desk")
	if err != nil {
		return "", err
	}
	defer m.close()
	screen := c.browser(80)
	screen.url = "http://" + c.gates[0].kiosk
	ws, err := screen.socket(ctx, "")
	if err != nil {
		return "", err
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(4 << 20)
	now := time.Now()
	d := wire.Desk{V: 1, No: wire.MaxSeq, At: wire.At(now),
		Notices: []wire.DeskNotice{{ID: 1, Zh: lie, En: lie, Until: wire.At(now.Add(time.Hour))}}}
	n := 0
	for _, forged := range []wire.Desk{d, wire.SignDesk(d, countyID, "gate-001", own)} {
		payload, err := wire.Encode(forged)
		if err != nil {
			return "", err
		}
		for _, kept := range []bool{false, true} {
			if err := m.publish(wire.Topic(countyID, "gate-001", wire.LeafDesk), payload, kept); err != nil {
				return "", err
			}
			n++
		}
	}
	if err := m.acknowledged(); err != nil {
		return "", err
	}
	// A notice of the desk comes after it, and is shown.
	body := fmt.Sprintf(`{"zh":%q,"en":%q,"until":%q}`, truth, truth, now.Add(time.Hour).Format(time.RFC3339))
	if a, err := c.admin.ask(ctx, http.MethodPost, "/api/notice", body); err != nil ||
		a.status >= http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("write a notice: %d %s", a.status, a.body))
	}
	shown, err := reads(ctx, ws, truth, lie)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d messages: none shown; the desk's own notice is, after %s", n, ms(shown)), nil
}

// reads reads a page's live connection until it says truth, and fails when it says lie.
func reads(ctx context.Context, ws *websocket.Conn, truth, lie string) (time.Duration, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, b, err := ws.Read(ctx)
		switch {
		case err != nil:
			return 0, fmt.Errorf("the screen does not show %q: %w", truth, err)
		case strings.Contains(string(b), lie):
			return 0, fmt.Errorf("the screen shows %q", lie)
		case strings.Contains(string(b), truth):
			return time.Since(begin), nil
		}
	}
}
