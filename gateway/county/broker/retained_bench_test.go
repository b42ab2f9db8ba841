package broker

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

// keptRules is what is published of the rules of a county: gates, parts of a set and bytes of a part.
type keptRules struct{ gates, parts, size int }

// BenchmarkRetainedRules publishes the rules of a county as the collector does, restarts the
// broker, and reads what it still has: of 184 gates with 90 people each, and of one with 60,000.
// Parts are random, as encrypted ones are.
func BenchmarkRetainedRules(b *testing.B) {
	for name, r := range map[string]keptRules{"184x90": {184, 1, 7 << 10}, "1x60000": {1, 36, wire.MaxPartBytes}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r.measure(b)
			}
		})
	}
}

func (r keptRules) measure(b *testing.B) {
	b.Helper()
	cfg := Config{Listen: "127.0.0.1:0", Dir: filepath.Join(b.TempDir(), "broker"), County: "c"}
	run := func(with func(c *client)) {
		br, err := Start(b.Context(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		c := connect(b, insider(b, br, "county"))
		with(c)
		c.Disconnect(50)
		if err := br.Close(); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	run(func(c *client) {
		began = time.Now()
		part := make([]byte, r.size)
		for gate := range r.gates {
			agent := fmt.Sprintf("gate-%03d", gate)
			for n := range r.parts {
				rand.Read(part)
				c.publish(b, wire.PartTopic("c", agent, 1, n), 1, true, string(part))
			}
			c.publish(b, wire.Topic("c", agent, wire.LeafPolicy), 1, true, "manifest")
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-publish")
	})
	b.ReportMetric(float64(sizeOf(b, cfg.Dir))/(1<<20), "MB-disk")
	began = time.Now()
	run(func(c *client) {
		b.ReportMetric(time.Since(began).Seconds(), "s-restart")
		b.ReportMetric(float64(heard(b, c)), "messages-at-once")
		b.ReportMetric(float64(r.gates*(r.parts+1)), "messages")
		b.ReportMetric(float64(heard(b, c)), "messages-after")
		b.ReportMetric(0, "ns/op")
	})
}

// heard returns how many retained messages a new subscription brings.
func heard(b *testing.B, c *client) (n int) {
	b.Helper()
	filter := wire.Root + "/c/+/policy/#"
	c.subscribe(b, filter, 1)
	for {
		select {
		case <-c.got:
			n++
		case <-time.After(3 * time.Second):
			if err := done(c.Unsubscribe(filter)); err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
}

// sizeOf returns the bytes of the files in a folder.
func sizeOf(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}
