package influx_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

var queryBlock = regexp.MustCompile("(?s)```(flux|influxql)\n(.*?)```")

// Each query of deploy/INFLUXDB.md finds something.
func testTheQueriesOfTheSchemaPageFindSomething(t *testing.T, b bucket) {
	server := b.options().URL
	s := openIn(t, b.options(), filepath.Join(t.TempDir(), "books.db"))
	batch := storetest.Batch(1, 1, 4)
	now, litres := wire.At(time.Now().Add(-time.Hour)), 12.5
	batch.Entries = append(batch.Entries,
		storetest.Entry(5, &wire.Alarm{ID: "fever:4", Type: "fever", State: fact.AlarmRaised}),
		storetest.Entry(6, &wire.Run{Machine: "fogger-1", ID: "r1", State: fact.RunClosed, Start: now, End: now,
			Grade: "measured", MeterL: &litres}))
	batch.To = 6
	commit(t, s, at(now.Time, batch))
	page, err := os.ReadFile("../../../../deploy/INFLUXDB.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := queryBlock.FindAllStringSubmatch(string(page), -1)
	if len(queries) < 7 {
		t.Errorf("the page has %d queries", len(queries))
	}
	for _, q := range queries {
		found := `"values"`
		to := server + "/query?" + url.Values{"db": {influxd.Database}, "q": {q[2]}}.Encode()
		body, err := json.Marshal(map[string]string{"query": q[2]})
		if err != nil {
			t.Fatal(err)
		}
		if q[1] == "flux" {
			to, found = server+"/api/v2/query", "_result,"
		}
		res, err := http.Post(to, "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(found)) {
			t.Errorf("%s\nanswers %s: %.300s, %v", q[2], res.Status, text, err)
		}
	}
}
