package pages

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// gone is what was removed from a store.
type gone []store.Expired

func (g gone) Expired(context.Context) ([]store.Expired, error) { return g, nil }

func TestTheDeskTellsForHowLongRecordsAreKept(t *testing.T) {
	at := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	s := &Server{Parts: Parts{Kept: retention.Config{Health: retention.Age(36 * time.Hour)}.Kept(), Removed: gone{
		{Kind: wire.KindHealth, Records: 3, Newest: at}, {Kind: wire.KindClock, Records: 4, Newest: at.Add(time.Hour)},
	}}}
	w := httptest.NewRecorder()
	s.retention(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/retention", nil), people.Session{})
	for _, want := range []string{
		`{"what":"health","hours":36,"removed":7,"newest":"2020-02-14T07:00:00Z"}`,
		`{"what":"runs","hours":null,"removed":0}`,
	} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
}
