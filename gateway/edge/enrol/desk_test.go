package enrol

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What is not the desk (a router's own page, a proxy that waits for it) is tried again; what
// the desk refuses is not.
func TestAnswersThatAreNotTheDesks(t *testing.T) {
	answers := []func(w http.ResponseWriter){
		func(w http.ResponseWriter) { http.Error(w, "<html>log in to the hotel", http.StatusForbidden) },
		func(w http.ResponseWriter) { http.Error(w, "bad gateway", http.StatusBadGateway) },
		func(w http.ResponseWriter) { _, _ = w.Write([]byte("{")) },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) },
		func(w http.ResponseWriter) { http.Error(w, `{"code":"enrol-late","text":"too old"}`, http.StatusGone) },
	}
	n := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers[n](w)
		n++
	}))
	defer s.Close()
	var troubles []string
	d := desk{client: NewClient(""), urls: []string{s.URL + "/"}, trouble: func(err error) {
		troubles = append(troubles, err.Error())
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := d.await(ctx, "id", time.Millisecond)
	if final := new(RefusedError); !errors.As(err, &final) || !strings.Contains(err.Error(), "too old") {
		t.Errorf("%v", err)
	}
	if all := strings.Join(troubles, "\n"); len(troubles) != 3 || !strings.Contains(all, "router") {
		t.Errorf("%q", troubles)
	}
}

func TestAnIdentityIsWhole(t *testing.T) {
	good := Identity{Key: "k", Cert: "c", CA: "a", Desk: []string{"https://a.example"}}
	if err := errors.Join(good.Check(), Identity{}.Check()); err != nil {
		t.Error(err)
	}
	for _, i := range []Identity{{Key: "k"}, {Key: "k", Cert: "c", CA: "a"}, {Key: "k", Cert: "c", CA: "a",
		Desk: []string{"desk"}}} {
		if i.Check() == nil {
			t.Errorf("%+v is taken", i)
		}
	}
}
