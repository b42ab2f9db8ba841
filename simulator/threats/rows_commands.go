package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// commands are who has a gate do something in the county's name.
func commands() []Row {
	return []Row{
		{
			ID: "T68", Name: "command-forged", where: foreign,
			Title:   "a gate is commanded by another key, by none, and by what was signed for its neighbour",
			Control: "a command is signed by the county, for one gate", try: forgedCommands,
		},
		{
			ID: "T69", Name: "command-replayed", where: foreign,
			Title:   "a command of the desk is sent 1,000 times more, and kept at the broker for a restart",
			Control: "a command is done at most once, and never when it was kept", try: replayedCommand,
		},
		{
			ID: "T70", Name: "command-held-back", where: foreign,
			Title:   "the broker holds a command back for 10 seconds, or for a newer nonce",
			Control: "a command counts for 10 s after the gate's newest nonce for it", try: heldBackCommand,
		},
		{
			ID: "T71", Name: "command-by-role",
			Title:   "who may not command gates does, and who may opens a barrier without the password",
			Control: "one table of acts; opening asks for the password again", try: commandByRole,
		},
	}
}

func forgedCommands(ctx context.Context, c *county) (string, error) {
	const lie, truth = "the county says: open everything", "the county says: stay"
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	o, err := c.commander(ctx)
	if err != nil {
		return "", err
	}
	defer o.end()
	ws, err := c.screen(ctx, c.gates[0])
	if err != nil {
		return "", err
	}
	defer func() { _ = ws.CloseNow() }()
	forged, err := o.asked(says(lie))
	if err != nil {
		return "", err
	}
	n := 0
	for _, f := range []struct {
		agent string
		key   ed25519.PrivateKey
	}{{"gate-001", nil}, {"gate-001", stranger}, {"gate-002", o.key}} {
		edited := forged
		for _, action := range []fact.CommandAction{fact.CommandNotice, fact.CommandOpen, fact.CommandRestart} {
			edited.Action = action
			if err := o.send(edited, f.agent, f.key); err != nil {
				return "", err
			}
			n++
		}
	}
	// A command of the county comes after them, and is carried out.
	honest, err := o.asked(says(truth))
	if err == nil {
		err = o.send(honest, "gate-001", o.key)
	}
	if err != nil {
		return "", err
	}
	shown, err := reads(ctx, ws, truth, lie)
	if err != nil {
		return "", err
	}
	if out, err := c.gates[0].commanded(forged.ID); err != nil || len(out) > 0 {
		return "", errors.Join(err, fmt.Errorf("the gate did something about a forged command: %+v", out))
	}
	return fmt.Sprintf("%d with a nonce of the gate: none did anything; the county's own was shown after %s", n,
		ms(shown)), nil
}

func replayedCommand(ctx context.Context, c *county) (string, error) {
	const text = "the clinic opens at nine"
	g := c.gates[0]
	eye, err := c.eye(ctx, wire.Topic(countyID, g.id, wire.LeafCommand))
	if err != nil {
		return "", err
	}
	defer eye.close()
	body := fmt.Sprintf(`{"agent":%q,"action":"notice","zh":%q,"en":%q,"reason":"threat"}`, g.id, text, text)
	if err := c.admin.is(ctx, http.StatusOK, http.MethodPost, "/api/command", body); err != nil {
		return "", err
	}
	var heard [][]byte
	var real wire.Command
	for real.Nonce == "" { // the first one asks for it
		m, err := eye.message()
		if err == nil {
			real, err = wire.Decode[wire.Command](m.Payload)
		}
		if err != nil {
			return "", fmt.Errorf("the desk's command does not come: %w", err)
		}
		heard = append(heard, m.Payload)
	}
	done := wire.Commanded{Outcome: fact.CommandDone}
	if err := g.became(ctx, real.ID, done); err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "replayer")
	if err != nil {
		return "", err
	}
	defer m.close()
	topic := wire.Topic(countyID, g.id, wire.LeafCommand)
	for range 500 {
		if err := m.sends(topic, heard...); err != nil {
			return "", err
		}
	}
	if err := m.publish(topic, heard[len(heard)-1], true); err != nil {
		return "", err
	}
	g.agent.End(syscall.SIGTERM, 10*time.Second)
	if _, err := g.agent.Start(); err != nil {
		return "", err
	}
	if err := g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) }); err != nil {
		return "", err
	}
	if err := m.sends(topic, heard...); err != nil {
		return "", err
	}
	if _, err := c.delivers(ctx, g); err != nil { // after what was sent before
		return "", err
	}
	err = m.publish(topic, nil, true) // no longer kept
	return fmt.Sprintf("%d copies, one kept over a restart: the journal says once that it was done",
			500*len(heard)+1+len(heard)),
		errors.Join(err, g.became(ctx, real.ID, done))
}

func heldBackCommand(ctx context.Context, c *county) (string, error) {
	o, err := c.commander(ctx)
	if err != nil {
		return "", err
	}
	defer o.end()
	begin := time.Now()
	late, err := o.asked(says("ten seconds ago"))
	if err != nil {
		return "", err
	}
	x := says("a nonce ago")
	older, err := o.asked(x)
	if err != nil {
		return "", err
	}
	newer, err := o.asked(x)
	if err == nil {
		err = errors.Join(o.send(older, "gate-001", o.key), o.send(newer, "gate-001", o.key))
	}
	if err != nil {
		return "", err
	}
	g := c.gates[0]
	if err := g.became(ctx, x.ID, wire.Commanded{Outcome: fact.CommandDone}); err != nil {
		return "", fmt.Errorf("with an older nonce and then with the newest: %w", err)
	}
	retry.Sleep(ctx, wire.MaxCommandAge+500*time.Millisecond-time.Since(begin))
	held := time.Since(begin)
	if err := o.send(late, "gate-001", o.key); err != nil {
		return "", err
	}
	return fmt.Sprintf("after %s refused as late; with an older nonce nothing, with the newest done once", ms(held)),
		g.became(ctx, late.ID, wire.Commanded{Outcome: fact.CommandRefused, Why: fact.CommandLate})
}

func commandByRole(ctx context.Context, c *county) (string, error) {
	const gate = `"agent":"gate-002","reason":"threat"`
	refused := 0
	refuse := func(b *browser, path, body string, header ...string) error {
		refused++
		return b.is(ctx, http.StatusForbidden, http.MethodPost, path, body, header...)
	}
	for i, role := range people.Roles() {
		b, err := c.user(ctx, "commands-"+string(role), string(role), byte(150+i))
		if err != nil {
			return "", err
		}
		open := fmt.Sprintf(`{%s,"password":%q}`, gate, password)
		notice := fmt.Sprintf(`{%s,"action":"notice","zh":"x"}`, gate)
		if people.May(role, people.ActOpen) {
			err = errors.Join(refuse(b, "/api/open", "{"+gate+"}"),
				refuse(b, "/api/open", fmt.Sprintf(`{%s,"password":"wrong wrong wrong"}`, gate)),
				refuse(b, "/api/command", fmt.Sprintf(`{%s,"action":"open"}`, gate)))
		} else {
			err = errors.Join(refuse(b, "/api/open", open), refuse(b, "/api/command", notice))
		}
		if err == nil && role != people.Admin {
			var token string
			if token, err = c.token(ctx, "commands-"+string(role), string(role)); err == nil {
				err = refuse(c.browser(byte(150+i)), "/api/open", open, "Authorization", "Bearer "+token)
			}
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", role, err)
		}
	}
	said, err := c.run(ctx, "audit", "export", "--dir", c.path("county"), "--format", "jsonl")
	if err == nil && (strings.Contains(said, `"open-gate"`) || !strings.Contains(said, `"invite"`)) {
		err = fmt.Errorf("the audit says that somebody opened a barrier, or does not say what there was: %.300s", said)
	}
	return fmt.Sprintf("%d requests of 6 roles and their programs, all 403; nothing was opened", refused), err
}
