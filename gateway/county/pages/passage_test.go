package pages

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

func TestAPassageIsExplained(t *testing.T) {
	a, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "county.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b := storetest.Empty(1, 1, 2)
	p := storetest.Passage(fact.VerdictFever, 1)
	p.Reasons = []fact.Reason{fact.ReasonFever}
	for i, body := range []wire.Body{storetest.Reading(3810), p} {
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), body))
	}
	if _, err := a.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	s := &Server{Parts: Parts{Records: a, Audit: noAudit{}, Zone: time.UTC}}
	for query, c := range map[string]struct {
		status int
		want   string
	}{
		"journal=" + storetest.JID(1) + "&seq=2": {200, `"part":"pass","code":"explain.pass.reading",` +
			`"with":{"fever":"37.3","low":"35.0"}`},
		"journal=" + storetest.JID(1) + "&seq=1": {404, `"code":"passage"`},
		"journal=" + storetest.JID(1) + "&seq=9": {404, `"code":"passage"`},
		"journal=x&seq=2":                        {404, `"code":"passage"`},
		"journal=x&seq=0":                        {400, `"code":"body"`},
		"journal=x":                              {400, `"code":"body"`},
	} {
		w := httptest.NewRecorder()
		s.passage(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/passage?"+query, nil), people.Session{})
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %d %s", query, w.Code, w.Body, c.status, c.want)
		}
	}
}
