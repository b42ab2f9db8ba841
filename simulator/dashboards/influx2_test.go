//go:build influx2

// Tests with a real InfluxDB 2: make test-influx2 builds it and runs them.
package dashboards

import (
	"testing"

	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd2"
)

// Flux, and InfluxQL as Grafana may ask InfluxDB 2: by the mapping that it makes of a
// bucket's name to a database.
func TestInflux2PanelsShowWhatItHolds(t *testing.T) {
	db, err := influxd2.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	b, err := db.CreateBucket(t.Context(), "gatehouse", 0)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := b.CreateToken(t.Context(), "read") // Grafana's own needs no more
	if err != nil {
		t.Fatal(err)
	}
	at := newSample()
	at.store(t, influx.Options{URL: b.URL, Token: b.Token, Org: b.Org, Bucket: b.Name})
	s := server{url: b.URL, org: b.Org, token: reader.Token, database: b.Name, bucket: b.Name}
	testQueries(t, s, at)
	testVariables(t, s, at)
}
