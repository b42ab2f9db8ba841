package fact

import (
	"encoding/json"
	"os"
	"testing"
)

// The screens' words are written down once more, with all their other words.
func TestTheScreensHaveTheWordsOfEveryAlarm(t *testing.T) {
	for file, word := range map[string]func(Alarm) string{
		"zh.json": func(a Alarm) string { return a.Zh },
		"en.json": func(a Alarm) string { return a.En },
	} {
		b, err := os.ReadFile("../web/src/words/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]map[string]string
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, a := range Alarms() {
			if got := all["desk"]["alert."+string(a.Type)]; got != word(a) {
				t.Errorf("%s: %s is %q, the catalogue says %q", file, a.Type, got, word(a))
			}
		}
	}
}

func TestTheCatalogueOfAlarms(t *testing.T) {
	seen := map[AlarmType]bool{}
	for _, a := range Alarms() {
		if seen[a.Type] || a.Type == "" || a.Zh == "" || a.En == "" || a.Level != LevelRed && a.Level != LevelAmber {
			t.Errorf("%+v", a)
		}
		seen[a.Type] = true
		if a.Happened && (a.Fleeting || a.OffDelay != 0) {
			t.Errorf("%s happened once, and has no end", a.Type)
		}
		if got := a.Type.Alarm(); got != a || !a.Type.Known() {
			t.Errorf("%s finds %+v", a.Type, got)
		}
	}
	for typ, level := range map[AlarmType]AlarmLevel{
		"journal-of-tomorrow":   LevelRed,
		"collector-of-tomorrow": LevelRed,
		"door-of-tomorrow":      LevelAmber,
	} {
		if got := typ.Alarm(); typ.Known() || got.Level != level || got.Happened || got.Fleeting {
			t.Errorf("%s: %+v", typ, got)
		}
	}
	if got := AlarmDeviceGone.ID("reader"); got != "device-gone:reader" {
		t.Error(got)
	}
	if got := AlarmJournalWrite.ID(""); got != "journal-write-failed" {
		t.Error(got)
	}
}
