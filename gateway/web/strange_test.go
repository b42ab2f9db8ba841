package web

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAProxyThatSpeaksAnotherProtocolIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		first  string
		secure bool
		want   string
	}{
		"HTTP":                        {"GET / HTTP/1.1\r\n", false, ""},
		"TLS where it is":             {"\x16\x03\x01\x02", true, ""},
		"TLS where none is":           {"\x16\x03\x01\x02", false, "must use http://"},
		"HTTP where TLS is":           {"GET / HTTP/1.1\r\n", true, "must use https://"},
		"HTTP/2 without TLS":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false, "proxy_http_version 1.1"},
		"the PROXY protocol":          {"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n", false, "send-proxy"},
		"the same in its binary form": {"\r\n\r\n\x00\r\nQUIT\n\x21", false, "send-proxy"},
		"the PROXY protocol and TLS":  {"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n", true, "send-proxy"},
		"no bytes for a while":        {"", false, "send-proxy"},
	} {
		near, far := net.Pipe()
		q := queue{make(chan net.Conn, 1)}
		q.conns <- from{near, "192.0.2.1:4711"}
		var log bytes.Buffer
		conn, err := Strange(q, c.secure, slog.New(slog.NewTextHandler(&log, nil))).Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(far, c.first)
			_, _ = io.WriteString(far, "PROXY later")
			far.Close()
		}()
		if got, err := io.ReadAll(conn); err != nil || string(got) != c.first+"PROXY later" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if got := log.String(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") ||
			strings.Count(got, "\n") > 1 {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

func TestAnAddressThatCannotBeListenedOnSaysWhatToDo(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	_, port, err := net.SplitHostPort(taken)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{taken: "sport = :" + port, "192.0.2.1:0": "ip address"} {
		_, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err == nil || !strings.Contains(Unheard(address, err).Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := Unheard("127.0.0.1:80", unix.EACCES); !strings.Contains(err.Error(), "CAP_NET_BIND_SERVICE") {
		t.Error(err)
	}
}
