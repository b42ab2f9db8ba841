package fact

import (
	"reflect"
	"strings"
	"testing"
)

// A field that is in the struct and not in the tables would be dropped by
// everything that is derived from them.
func TestTheTablesHaveEveryFieldOfValues(t *testing.T) {
	v := Values{}
	typ := reflect.TypeFor[Values]()
	names := map[string]any{"fault": &v.Fault}
	for _, n := range Numbers() {
		names[n.Name] = n.Of(&v)
		if n.Min >= n.Max || n.Steps < 1 || n.Unit == "" {
			t.Errorf("%+v", n)
		}
		if got, ok := NumberNamed(n.Name); !ok || got.Unit != n.Unit {
			t.Errorf("%s is not found by its name", n.Name)
		}
	}
	for _, f := range Flags() {
		names[f.Name] = f.Of(&v)
		if _, ok := FlagNamed(f.Name); !ok {
			t.Errorf("%s is not found by its name", f.Name)
		}
	}
	if len(names) != typ.NumField() {
		t.Errorf("%d fields in the tables, %d in the struct", len(names), typ.NumField())
	}
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if got := names[name]; got != reflect.ValueOf(&v).Elem().Field(i).Addr().Interface() {
			t.Errorf("%s is not the field %s", name, typ.Field(i).Name)
		}
	}
}

func TestEmptyValues(t *testing.T) {
	if v := (Values{}); !v.Empty() {
		t.Error("nothing is not empty")
	}
	for i := range reflect.TypeFor[Values]().NumField() {
		v := Values{}
		switch f := reflect.ValueOf(&v).Elem().Field(i); f.Interface().(type) {
		case *float64:
			f.Set(reflect.ValueOf(new(0.0)))
		case *bool:
			f.Set(reflect.ValueOf(new(false)))
		case string:
			f.SetString("x")
		}
		if v.Empty() {
			t.Errorf("%+v is empty", v)
		}
	}
}
