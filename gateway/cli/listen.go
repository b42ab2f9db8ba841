package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// unreachable wraps an error of connecting to the broker with what to check.
func (f *brokerFlags) unreachable(err error) error {
	return fmt.Errorf("the broker can't be reached: %w\nis gatehouse collect (or the broker) running there? "+
		"check --broker %s, and --username, --password-file and --ca if it asks for them", err, f.b.URL)
}

// connection is one to the broker, kept up until its context ends.
type connection struct {
	messages chan mqtt.Message
	up       chan struct{} // closed when it is up for the first time
	failed   chan error    // attempts that failed
}

// connect starts a connection that subscribes to the leaves. wait returns after
// ctx has ended and the connection with it.
func (f *brokerFlags) connect(ctx context.Context, errOut io.Writer, leaves []wire.Leaf) (
	c *connection, wait func(), err error) {
	c = &connection{messages: make(chan mqtt.Message, 256), up: make(chan struct{}), failed: make(chan error, 1)}
	cfg := mqtt.Config{
		ClientID: fmt.Sprintf("watch-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6),
		OnUp:     sync.OnceFunc(func() { close(c.up) }),
		OnDown: func(err error) {
			if ctx.Err() == nil {
				fmt.Fprintln(errOut, "gatehouse: the connection to the broker was lost, connecting again:", err)
			}
		},
		OnFail: func(err error) {
			select {
			case c.failed <- err:
			default:
			}
		},
		OnMessage: func(m mqtt.Message) {
			select {
			case c.messages <- m:
			case <-ctx.Done():
			}
		},
		Log: slog.New(slog.DiscardHandler), // errors are printed by OnDown and listen
	}
	for _, leaf := range leaves {
		filter := wire.Root + "/" + f.level() + "/+/" + string(leaf)
		cfg.Subscriptions = append(cfg.Subscriptions, mqtt.Subscription{Filter: filter})
	}
	if err := f.b.Load(&cfg); err != nil {
		return nil, nil, usageError{err}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = mqtt.New(cfg).Run(ctx) // ends with ctx only
	}()
	return c, func() { <-done }, nil
}

// listen calls take with every message on the given leaves, and tick, unless it
// is nil, several times a second, both in this goroutine, until ctx ends or one
// of them fails. It fails when the first connection can't be made.
func listen(ctx context.Context, flags *brokerFlags, errOut io.Writer, leaves []wire.Leaf,
	tick func() error, take func(mqtt.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	conn, wait, err := flags.connect(ctx, errOut, leaves)
	if err != nil {
		cancel()
		return err
	}
	defer func() { cancel(); wait() }()
	select {
	case <-conn.up:
	case err := <-conn.failed:
		return flags.unreachable(err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return flags.unreachable(ctx.Err())
		}
		return nil
	}
	ticks := time.NewTicker(foldFor / 4)
	defer ticks.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			if tick != nil {
				err = tick()
			}
		case m := <-conn.messages:
			err = take(m)
		}
		if err != nil {
			return err
		}
	}
}
