package broker

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"
)

func TestARunningBrokerAnswersAPingAndAStuckOneDoesNot(t *testing.T) {
	b, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", Dir: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 3 { // one after the other: the same client
		if err := b.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	if err := b.Ping(ctx); err == nil {
		t.Error("a broker that starts again has answered")
	}
	b.mu.Unlock()

	stuck, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	other := &Broker{secret: b.secret}
	other.client.URL = "tcp://" + stuck.Addr().String()
	soon, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	if err := other.Ping(soon); err == nil {
		t.Error("one that does not answer has answered")
	}
	go func() { // one that answers something else
		conn, err := stuck.Accept()
		for err == nil {
			io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			conn, err = stuck.Accept()
		}
	}()
	if err := other.Ping(ctx); err == nil {
		t.Error("a web server has answered")
	}
}
