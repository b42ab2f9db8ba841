package threats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"time"
)

// revocations are gates that are shut out. Each row enrols its gate again.
func revocations() []Row {
	return []Row{
		{
			ID: "T53", Name: "revoked-live", Title: "a stolen gate is connected when it is revoked",
			Control: "a revoked identity's connections are closed", alone: true, try: revokedLive,
		},
		{
			ID: "T54", Name: "revoked-resumed", Title: "a revoked gate resumes its TLS session, or connects anew",
			Control: "the registry is asked at resumptions, too", alone: true, try: revokedResumed,
		},
		{
			ID: "T55", Name: "revoked-by-mistake", Title: "a gate that works is shut out, and let in again",
			Control: "its journal keeps filling, and is delivered after it is enrolled again", alone: true,
			try: revokedByMistake,
		},
	}
}

// again enrols a gate again, in its folder, and starts it.
func (c *county) again(ctx context.Context, g *gate) error {
	g.agent.End(syscall.SIGTERM, 10*time.Second)
	if err := c.enrol(ctx, g, true); err != nil {
		return err
	}
	if _, err := g.agent.Start(); err != nil {
		return err
	}
	return g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) })
}

func revokedLive(ctx context.Context, c *county) (string, error) {
	g := c.gates[1]
	pair, err := g.pair()
	if err != nil {
		return "", err
	}
	m, err := c.entered(ctx, login{id: "gate-002-thief", pair: &pair})
	if err != nil {
		return "", err
	}
	defer m.close()
	if !m.alive(answerWithin) {
		return "", errors.New("the connection does not live")
	}
	begin := time.Now()
	if err := c.admin.revoke(ctx, g.id); err != nil {
		return "", err
	}
	if err := m.conn.SetReadDeadline(begin.Add(answerWithin)); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, m.conn); err != nil && time.Since(begin) > 5*time.Second {
		return "", fmt.Errorf("the live connection goes on for %s: %w", ms(time.Since(begin)), err)
	}
	took := time.Since(begin)
	if took > 5*time.Second {
		return "", fmt.Errorf("the live connection was cut after %s", ms(took))
	}
	return fmt.Sprintf("cut after %s", ms(took)), c.again(ctx, g)
}

func revokedResumed(ctx context.Context, c *county) (string, error) {
	g := c.gates[1]
	pair, err := g.pair()
	if err != nil {
		return "", err
	}
	t := c.tls(&pair)
	t.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	if _, err := c.resumes(ctx, t); err != nil {
		return "", err
	}
	resumed, err := c.resumes(ctx, t)
	if err != nil {
		return "", err
	}
	before := "the broker hands out no sessions"
	if resumed {
		before = "resumed before"
	}
	if err := c.admin.revoke(ctx, g.id); err != nil {
		return "", err
	}
	for range 5 {
		if _, err := c.resumes(ctx, t); err == nil {
			return "", errors.New("a revoked gate resumes its session")
		}
	}
	said, err := c.refusedAll(ctx, map[string]login{"anew": {id: "gate-002", pair: &pair}})
	if err != nil {
		return "", err
	}
	return before + "; 5 resumptions and " + said + " afterwards", c.again(ctx, g)
}

// resumes connects and logs in over TLS, and reports whether a session was resumed.
func (c *county) resumes(ctx context.Context, t *tls.Config) (bool, error) {
	conn, err := (&tls.Dialer{Config: t}).DialContext(ctx, "tcp", c.broker)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0agate-002-r")); err != nil {
		return false, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return false, err
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(conn, b); err != nil {
		return false, err
	}
	if b[3] != 0 {
		return false, fmt.Errorf("refused with %d", b[3])
	}
	return conn.(*tls.Conn).ConnectionState().DidResume, nil
}

func revokedByMistake(ctx context.Context, c *county) (string, error) {
	g := c.gates[1]
	if _, err := c.delivers(ctx, g); err != nil {
		return "", err
	}
	jid, before, err := g.journal()
	if err != nil {
		return "", err
	}
	held := c.stored(ctx, jid)
	if err := c.admin.revoke(ctx, g.id); err != nil {
		return "", err
	}
	for range 3 {
		if err := g.passes(ctx); err != nil {
			return "", fmt.Errorf("revoked: %w", err)
		}
	}
	_, last, err := g.journal()
	if err != nil {
		return "", err
	}
	if now := c.stored(ctx, jid); now > max(held, before)+1 {
		return "", fmt.Errorf("the county has taken records of a revoked gate: up to %d, before %d", now, held)
	}
	if err := c.again(ctx, g); err != nil {
		return "", err
	}
	if err := c.delivered(ctx, g); err != nil {
		return "", err
	}
	if now, _, err := g.journal(); err != nil || now != jid {
		return "", errors.Join(err, errors.New("the gate has begun another journal"))
	}
	return fmt.Sprintf(
		"%d records meanwhile in %s, all delivered afterwards",
		last-before,
		filepath.Base(g.dir),
	), nil
}
