package config

import (
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	at := time.Date(2020, 2, 14, 16, 30, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"":              "2020-02-15 00:30",
		"Asia/Shanghai": "2020-02-15 00:30",
		"Asia/Urumqi":   "2020-02-14 22:30",
		"UTC":           "2020-02-14 16:30",
	} {
		z, err := Zone(name)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := at.In(z).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"Local", "Beijing", "+08:00"} {
		if z, err := Zone(name); err == nil {
			t.Errorf("%q is accepted as %s", name, z)
		}
	}
}
