package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gatehouse/gateway/gate"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/post"
)

// refused are the codes of the page's words for what a guard can't do: post.<code>,
// entry.<code> and check.wrong.<code>.
var refused = []struct {
	err  error
	code string
}{
	{post.ErrPIN, "pin"}, {post.ErrGuard, "guard"}, {post.ErrOffDuty, "off-duty"}, {post.ErrOver, "over"},
	{post.ErrNote, "unknown-note"},
	{gate.ErrNever, "never"}, {gate.ErrNobody, "nobody"}, {gate.ErrSealedHouse, "sealed"},
	{gate.ErrNoOverride, "not-allowed"}, {gate.ErrNoReason, "not-allowed"},
	{gate.ErrOccupied, "occupied"}, {gate.ErrTooLate, "too-late"}, {gate.ErrMixed, "mixed"}, {gate.ErrFever, "fever"},
	{gate.ErrNotMeasured, "not-measured"}, {gate.ErrTooEarly, "too-early"}, {gate.ErrNoEpisode, "no-episode"},
	{honesty.ErrNoCheck, "none"}, {honesty.ErrCheckIsOn, "is-on"}, {honesty.ErrCheckFault, "fault"},
	{honesty.ErrCheckEmpty, "nobody"},
}

// rangeError says that a value is no temperature of a body.
type rangeError struct{ error }

// act answers a request of a guard: 204, or a code of the page's words, a colon, and
// what to do in English: 400 and 422 for a request or a value that is none, 409 when it
// can't be done, 429 while no PIN is taken, 503 when it could not be kept.
func act[M any](w http.ResponseWriter, r *http.Request, do func(ctx context.Context, m M) error) {
	var m M
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&m); err != nil {
		http.Error(w, "failed: not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	err := do(ctx, m)
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if wait, is := errors.AsType[post.WaitError](err); is {
		http.Error(w, "wait: "+wait.Error(), http.StatusTooManyRequests)
		return
	}
	if errors.Is(err, honesty.ErrCheckStep) || errors.Is(err, honesty.ErrCheckDevice) {
		http.Error(w, "failed: "+err.Error(), http.StatusBadRequest)
		return
	}
	if _, is := errors.AsType[rangeError](err); is {
		http.Error(w, "range: "+err.Error(), http.StatusUnprocessableEntity)
		return
	}
	for _, x := range refused {
		if errors.Is(err, x.err) {
			http.Error(w, x.code+": "+x.err.Error(), http.StatusConflict)
			return
		}
	}
	http.Error(w, "failed: "+err.Error(), http.StatusServiceUnavailable)
}
