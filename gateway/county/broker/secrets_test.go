package broker

import (
	"log/slog"
	"os"
	"strings"
	"testing"
)

func TestTheBrokerReadsNoSecretThatOthersRead(t *testing.T) {
	cert, key, _ := certificate(t, "localhost")
	cfg := configOf(t)
	cfg.TLS = TLS{Cert: cert, Key: key}
	cfg.UsersFile = users(t, "gate-001", "collector")
	start(t, cfg)
	for _, path := range []string{cfg.UsersFile, cfg.TLS.Key} {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		refusedBecause(t, cfg, "run chmod 600 "+path)
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func refusedBecause(t *testing.T, cfg Config, why string) {
	t.Helper()
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		_ = b.Close()
	}
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("it should say %q: %v", why, err)
	}
}
