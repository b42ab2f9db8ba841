package setup

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/site"
)

// Sites reads a county's sites file, which is YAML, or a table (CSV) with a row for each
// gate. It returns the county, the file as the collector reads it, and all that is wrong,
// with its lines. name is the file's, id and title are the county's, of which a table says
// nothing; an id that is empty fits every file.
func Sites(name string, b []byte, id, title string) (*site.County, []byte, []site.Fault) {
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")) {
		return nil, nil, []site.Fault{{Line: 1, Code: "excel", What: name,
			Text: name + " is a workbook of a spreadsheet: save its sheet as CSV"}}
	}
	if isTable(name) {
		if id == "" {
			id = "county"
		}
		if title == "" {
			title = id
		}
		c, faults := site.Table(id, title, b)
		if len(faults) > 0 {
			return nil, nil, faults
		}
		text, err := config.Write(*c)
		if err != nil {
			return nil, nil, []site.Fault{{Line: 1, Code: "row", Text: err.Error()}}
		}
		return c, append([]byte(sitesHead), text...), nil
	}
	c, found := config.Survey[site.County](b)
	if len(found) == 0 {
		whole, err := site.Parse(b)
		if err == nil && id != "" && whole.ID != id {
			err = fmt.Errorf("county %q is described, and not %q: write the same id in both", whole.ID, id)
		}
		if err == nil {
			return whole, b, nil
		}
		found = config.Faults(b, err)
	}
	var out []site.Fault
	for _, f := range found {
		out = append(out, site.Fault{Line: max(1, f.Line), Code: "yaml", What: c.ID, Text: f.Text})
	}
	return nil, nil, out
}

// sitesHead is the begin of a sites file that was made of a table.
const sitesHead = `# 由表格生成的门岗名册；改后 systemctl restart gatehouse-collect。
# Made of a table. Ids appear in the store, names on screens; a gate's id is that of its agent.
`

// isTable reports whether a file is a table, by its name.
func isTable(name string) bool { return strings.EqualFold(filepath.Ext(name), ".csv") }
