package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/oidc"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/live"
)

// as returns a bench of the same desk at which a user with a role is logged in.
func (b *bench) as(role people.Role) *bench {
	b.t.Helper()
	name := "the " + string(role)
	b.sql("INSERT OR REPLACE INTO users (name, hash, role, created) VALUES (?, ?, ?, 0)", name, cheapHash, string(role))
	of := &bench{b.t, b.s, b.desk, &http.Client{Jar: newJar(b.t)}, b.path, b.said}
	body := fmt.Sprintf(`{"token":"","name":%q,"password":%q}`, name, password)
	if status, text, _ := of.ask("POST", "/api/login", body); status != 204 {
		b.t.Fatal(status, text)
	}
	return of
}

// routesOf returns the routes of a desk.
func routesOf(t *testing.T) []route {
	t.Helper()
	return (&Server{}).routes(t.Context())
}

func TestEveryRouteNamesAnAct(t *testing.T) {
	open := []string{"POST /api/login", "POST /api/invited", "POST /api/setup", "POST /api/logout", "/",
		"POST " + enrolment.RequestPath, "GET " + enrolment.AnswerPath + "{id}", "POST " + enrolment.RenewPath,
		"GET /api/ways", "GET /help", "GET /help/", "GET " + oidc.BeginPath, "GET " + oidc.DonePath,
		"GET /packages/{file}"}
	for _, path := range pagePaths() {
		open = append(open, "GET "+path)
	}
	seen := map[people.Act]bool{}
	for _, x := range routesOf(t) {
		seen[x.act] = true
		switch {
		case x.act == people.ActAnybody && !slices.Contains(open, x.pattern):
			t.Errorf("%s is open to everybody", x.pattern)
		case x.act != people.ActAnybody && !slices.Contains(people.Acts(), x.act):
			t.Errorf("%s names no act: %q", x.pattern, x.act)
		}
	}
	seen[people.ActAlerts] = true // asked in acknowledge, of alerts that are not about runs
	for _, act := range people.Acts() {
		if !seen[act] {
			t.Errorf("no route asks for %s", act)
		}
	}
}

// table reads the table of deploy/PEOPLE.md: who may do which act.
func table(t *testing.T) map[people.Act][]people.Role {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/PEOPLE.md")
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	out := map[people.Act][]people.Role{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 2+len(people.Roles()) {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		switch act := people.Act(cells[1]); {
		case cells[1] == "act":
			head = cells
		case head != nil && slices.Contains(people.Acts(), act):
			out[act] = []people.Role{}
			for i, cell := range cells {
				if cell == "yes" {
					out[act] = append(out[act], people.Role(head[i]))
				}
			}
		}
	}
	return out
}

// Every role asks for every route, with a session and with a token; the manual says what
// happens.
func TestARoleMayDoWhatTheManualSays(t *testing.T) {
	b := start(t)
	manual := table(t)
	if len(manual) != len(people.Acts()) {
		t.Fatalf("the manual has %d acts of %d", len(manual), len(people.Acts()))
	}
	for _, role := range people.Roles() {
		of := b.as(role)
		bearer := ""
		if role != people.Admin {
			token, err := b.desk.People.MakeToken(t.Context(), people.Operator(), string(role), role,
				time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			bearer = token
		}
		for _, x := range routesOf(t) {
			if x.act == people.ActAnybody {
				continue
			}
			may := slices.Contains(manual[x.act], role)
			if got := of.refused(x.pattern, ""); got == may {
				t.Errorf("%s: %s is refused: %t", role, x.pattern, got)
			}
			if bearer == "" {
				continue
			}
			if got := b.refused(x.pattern, bearer); got != (!may || x.act == people.ActAccount) {
				t.Errorf("a token of %s: %s is refused: %t", role, x.pattern, got)
			}
		}
	}
}

// refused reports whether a request without sense is refused because of the role.
func (b *bench) refused(pattern, bearer string) bool {
	b.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, strings.NewReader("[]"))
	if err != nil {
		b.t.Fatal(err)
	}
	client := b.c
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
		client = http.DefaultClient
	}
	res, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusNotFound && path != "/api/run" &&
		path != "/api/passage" {
		b.t.Errorf("%s: %d", pattern, res.StatusCode)
	}
	return res.StatusCode == http.StatusForbidden
}

// told returns the first frame of a live connection.
func (b *bench) told() string {
	b.t.Helper()
	c, _, err := websocket.Dial(b.t.Context(), b.s.URL+"/live", &websocket.DialOptions{HTTPClient: b.c})
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // the test is over
	_, text, err := c.Read(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// What a fever's alert and the list of passages say of a person.
func TestAViewerSeesNobodysPassage(t *testing.T) {
	b := start(t)
	b.sql(`INSERT INTO alerts (id, agent, jid, alarm, type, device, detail, screening, passage, seq, at, note)
		VALUES (1, 'gate-1', 'j', 'fever:1', 'fever', '', 'SECRETDETAIL', 3871, 4711, 4712, 1, 'SECRETNOTE')`)
	b.sql(`INSERT INTO passages (jid, seq, agent, at, verdict, reasons, screening, readings, direction, class)
		VALUES ('j', 4711, 'gate-1', ?, 'fever', 'fever', 3871, '', 'in', 'resident')`, time.Now().UnixNano())
	if err := live.Set(b.desk.Hub, "feed", "4711"); err != nil {
		t.Fatal(err)
	}
	if err := b.desk.Alerts.Show(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, role := range people.Roles() {
		of := b.as(role)
		all := of.told()
		for _, path := range []string{"/api/gate?agent=gate-1", "/api/alerts"} {
			_, text, _ := of.ask("GET", path, "")
			all += text
		}
		sees := strings.Contains(all, "4711") || strings.Contains(all, "38.7") || strings.Contains(all, "SECRET")
		if sees != people.May(role, people.ActPassages) || !strings.Contains(all, `"fever"`) {
			t.Errorf("%s: sees a person: %t: %s", role, sees, all)
		}
	}
}

func TestACrewLeadAcknowledgesRunsOnly(t *testing.T) {
	b := start(t)
	const insert = `INSERT INTO alerts (id, agent, jid, alarm, type, device, detail, passage, seq, at, about)
		VALUES (?, 'gate-1', 'j', ?, ?, '', '', 0, 1, 1, ?)`
	b.sql(insert, 1, "run-dry:1", "run-dry", `{"machine":"m","name":"m","run":"1"}`)
	b.sql(insert, 2, "fever:1", "fever", "")
	crew, viewer := b.as(people.Crew), b.as(people.Viewer)
	for _, c := range []struct {
		of   *bench
		id   int
		want int
	}{{viewer, 1, 403}, {crew, 2, 403}, {crew, 3, 409}, {crew, 1, 204}, {b.as(people.Duty), 2, 204}} {
		body := fmt.Sprintf(`{"id":%d,"note":""}`, c.id)
		if status, text, _ := c.of.ask("POST", "/api/acknowledge", body); status != c.want {
			t.Errorf("alert %d: %d %s", c.id, status, text)
		}
	}
}

// sql changes the desk's file.
func (b *bench) sql(query string, args ...any) {
	b.t.Helper()
	file, err := desk.OpenFile(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = file.Exec(b.t.Context(), query, args...)
	if err = cmp.Or(err, file.Close()); err != nil {
		b.t.Fatal(err)
	}
}
