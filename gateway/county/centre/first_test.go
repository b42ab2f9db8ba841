package centre

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
)

// publish publishes reports of a machine and waits until the broker has taken
// them. It
// tries to connect all the time, unlike mqtt.Client, which pauses.
func publish(ctx context.Context, address, machine string, want int, taken func()) {
	for connected := false; !connected && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			continue
		}
		c.Close()
		ctx, cancel := context.WithCancel(ctx)
		failed, up := make(chan struct{}, 1), make(chan struct{}, 1)
		client := mqtt.New(mqtt.Config{URL: "tcp://" + address, ClientID: machine, Log: slog.New(slog.DiscardHandler),
			OnUp: func() { up <- struct{}{} }, OnFail: func(error) { failed <- struct{}{} }})
		var running sync.WaitGroup
		running.Go(func() { _ = client.Run(ctx) }) // ends with ctx
		select {
		case <-up:
			connected = true
			say(client, machine, want, taken)
		case <-failed:
		}
		cancel()
		running.Wait()
	}
}

func say(client *mqtt.Client, machine string, want int, taken func()) {
	answers := make(chan bool, want)
	for n := range want {
		m := mqtt.Message{Topic: wire.Topic("qinghe", machine, wire.LeafReport), QoS: 1,
			Payload: fmt.Appendf(nil, `{"v":1,"tank_pct":50,"volume_l":%d}`, n)}
		_ = client.PublishThen(m, func() { answers <- true; taken() }) // it stays connected
		time.Sleep(2 * time.Millisecond)
	}
	for range want {
		<-answers
	}
}

// A machine that publishes while the collector starts for the very first time:
// each report that the broker has acknowledged is stored.
func TestNoReportIsLostWhileTheCollectorStartsForTheFirstTime(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "sites.yaml"), []byte(oneGate), 0o600))
	address, err := loopback.Free(t.Context())
	must(t, err)
	screen, err := loopback.Free(t.Context())
	must(t, err)
	cfg := Config{County: "qinghe", Dir: filepath.Join(dir, "county"), Sites: filepath.Join(dir, "sites.yaml"),
		Broker: Broker{Embedded: &broker.Config{Listen: address}}, Desk: &pages.Config{Listen: screen}}
	ctx, cancel := context.WithCancel(t.Context())
	var acknowledged atomic.Int64
	var machines sync.WaitGroup
	for id := range 40 { // some connect in the moment in which the broker begins to listen
		machines.Go(func() {
			publish(ctx, address, fmt.Sprintf("fogger-%d", id), 10, func() { acknowledged.Add(1) })
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, cfg, "test", slog.New(slog.DiscardHandler)) }()
	machines.Wait()
	held, err := archive.OpenSQLite(filepath.Join(dir, "county", StoreFile))
	must(t, err)
	defer held.Close()
	stored, want := uint64(0), uint64(acknowledged.Load())
	for end := time.Now().Add(20 * time.Second); stored < want && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		stored = 0
		for _, err := range held.Rows(t.Context(), store.Query{}) {
			must(t, err)
			stored++
		}
	}
	cancel()
	must(t, <-ended)
	if stored < want {
		t.Errorf("%d reports were acknowledged, %d are stored", want, stored)
	}
}
