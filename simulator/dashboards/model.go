package dashboards

import "encoding/json"

// The parts of Grafana's model of a dashboard that these dashboards use, by its names.
// A test reads what is rendered with Grafana's own library.

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Timezone      string      `json:"timezone"`
	Editable      bool        `json:"editable"`
	Time          timeRange   `json:"time"`
	Refresh       string      `json:"refresh"`
	SchemaVersion int         `json:"schemaVersion"`
	Panels        []panel     `json:"panels"`
	Templating    templating  `json:"templating"`
	Surroundings  surrounding `json:"-"`
}

// surrounding is what every dashboard has besides.
type surrounding struct {
	Annotations annotations `json:"annotations"`
	Links       []link      `json:"links"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type annotations struct {
	List []struct{} `json:"list"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Label      string `json:"label"`
	Query      string `json:"query"`
	Definition string `json:"definition"`
	Datasource source `json:"datasource"`
	Refresh    int    `json:"refresh"` // 2: when the time range changes
	Sort       int    `json:"sort"`    // 1: by name
	Multi      bool   `json:"multi"`
	IncludeAll bool   `json:"includeAll"`
	AllValue   string `json:"allValue,omitempty"`
}

type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// link leads to the other dashboards of the same language.
type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	TargetBlank bool     `json:"targetBlank"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

type panel struct {
	ID          int             `json:"id"`
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Grid        grid            `json:"gridPos"`
	Datasource  source          `json:"datasource"`
	Targets     []target        `json:"targets"`
	FieldConfig fieldConfig     `json:"fieldConfig"`
	Options     json.RawMessage `json:"options"`
	Transforms  []transform     `json:"transformations,omitempty"`
}

type grid struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// target is a query of a panel: of Prometheus Expr, of InfluxDB Query.
type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	Expr         string `json:"expr,omitempty"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Instant      bool   `json:"instant,omitempty"`
	Range        bool   `json:"range,omitempty"`
	Format       string `json:"format,omitempty"`
	Query        string `json:"query,omitempty"`
	RawQuery     bool   `json:"rawQuery,omitempty"`
	ResultFormat string `json:"resultFormat,omitempty"`
	Alias        string `json:"alias,omitempty"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []struct{} `json:"overrides"`
}

type defaults struct {
	DisplayName string          `json:"displayName,omitempty"`
	Unit        string          `json:"unit,omitempty"`
	Min         *float64        `json:"min,omitempty"`
	NoValue     string          `json:"noValue,omitempty"`
	Mappings    []mapping       `json:"mappings,omitempty"`
	Thresholds  *thresholds     `json:"thresholds,omitempty"`
	Color       color           `json:"color"`
	Custom      json.RawMessage `json:"custom,omitempty"`
}

type color struct {
	Mode string `json:"mode"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is the color from a value on; without a value it is the first.
type step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

type mapping struct {
	Type    string          `json:"type"`
	Options map[string]word `json:"options"`
}

// word is what is shown in place of a value.
type word struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

type transform struct {
	ID      string          `json:"id"`
	Options json.RawMessage `json:"options"`
}
