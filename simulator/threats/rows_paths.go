package threats

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

func traverse(ctx context.Context, c *county) (string, error) {
	n := 0
	for what, b := range c.servers() {
		for _, path := range []string{"/../collect.yaml", "/assets/../../collect.yaml",
			"/assets/..%2f..%2fcollect.yaml",
			"/%2e%2e/%2e%2e/etc/passwd", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/..\\..\\etc\\passwd",
			"//etc/passwd",
			"/assets//etc/passwd", "/gates/..%2f..%2f..%2fetc%2fpasswd", "/assets/desk.js%00.html",
			"/enrol/answer/..%2f..%2fcollect.yaml", "/collect.yaml", "/county/desk.db"} {
			said, err := raw(
				ctx,
				strings.HasPrefix(b.url, "https"),
				strings.TrimPrefix(strings.TrimPrefix(b.url, "https://"),
					"http://"),
				path,
			)
			if err != nil {
				return "", err
			}
			for _, secret := range []string{"root:", "county: qinghe", "SQLite format", "PRIVATE KEY"} {
				if strings.Contains(said, secret) {
					return "", fmt.Errorf("%s hands out %s", what, path)
				}
			}
			n++
		}
	}
	return fmt.Sprintf("%d paths, 0 files", n), nil
}

// raw sends a path as it is written, and returns the whole answer.
func raw(ctx context.Context, secure bool, at, path string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the desk is ours
	}
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, at); err != nil {
		return "", err
	}
	var said strings.Builder
	b := make([]byte, 32<<10)
	for said.Len() < 4<<20 {
		n, err := conn.Read(b)
		said.Write(b[:n])
		if err != nil {
			break
		}
	}
	return said.String(), nil
}
