package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"gatehouse/gateway/edge/upgrade"
)

// Where nothing is to be done, -o json prints a document, too.
func TestNothingToUpgradeIsADocument(t *testing.T) {
	c := upgradeCommand()
	var out bytes.Buffer
	c.SetOut(&out)
	f := upgradeFlags{out: output{form: asJSON, forms: []string{asTable, asJSON}}}
	if err := f.nothing(c); err != nil {
		t.Fatal(err)
	}
	var s upgrade.State
	if err := json.Unmarshal(out.Bytes(), &s); err != nil || s.Phase != upgrade.Done || s.Why == "" {
		t.Errorf("%s: %+v, %v", out.String(), s, err)
	}
}
