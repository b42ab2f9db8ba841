package pages

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/people"
)

// maxBody bounds what a page posts, in bytes.
const maxBody = 16 << 10

// problem is the body of an answer that reports an error. The page chooses its
// words by Code; Text is for engineers.
type problem struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// known is an error that a page has words for.
type known struct {
	err    error
	code   string
	status int
}

// codes lists them.
var codes = []known{
	{people.ErrSession, "session", http.StatusUnauthorized},
	{people.ErrPassword, "password", http.StatusForbidden},
	{people.ErrInvite, "invite", http.StatusForbidden},
	{people.ErrName, "name", http.StatusUnprocessableEntity},
	{people.ErrWeak, "weak", http.StatusUnprocessableEntity},
	{people.ErrCommon, "common", http.StatusUnprocessableEntity},
	{people.ErrDisabled, "disabled", http.StatusForbidden},
	{people.ErrProvided, "provided", http.StatusConflict},
	{people.ErrReauth, "reauth", http.StatusForbidden},
	{people.ErrRole, "role", http.StatusForbidden},
	{people.ErrNoRole, "body", http.StatusUnprocessableEntity},
	{people.ErrUser, "no-user", http.StatusNotFound},
	{people.ErrLastAdmin, "last-admin", http.StatusConflict},
	{people.ErrMany, "too-many", http.StatusConflict},
	{people.ErrUntil, "token-until", http.StatusUnprocessableEntity},
	{people.ErrTokenRole, "token-role", http.StatusUnprocessableEntity},
	{people.ErrToken, "gone", http.StatusNotFound},
	{consent.ErrGone, "consent-gone", http.StatusConflict},
	{consent.ErrSame, "consent-same", http.StatusForbidden},
	{alerts.ErrGone, "gone", http.StatusConflict},
	{alerts.ErrNoCall, "no-call", http.StatusConflict},
	{notices.ErrText, "notice-text", http.StatusUnprocessableEntity},
	{notices.ErrUntil, "notice-until", http.StatusUnprocessableEntity},
	{notices.ErrWhere, "notice-where", http.StatusUnprocessableEntity},
	{notices.ErrMany, "notice-many", http.StatusConflict},
	{notices.ErrGone, "gone", http.StatusConflict},
	{command.ErrText, "command-text", http.StatusUnprocessableEntity},
	{command.ErrAction, "body", http.StatusUnprocessableEntity},
	{command.ErrGate, "notice-where", http.StatusUnprocessableEntity},
	{command.ErrBusy, "command-busy", http.StatusConflict},
	{command.ErrNoKey, "command-offline", http.StatusServiceUnavailable},
	{fleet.ErrNoRun, "run", http.StatusNotFound},
	{lookup.ErrNone, "passage", http.StatusNotFound},
	{lookup.ErrNotPassage, "passage", http.StatusNotFound},
	{lookup.ErrLost, "passage", http.StatusNotFound},
	{lookup.ErrRemoved, "removed", http.StatusNotFound},
	{lookup.ErrQuarantine, "quarantine", http.StatusNotFound},
	{errBody, "body", http.StatusBadRequest},
	{errRow, "gone", http.StatusNotFound},
	{audit.ErrUnwritten, "audit", http.StatusServiceUnavailable},
	{audit.ErrLooks, "looks", http.StatusTooManyRequests},
	{people.ErrBusy, "busy", http.StatusServiceUnavailable},
}

var (
	errBody = errors.New("the request can't be understood")
	errRow  = errors.New("this row is not in quarantine any more")
)

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	p, status := problem{Code: "server", Text: err.Error()}, http.StatusInternalServerError
	for _, c := range slices.Concat(codes, endErrors, enrolErrors, providerErrors, rulesErrors, versionErrors) {
		if errors.Is(err, c.err) {
			p.Code, status = c.code, c.status
		}
	}
	if _, many := errors.AsType[people.WaitError](err); many {
		p.Code, status = "many", http.StatusTooManyRequests
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the page may have gone
}

// failRetryable is fail, which also says when to try again where that helps.
func failRetryable(w http.ResponseWriter, err error) {
	if errors.Is(err, people.ErrBusy) {
		w.Header().Set("Retry-After", "2")
	}
	if many, ok := errors.AsType[people.WaitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(many.For/time.Second)+1))
	}
	fail(w, err)
}

// answer answers with v as JSON, or with err.
func answer[T any](w http.ResponseWriter, v T, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the page may have gone
}

// read decodes the body of a request. The error wraps errBody.
func read[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, errors.Join(errBody, err)
	}
	return v, nil
}
