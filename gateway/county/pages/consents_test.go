package pages

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/people"
)

func TestASecondPersonAgreesOnThePageWithThePassword(t *testing.T) {
	b := start(t)
	admin, auditor := b.as(people.Admin), b.as(people.Auditor)
	r, err := b.desk.Consents.Ask(t.Context(), people.Actor{Name: "the admin", Role: people.Admin}, consent.Trace,
		"pseudonym k-1", "")
	if err != nil {
		t.Fatal(err)
	}
	body := func(password string) string { return fmt.Sprintf(`{"id":%d,"password":%q}`, r.ID, password) }
	for _, c := range []struct {
		who          *bench
		body, answer string
		status       int
	}{
		{admin, body(password), "consent-same", 403},
		{b.as(people.Duty), body(password), "role", 403},
		{b.as(people.Policy), body(password), "role", 403},
		{auditor, body("guess guess"), "password", 403},
		{auditor, `{"id":77,"password":"` + password + `"}`, "consent-gone", 409},
		{auditor, body(password), "", 204},
		{auditor, body(password), "consent-gone", 409},
	} {
		status, text, _ := c.who.ask("POST", "/api/consent", c.body)
		if status != c.status || !strings.Contains(text, c.answer) {
			t.Errorf("%s: %d %s, want %d %s", c.body, status, text, c.status, c.answer)
		}
	}
	_, text, _ := admin.ask("GET", "/api/consents", "")
	if !strings.Contains(text, `"agreed_by":"the auditor"`) || !strings.Contains(text, `"own":true`) {
		t.Error(text)
	}
	back := fmt.Sprintf(`{"id":%d,"refuse":true}`, r.ID)
	if status, text, _ := admin.ask("POST", "/api/consent", back); status != 204 {
		t.Error(status, text)
	}
}
