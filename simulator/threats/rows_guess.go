package threats

import (
	"context"
	"errors"
	"fmt"
	"gatehouse/gateway/wire"
	"strings"
)

func guessAtBroker(ctx context.Context, c *county) (string, error) {
	const from, guesses = 50, 20
	for i := range guesses {
		l := login{id: "g", user: watcher, password: fmt.Sprint("wrong ", i), from: from}
		if m, _ := c.enter(ctx, l); m != nil {
			m.close()
			return "", errors.New("a wrong password is let in")
		}
	}
	const rights = 5
	for range rights {
		if m, _ := c.enter(ctx, login{id: "g", user: watcher, password: password, from: from}); m != nil {
			m.close()
			return "", fmt.Errorf("after %d wrong passwords the next one is evaluated at once", guesses)
		}
	}
	for line := range strings.Lines(c.collector.Printed()) {
		if strings.Contains(line, "too many wrong passwords") && strings.Contains(line, "127.0.0.50") {
			eye, err := c.eye(ctx, wire.Topic(countyID, "+", wire.LeafStatus))
			if err != nil {
				return "", fmt.Errorf("the same user at another address has to wait, too: %w", err)
			}
			eye.close()
			return fmt.Sprintf(
				"after %d wrong passwords the right one was refused %d times of %d there, and taken from "+
					"elsewhere; the log names 127.0.0.50",
				guesses,
				rights,
				rights,
			), nil
		}
	}
	return "", errors.New("the log does not name the address of who guesses")
}

func readerPublishes(ctx context.Context, c *county) (string, error) {
	eye, err := c.eye(ctx, wire.Root+"/"+countyID+"/#")
	if err != nil {
		return "", err
	}
	defer eye.close()
	m, err := c.entered(ctx, login{id: "reader-2", user: watcher, password: password})
	if err != nil {
		return "", err
	}
	defer m.close()
	n := 0
	for _, agent := range []string{"gate-001", watcher, wire.CollectorID} {
		for _, leaf := range leaves() {
			if err := m.publish(wire.Topic(countyID, agent, leaf), []byte("of a reader"), n%2 == 0); err != nil {
				return "", err
			}
			n++
		}
	}
	_ = m.acknowledged() // the broker has dealt with all of them
	own, err := c.entered(ctx, login{id: fogger, user: fogger, password: password})
	if err != nil {
		return "", err
	}
	defer own.close()
	if err := own.publish(wire.Topic(countyID, fogger, wire.LeafReport), []byte("mark"), false); err != nil {
		return "", err
	}
	for {
		in, err := eye.message()
		switch {
		case err != nil:
			return "", err
		case string(in.Payload) == "of a reader":
			return "", fmt.Errorf("a reader's message arrives on %s", in.TopicName)
		case string(in.Payload) == "mark":
			return fmt.Sprintf("%d messages, 0 arrived", n), nil
		}
	}
}
