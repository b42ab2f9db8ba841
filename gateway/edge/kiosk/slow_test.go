package kiosk

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
)

func TestAnAnswerThatNeverEndsIsCutOff(t *testing.T) {
	t.Parallel()
	k, err := New(Options{Agent: "gate-001", Clock: &hand{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Serve(ctx, l, &notebook{}, status.NewBoard()) }()
	defer func() { cancel(); <-ended }()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c,
		"POST /press HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("after 20 s: %v", err)
	}
}
