package dashboards

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// server is an InfluxDB as Grafana's data source knows it.
type server struct {
	url, org, token  string // token: 2.x
	database, bucket string // of InfluxQL, of Flux
}

// picked are the values that a reader of a dashboard has chosen of each variable.
type picked map[string][]string

// grafanaEscapes are the characters that Grafana's format regex escapes.
var grafanaEscapes = regexp.MustCompile(`[\\^$*+?.()|\[\]{}/]`)

// expand replaces variables in a query as Grafana does: ${name:regex} by the values as a
// regular expression, or .* for All; $name in PromQL likewise.
func (p picked) expand(query string) string {
	for name, values := range p {
		var escaped []string
		for _, v := range values {
			escaped = append(escaped, grafanaEscapes.ReplaceAllString(v, `\$0`))
		}
		text := ".*"
		switch len(values) {
		case 0:
		case 1:
			text = escaped[0]
		default:
			text = "(" + strings.Join(escaped, "|") + ")"
		}
		query = strings.ReplaceAll(query, "${"+name+":regex}", text)
		query = strings.ReplaceAll(query, "$"+name, text)
	}
	return query
}

// row is a row of a result, by the names of its columns.
type row map[string]string

// influxQL asks as Grafana's data source for InfluxQL does.
func (s server) influxQL(t *testing.T, query string, from, to time.Time) []row {
	t.Helper()
	filter := fmt.Sprintf("time >= %dms and time <= %dms", from.UnixMilli(), to.UnixMilli())
	query = strings.NewReplacer("$timeFilter", filter, "$__interval", "1h").Replace(query)
	q := url.Values{"db": {s.database}, "q": {query}, "epoch": {"ms"}}
	text := s.ask(t, http.MethodGet, s.url+"/query?"+q.Encode(), "", nil)
	var answer struct {
		Results []struct {
			Error  string
			Series []struct {
				Tags    map[string]string
				Columns []string
				Values  [][]any
			}
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil || len(answer.Results) != 1 || answer.Results[0].Error != "" {
		t.Fatalf("%s\nanswers %.300s, %v", query, text, err)
	}
	var rows []row
	for _, series := range answer.Results[0].Series {
		for _, values := range series.Values {
			r := row{}
			for name, v := range series.Tags {
				r[name] = v
			}
			for i, v := range values {
				if v != nil {
					r[series.Columns[i]] = fmt.Sprint(v)
				}
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// flux asks as Grafana's data source for Flux does.
func (s server) flux(t *testing.T, query string, from, to time.Time) []row {
	t.Helper()
	query = strings.NewReplacer("v.timeRangeStart", from.Format(time.RFC3339Nano),
		"v.timeRangeStop", to.Format(time.RFC3339Nano), "v.windowPeriod", "1h",
		"v.defaultBucket", fmt.Sprintf("%q", s.bucket)).Replace(query)
	body, err := json.Marshal(map[string]any{"query": query, "type": "flux",
		"dialect": map[string]any{"annotations": []string{"datatype", "group", "default"}, "header": true}})
	if err != nil {
		t.Fatal(err)
	}
	text := s.ask(t, http.MethodPost, s.url+"/api/v2/query?org="+s.org, "application/json", body)
	rows, err := annotated(text)
	if err != nil {
		t.Fatalf("%s\nanswers %.500s: %v", query, text, err)
	}
	return rows
}

// annotated reads Flux's CSV, whose tables each have their own header.
func annotated(text []byte) (rows []row, err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	var header []string
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, err
		case strings.HasPrefix(cells[0], "#"):
			header = nil
		case header == nil:
			header = cells
			if header[1] == "error" {
				return nil, errors.New(string(text))
			}
		default:
			one := row{}
			for i, c := range cells {
				if i > 2 && i < len(header) && c != "" { // after result and table
					one[header[i]] = c
				}
			}
			rows = append(rows, one)
		}
	}
}

func (s server) ask(t *testing.T, method, to, kind string, body []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Token "+s.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %.500s, %v", to, res.Status, text, err)
	}
	return text
}
