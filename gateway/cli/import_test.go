package cli_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
)

// heard counts the different messages that a client hears on reports of machines.
func heard(t *testing.T, url string) func() int {
	t.Helper()
	var mu sync.Mutex
	all := map[string]bool{}
	up := make(chan struct{})
	c := mqtt.New(mqtt.Config{URL: url, ClientID: "heard", Log: slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: "gatehouse/v1/qinghe/+/report", QoS: 1}},
		OnUp:          sync.OnceFunc(func() { close(up) }),
		OnMessage: func(m mqtt.Message) {
			mu.Lock()
			defer mu.Unlock()
			all[string(m.Payload)] = true
		}})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Run(t.Context()) }() // ends with the context
	t.Cleanup(func() { <-ended })
	select {
	case <-up:
	case <-time.After(30 * time.Second):
		t.Fatal("no connection to the broker")
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(all)
	}
}

// track20000 writes a file of 20,000 points, which are 200 parts.
func track20000(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("time,lat,lon\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "%d,%.6f,%.6f\n", 1581660000+i*3, 35.9+float64(i%200)*2e-5, 115.1+float64(i/200)*5e-5)
	}
	path := filepath.Join(t.TempDir(), "long.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func importRun(t *testing.T, path, url string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	code = cli.Run(t.Context(), []string{"import", "run", path, "--machine", "fogger-3", "--crs", "WGS-84",
		"--county", "qinghe", "--broker", url}, strings.NewReader(""), &b, &b)
	return code, b.String()
}

// What is said to be sent has arrived at the broker, all parts of it.
func TestAllPartsOfAnImportArrive(t *testing.T) {
	m := mosquitto.Start(t)
	count := heard(t, m.URL)
	if code, out := importRun(t, track20000(t), m.URL); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	for end := time.Now().Add(20 * time.Second); count() < 200; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of 200 parts arrived", count())
		}
	}
}
