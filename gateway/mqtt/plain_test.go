package mqtt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/mqtt"
)

func TestAPasswordGoesToAnotherComputerOnlyByTLS(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, instead := range map[string]string{ // instead of what is refused
		"tcp://192.0.2.7:1883":            "write ssl://192.0.2.7:8883",
		"TCP://192.0.2.7:1883":            "write ssl://192.0.2.7:8883",
		"tcp://broker:1883":               "write ssl://broker:8883",
		"tcp://[2001:db8::7]:1883":        "write ssl://[2001:db8::7]:8883",
		"ws://county.example/mqtt":        "write wss://county.example/mqtt",
		"ws://192.0.2.7:9001/mqtt":        "write wss://192.0.2.7:9001/mqtt",
		"tcp://127.0.0.1.example:1883":    "write ssl://127.0.0.1.example:8883",
		"tcp://localhost:1883":            "",
		"tcp://127.0.0.1:1883":            "",
		"tcp://[::1]:1883":                "",
		"tcp://[::ffff:127.0.0.1]:1883":   "",
		"ws://localhost:9001/mqtt":        "",
		"ssl://192.0.2.7:8883":            "",
		"wss://county.example/mqtt":       "",
		"tcp://broker.localhost:1883":     "",
		"tcp://0.0.0.0:1883":              "",
		"ws://127.0.0.1:9001/county/mqtt": "",
	} {
		var cfg mqtt.Config
		err := mqtt.Broker{URL: url, Username: "gate-001", PasswordFile: password}.Load(&cfg)
		if (err == nil) != (instead == "") || err != nil && !strings.Contains(err.Error(), instead) {
			t.Errorf("%s with a password: %v", url, err)
		}
		if err := (mqtt.Broker{URL: url, Username: "gate-001"}).Check(); err != nil {
			t.Errorf("%s without one: %v", url, err)
		}
	}
	for proxy, good := range map[string]bool{
		"": true, "environment": true, "socks5://127.0.0.1:1080": true, "http://192.0.2.9:3128": false,
	} {
		b := mqtt.Broker{URL: "tcp://127.0.0.1:1883", PasswordFile: password, Proxy: proxy}
		if err := b.Check(); (err == nil) != good {
			t.Errorf("by proxy %q: %v", proxy, err)
		}
	}
}
