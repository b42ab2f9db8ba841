package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/desk"
)

// noAudit writes nothing.
type noAudit struct{}

func (noAudit) Write(context.Context, audit.By, audit.Act) error { return nil }
func (noAudit) Look(context.Context, audit.By, audit.Act) error  { return nil }
func (noAudit) Last(context.Context, audit.Filter) ([]audit.Entry, error) {
	return nil, nil
}

// entries returns what the desk's page of the audit shows, the newest first, without that
// somebody has opened it.
func (b *bench) entries(query string) (out []audit.Entry) {
	b.t.Helper()
	status, text, _ := b.ask(http.MethodGet, "/api/audit?"+query, "")
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		b.t.Fatal(status, text, err)
	}
	return out
}

func TestEveryActAndEveryLookIsInTheAuditOnce(t *testing.T) {
	b := start(t)
	insertCall(b)
	b.login()
	for _, c := range []struct {
		method, path, body string
		action             audit.Action
		object             string
	}{
		{"POST", "/api/acknowledge", `{"id":7,"note":"张三 110101199001011234"}`, audit.Acknowledge, "alert 7"},
		{"POST", "/api/answer", `{"id":7,"answer":"call-us"}`, audit.AnswerCall, "alert 7"},
		{"POST", "/api/answer", `{"id":7,"end":true}`, audit.EndCall, "alert 7"},
		{"GET", "/api/gate?agent=gate-001", "", audit.LookGate, "gate gate-001"},
		{"GET", "/api/quarantined?id=1", "", audit.LookQuarantine, "quarantine 1"},
		{"POST", "/api/quarantine", `{"id":1}`, audit.RetryQuarantine, "quarantine 1"},
		{"POST", "/api/quarantine", `{"id":1,"drop":true}`, audit.DropQuarantine, "quarantine 1"},
		{"GET", "/api/audit", "", audit.LookAudit, ""},
	} {
		for range 3 {
			if status, text, _ := b.ask(c.method, c.path, c.body); status >= 500 {
				t.Errorf("%s: %d %s", c.path, status, text)
			}
		}
		list := b.entries("action=" + string(c.action))
		if len(list) == 0 || list[0].Actor != "wang" || list[0].From != "127.0.0.1" || list[0].Object != c.object {
			t.Errorf("%s %s: %+v", c.action, c.path, list)
		}
		if looks := c.method == "GET" && c.action != audit.LookQuarantine; looks && len(list) != 1 {
			t.Errorf("%s: three looks in a row are %d", c.action, len(list))
		}
	}
	all := b.entries("")
	var check audit.Check
	for i := range all {
		if faults := check.Next(all[len(all)-1-i]); faults != nil {
			t.Error(faults)
		}
	}
	if _, text, _ := b.ask("GET", "/api/audit", ""); strings.Contains(text, "张三") || strings.Contains(text, "1101") {
		t.Error("what somebody wrote is in the audit")
	}
	if len(b.entries("actor=li")) != 0 || len(b.entries("object=gate")) != 1 || len(b.entries("before=2")) != 1 ||
		len(b.entries("to=2000-01-01T00:00:00Z")) != 0 || len(b.entries("from=2000-01-01T00:00:00Z")) != len(all) {
		t.Error("a filter selects other entries")
	}
	for _, q := range []string{"before=x", "from=yesterday", "actor=%ff"} {
		if status, _, _ := b.ask("GET", "/api/audit?"+q, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d", q, status)
		}
	}
}

func TestNothingIsShownOrDoneThatCantBeWritten(t *testing.T) {
	b := start(t)
	b.login()
	insertCall(b)
	file, err := desk.OpenFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec(t.Context(), `CREATE TRIGGER full BEFORE INSERT ON audit
		BEGIN SELECT RAISE(ABORT, 'disk full'); END`); err != nil {
		t.Fatal(err)
	}
	for _, x := range []string{
		"GET /api/gate?agent=gate-001", "GET /api/passage?journal=j&seq=1", "GET /api/quarantined?id=1",
		"GET /api/audit", "GET /live",
	} {
		method, path, _ := strings.Cut(x, " ")
		status, text, _ := b.ask(method, path, "")
		if status != http.StatusServiceUnavailable || !strings.Contains(text, `"code":"audit"`) ||
			strings.Contains(text, "script") {
			t.Errorf("%s: %d %s", x, status, text)
		}
	}
	if status, _, _ := b.ask("POST", "/api/acknowledge", `{"id":7}`); status != http.StatusServiceUnavailable {
		t.Error(status)
	}
	if list, err := b.desk.Alerts.Last(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].Acked != nil {
		t.Errorf("acknowledged, and not in the audit: %+v, %v", list, err)
	}
}

func TestBytesInQuarantineAreNotInTheList(t *testing.T) {
	b := start(t)
	b.login()
	if _, text, _ := b.ask("GET", "/api/losses", ""); strings.Contains(text, "script") {
		t.Error(text)
	}
	if status, text, _ := b.ask("GET", "/api/quarantined?id=2", ""); status != http.StatusNotFound {
		t.Error(status, text)
	}
}
