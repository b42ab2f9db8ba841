package pages

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/people"
)

func TestTheEndIsBegunByTwoPeopleAndTheCountysName(t *testing.T) {
	b := start(t)
	admin, auditor := b.as(people.Admin), b.as(people.Auditor)
	begin := func(id int, name, password string) string {
		return fmt.Sprintf(`{"id":%d,"name":%q,"password":%q}`, id, name, password)
	}
	own := fmt.Sprintf(`{"password":%q}`, password)
	agree := func(id int) string { return fmt.Sprintf(`{"id":%d,"password":%q}`, id, password) }
	refuse := func(id int) string { return fmt.Sprintf(`{"id":%d,"refuse":true}`, id) }
	for i, c := range []struct {
		who        *bench
		path, body string
		status     int
		code       string
	}{
		{b.as(people.Duty), "/api/end/ask", own, 403, "role"},
		{auditor, "/api/end/ask", own, 403, "role"},
		{auditor, "/api/end/begin", begin(1, "清和县", password), 403, "role"},
		{admin, "/api/end/ask", `{"password":"guess guess"}`, 403, "password"},
		{admin, "/api/end/begin", begin(1, "清和县", password), 409, "consent-gone"},
		{admin, "/api/end/ask", own, 204, ""},
		{admin, "/api/end/begin", begin(1, "清和县", password), 409, "consent-waits"},
		{admin, "/api/consent", agree(1), 403, "consent-same"},
		{auditor, "/api/consent", refuse(1), 204, ""},
		{admin, "/api/end/begin", begin(1, "清和县", password), 409, "consent-gone"},
		{admin, "/api/end/ask", own, 204, ""},
		{auditor, "/api/consent", agree(2), 204, ""},
		{admin, "/api/end/begin", begin(2, "清河县", password), 422, "end-name"},
		{admin, "/api/end/begin", begin(2, "", password), 422, "end-name"},
		{admin, "/api/end/begin", begin(2, "清和县", "guess guess"), 403, "password"},
		{admin, "/api/end/begin", begin(1, "清和县", password), 409, "consent-gone"},
		{admin, "/api/end/begin", begin(2, " 清和县 ", password), 204, ""},
		{admin, "/api/end/begin", begin(2, "清和县", password), 409, "end-begun"},
		{admin, "/api/end/ask", own, 409, "end-begun"},
	} {
		if status, code := c.who.asks(c.path, "%s", c.body); status != c.status || code != c.code {
			t.Errorf("%d: %s %s: %d %s, want %d %s", i, c.path, c.body, status, code, c.status, c.code)
		}
	}
	_, text, _ := auditor.ask("GET", "/api/audit?action=end-begin", "")
	if !strings.Contains(text, "consent 2, asked by the admin, agreed by the auditor") {
		t.Error(text)
	}
}

func TestTheEndIsShownFromItsRequestToItsCertificate(t *testing.T) {
	b := start(t)
	admin, auditor := b.as(people.Admin), b.as(people.Auditor)
	is := func(path string, want ...string) {
		t.Helper()
		_, text, _ := auditor.ask("GET", path, "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %s in %s", path, w, text)
			}
		}
	}
	is("/api/end", `"county":"清和县","missing":0,"gates":[]`)
	is("/api/end/certificate", "end-not-begun")
	admin.asks("/api/end/ask", `{"password":%q}`, password)
	is("/api/end", `"asked":{"id":1,`, `"asked_by":"the admin"`)
	auditor.asks("/api/consent", `{"id":1,"password":%q}`, password)
	is("/api/end", `"agreed_by":"the auditor"`)
	admin.asks("/api/end/begin", `{"id":1,"name":"清和县","password":%q}`, password)
	is("/api/end", `"by":"consent 1, asked by the admin, agreed by the auditor"`,
		`"gates":[{"agent":"gate-001","state":"unknown"}]`)
	is("/api/end/certificate", "end-goes-on")
	ends := b.desk.OpenEnd(end.Options{County: "qinghe", Identities: noIdentities})
	tasks := []end.Task{{Name: "keys", Do: func(context.Context) (string, error) { return "4 files or folders", nil }}}
	if err := ends.Destroy(t.Context(), audit.AtTerminal(), tasks, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := ends.Finish(t.Context(), audit.AtTerminal(), 1); err != nil {
		t.Fatal(err)
	}
	is("/api/end", `"finished":"`, `"missing":1`, `"name":"keys"`, `"detail":"4 files or folders"`)
	is("/api/end/certificate", "数据销毁证明", "清和县 (qinghe)", "gate-001", "Ed25519")
	if status, _, _ := b.as(people.Duty).ask("GET", "/api/end/certificate", ""); status != 403 {
		t.Errorf("a duty officer sees the certificate: %d", status)
	}
}
