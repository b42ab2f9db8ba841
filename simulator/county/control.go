package county

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Serve answers pokes, a line each, on a Unix socket until ctx is done.
func (c *County) Serve(ctx context.Context, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open the control socket: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		c.answer(ctx, conn)
	}
}

func (c *County) answer(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // does not fail on a Unix socket
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	gate, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
	text, err := c.Poke(ctx, gate, kind)
	if err != nil {
		text = "error: " + err.Error()
	}
	fmt.Fprintln(conn, text)
}

// Ask sends a poke to a running county and returns its answer.
func Ask(ctx context.Context, path, gate, kind string) (string, error) {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return "", fmt.Errorf("no demo answers at %s (run make demo in another terminal, and this from the same "+
			"folder): %w", path, err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s %s\n", gate, kind); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the demo's answer: %w", err)
	}
	line = strings.TrimSpace(line)
	if text, failed := strings.CutPrefix(line, "error: "); failed {
		return "", errors.New(text)
	}
	return line, nil
}
