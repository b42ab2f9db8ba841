package pages

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// What the county offers and what gates say of themselves is shown; what is not known is empty.
func TestThePageOfVersions(t *testing.T) {
	b := start(t)
	_, folder, key := served(t)
	heard := time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	s := &Server{Parts: Parts{Versions: b.desk.Versions, Packages: &folder,
		PackagesKey: key.Public,
		Gates: func() []presence.Agent {
			return []presence.Agent{
				{Agent: "gate-2", State: fact.Never},
				{Agent: "gate-1", State: fact.Online, Version: "1.3.0", Heard: heard,
					Upgrade: &wire.Upgrade{Package: "1.3.0", Lacks: fact.CommandNoKey}},
			}
		}}}
	w := httptest.NewRecorder()
	s.versions(w, httptest.NewRequest(http.MethodGet, "/api/versions", nil), people.Session{})
	var got versionsPage
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if len(got.Offered) != 1 || got.Offered[0].Version != "1.4.0" || got.Fingerprint != key.Fingerprint() ||
		!slices.Equal(got.Offered[0].Architectures, []string{"all"}) || got.Rollout != nil || !got.Serves {
		t.Errorf("%+v", got)
	}
	if len(got.Gates) != 2 || got.Gates[0].Agent != "gate-1" || got.Gates[0].Upgrade.Lacks != fact.CommandNoKey ||
		got.Gates[1].Heard != nil || got.Gates[1].Program != "" || got.Gates[1].Upgrade != nil {
		t.Errorf("%+v", got.Gates)
	}
}

// An upgrade asks for the password again, and for a version that the county offers; the page for
// commands of one gate begins none.
func TestWhoBeginsAnUpgrade(t *testing.T) {
	b := start(t)
	b.login()
	const begin = `{"version":"1.4.0","reason":"x","waves":[["gate-1"]],"password":"`
	for _, x := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"/api/versions/begin", begin + `guess"}`, 403, "password"},
		{"/api/versions/begin", begin + password + `"}`, 422, "versions-version"},
		{"/api/versions/do", `{"id":"x","do":"go-on"}`, 409, "versions-none"},
		{"/api/versions/do", `{"id":1}`, 400, "body"},
		{"/api/command", `{"agent":"gate-1","action":"upgrade","version":"1.4.0","reason":"x"}`, 403, "role"},
	} {
		status, text, _ := b.ask("POST", x.path, x.body)
		var p problem
		if err := json.Unmarshal([]byte(text), &p); err != nil || status != x.status || p.Code != x.code {
			t.Errorf("%s %s: %d %s, %v", x.path, x.body, status, text, err)
		}
	}
	if b.desk.Versions.Now() != nil {
		t.Error("an upgrade is on")
	}
}
