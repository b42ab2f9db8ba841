package dashboards

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	grafana "github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const folder = "../../deploy/grafana"

func rendered(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := Render()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Languages())*len(boards()) {
		t.Fatalf("%d dashboards", len(files))
	}
	return files
}

// read returns the dashboards as they were rendered, by path.
func read(t *testing.T) map[string]dashboard {
	t.Helper()
	out := map[string]dashboard{}
	for name, text := range rendered(t) {
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = d
	}
	return out
}

func TestTheDashboardsInTheRepositoryAreThoseOfTheProgram(t *testing.T) {
	want := rendered(t)
	err := filepath.WalkDir(filepath.Join(folder, "dashboards"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if !bytes.Equal(text, want[name]) {
			t.Errorf("%s is not what make docs writes", path)
		}
		delete(want, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("%s is missing: make docs", name)
	}
}

// Grafana's own library reads each dashboard with every option of its panels, and knows
// each key.
func TestGrafanasModelTakesEachDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, text := range rendered(t) {
		var d grafana.Dashboard //nolint:staticcheck // the model that every Grafana since 9 reads
		if err := d.UnmarshalJSONStrict(text); faulty(err) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := d.Validate(); faulty(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := bytes.Replace(rendered(t)["dashboards/flux/gate.json"], []byte(`"graphMode"`), []byte(`"grafMode"`), 1)
	var d grafana.Dashboard //nolint:staticcheck // as above
	if err := d.UnmarshalJSONStrict(wrong); !faulty(err) || !strings.Contains(err.Error(), "grafMode") {
		t.Errorf("a key that no panel has: %v", err)
	}
}

// faulty reports whether the library has found something: it returns an empty list of
// errors as an error.
func faulty(err error) bool {
	var list cog.BuildErrors
	return err != nil && (!errors.As(err, &list) || len(list) > 0)
}

// What the library leaves open: queries of InfluxDB, which must have the keys that
// Grafana's plugin reads, and those only.
func TestQueriesOfInfluxDBHaveTheKeysOfItsPlugin(t *testing.T) {
	for name, d := range read(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Datasource != p.Datasource {
					t.Errorf("%s, %s: its query is for another source", name, p.Title)
				}
				if q.Datasource.Type != "influxdb" {
					continue
				}
				ql := strings.Contains(name, "/influxql/")
				if q.Query == "" || q.RawQuery != ql || (q.ResultFormat != "") != ql || q.Expr != "" || q.Format != "" {
					t.Errorf("%s, %s: %+v", name, p.Title, q)
				}
			}
		}
	}
}

func TestPanelsDoNotOverlapAndFillTheirRows(t *testing.T) {
	for name, d := range read(t) {
		taken := map[[2]int]string{}
		ids, deep := map[int]bool{}, 0
		for _, p := range d.Panels {
			if g := p.Grid; g.X < 0 || g.X+g.W > columns || g.W < 4 || g.H < 4 || ids[p.ID] {
				t.Errorf("%s, %s: at %+v with id %d", name, p.Title, g, p.ID)
			}
			ids[p.ID] = true
			for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
				for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Errorf("%s: %s lies over %s", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
					deep = max(deep, y+1)
				}
			}
		}
		if full := float64(len(taken)) / float64(columns*deep); full < .75 {
			t.Errorf("%s: only %.0f %% of its area is used", name, 100*full)
		}
	}
}

func TestTitlesAreChineseWithEnglish(t *testing.T) {
	uids := map[string]bool{}
	for name, d := range read(t) {
		if uids[d.UID] || len(d.UID) > 40 {
			t.Errorf("%s: uid %q", name, d.UID)
		}
		uids[d.UID] = true
		titles := []string{d.Title}
		for _, p := range d.Panels {
			titles = append(titles, p.Title)
		}
		for _, title := range titles {
			zh, en, ok := strings.Cut(title, " ")
			if !ok || strings.IndexFunc(zh, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) != 0 ||
				strings.IndexFunc(en, func(r rune) bool { return r >= 'A' && r <= 'Z' }) != 0 {
				t.Errorf("%s: title %q", name, title)
			}
		}
	}
}
