package influx

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
)

// The bulk write makes the same points and writes them with the client's
// blocking API, as many a request as a commit has.
func BenchmarkCommit(b *testing.B) {
	path, err := influxd.Find()
	if err != nil {
		b.Fatal(err)
	}
	conf, url, err := influxd.Configure(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(path, "run", "-config", conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := influxd.CreateDatabase(ctx, url); err != nil {
		b.Fatal(err)
	}
	open := func(name string) *Store {
		held, err := books.Open(filepath.Join(b.TempDir(), name))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { held.Close() })
		return New(Options{URL: url, Token: influxd.Token, Bucket: influxd.Bucket, County: name}, held)
	}
	s, other := open("committed"), open("bulk")
	defer s.Close()
	defer other.Close()
	storetest.BenchmarkCommit(b, s, func(batches []store.Batch) error {
		var points []*write.Point
		for _, x := range batches {
			for _, e := range x.Entries {
				p, err := point("bulk", x, e)
				if err != nil {
					return err
				}
				points = append(points, p)
			}
		}
		return other.writer.WritePoint(context.Background(), points...)
	})
}
