package broker

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"
)

// enters reports whether a client of another process gets in.
func (b *Broker) enters(t *testing.T) bool {
	t.Helper()
	l := login{url: "tcp://" + b.Addr(), id: "outside"}
	c, err := dial(t, l)
	if err == nil {
		c.Disconnect(0)
	}
	return err == nil
}

func TestOthersWaitUntilTheyAreAdmitted(t *testing.T) {
	cfg := configOf(t)
	cfg.Hold = true
	b := start(t, cfg)
	connect(t, insider(t, b, "own")) // of this process
	if b.enters(t) {
		t.Fatal("a client got in before Admit")
	}
	entered := make(chan bool)
	go func() { entered <- b.enters(t) }()
	time.Sleep(50 * time.Millisecond) // it may be connected by now, or not
	b.Admit()
	b.Admit()
	if !<-entered {
		t.Fatal("a client that waited did not get in")
	}
	opts := options(filepath.Join(cfg.Dir, "store"))
	opts.MQTT.Host, opts.MQTT.Port = "127.0.0.1", -1
	if err := b.restart(opts, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := b.proxy.gate.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after a restart with an empty store: %v", err)
	}
	b.Admit()
	if err := b.proxy.gate.wait(t.Context()); err != nil {
		t.Errorf("admitted again: %v", err)
	}
}
