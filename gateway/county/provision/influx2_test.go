//go:build influx2

// Tests with a real InfluxDB 2: make test-influx2 builds it and runs them.
package provision

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/influxd2"
)

// fresh runs an InfluxDB 2 that nobody has set up.
func fresh(t *testing.T) Options {
	t.Helper()
	argv, url, err := influxd2.Command(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{URL: url, Org: "county", Bucket: "gatehouse", Admin: "the-token-of-an-administrator",
		Password: "a-password-of-a-test"}
	s, err := influxd.Run(t.Context(), url, argv, func(ctx context.Context) error {
		for {
			_, err := SetUp(ctx, o)
			if err == nil || !Unreachable(err) || ctx.Err() != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return o
}

// ask asks the server with a token, and returns the status and the answer.
func ask(t *testing.T, o Options, token, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+token)
	req.Header.Set("Content-Type", "application/vnd.flux")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestInflux2IsSetUpOnceWithTokensThatMayLittle(t *testing.T) {
	o := fresh(t)
	o.Retention = 48 * time.Hour
	i, err := SetUp(t.Context(), o)
	if err != nil || i.NewlySetUp || len(i.NewBuckets) > 0 || i.TaskChanged {
		t.Fatalf("the second time: %+v, %v", i, err)
	}
	collector, err := i.NewToken(t.Context(), Collector)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := i.NewToken(t.Context(), Grafana)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, bucket string
		write         bool
		status        int
	}{
		{collector, "gatehouse", true, 204}, {collector, "gatehouse-hours", true, 404},
		{reader, "gatehouse", true, 404}, {reader, "gatehouse-hours", false, 200},
		{reader, "gatehouse", false, 200}, {collector, "gatehouse", false, 200},
	} {
		path, body := "/api/v2/query?org=county", `from(bucket: "`+c.bucket+`") |> range(start: -1h)`
		if c.write {
			path, body = "/api/v2/write?org=county&bucket="+c.bucket, "m f=1"
		}
		if status, text := ask(t, o, c.token, path, body); status != c.status && (c.status != 404 || status != 403) {
			t.Errorf("%s, write %v: %d %s", c.bucket, c.write, status, text)
		}
	}
	if has, err := i.HasToken(t.Context(), Grafana); !has || err != nil {
		t.Errorf("Grafana's token is not found: %v", err)
	}
	if _, err := i.NewToken(t.Context(), Grafana); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, o, reader, "/api/v2/query?org=county", `buckets()`); status != 401 {
		t.Errorf("the earlier token still counts: %d", status)
	}
	o.Admin = "another"
	if _, err := SetUp(t.Context(), o); err == nil || !strings.Contains(err.Error(), "administrator's token") {
		t.Errorf("a wrong token: %v", err)
	}
}

// The task's text makes hourly figures of what is stored.
func TestInflux2TaskCountsByHour(t *testing.T) {
	o := fresh(t)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	var points strings.Builder
	for i := range 3 {
		points.WriteString("gate_event,agent=gate-001,community=c,compound=k,grid=g,outcome=pass seq=")
		points.WriteString(string(rune('1' + i)))
		points.WriteString("i,screening_c=36.5 ")
		points.WriteString(nanos(hour.Add(time.Duration(i) * time.Minute)))
		points.WriteString("\n")
	}
	if status, text := ask(t, o, o.Admin, "/api/v2/write?org=county&bucket=gatehouse", points.String()); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	run := strings.Replace(o.Task(), "option task", "option unused", 1)
	if status, text := ask(t, o, o.Admin, "/api/v2/query?org=county", run); status != 200 ||
		strings.Contains(text, "error") {
		t.Fatalf("%d %s", status, text)
	}
	_, text := ask(t, o, o.Admin, "/api/v2/query?org=county",
		`from(bucket: "gatehouse-hours") |> range(start: -1d) |> filter(fn: (r) => r._field == "passages")`)
	if !strings.Contains(text, ",3,passages,gate_event,gate-001,c,k,g,pass") || strings.Count(text, "\n") > 4 {
		t.Errorf("hourly figures: %s", text)
	}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
