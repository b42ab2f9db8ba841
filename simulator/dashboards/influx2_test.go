//go:build influx2

// Tests with a real InfluxDB 2: make test-influx2 builds it and runs them.
package dashboards

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// The set of compose.yaml with InfluxDB 2: its dashboards show the demo's data, read with
// the token that was made for Grafana.
func TestInflux2SetShowsTheDemosData(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	p, port := withoutContainers(t, home)
	p.awaitStored(t)
	made, err := os.ReadFile(filepath.Join(home, "gatehouse/made/grafana.token"))
	must(t, err)
	s := server{url: "http://127.0.0.1:" + port["INFLUX"], org: "county", token: strings.TrimSpace(string(made)),
		database: "gatehouse", bucket: "gatehouse"}
	for _, title := range []string{"Passages by verdict", "Mean temperature by gate"} {
		for _, panel := range county().render(Flux).Panels {
			if !strings.HasSuffix(panel.Title, " "+title) {
				continue
			}
			var rows []row
			for end := time.Now().Add(60 * time.Second); len(rows) == 0 && time.Now().Before(end); {
				now := time.Now()
				rows = s.rows(t, sample{from: now.Add(-time.Hour), to: now}, panel.Targets[0], picked{"community": nil})
			}
			if len(rows) == 0 {
				t.Errorf("%s shows nothing", title)
			}
		}
	}
}
