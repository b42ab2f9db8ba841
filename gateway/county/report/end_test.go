package report

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/store/archive"
)

// A collector that is stopped waits for those who take messages, and these end.
func TestRunEndsWithItsContext(t *testing.T) {
	held, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "store.db"))
	must(t, err)
	defer held.Close()
	for range 3000 {
		taker := &Taker{opts: Options{Store: held, Log: slog.New(slog.DiscardHandler)}, lanes: newLanes(),
			places: newPlaces(takers)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- taker.Run(ctx) }()
		time.Sleep(10 * time.Microsecond)
		cancel()
		select {
		case err := <-ended:
			must(t, err)
		case <-time.After(10 * time.Second):
			t.Fatal("somebody waits for messages for ever")
		}
	}
}
