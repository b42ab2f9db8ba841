package broker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// helloPacket is the CONNECT packet of a client "a" with a clean session.
var helloPacket = []byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'a'}

func TestConnectionsWithoutAConnectPacketAreClosed(t *testing.T) {
	cfg := Config{Listen: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "b")}
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // after the parallel tests
	for name, c := range map[string]struct {
		send   []byte
		stays  bool
		within time.Duration
	}{
		"silent":                   {nil, false, handshakeTimeout + 2*time.Second},
		"half a CONNECT":           {helloPacket[:7], false, handshakeTimeout + 2*time.Second},
		"no MQTT":                  {[]byte("GET / HTTP/1.1\r\n\r\n"), false, time.Second},
		"another packet first":     {[]byte{0xC0, 0}, false, time.Second},
		"a CONNECT of 1 MiB":       {[]byte{0x10, 0x80, 0x80, 0x40}, false, time.Second},
		"a length that never ends": {[]byte{0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, false, time.Second},
		"a client":                 {helloPacket, true, handshakeTimeout + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(c.within))
			got, err := io.ReadAll(conn)
			if stays := errors.Is(err, os.ErrDeadlineExceeded); stays != c.stays {
				t.Errorf("received % x, %v; still connected %v, want %v", got, err, stays, c.stays)
			}
			if connack := []byte{0x20, 2, 0, 0}; bytes.HasPrefix(got, connack) != c.stays {
				t.Errorf("received % x", got)
			}
		})
	}
}

func FuzzReadConnect(f *testing.F) {
	f.Add(helloPacket)
	f.Add(helloPacket[:5])
	f.Add([]byte{0x10, 0x80, 0x80, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readConnect(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, got) {
			t.Errorf("% x is not the beginning of % x", got, b)
		}
		if len(got) > maxConnect+6 {
			t.Errorf("%d bytes", len(got))
		}
	})
}
