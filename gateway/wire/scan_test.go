package wire

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzCut holds cut and items against encoding/json: together with a check of
// their pieces they read the same texts, and find the same values in them.
func FuzzCut(f *testing.F) {
	for _, c := range envelopes {
		f.Add([]byte(c.raw))
	}
	for _, s := range noBatches {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"body":[1,"],",{"a":[]} , null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		value, rest, err := cut(b, "body")
		if err != nil {
			return // tested below for texts that are sound
		}
		sound := json.Valid(rest) && (value == nil || json.Valid(value))
		if sound != json.Valid(b) {
			t.Fatalf("%q is cut into %q and %q", b, rest, value)
		}
		if !sound || value == nil {
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		if want := fields["body"]; !bytes.Equal(value, want) && want != nil && !bytes.Contains(b, []byte(`\u`)) {
			t.Errorf("%q holds %q, not %q", b, want, value)
		}
		checkItems(t, value)
	})
}

func checkItems(t *testing.T, value []byte) {
	t.Helper()
	var want []json.RawMessage
	if value[0] != '[' || json.Unmarshal(value, &want) != nil {
		return
	}
	got, err := items(value)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%q has %d items, not %d; %v", value, len(want), len(got), err)
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("item %d of %q is %q, not %q", i, value, want[i], got[i])
		}
	}
}

func TestEverySoundObjectIsCut(t *testing.T) {
	for name, c := range envelopes {
		var fields map[string]json.RawMessage
		if json.Unmarshal([]byte(c.raw), &fields) != nil || fields == nil || name == "body twice" {
			continue
		}
		value, _, err := cut([]byte(c.raw), "body")
		if err != nil || !bytes.Equal(value, fields["body"]) {
			t.Errorf("%s: %q, %v", name, value, err)
		}
	}
}
