package pages

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/desk"
)

// insertCall puts a call, alert 7, into the desk's file.
func insertCall(b *bench) {
	b.t.Helper()
	file, err := desk.OpenFile(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer file.Close()
	_, err = file.Exec(b.t.Context(), `INSERT INTO alerts
		(id, agent, jid, alarm, type, device, detail, passage, seq, at, call)
		VALUES (7, 'gate-001', 'j', 'help-called:doctor-41', 'help-called', '', '', 41, 42, 0,
		'{"role":"doctor","came":"2020-02-14T06:30:00Z"}')`)
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestACallIsAnsweredAndEndedByWhoIsLoggedIn(t *testing.T) {
	b := start(t)
	insertCall(b)
	const good = `{"id":7,"answer":"on-the-way","minutes":10}`
	if status, _, _ := b.ask(http.MethodPost, "/api/answer", good); status != http.StatusUnauthorized {
		t.Errorf("a stranger answers: %d", status)
	}
	if status, text, _ := b.ask(http.MethodPost, "/api/login", rightPassword); status != http.StatusNoContent {
		t.Fatal(text)
	}
	for _, c := range []struct {
		body   string
		status int
		answer string
	}{
		{good, 204, ""},
		{`{"id":7,"answer":"perhaps"}`, 400, `"code":"body"`},
		{`{"id":7,"answer":"on-the-way","minutes":-1}`, 400, `"code":"body"`},
		{`{"id":7,"answer":"not-available"}`, 400, `"code":"body"`},
		{`{"id":7,"answer":"not-available","phone":"<b>1</b>"}`, 400, `"code":"body"`},
		{`{"id":7,"answer":"call-us","more":1}`, 400, `"code":"body"`},
		{`{"id":8,"answer":"call-us"}`, 409, `"code":"no-call"`},
		{`{"id":7,"answer":"not-available","phone":"0000 000 1100"}`, 204, ""},
		{`{"id":7,"end":true}`, 204, ""},
		{`{"id":7,"end":true}`, 409, `"code":"no-call"`},
	} {
		status, text, _ := b.ask(http.MethodPost, "/api/answer", c.body)
		if status != c.status || !strings.Contains(text, c.answer) {
			t.Errorf("%s: %d %s", c.body, status, text)
		}
	}
	if _, text, _ := b.ask(http.MethodGet, "/api/alerts", ""); !strings.Contains(text, `"by":"wang"`) ||
		!strings.Contains(text, `"phone":"0000 000 1100"`) {
		t.Errorf("the history says %s", text)
	}
}

func TestNoticesAreWrittenByWhoIsLoggedIn(t *testing.T) {
	b := start(t)
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	body := `{"zh":"今晚封闭","until":"` + until + `"}`
	if status, _, _ := b.ask(http.MethodPost, "/api/notice", body); status != http.StatusUnauthorized {
		t.Errorf("a stranger writes: %d", status)
	}
	if status, text, _ := b.ask(http.MethodPost, "/api/login", rightPassword); status != http.StatusNoContent {
		t.Fatal(text)
	}
	for body, code := range map[string]string{
		`{"zh":"","until":"` + until:                           "body",
		`{"zh":"","until":"` + until + `"}`:                    "notice-text",
		`{"zh":"今晚"}`:                                          "notice-until",
		`{"zh":"今晚","community":"c9","until":"` + until + `"}`: "notice-where",
		`{"remove":3}`:                                         "gone",
	} {
		if status, text, _ := b.ask(http.MethodPost, "/api/notice", body); status < 400 ||
			!strings.Contains(text, `"code":"`+code+`"`) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

func TestFieldChecksAreForUsers(t *testing.T) {
	b := start(t)
	if status, _, _ := b.ask(http.MethodGet, "/api/checks", ""); status != http.StatusUnauthorized {
		t.Errorf("a stranger reads the checks: %d", status)
	}
	if status, text, _ := b.ask(http.MethodPost, "/api/login", rightPassword); status != http.StatusNoContent {
		t.Fatal(text)
	}
	if status, text, _ := b.ask(http.MethodGet, "/api/checks", ""); status != 200 || strings.TrimSpace(text) != "[]" {
		t.Errorf("a county without thermometers: %d %s", status, text)
	}
	if status, text, _ := b.ask(http.MethodGet, "/checks", ""); status != 200 || !strings.Contains(text, "<html") {
		t.Errorf("the page: %d", status)
	}
}
