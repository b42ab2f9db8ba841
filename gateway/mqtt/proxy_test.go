package mqtt_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/testkit/mosquitto"
)

// socks5 is a proxy as RFC 1928 has it, for one kind of request: CONNECT by
// address or name, without a login.
func socks5(t *testing.T, used *atomic.Int32) string {
	return serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		_, _ = r.Discard(int(head[1]))
		_, _ = c.Write([]byte{5, 0})
		ask := make([]byte, 5) // version, command, 0, kind of address, its first byte
		if _, err := io.ReadFull(r, ask); err != nil {
			return
		}
		n := 3
		if ask[3] == 3 {
			n = int(ask[4])
		}
		rest := make([]byte, n+2)
		if _, err := io.ReadFull(r, rest); err != nil {
			return
		}
		host := net.IPv4(ask[4], rest[0], rest[1], rest[2]).String()
		if ask[3] == 3 {
			host = string(rest[:n])
		}
		used.Add(1)
		_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		relay(c, fmt.Sprintf("%s:%d", host, int(rest[n])<<8|int(rest[n+1])))
	})
}

func httpProxy(t *testing.T, used *atomic.Int32) string {
	return serve(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil || req.Method != http.MethodConnect {
			_, _ = io.WriteString(c, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
			c.Close()
			return
		}
		if user, password, ok := (&http.Request{Header: http.Header{
			"Authorization": req.Header["Proxy-Authorization"]}}).BasicAuth(); !ok || user != "me" || password != "pw" {
			_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			c.Close()
			return
		}
		used.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		relay(c, req.Host)
	})
}

func TestAProxyIsUsedOnlyWhereTheConfigurationSaysSo(t *testing.T) {
	ws, wsPort := free(t)
	b := mosquitto.Start(t, "listener "+wsPort+" 127.0.0.1", "protocol websockets", "socket_domain ipv4")
	answers(t, ws)
	for _, name := range []string{"all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"} {
		t.Setenv(name, "socks5://127.0.0.1:1") // nobody
	}
	for _, url := range []string{b.URL, "ws://" + ws} {
		passes(t, mqtt.Broker{URL: url})
		passes(t, mqtt.Broker{URL: url, Proxy: proxied.FromEnvironment}) // this computer needs none
	}
	for _, scheme := range []string{"tcp", "ws"} {
		far := mqtt.Broker{URL: scheme + "://broker.example:1883", Proxy: proxied.FromEnvironment}
		if why := fails(t, far); !strings.Contains(why, "through the proxy socks5://127.0.0.1:1") {
			t.Errorf("%s: the reason does not name the proxy: %s", scheme, why)
		}
	}
	var used atomic.Int32
	for _, through := range []string{"socks5://" + socks5(t, &used), "http://me:pw@" + httpProxy(t, &used)} {
		for _, url := range []string{b.URL, "ws://" + ws} {
			passes(t, mqtt.Broker{URL: url, Proxy: through})
		}
	}
	if used.Load() != 4 {
		t.Errorf("%d connections came through the proxies, want 4", used.Load())
	}
	refuses := mqtt.Broker{URL: b.URL, Proxy: "http://me:other@" + httpProxy(t, &used)}
	if why := fails(t, refuses); !strings.Contains(why, "407") || strings.Contains(why, "other") {
		t.Errorf("a proxy that refuses: %s", why)
	}
}
